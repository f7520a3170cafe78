from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec
import pytest

from tests.usecases.wording import gallery
from velvetrope.domain.policy import RULES
from velvetrope.domain.standing import Standing, StandingKind
from velvetrope.domain.states import ChatKind, Interval
from velvetrope.domain.validation import LANGUAGES
from velvetrope.store.catalogue import ChatView
from velvetrope.usecases.wording import bot_profile, messages
from velvetrope.usecases.wording.markup import mistake_in
from velvetrope.usecases.wording.outgoing import LONGEST_TEXT, Html, OutgoingMessage, visible
from velvetrope.usecases.wording.words import Words

if TYPE_CHECKING:
    from velvetrope.usecases.wording.outgoing import Button

MOST_ROWS = 26
#: What a phone shows of a button without cutting it, and a little more.
LONGEST_BUTTON = 64

in_each_language = pytest.mark.parametrize("language", LANGUAGES)


def buttons(message: OutgoingMessage) -> list[Button]:
    return [button for row in message.keyboard for button in row]


def words(language: str = "en", **changes: object) -> Words:
    view = replace(gallery.FULL, **changes)  # type: ignore[arg-type]  # a table of examples
    return Words(view, language, gallery.NOW)


@in_each_language
def test_telegram_takes_every_message(language: str) -> None:
    for what, message in gallery.everything(language):
        assert mistake_in(message.text) is None, what
        assert 0 < len(visible(message.text)) <= LONGEST_TEXT, what
        assert len(message.keyboard) <= MOST_ROWS, what
        assert all(0 < len(row) <= len(LANGUAGES) for row in message.keyboard), what
        for button in buttons(message):
            assert 0 < len(button.text) <= LONGEST_BUTTON, what
            assert bool(button.url) != bool(button.data), what
            assert len(button.data.encode()) <= 64, what
        params = message.params(77)
        assert msgspec.json.decode(msgspec.json.encode(params)) == params, what


@in_each_language
def test_no_message_shows_its_seams(language: str) -> None:
    foreign = {"en": "[а-яіїєґ]", "uk": "[ыэъё]", "ru": "[іїєґ]"}[language]
    for what, message in gallery.everything(language):
        seen = visible(message.text) + "".join(button.text for button in buttons(message))
        assert not re.search(r"[{}]|None|price_|-100\d|\n\n\n|  |\.\.", seen), what
        assert message.text == message.text.strip(), what
        assert "Українська" in seen or not re.search(foreign, seen, re.IGNORECASE), what


def test_a_greeting_is_personal_and_names_chats_plans_and_prices() -> None:
    text = visible(messages.start(words(), "Anna").text)
    assert text.startswith("Hello, Anna! 👋")
    assert "Velvet Club and Club Talk & Co" in text
    assert "Monthly\n€9.00 per month · first 7 days free" in text
    assert [button.data for button in buttons(messages.start(words(), "Anna"))] == [
        *(f"plan:{plan.id}" for plan in gallery.PLANS),
        "language",
    ]


def test_what_people_and_operators_typed_is_escaped() -> None:
    chat = ChatView(1, -1001, "<b>Fish & Chips", ChatKind.CHANNEL, "", "")
    plan = replace(gallery.MONTHLY, name='A <i>"plan"')
    text = messages.start(words(chats=(chat,), plans=(plan,)), "<script>").text
    assert mistake_in(text) is None
    assert "<script>" in visible(text)
    assert "<b>Fish & Chips" in visible(text)
    assert 'A <i>"plan"' in visible(text)


def test_a_single_plan_invites_with_its_price_or_its_trial() -> None:
    view = gallery.PLAIN_SINGLE
    plain = buttons(messages.start(Words(view, "en", gallery.NOW), ""))[0]
    trial = buttons(messages.start(Words(gallery.SINGLE, "en", gallery.NOW), ""))[0]
    assert (plain.text, trial.text) == ("Join · €9.00 per month", "Try it for free")


def test_a_catalogue_of_any_size_fits_into_a_message() -> None:
    chats = tuple(
        ChatView(n, -1000 - n, f"Chat {n} " + "w" * 300, ChatKind.CHANNEL, "", "")
        for n in range(1, 40)
    )
    plans = tuple(
        gallery.plan_view(n, f"Plan {n} " + "m" * 300, 100 * n, chat_ids=tuple(range(1, 40)))
        for n in range(1, 60)
    )
    for language in LANGUAGES:
        large = words(language, chats=chats, plans=plans)
        for message in (
            messages.start(large, "A" * 64),
            messages.plans(large),
            messages.request_declined(large, chats[0], plans),
            messages.access_ended(large, plans, chats, "refunded"),
            messages.payment_received(large, plans[0], chats),
            messages.checkout_link(large, plans[0], "https://example.com"),
            messages.help_page(large),
            messages.status(large, [], doors=chats),
        ):
            assert len(visible(message.text)) <= LONGEST_TEXT
            assert len(message.keyboard) <= MOST_ROWS
            assert all(len(button.text) <= 100 for button in buttons(message))
            assert mistake_in(message.text) is None


def test_a_text_that_became_too_long_is_cut_rather_than_refused() -> None:
    params = OutgoingMessage(Html("<b>" + "x" * 5000 + "</b> &amp;")).params(1)
    assert len(visible(str(params["text"]))) == LONGEST_TEXT
    assert mistake_in(str(params["text"])) is None


def test_a_checkout_link_names_the_amount_and_leads_to_the_terms() -> None:
    linked = words(terms_url="https://example.com/terms?a=1&b=2")
    message = messages.checkout_link(linked, gallery.YEARLY, "https://checkout.example.com/c")
    assert buttons(message)[0].as_param() == {
        "text": "Pay €90.00",
        "url": "https://checkout.example.com/c",
    }
    assert '<a href="https://example.com/terms?a=1&amp;b=2">terms</a>' in message.text
    assert "/terms" in messages.checkout_link(words(), gallery.YEARLY, "https://x.example").text


def test_only_what_renews_is_said_to_renew() -> None:
    def text(plan_number: int) -> str:
        plan = gallery.PLANS[plan_number]
        return messages.checkout_link(words(), plan, "https://x.example").text

    assert "renews by itself" in text(1)
    assert "renews" not in text(3)
    assert "until the free days are over" in text(0)


@pytest.mark.parametrize(
    ("kind", "line"),
    [
        (StandingKind.RENEWS, "✅ Active · €9.00 per month\nNext payment: 30 June 2027"),
        (StandingKind.EXPIRING, "⏳ Won’t be renewed\nAccess ends: 30 June 2027"),
        (
            StandingKind.TRIAL,
            "🎁 Free trial, then €9.00 per month\nFirst payment: 30 June 2027",
        ),
        (
            StandingKind.PAST_DUE,
            """⚠️ The last payment did not go through. Please check your card.
Otherwise access ends: 30 June 2027""",
        ),
        (StandingKind.UNTIL, "✅ Active\nAccess ends: 30 June 2027"),
        (StandingKind.FOREVER, "✅ Yours for good"),
        (StandingKind.PAUSED, "✅ Active, payments are paused"),
        (StandingKind.PENDING_PAYMENT, "⏳ Waiting for the payment to arrive"),
        (StandingKind.DISPUTED, "⏸ Closed while the bank looks into the payment"),
        (StandingKind.ENDED, "Ended: 30 June 2027"),
    ],
)
def test_each_standing_is_told_in_its_own_words(kind: StandingKind, line: str) -> None:
    standing = Standing(kind, gallery.MONTHLY.id, gallery.LATER, manageable=False)
    text = visible(messages.status(words(), [standing]).text)
    assert text == f"Your access:\n\nMonthly\n{line}"


def test_a_failed_payment_comes_first_and_so_does_the_way_to_pay() -> None:
    due = Standing(StandingKind.PAST_DUE, 2, gallery.SOON, manageable=True)
    fine = Standing(StandingKind.RENEWS, 1, gallery.SOON, manageable=True)
    message = messages.status(words(), [fine, due], doors=gallery.FULL.chats)
    assert visible(message.text).index("Yearly") < visible(message.text).index("Monthly")
    assert [button.data for button in buttons(message)] == ["portal", "enter", "plans"]


def test_of_a_plan_that_ended_and_was_bought_again_only_the_present_is_told() -> None:
    old = Standing(StandingKind.ENDED, 1, gallery.NOW, manageable=False)
    new = Standing(StandingKind.RENEWS, 1, gallery.LATER, manageable=True)
    assert "Ended" not in messages.status(words(), [old, new]).text
    older = Standing(StandingKind.ENDED, 1, None, manageable=False)
    assert messages.status(words(), [older, old]).text.count("Ended") == 1


def test_a_payment_on_its_way_is_told_once() -> None:
    waiting = Standing(StandingKind.PENDING_PAYMENT, 1, None, manageable=False)
    text = messages.status(words(), [waiting], pending=[gallery.MONTHLY]).text
    assert text.count("Waiting") == 1
    assert messages.status(words(), [], pending=[gallery.MONTHLY]).text.count("Waiting") == 1


def test_doors_are_links_that_delivery_fills_in() -> None:
    message = messages.entry(words(), gallery.FULL.chats)
    assert [button.url for button in buttons(message)] == ["invite:1", "invite:2"]


def test_who_leaves_is_shown_the_same_plan_and_a_look_at_the_others() -> None:
    message = messages.access_ended(words(), [gallery.YEARLY], gallery.FULL.chats, "lapsed")
    assert [button.data for button in buttons(message)] == ["plan:2", "plans"]
    gone = replace(gallery.YEARLY, for_sale=False)
    message = messages.access_ended(
        words(plans=(gallery.MONTHLY, gone)), [gone], gallery.FULL.chats, "lapsed"
    )
    assert [button.data for button in buttons(message)] == ["plan:1"]


def test_terms_answer_what_happens_as_the_policy_has_it() -> None:
    text = messages.terms(words()).text
    assert "What happens if" in text
    for answer in (
        "for 7 more days after the first failed attempt",
        "to the end of the time that you’ve paid for",
        "After a full refund access closes. After a partial one it stays open.",
        "ends if the bank takes the money back",
        "Access stays open meanwhile.",
    ):
        assert answer in text


@pytest.mark.parametrize(
    ("differences", "answer"),
    [
        ({"grace_days": 0}, "can’t be charged?</i>\nAccess closes"),
        ({"grace_days": 1}, "for 1 more day after"),
        ({"refund_ends": False}, "I get a refund?</i>\nAccess stays open for as long"),
        ({"partial_refund_ends": True}, "even if only a part is refunded"),
        ({"dispute_suspends": False}, "Access stays open while the bank looks into it"),
        ({"dispute_lost_ends": False}, "and opens again afterwards"),
        ({"dispute_warning_suspends": True}, "while the bank is only asking"),
        ({"collection_pause_keeps": False}, "Access is closed meanwhile"),
    ],
)
def test_each_answer_follows_its_field(differences: dict[str, object], answer: str) -> None:
    assert answer not in messages.terms(words()).text
    policy = gallery.FULL.policy.changed(differences)
    assert answer in messages.terms(words(policy=policy)).text


def test_terms_speak_of_the_kinds_of_plans_that_there_are() -> None:
    once = gallery.plan_view(9, "Once", 100, interval=Interval.ONE_TIME)
    month = replace(once, duration_days=30)
    only_once = messages.terms(words(plans=(once,))).text
    assert "renew" not in only_once
    assert "cancel" not in only_once
    assert "yours for good" in only_once
    assert "for 30 days and then" in messages.terms(words(plans=(month,))).text
    assert "as long as the plan says" in messages.terms(words(plans=(once, month))).text
    assert "pay only once" not in messages.terms(words(plans=(gallery.MONTHLY,))).text


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("flip", [True, False])
def test_the_longest_terms_fit_into_one_message(language: str, flip: bool) -> None:
    switches = [rule.name for rule in RULES if rule.bounds is None]
    policy = gallery.FULL.policy.changed(dict.fromkeys(switches, flip))
    once = gallery.plan_view(9, "Once", 100, interval=Interval.ONE_TIME)
    plans = (*gallery.PLANS, replace(once, duration_days=30))
    message = messages.terms(words(language, policy=policy, plans=plans))
    assert len(message.text) < 2500


@pytest.mark.parametrize(("days", "form"), [(1, "1 день"), (3, "3 дня"), (5, "5 дней")])
def test_days_of_grace_have_the_form_of_their_number(days: int, form: str) -> None:
    policy = replace(gallery.FULL.policy, grace_days=days)
    assert f"ещё на {form} после" in messages.terms(words("ru", policy=policy)).text


def test_the_language_picker_marks_the_language_in_use() -> None:
    names = [button.text for button in buttons(messages.language_picker(words("uk")))]
    assert names == ["English", "✓ Українська", "Русский"]


def test_an_edited_message_is_the_same_with_its_number() -> None:
    message = messages.plans(words())
    assert message.edit_params(7, 12) == {**message.params(7), "message_id": 12}


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_bots_profile_fits_whatever_its_chats_are_called(language: str) -> None:
    long = tuple(
        ChatView(n, -1000 - n, "Довга назва & " + "w" * 80, ChatKind.CHANNEL, "", "")
        for n in range(1, 9)
    )
    for chats in ((), gallery.FULL.chats, long):
        told = words(language, chats=chats)
        assert 0 < len(bot_profile.description(told)) <= 512
        assert 0 < len(bot_profile.short_description(told)) <= 120
        menu = bot_profile.commands(told)
        assert all(re.fullmatch("[a-z]{1,32}", one.command) for one in menu)
        assert all(0 < len(one.description) <= 100 for one in menu)
    assert "Velvet Club" in bot_profile.description(words(language))
    assert "Club Talk & Co" in bot_profile.short_description(words(language))

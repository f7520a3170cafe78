"""The forms: judged in one place, mistakes shown where they are, secrets kept and never shown."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from django.urls import reverse

from tests.web.console.forms import post, words
from tests.web.console.rows import SECRETS, STRIPE_KEY, TOKEN
from velvetrope.store.encryption import Secret
from velvetrope.store.models import (
    AuditEntry,
    Chat,
    InboxEvent,
    Integration,
    Plan,
    StripeAccount,
    TextOverride,
)

if TYPE_CHECKING:
    from typing import Any

    from django.test import Client

    from tests.web.console.rows import World

OTHER_TOKEN = "7555666777:AAanotherTokenThatNobodyMaySee98765"
NEW_TOKEN = TOKEN[:-5] + "fresh"


def _add(browser: Client, world: World, **fields: object) -> Any:
    page = reverse("admin:store_integration_add")
    values = {
        "name": "Evening talk",
        "new_token": OTHER_TOKEN,
        "stripe_account": world.account.pk,
        "chats": "-1001112223334, -1001112223335",
        "prices": "price_1One price_1Two\nprice_1Three",
        "language": "ru",
        "time_zone": "Europe/Riga",
        "terms_url": "",
        "privacy_url": "",
        "support_contact": "@support",
    }
    return post(browser, page, page, values | fields)


def _change(browser: Client, world: World, **fields: object) -> Any:
    page = reverse("admin:store_integration_change", args=[world.integration.pk])
    values = {
        "name": world.integration.name,
        "new_token": "",
        "stripe_account": world.account.pk,
        "chats": str(world.chat.telegram_id),
        "prices": world.plan.stripe_price_id,
        "language": "uk",
        "time_zone": "Europe/Kyiv",
        "terms_url": "https://example.com/terms",
        "privacy_url": "",
        "support_contact": "",
    }
    return post(browser, page, page, values | fields)


def _token_of(key: int) -> Secret | None:
    return Integration.objects.get(pk=key).token


def test_an_integration_is_connected_with_chats_prices_and_a_job(
    browser: Client, world: World
) -> None:
    answer = _add(browser, world)
    assert answer.status_code == 302, words(answer)
    row = Integration.objects.get(name="Evening talk")
    assert row.bot_id == 7555666777
    assert row.token == Secret(OTHER_TOKEN)
    assert [plan.stripe_price_id for plan in row.plans.all()] == [
        "price_1One", "price_1Two", "price_1Three",
    ]  # fmt: skip
    assert Chat.objects.filter(integration=row).count() == 2
    assert InboxEvent.objects.get(kind="register").account == row.pk
    entry = AuditEntry.objects.get(action="integration.created")
    assert entry.actor == "operator:anna"
    assert OTHER_TOKEN not in str(vars(entry))


@pytest.mark.parametrize(
    ("field", "value", "hint"),
    [
        ("new_token", "123:short", "@BotFather"),
        ("new_token", "", "required"),
        ("new_token", TOKEN, "connected already"),
        ("chats", "@channel", "numeric id"),
        ("chats", "-12345", "basic group"),
        ("prices", "prod_abc", "product"),
        ("prices", "sk_test_0123456789abcdefgh", "price_1AbC"),
        ("time_zone", "Mars/Olympus", "Europe/Kyiv"),
        ("terms_url", "javascript:alert(1)", "whole address"),
        ("privacy_url", "https://u:p@example.com/", "name and password"),
        ("name", "Morning yoga 1", "already exists"),
        ("name", "a\u202eb", "signs only"),
        ("language", "fr", "valid choice"),
    ],
)
def test_mistakes_are_shown_with_the_remedy_and_nothing_is_stored(
    browser: Client, world: World, field: str, value: str, hint: str
) -> None:
    answer = _add(browser, world, **{field: value})
    assert answer.status_code == 200
    assert hint in words(answer)
    assert Integration.objects.count() == 1
    assert not InboxEvent.objects.filter(kind="register").exists()


def test_a_typed_secret_is_not_shown_again_with_the_mistake(browser: Client, world: World) -> None:
    for fields in (
        {"new_token": OTHER_TOKEN, "chats": "nonsense"},
        {"new_token": OTHER_TOKEN[:-30]},
        {"prices": "sk_test_0123456789abcdefgh"},
    ):
        text = _add(browser, world, **fields).content.decode()
        assert OTHER_TOKEN not in text
        assert OTHER_TOKEN[:-30] not in text.replace(OTHER_TOKEN[:10], "")
    # What was typed into an ordinary field stays there to be mended.
    text = _add(browser, world, chats="nonsense").content.decode()
    assert "nonsense" in text


def test_the_token_field_is_a_password_that_browsers_leave_alone(
    browser: Client, world: World
) -> None:
    page = reverse("admin:store_integration_change", args=[world.integration.pk])
    text = browser.get(page).content.decode()
    field = next(tag for tag in re.findall("<input[^>]*>", text) if 'name="new_token"' in tag)
    assert 'type="password"' in field
    assert 'autocomplete="new-password"' in field
    assert "value=" not in field


def test_a_blank_token_keeps_the_stored_one(browser: Client, world: World) -> None:
    answer = _change(browser, world, name="Renamed")
    assert answer.status_code == 302, words(answer)
    assert Integration.objects.get(pk=world.integration.pk).name == "Renamed"
    assert _token_of(world.integration.pk) == Secret(TOKEN)
    assert Integration.objects.get(pk=world.integration.pk).webhook_secret_hash == (
        world.integration.webhook_secret_hash
    )


def test_a_new_token_of_the_same_bot_replaces_the_old(browser: Client, world: World) -> None:
    world.integration.bot_id = int(TOKEN.partition(":")[0])
    world.integration.save()
    answer = _change(browser, world, new_token=NEW_TOKEN)
    assert answer.status_code == 302, words(answer)
    assert _token_of(world.integration.pk) == Secret(NEW_TOKEN)
    entry = AuditEntry.objects.get(action="integration.changed")
    assert entry.after is not None
    assert entry.after["token"] == "(replaced)"
    assert NEW_TOKEN not in str(vars(entry))


def test_a_token_of_another_bot_is_refused(browser: Client, world: World) -> None:
    answer = _change(browser, world, new_token=OTHER_TOKEN)
    assert "another bot" in words(answer)
    assert _token_of(world.integration.pk) == Secret(TOKEN)


def test_a_chat_with_customers_in_it_is_not_dropped(browser: Client, world: World) -> None:
    answer = _change(browser, world, chats="-1009998887776")
    assert answer.status_code == 200
    assert "Customers hold access to this chat" in words(answer)
    assert Chat.objects.filter(pk=world.chat.pk).exists()


def test_a_price_that_is_removed_is_taken_off_sale_for_those_who_hold_it(
    browser: Client, world: World
) -> None:
    answer = _change(browser, world, prices="price_1New")
    assert answer.status_code == 302, words(answer)
    assert not Plan.objects.get(pk=world.plan.pk).on_sale
    assert Plan.objects.filter(stripe_price_id="price_1New", on_sale=True).exists()


def test_the_page_says_what_is_wrong_and_how_to_mend_it(browser: Client, world: World) -> None:
    world.integration.problems = [
        {"code": "missing_rights", "data": {"chat": world.chat.telegram_id,
                                            "rights": "can_invite_users"}},
        {"code": "from_the_future", "data": {"what": "ever"}},
    ]  # fmt: skip
    world.integration.save()
    page = reverse("admin:store_integration_change", args=[world.integration.pk])
    for shown in (words(browser.get(page)), words(browser.get(reverse("admin:index")))):
        assert "The bot lacks rights in the chat: «Invite users via link»." in shown
        assert "then verify again" in shown
        assert "Morning yoga: the channel" in shown
        assert "from_the_future" in shown


def test_a_plans_terms_are_kept(browser: Client, world: World) -> None:
    page = reverse("admin:store_plan_change", args=[world.plan.pk])
    answer = post(browser, page, page, {"position": 3, "opens": [world.chat.pk], "trial_days": 14})
    assert answer.status_code == 302, words(answer)
    plan = Plan.objects.get(pk=world.plan.pk)
    assert (plan.position, plan.on_sale, plan.trial_days) == (3, False, 14)
    refused = post(
        browser, page, page, {"position": 3, "opens": [world.chat.pk], "trial_days": 900}
    )
    assert "730 days" in words(refused)
    assert "required" in words(post(browser, page, page, {"position": 3}))


def test_stripe_says_what_a_plan_costs_and_the_form_cannot(browser: Client, world: World) -> None:
    page = reverse("admin:store_plan_change", args=[world.plan.pk])
    post(browser, page, page, {"position": 1, "opens": [world.chat.pk], "unit_amount": 1,
                               "sellable": "", "stripe_price_id": "price_x"})  # fmt: skip
    plan = Plan.objects.get(pk=world.plan.pk)
    assert (plan.unit_amount, plan.sellable) == (990, True)
    assert plan.stripe_price_id == world.plan.stripe_price_id


def test_a_stripe_account_keeps_its_key_when_the_field_is_blank(
    browser: Client, world: World
) -> None:
    page = reverse("admin:store_stripeaccount_change", args=[world.account.pk])
    answer = post(browser, page, page, {"name": "Studio"})
    assert answer.status_code == 302, words(answer)
    account = StripeAccount.objects.get(pk=world.account.pk)
    assert account.name == "Studio"
    assert account.api_key == Secret(STRIPE_KEY)


def test_a_stripe_account_is_added_and_its_mistakes_are_shown(
    browser: Client, world: World  # noqa: ARG001  pages around it
) -> None:  # fmt: skip
    page = reverse("admin:store_stripeaccount_add")
    key, secret = "rk_live_0123456789abcdefgh", "whsec_0123456789abcdefgh"
    fields = {"name": "Live", "new_api_key": key, "new_webhook_secrets": f"{secret}a {secret}b"}
    for wrong in ({"new_api_key": "pk_live_0123456789ab"}, {"new_webhook_secrets": "sk_live_x"}):
        refused = post(browser, page, page, fields | wrong)
        assert refused.status_code == 200
        assert key not in refused.content.decode()
        assert secret not in refused.content.decode()
    answer = post(browser, page, page, fields)
    assert answer.status_code == 302, words(answer)
    account = StripeAccount.objects.get(name="Live")
    assert account.livemode is True
    assert account.webhook_secrets == Secret(f"{secret}a\n{secret}b")


def test_a_wording_is_checked_when_it_is_saved(browser: Client, world: World) -> None:
    page = reverse("admin:store_textoverride_add")
    fields = {
        "integration": world.integration.pk,
        "language": "uk",
        "key": "button.enter",
        "text": "Заходьте, {nobody}",
    }
    assert "placeholders" in words(post(browser, page, page, fields))
    answer = post(browser, page, page, fields | {"text": "Заходьте"})
    assert answer.status_code == 302, words(answer)
    row = TextOverride.objects.get(language="uk")
    changed = reverse("admin:store_textoverride_change", args=[row.pk])
    assert "Write a text" in words(post(browser, changed, changed, {"text": "<b></b>"}))
    answer = post(browser, changed, changed, {"text": "Прошу"})
    assert answer.status_code == 302, words(answer)
    row.refresh_from_db()
    assert row.text == "Прошу"
    url = reverse("admin:store_textoverride_do", args=[row.pk, "remove"])
    answer = post(browser, changed, url, {"confirmed": "yes"})
    assert answer["location"] == reverse("admin:store_textoverride_changelist")
    assert not TextOverride.objects.filter(pk=row.pk).exists()


def test_no_answer_to_any_of_it_holds_a_secret(browser: Client, world: World) -> None:
    for answer in (_change(browser, world), _change(browser, world, chats="x")):
        shown = answer.content.decode() + browser.get(reverse("admin:index")).content.decode()
        assert [secret for secret in SECRETS if secret in shown] == []
    log = "\n".join(str(vars(entry)) for entry in AuditEntry.objects.all())
    assert [secret for secret in SECRETS if secret in log] == []

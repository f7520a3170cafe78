"""An integration to speak for, and everything that can be said for it, once in each way."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from itertools import cycle
from typing import TYPE_CHECKING

from velvetrope.domain.access import Reason
from velvetrope.domain.policy import Policy
from velvetrope.domain.standing import Standing, StandingKind
from velvetrope.domain.states import ChatKind, Interval, Registration
from velvetrope.store.catalogue import ChatView, IntegrationView, PlanView
from velvetrope.store.encryption import Secret
from velvetrope.usecases.wording import messages
from velvetrope.usecases.wording.words import Words

if TYPE_CHECKING:
    from collections.abc import Iterator

    from velvetrope.usecases.wording.outgoing import OutgoingMessage

NOW = datetime(2027, 3, 9, 12, 0, tzinfo=UTC)
SOON = datetime(2027, 3, 12, 16, 5, tzinfo=UTC)
LATER = datetime(2027, 6, 30, 9, 0, tzinfo=UTC)

CLUB = ChatView(1, -1001, "Velvet Club", ChatKind.CHANNEL, "", "")
TALK = ChatView(2, -1002, "Club Talk & Co", ChatKind.SUPERGROUP, "", "")


def plan_view(number: int, name: str, amount: int | None, **fields: object) -> PlanView:
    values: dict[str, object] = {
        "id": number,
        "price_id": f"price_{number}",
        "product_id": "prod_1",
        "name": name,
        "currency": "eur",
        "unit_amount": amount,
        "interval": Interval.MONTH,
        "interval_count": 1,
        "trial_days": None,
        "allow_promotion_codes": False,
        "duration_days": None,
        "for_sale": True,
        "chat_ids": (1,),
        **fields,
    }
    return PlanView(**values)  # type: ignore[arg-type]  # a table of examples


MONTHLY = plan_view(1, "Monthly", 900, trial_days=7)
YEARLY = plan_view(2, "Yearly", 9000, interval=Interval.YEAR, chat_ids=(1, 2))
QUARTERLY = plan_view(3, "Quarterly", 2400, interval_count=3)
PASS = plan_view(4, "Season pass", 3000, interval=Interval.ONE_TIME, duration_days=90)
FOREVER = plan_view(5, "For life", 49900, interval=Interval.ONE_TIME, chat_ids=(1, 2))
PLANS = (MONTHLY, YEARLY, QUARTERLY, PASS, FOREVER)


def integration_view(
    *, chats: tuple[ChatView, ...] = (CLUB, TALK), plans: tuple[PlanView, ...] = PLANS
) -> IntegrationView:
    return IntegrationView(
        id=1,
        name="club",
        active=True,
        language="en",
        time_zone="Europe/Kyiv",
        bot_id=1,
        bot_username="velvet_bot",
        stripe_account_id=1,
        registration=Registration.REGISTERED,
        policy=Policy(),
        terms_url="",
        privacy_url="",
        support_contact="@velvet_help",
        chats=chats,
        plans=plans,
        texts={},
        token=Secret("1:token"),
        revision=1,
    )


FULL = integration_view()
SINGLE = replace(
    integration_view(chats=(CLUB,), plans=(MONTHLY,)),
    terms_url="https://example.com/terms",
    privacy_url="https://example.com/privacy",
    support_contact="",
)
PLAIN_SINGLE = integration_view(chats=(CLUB,), plans=(replace(MONTHLY, trial_days=None),))
EMPTY = replace(integration_view(chats=(), plans=()), policy=Policy(grace_days=0))


def standings() -> list[Standing]:
    dated = [
        Standing(kind, plan.id, SOON, manageable=True)
        for kind, plan in zip(StandingKind, cycle(PLANS), strict=False)
    ]
    undated = [replace(one, until=None) for one in dated]
    gone = Standing(StandingKind.RENEWS, 99, LATER, manageable=True)
    return [*dated, *undated, gone]


def everything(language: str) -> Iterator[tuple[str, OutgoingMessage]]:
    """Give every message in a language with the situation in which it is said."""
    for name, view in {
        "many": FULL,
        "single": SINGLE,
        "single without trial": PLAIN_SINGLE,
        "empty": EMPTY,
    }.items():
        words = Words(view, language, NOW)
        for what, message in _of_any(words):
            yield f"{what} ({name})", message
        if view.plans:
            for what, message in _with_plans(words, view.plans):
                yield f"{what} ({name})", message


def _of_any(words: Words) -> Iterator[tuple[str, OutgoingMessage]]:
    yield "start", messages.start(words, "Anna <3")
    yield "start without a name", messages.start(words)
    yield "plans", messages.plans(words)
    yield "plan not sold", messages.plan_not_sold(words)
    yield "back from payment", messages.back_from_payment(words)
    yield "checkout delayed", messages.checkout_delayed(words)
    yield "sales paused", messages.sales_paused(words)
    yield "portal link", messages.portal_link(words, "https://billing.example.com/p/1")
    yield "portal delayed", messages.portal_delayed(words)
    yield "portal unreachable", messages.portal_unreachable(words)
    yield "nothing to manage", messages.nothing_to_manage(words)
    yield "status of nobody", messages.status(words, [])
    yield "entry without a right", messages.entry(words, [], holds=False)
    yield "entry of a member", messages.entry(words, [])
    yield "help", messages.help_page(words)
    yield "terms", messages.terms(words)
    yield "privacy", messages.privacy(words)
    yield "paysupport", messages.paysupport(words)
    yield "language picker", messages.language_picker(words)
    yield "language chosen", messages.language_chosen(words, messages.plans(words))
    yield "unknown text", messages.unknown_text(words)
    yield "unknown command", messages.unknown_command(words)


def _with_plans(words: Words, plans: tuple[PlanView, ...]) -> Iterator[tuple[str, OutgoingMessage]]:
    chats = words.view.chats
    first, chat = plans[0], chats[0]
    for plan in plans:
        link = "https://checkout.example.com/c/1"
        yield f"checkout of {plan.name}", messages.checkout_link(words, plan, link)
    yield "checkout unreachable", messages.checkout_unreachable(words, first)
    yield "payment received", messages.payment_received(words, first, chats)
    yield "payment received inside", messages.payment_received(words, first, [])
    yield (
        "trial began",
        messages.payment_received(words, first, chats, trial_until=NOW + timedelta(days=7)),
    )
    yield "payment pending", messages.payment_pending(words, first)
    yield "payment did not come", messages.payment_did_not_come(words, first)
    yield (
        "payment of a plan gone did not come",
        messages.payment_did_not_come(words, replace(first, for_sale=False)),
    )
    yield "payment failed", messages.payment_failed(words, first, NOW + timedelta(days=7))
    yield "payment failed, undated", messages.payment_failed(words, first, None)
    yield from _of_money(words, first, chats)
    yield from _reminders(words, plans)
    yield "entry", messages.entry(words, chats)
    yield "let in", messages.let_in(words, chat)
    yield "request declined", messages.request_declined(words, chat, plans)
    yield "request declined, nothing for sale", messages.request_declined(words, chat, [])
    for reason in Reason:
        message = messages.access_ended(words, [first], chats, reason.value)
        yield f"access ended: {reason}", message
    unpaid = Reason.GRACE_OVER.value
    for url in ("", "https://invoice.example.com/i/1"):
        message = messages.access_ended(words, [first], chats, unpaid, bill_url=url)
        yield f"access ended with a bill {url}", message
    yield "plan ended", messages.access_ended(words, plans, [], Reason.LAPSED.value)
    yield "access restored", messages.access_restored(words, first, chats)
    yield "access granted", messages.access_granted(words, first, [])
    yield "place kept", messages.place_kept(words, chats, LATER)
    yield "place kept, doors", messages.place_kept(words, chats[:1], SOON, chats)
    yield "plan changed", messages.plan_changed(words, first, chats)
    yield "too many chats", messages.too_many_chats(words, chat)
    known = {plan.id for plan in plans}
    for one in standings():
        if one.plan_id in known:
            what = f"status {one.kind}{'' if one.until else ', undated'}"
            yield what, messages.status(words, [one], doors=chats)
            yield f"already yours, {what}", messages.already_yours(words, first, [one])
    yield "status of all", messages.status(words, standings(), doors=chats, pending=[first])
    yield (
        "welcome back",
        messages.welcome_back(words, "Anna", messages.status(words, standings()[:1])),
    )


def _of_money(
    words: Words, plan: PlanView, chats: tuple[ChatView, ...]
) -> Iterator[tuple[str, OutgoingMessage]]:
    url, until = "https://invoice.example.com/i/1", NOW + timedelta(days=7)
    yield (
        "payment received with receipt",
        messages.payment_received(words, plan, chats, receipt_url=url),
    )
    yield "payment failed with its bill", messages.payment_failed(words, plan, until, url)
    yield "confirmation needed", messages.payment_action_required(words, plan, until, url)
    yield "confirmation needed, undated", messages.payment_action_required(words, plan, None)
    yield "payment made good", messages.payment_recovered(words, plan, url)
    yield "renewed", messages.renewed(words, plan, until, url)
    yield "renewed, undated", messages.renewed(words, plan, None)
    amount = words.money(450, "eur")
    yield "refunded", messages.refunded(words, plan, amount, whole=True, stays=False)
    yield "refunded in part", messages.refunded(words, plan, amount, whole=False, stays=True)
    yield "refund undone", messages.refund_undone(words, plan)
    yield "dispute opened", messages.dispute_opened(words, plan, stays=True)
    yield "dispute opened and closed to", messages.dispute_opened(words, plan, stays=False)
    yield "dispute won", messages.dispute_won(words, plan, chats)
    yield "dispute won inside", messages.dispute_won(words, plan, [])
    yield "dispute lost", messages.dispute_lost(words, plan, stays=False)
    yield "dispute lost and forgiven", messages.dispute_lost(words, plan, stays=True)


def _reminders(words: Words, plans: tuple[PlanView, ...]) -> Iterator[tuple[str, OutgoingMessage]]:
    chats, plan = words.view.chats, plans[0]
    gone = replace(plan, for_sale=False)
    for days in (3, 1):
        at = NOW + timedelta(days=days)
        yield f"trial ends in {days}", messages.trial_ends(words, plan, at)
        yield f"grace ends in {days}", messages.grace_ends(words, plan, at, "https://i.example.com")
        yield (
            f"cancelled, ends in {days}",
            messages.access_ends(words, plan, chats, at, cancelled=True),
        )
        yield f"paid once, ends in {days}", messages.access_ends(words, plan, chats, at, paid=True)
        yield f"given, ends in {days}", messages.access_ends(words, plan, chats, at)
        yield f"plan gone, ends in {days}", messages.access_ends(words, gone, chats, at, paid=True)
        yield f"claim ends in {days}", messages.claim_ends(words, chats, at)
    for one in plans:
        yield f"{one.name} renews", messages.renews_on(words, one, NOW + timedelta(days=7))
        yield f"trial of {one.name} ends", messages.trial_ends(words, one, NOW + timedelta(days=3))

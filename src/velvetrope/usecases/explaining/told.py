"""What came in, in words: Stripe's events, Telegram's updates, and the product's own jobs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from velvetrope.domain.states import EventOutcome, EventState, Source
from velvetrope.gateways.telegram.updates import decode_update
from velvetrope.usecases.conversation.requests import Wish, read_request
from velvetrope.usecases.explaining.story import Entry, EntryKind, Tone
from velvetrope.usecases.explaining.terms import clause, sentence
from velvetrope.usecases.wording.problems import explain

if TYPE_CHECKING:
    from collections.abc import Mapping

    from velvetrope.store.models import InboxEvent

#: Stripe's types of events.
STRIPE: Final[Mapping[str, str]] = {
    "checkout.session.completed": "the payment page was completed",
    "checkout.session.async_payment_succeeded": "the money that was on its way has come",
    "checkout.session.async_payment_failed": "the money that was on its way did not come",
    "checkout.session.expired": "a payment page was closed unpaid",
    "customer.subscription.created": "a subscription was made",
    "customer.subscription.updated": "the subscription changed",
    "customer.subscription.deleted": "the subscription ended",
    "customer.subscription.paused": "the subscription was paused",
    "customer.subscription.resumed": "the subscription goes on after a pause",
    "customer.subscription.trial_will_end": "the free trial ends soon",
    "customer.deleted": "the customer was deleted at Stripe",
    "invoice.paid": "a bill was paid",
    "invoice.payment_succeeded": "a payment was made",
    "invoice.payment_failed": "a payment failed",
    "invoice.payment_action_required": "the bank asks the person to confirm a payment",
    "invoice.upcoming": "a bill is due soon",
    "invoice.finalized": "a bill was written",
    "charge.refunded": "money was given back",
    "refund.created": "money is being given back",
    "refund.updated": "giving money back has moved on",
    "refund.failed": "giving money back failed: it stays here",
    "charge.dispute.created": "the person's bank disputes a payment",
    "charge.dispute.updated": "the dispute of a payment has moved on",
    "charge.dispute.closed": "the dispute of a payment is decided",
    "charge.dispute.funds_withdrawn": "the bank took disputed money back",
    "charge.dispute.funds_reinstated": "the bank gave disputed money back",
}

#: What the product gives itself to do. Orders of operators are told by what operators did.
JOBS: Final[Mapping[str, str]] = {
    "recheck": "Stripe was asked again what is paid",
    "remove": "Stripe and Telegram were asked again, since the person is to leave",
    "send_link": "the link to Stripe that was late was made",
    "sync": "Stripe and Telegram were asked again, as an operator ordered",
    "reinvite": "the way in was shown again, as an operator ordered",
    "message_member": "an operator's message was passed on",
    "grant": "access was given by hand, as an operator ordered",
    "revoke": "access that was given by hand was ended, as an operator ordered",
    "review": "rights were judged again, since an operator had changed what plans open",
    "remind": "it was time to write to them about what is coming",
    "replan": "it was judged anew when they are to be reminded",
    "adopt": "a member from before was taken over",
    "adoption_tell": "it was time to tell a member from before that their place is kept",
    "adoption_look": "Telegram was asked where members from before are",
    "adoption_order": "members from before were taken over, as an operator ordered",
    "count_members": "the members of a chat were counted",
    "backfill": "Stripe was asked for events that were missed",
    "dry_run": "it was worked out who would enter or leave",
    "fetch_object": "Stripe was asked about something that no event had told of",
    "reconcile_list": "everything at Stripe was compared with what is known here",
    "reconcile_look": "Stripe and Telegram were compared with what is known here",
    "check": "the bot and its chats were looked at",
    "register": "the bot and its webhook were looked at",
    "sync_plans": "the plans were copied from Stripe again",
}

#: Kinds of updates that are no words of a person.
UPDATES: Final[Mapping[str, str]] = {
    "chat_join_request": "they asked to enter a chat",
    "chat_member": "their place in a chat changed",
    "my_chat_member": "they blocked or unblocked the bot",
    "message": "they wrote to the bot",
    "callback_query": "they pressed a button of the bot",
}

#: What a person wanted. Their own words are not among it.
WISHES: Final[Mapping[Wish, str]] = {
    Wish.START: "they pressed /start",
    Wish.STATUS: "they asked for their standing (/status)",
    Wish.PLANS: "they asked for the plans (/plans)",
    Wish.LANGUAGE: "they asked for another language",
    Wish.HELP: "they asked for help (/help)",
    Wish.TERMS: "they asked for the terms (/terms)",
    Wish.PRIVACY: "they asked what is known of them (/privacy)",
    Wish.PAYSUPPORT: "they asked for help with a payment (/paysupport)",
    Wish.PLAN: "they chose a plan to pay for",
    Wish.PORTAL: "they asked for the page where payments are managed",
    Wish.ENTER: "they asked for the way in",
    Wish.TALK: "they wrote something in their own words",
    Wish.ALERTS: "they asked to be told of trouble, as an operator (/alerts)",
    Wish.SILENT: "they sent something without words",
    Wish.UNKNOWN_COMMAND: "they wrote a command that the bot does not know",
    Wish.OUTDATED: "they pressed a button of an earlier version",
}

#: What became of an event, where it isn't simply done.
OUTCOMES: Final[Mapping[EventOutcome, str]] = {
    EventOutcome.HANDLED: "",
    EventOutcome.IGNORED: "nothing was to be done",
    EventOutcome.FOREIGN: "it is about another product",
    EventOutcome.UNHANDLED: "this version does not know what to do about it",
}

_WHO: Final = {Source.STRIPE.value: "Stripe: ", Source.TELEGRAM.value: "", Source.JOB.value: ""}


def entry_of_event(row: InboxEvent) -> Entry:
    """Put an event into words, with what became of it."""
    text = _what(row)
    end, tone = end_of(row)
    return Entry(
        at=row.received_at,
        kind=EntryKind.EVENT,
        text=sentence(f"{text} – {end}" if end else text),
        detail=f"{row.kind} {row.external_id}".strip(),
        tone=tone,
        source="inboxevent",
        source_id=row.pk,
    )


def _what(row: InboxEvent) -> str:
    tables = {
        Source.STRIPE.value: STRIPE,
        Source.JOB.value: JOBS,
        Source.TELEGRAM.value: UPDATES,
    }
    if row.source == Source.TELEGRAM and (wish := _wish(row)) is not None:
        return WISHES.get(wish, f"they asked for «{wish.value}»")
    known = tables.get(row.source, {}).get(row.kind)
    return f"{_WHO.get(row.source, '')}{known or f'something of the kind «{row.kind}»'}"


def _wish(row: InboxEvent) -> Wish | None:
    """Read what a person wanted; their words themselves stay where they are."""
    if row.kind not in {"message", "callback_query"}:
        return None
    try:
        request = read_request(decode_update(bytes(row.payload)))
    except ValueError:
        return None
    return None if request is None else request.wish


def end_of(row: InboxEvent) -> tuple[str, Tone]:
    """Say what became of an event, and how bad that is; empty if it is simply done."""
    why = clause(explain(row.error_code).what) if row.error_code else ""
    match row.state:
        case EventState.DONE:
            known = {outcome.value: words for outcome, words in OUTCOMES.items()}
            return known.get(row.outcome, f"the end was «{row.outcome}»"), Tone.PLAIN
        case EventState.DEAD:
            return f"it failed for good: {why or 'see the event'}", Tone.BAD
        case EventState.DISCARDED:
            return f"it failed ({why}), and an operator gave it up", Tone.PLAIN
        case _ if row.attempts and why:
            return f"it waits for its next try: {why}", Tone.WARN
        case _:
            return "it is under way", Tone.WARN

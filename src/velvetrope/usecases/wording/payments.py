"""What is said about payments and their fate."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.usecases.wording import parts
from velvetrope.usecases.wording.outgoing import Button, OutgoingMessage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from velvetrope.store.catalogue import ChatView, PlanView
    from velvetrope.usecases.wording.words import Words


def payment_received(
    words: Words,
    plan: PlanView,
    chats: Sequence[ChatView],
    *,
    trial_until: datetime | None = None,
) -> OutgoingMessage:
    """Thank for a payment, or for beginning a trial, and show the doors that it opens."""
    if trial_until is None:
        result = words.text("payment.received", plan=words.plan_name(plan))
    else:
        result = words.text(
            "payment.trial_began", plan=words.plan_name(plan), date=words.date(trial_until)
        )
    if not chats:
        return OutgoingMessage(parts.paragraphs(result, words.text("payment.doors_open")))
    return OutgoingMessage(
        parts.paragraphs(result, words.count("entry.how", len(chats))),
        parts.enter_buttons(words, chats),
    )


def payment_pending(words: Words, plan: PlanView) -> OutgoingMessage:
    return OutgoingMessage(words.text("payment.pending", plan=words.plan_name(plan)))


def payment_did_not_come(words: Words, plan: PlanView) -> OutgoingMessage:
    """Tell that a payment whose money was to come later has failed."""
    again = (parts.action(words, "try_again", f"plan:{plan.id}"),) if plan.for_sale else ()
    return OutgoingMessage(
        words.text("payment.did_not_come", plan=words.plan_name(plan)),
        again or parts.ways_back(words, [plan]),
    )


def payment_failed(words: Words, plan: PlanView, until: datetime | None) -> OutgoingMessage:
    """Tell that a renewal could not be charged; access stays until `until`, if given."""
    name = words.plan_name(plan)
    if until is None:
        text = words.text("payment.failed", plan=name)
    else:
        text = words.text("payment.failed_until", plan=name, date=words.date(until))
    return OutgoingMessage(text, (parts.action(words, "portal"),))


def portal_link(words: Words, url: str) -> OutgoingMessage:
    button = Button(words.plain("button.open_portal"), url=url)
    return OutgoingMessage(words.text("portal.link"), ((button,),))


def portal_delayed(words: Words) -> OutgoingMessage:
    return OutgoingMessage(words.text("portal.delayed"))


def portal_unreachable(words: Words) -> OutgoingMessage:
    return OutgoingMessage(
        words.text("portal.unreachable"), (parts.action(words, "try_again", "portal"),)
    )


def nothing_to_manage(words: Words) -> OutgoingMessage:
    """Tell that the person has no subscription to manage."""
    return OutgoingMessage(words.text("portal.nothing"), (parts.action(words, "status"),))

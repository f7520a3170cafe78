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
    receipt_url: str = "",
) -> OutgoingMessage:
    """Thank for a payment, or for beginning a trial, and show the doors that it opens."""
    if trial_until is None:
        result = words.text("payment.received", plan=words.plan_name(plan))
    else:
        result = words.text(
            "payment.trial_began", plan=words.plan_name(plan), date=words.date(trial_until)
        )
    how = words.count("entry.how", len(chats)) if chats else words.text("payment.doors_open")
    return OutgoingMessage(
        parts.paragraphs(result, how),
        parts.rows(parts.enter_buttons(words, chats), parts.receipt_button(words, receipt_url)),
    )


def renewed(
    words: Words, plan: PlanView, until: datetime | None, receipt_url: str = ""
) -> OutgoingMessage:
    """Thank for a renewal; `until` is the day of the next one."""
    name = words.plan_name(plan)
    if until is None:
        text = words.text("payment.renewed", plan=name)
    else:
        text = words.text("payment.renewed_until", plan=name, date=words.date(until))
    return OutgoingMessage(text, parts.receipt_button(words, receipt_url))


def payment_recovered(words: Words, plan: PlanView, receipt_url: str = "") -> OutgoingMessage:
    """Tell that a renewal that had failed is paid."""
    text = words.text("payment.recovered", plan=words.plan_name(plan))
    return OutgoingMessage(text, parts.receipt_button(words, receipt_url))


def payment_pending(words: Words, plan: PlanView) -> OutgoingMessage:
    return OutgoingMessage(words.text("payment.pending", plan=words.plan_name(plan)))


def payment_did_not_come(words: Words, plan: PlanView) -> OutgoingMessage:
    """Tell that a payment whose money was to come later has failed."""
    again = (parts.action(words, "try_again", f"plan:{plan.id}"),) if plan.for_sale else ()
    return OutgoingMessage(
        words.text("payment.did_not_come", plan=words.plan_name(plan)),
        again or parts.ways_back(words, [plan]),
    )


def payment_failed(
    words: Words, plan: PlanView, until: datetime | None, bill_url: str = ""
) -> OutgoingMessage:
    """Tell that a renewal could not be charged; access stays until `until`, if given."""
    name = words.plan_name(plan)
    if until is None:
        text = words.text("payment.failed", plan=name)
    else:
        text = words.text("payment.failed_until", plan=name, date=words.date(until))
    return OutgoingMessage(text, parts.bill_buttons(words, bill_url))


def payment_action_required(
    words: Words, plan: PlanView, until: datetime | None, bill_url: str = ""
) -> OutgoingMessage:
    """Tell that the bank wants a charge confirmed; access stays until `until`, if given."""
    name = words.plan_name(plan)
    if until is None:
        text = words.text("payment.action", plan=name)
    else:
        text = words.text("payment.action_until", plan=name, date=words.date(until))
    return OutgoingMessage(text, parts.bill_buttons(words, bill_url, "confirm"))


def refunded(
    words: Words, plan: PlanView, amount: str, *, whole: bool, stays: bool
) -> OutgoingMessage:
    """Tell that money went back, the `whole` of it or a part; `stays` says that access does."""
    key = "refund.whole" if whole else "refund.part"
    return OutgoingMessage(
        parts.paragraphs(
            words.text(key, plan=words.plan_name(plan), amount=amount),
            words.text("refund.when"),
            words.text("refund.stays") if stays else "",
        )
    )


def refund_undone(words: Words, plan: PlanView) -> OutgoingMessage:
    """Tell that the bank sent a refund back."""
    contact = words.view.support_contact
    return OutgoingMessage(
        parts.paragraphs(
            words.text("refund.undone", plan=words.plan_name(plan)),
            words.text("contact", contact=contact) if contact else "",
        )
    )


def dispute_opened(words: Words, plan: PlanView, *, stays: bool) -> OutgoingMessage:
    """Tell that the bank asks about a payment; `stays` says that access does."""
    contact = words.view.support_contact
    return OutgoingMessage(
        parts.paragraphs(
            words.text("dispute.opened", plan=words.plan_name(plan)),
            words.text("refund.stays") if stays else "",
            words.text("dispute.mistake") if contact else "",
            words.text("contact", contact=contact) if contact else "",
        )
    )


def dispute_won(words: Words, plan: PlanView, chats: Sequence[ChatView]) -> OutgoingMessage:
    """Tell that a disputed payment stands; `chats` are those to enter."""
    text = words.text("dispute.won", plan=words.plan_name(plan))
    how = words.count("entry.how", len(chats)) if chats else ""
    return OutgoingMessage(parts.paragraphs(text, how), parts.enter_buttons(words, chats))


def dispute_lost(words: Words, plan: PlanView, *, stays: bool) -> OutgoingMessage:
    """Tell that the bank has taken a payment back, with the way back in unless access `stays`."""
    text = words.text("dispute.lost", plan=words.plan_name(plan))
    if stays:
        return OutgoingMessage(parts.paragraphs(text, words.text("refund.stays")))
    buttons = parts.ways_back(words, [plan])
    come_back = words.text("ended.come_back") if buttons else ""
    return OutgoingMessage(parts.paragraphs(text, come_back), buttons)


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

"""What is said at the door: entering, being asked to leave, coming back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.domain.access import Reason
from velvetrope.usecases.wording import parts
from velvetrope.usecases.wording.outgoing import OutgoingMessage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from velvetrope.store.catalogue import ChatView, PlanView
    from velvetrope.usecases.wording.words import Words

_WHY_ENDED = {
    Reason.REFUNDED: "ended.refunded",
    Reason.DISPUTED: "ended.disputed",
    Reason.DISPUTE_LOST: "ended.dispute_lost",
    Reason.GRACE_OVER: "ended.unpaid",
    Reason.COLLECTION_PAUSED: "ended.collection_paused",
}


def entry(words: Words, chats: Sequence[ChatView], *, holds: bool = True) -> OutgoingMessage:
    """Show the doors; without any, the person is inside everywhere or holds nothing (`holds`)."""
    if chats:
        return OutgoingMessage(
            words.count("entry.how", len(chats)), parts.enter_buttons(words, chats)
        )
    if holds:
        return OutgoingMessage(words.text("entry.inside_already"))
    for_sale = words.view.plans_for_sale
    offer = parts.describe_plans(words, for_sale) if for_sale else words.text("plans.none")
    return OutgoingMessage(
        parts.paragraphs(words.text("entry.nothing"), offer), parts.plan_buttons(words, for_sale)
    )


def let_in(words: Words, chat: ChatView, others: Sequence[ChatView] = ()) -> OutgoingMessage:
    """Welcome a person to a chat, and show the doors of the `others` that they may enter next."""
    welcome = words.text("entry.let_in", chat=words.chat_name(chat))
    how = words.count("entry.how", len(others)) if others else ""
    return OutgoingMessage(parts.paragraphs(welcome, how), parts.enter_buttons(words, others))


def request_waits(words: Words, chat: ChatView, plan: PlanView, url: str) -> OutgoingMessage:
    """Tell a person at the door that they are let in once they have paid at `url`, if they can."""
    waits = words.text("entry.waits", chat=words.chat_name(chat))
    return OutgoingMessage(waits, parts.pay_button(words, plan, url) if url else ())


def request_declined(words: Words, chat: ChatView, plans: Sequence[PlanView]) -> OutgoingMessage:
    """Tell a person at the door which plans open it."""
    refusal = words.text("entry.declined", chat=words.chat_name(chat))
    for_sale = [plan for plan in plans if plan.for_sale]
    if not for_sale:
        return OutgoingMessage(parts.paragraphs(refusal, words.text("plans.none")))
    invitation = "entry.declined_offer" if len(for_sale) > 1 else "entry.declined_offer_single"
    return OutgoingMessage(
        parts.paragraphs(refusal, words.text(invitation), parts.describe_plans(words, for_sale)),
        parts.plan_buttons(words, for_sale),
    )


def access_ended(
    words: Words,
    plans_lost: Sequence[PlanView],
    chats: Sequence[ChatView],
    reason: str,
    *,
    bill_url: str | None = None,
) -> OutgoingMessage:
    """Tell what has ended and why (a `Reason` of domain/access.py), with the way back.

    That is the bill, if it is given, which may be without an address, else the plans; there is
    none while a dispute is open.
    """
    why = _WHY_ENDED.get(Reason(reason)) if reason in {*Reason} else None
    if chats:
        ended = words.text("ended.chats", chats=words.chat_names(chats))
    else:
        ended = words.text("ended.plans", plans=words.plan_names(plans_lost))
    if reason == Reason.DISPUTED.value:
        return OutgoingMessage(parts.paragraphs(ended, words.text(_WHY_ENDED[Reason.DISPUTED])))
    if bill_url is None:
        buttons = parts.ways_back(words, plans_lost)
        way_back = words.text("ended.come_back") if buttons else ""
    else:
        buttons, way_back = parts.bill_buttons(words, bill_url), words.text("ended.pay")
    return OutgoingMessage(
        parts.paragraphs(ended, words.text(why) if why else "", way_back), buttons
    )


def access_restored(words: Words, plan: PlanView, chats: Sequence[ChatView]) -> OutgoingMessage:
    """Tell that a plan opens its chats again; `chats` are those to enter."""
    restored = words.text("entry.restored", plan=words.plan_name(plan))
    how = words.count("entry.how", len(chats)) if chats else ""
    return OutgoingMessage(parts.paragraphs(restored, how), parts.enter_buttons(words, chats))


def plan_changed(words: Words, plan: PlanView, chats: Sequence[ChatView]) -> OutgoingMessage:
    """Tell that a subscription is for another plan now; `chats` are those to enter."""
    changed = words.text("entry.plan_changed", plan=words.plan_name(plan))
    how = words.count("entry.how", len(chats)) if chats else ""
    return OutgoingMessage(parts.paragraphs(changed, how), parts.enter_buttons(words, chats))


def access_granted(words: Words, plan: PlanView, chats: Sequence[ChatView]) -> OutgoingMessage:
    """Tell that an operator has opened a plan; `chats` are those to enter."""
    granted = words.text("entry.granted", plan=words.plan_name(plan))
    how = words.count("entry.how", len(chats)) if chats else ""
    return OutgoingMessage(parts.paragraphs(granted, how), parts.enter_buttons(words, chats))


def too_many_chats(words: Words, chat: ChatView) -> OutgoingMessage:
    """Tell that the person's Telegram account has joined as many chats as it may."""
    return OutgoingMessage(
        words.text("entry.too_many_chats", chat=words.chat_name(chat)),
        parts.enter_buttons(words, [chat]),
    )

"""What is said some days before it happens."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.usecases.wording import parts
from velvetrope.usecases.wording.outgoing import OutgoingMessage

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from velvetrope.store.catalogue import ChatView, PlanView
    from velvetrope.usecases.wording.words import Words


def trial_ends(words: Words, plan: PlanView, at: datetime) -> OutgoingMessage:
    """Tell that a free trial turns into the first payment."""
    date, name = words.date(at), words.plan_name(plan)
    if words.amount(plan):
        text = words.text("remind.trial_ends", plan=name, date=date, price=words.price(plan))
    else:
        text = words.text("remind.trial_ends_unpriced", plan=name, date=date)
    return OutgoingMessage(
        parts.paragraphs(text, words.text("remind.how")), (parts.action(words, "portal"),)
    )


def renews_on(words: Words, plan: PlanView, at: datetime) -> OutgoingMessage:
    """Tell that a subscription that is paid for long renews itself."""
    date, name = words.date(at), words.plan_name(plan)
    if words.amount(plan):
        text = words.text("remind.renews_on", plan=name, date=date, price=words.price(plan))
    else:
        text = words.text("remind.renews_on_unpriced", plan=name, date=date)
    return OutgoingMessage(
        parts.paragraphs(text, words.text("remind.how")), (parts.action(words, "portal"),)
    )


def grace_ends(words: Words, plan: PlanView, at: datetime, bill_url: str = "") -> OutgoingMessage:
    """Tell that access ends soon, since a renewal is still not paid."""
    text = words.text("remind.grace_ends", plan=words.plan_name(plan), date=words.date(at))
    return OutgoingMessage(text, parts.bill_buttons(words, bill_url))


def access_ends(
    words: Words,
    plan: PlanView,
    chats: Sequence[ChatView],
    at: datetime,
    *,
    cancelled: bool = False,
    paid: bool = False,
) -> OutgoingMessage:
    """Tell that the time runs out that was `paid` once, or given; `cancelled` can be undone."""
    text = words.text("remind.access_ends", chats=words.chat_names(chats), date=words.date(at))
    if cancelled:
        how = words.text("remind.uncancel")
        return OutgoingMessage(parts.paragraphs(text, how), (parts.action(words, "portal"),))
    ways = parts.ways_back(words, [plan])
    how = words.text("remind.buy_again" if paid and plan.for_sale else "remind.stay")
    return OutgoingMessage(parts.paragraphs(text, how if ways else ""), ways)


def claim_ends(words: Words, chats: Sequence[ChatView], at: datetime) -> OutgoingMessage:
    """Tell a member from before the product until when a subscription keeps their place."""
    text = words.text("remind.claim_ends", chats=words.chat_names(chats), date=words.date(at))
    ids = {chat.id for chat in chats}
    plans = [plan for plan in words.view.plans_for_sale if ids & set(plan.chat_ids)]
    return OutgoingMessage(text, parts.plan_buttons(words, plans))

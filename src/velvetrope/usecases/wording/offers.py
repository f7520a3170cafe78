"""What is said on the way to the payment."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.domain.states import Interval
from velvetrope.usecases.wording import parts
from velvetrope.usecases.wording.outgoing import Html, OutgoingMessage

if TYPE_CHECKING:
    from velvetrope.store.catalogue import PlanView
    from velvetrope.usecases.wording.words import Words


def start(words: Words, first_name: str = "") -> OutgoingMessage:
    """Greet a person and show what they can join."""
    offer = words.once("start", lambda: _offer(words))
    return offer.after(greeting(words, first_name))


def welcome_back(words: Words, first_name: str, status: OutgoingMessage) -> OutgoingMessage:
    """Greet somebody who holds something by telling how that stands."""
    return status.after(greeting(words, first_name))


def back_from_payment(words: Words) -> OutgoingMessage:
    """Meet a person who comes back from Stripe before its news do."""
    return OutgoingMessage(
        words.text("checkout.back"), (parts.action(words, "plans") + parts.action(words, "status"),)
    )


def greeting(words: Words, first_name: str) -> Html:
    name = " ".join(first_name.split())
    return (
        words.text("start.greeting", name=name) if name else words.text("start.greeting_nameless")
    )


def plans(words: Words) -> OutgoingMessage:
    return words.once("plans", lambda: _plans(words))


def nothing_for_sale(words: Words) -> OutgoingMessage:
    return OutgoingMessage(words.text("plans.none"), (parts.action(words, "status"),))


def plan_not_sold(words: Words) -> OutgoingMessage:
    """Tell that a plan is gone, and show the others."""
    others = plans(words)
    return others.after(words.text("plans.not_sold"))


def checkout_link(words: Words, plan: PlanView, url: str) -> OutgoingMessage:
    text = words.once(("checkout", plan.id), lambda: _checkout(words, plan))
    return OutgoingMessage(text, parts.pay_button(words, plan, url))


def checkout_delayed(words: Words) -> OutgoingMessage:
    """Tell that Stripe is slow and the link will follow by itself."""
    return OutgoingMessage(words.text("checkout.delayed"))


def checkout_unreachable(words: Words, plan: PlanView) -> OutgoingMessage:
    """Tell that Stripe could not be reached for too long."""
    again = parts.action(words, "try_again", f"plan:{plan.id}")
    return OutgoingMessage(words.text("checkout.unreachable"), (again,))


def sales_paused(words: Words) -> OutgoingMessage:
    """Tell that nothing can be bought until an operator has mended something."""
    return OutgoingMessage(words.text("checkout.paused"))


def _offer(words: Words) -> OutgoingMessage:
    view = words.view
    for_sale = view.plans_for_sale
    about = words.text("start.about", chats=words.chat_names(view.chats)) if view.chats else ""
    if not for_sale:
        return OutgoingMessage(
            parts.paragraphs(about, words.text("plans.none")), (parts.action(words, "language"),)
        )
    invitation = words.text("start.choose") if len(for_sale) > 1 else ""
    return OutgoingMessage(
        parts.paragraphs(about, parts.describe_plans(words, for_sale), invitation),
        parts.rows(parts.plan_buttons(words, for_sale), [parts.action(words, "language")]),
    )


def _plans(words: Words) -> OutgoingMessage:
    for_sale = words.view.plans_for_sale
    if not for_sale:
        return nothing_for_sale(words)
    title = words.text("plans.title") if len(for_sale) > 1 else words.text("plans.title_single")
    return OutgoingMessage(
        parts.paragraphs(title, parts.describe_plans(words, for_sale)),
        parts.plan_buttons(words, for_sale),
    )


def _checkout(words: Words, plan: PlanView) -> Html:
    view = words.view
    recurring = plan.interval is not Interval.ONE_TIME
    if view.terms_url:
        terms = words.text("checkout.terms_link", url=view.terms_url)
    else:
        terms = words.text("checkout.terms")
    return parts.paragraphs(
        parts.describe_plan(words, plan, with_chats=len(view.chats) > 1),
        words.text("checkout.how_trial" if parts.has_trial(plan) else "checkout.how"),
        words.text("checkout.renews") if recurring else "",
        terms,
    )

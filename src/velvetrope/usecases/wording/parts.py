"""What several messages are built of: descriptions of plans, and rows of buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from velvetrope.domain.states import Interval
from velvetrope.usecases.wording.outgoing import Button, Html
from velvetrope.usecases.wording.words import LONGEST_NAME_ON_BUTTON

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from velvetrope.store.catalogue import ChatView, PlanView
    from velvetrope.usecases.wording.words import Words

Row = tuple[Button, ...]
Rows = tuple[Row, ...]

#: More than a phone shows without scrolling for long.
MOST_PLANS: Final = 20
MOST_CHATS: Final = 20
#: Leaves room for what is said around a list within Telegram's 4096.
LONGEST_LIST: Final = 3000


def paragraphs(*texts: str) -> Html:
    """Put texts one below the other with an empty line between; empty ones are left out."""
    return Html("\n\n".join(text for text in texts if text))


def lines(*texts: str) -> Html:
    return Html("\n".join(text for text in texts if text))


def rows(*groups: Iterable[Row]) -> Rows:
    return tuple(row for group in groups for row in group)


def has_trial(plan: PlanView) -> bool:
    """Tell whether a plan begins with free days, which only subscriptions can."""
    return bool(plan.trial_days) and plan.interval is not Interval.ONE_TIME


def describe_price(words: Words, plan: PlanView) -> Html:
    """Give the price, its period and the trial: «€9.00 per month · 7 days free»."""
    price = words.text("plan.price", price=words.price(plan))
    if plan.trial_days and has_trial(plan):
        return Html(f"{price} · {words.count('plan.trial', plan.trial_days)}")
    return price


def describe_plan(words: Words, plan: PlanView, *, with_chats: bool) -> Html:
    chats = words.view.chats_of(plan) if with_chats else ()
    return lines(
        words.text("plan.title", plan=words.plan_name(plan)),
        describe_price(words, plan),
        words.text("plan.opens", chats=words.chat_names(chats)) if chats else "",
    )


def describe_plans(words: Words, plans: Sequence[PlanView]) -> Html:
    """Describe plans below one another; the chats are named where plans could differ in them."""
    shown = plans[:MOST_PLANS]
    with_chats = len(words.view.chats) > 1
    whole = paragraphs(*(describe_plan(words, plan, with_chats=with_chats) for plan in shown))
    if len(whole) <= LONGEST_LIST:
        return whole
    return paragraphs(*(describe_plan(words, plan, with_chats=False) for plan in shown))


def plan_buttons(words: Words, plans: Sequence[PlanView]) -> Rows:
    """Give one button for each plan; a single plan's button invites instead of naming it."""
    if len(plans) != 1:
        return named_plan_buttons(words, plans)
    plan = plans[0]
    key = "button.try" if has_trial(plan) else "button.join"
    return ((Button(words.plain(key, price=words.price(plan)), data=f"plan:{plan.id}"),),)


def named_plan_buttons(words: Words, plans: Sequence[PlanView]) -> Rows:
    return tuple(
        (
            Button(
                words.plain(
                    "button.plan",
                    plan=words.plan_name(plan, LONGEST_NAME_ON_BUTTON),
                    price=words.price(plan),
                ),
                data=f"plan:{plan.id}",
            ),
        )
        for plan in plans[:MOST_PLANS]
    )


def enter_buttons(words: Words, chats: Sequence[ChatView]) -> Rows:
    """Give one button for each chat; delivery puts the chat's link in."""
    return tuple(
        (
            Button(
                words.plain(
                    "button.enter_chat", chat=words.chat_name(chat, LONGEST_NAME_ON_BUTTON)
                ),
                url=f"invite:{chat.id}",
            ),
        )
        for chat in chats[:MOST_CHATS]
    )


def action(words: Words, name: str, data: str | None = None) -> Row:
    """Give a row with one of the product's own buttons, whose data is its name unless given."""
    return (Button(words.plain(f"button.{name}"), data=data or name),)


def receipt_button(words: Words, url: str) -> Rows:
    """Lead to Stripe's receipt, if there is one."""
    return ((Button(words.plain("button.receipt"), url=url),),) if url else ()


def bill_buttons(words: Words, url: str, name: str = "pay_bill") -> Rows:
    """Lead to the open bill at Stripe, if its page is known, and to the billing page."""
    bill = [(Button(words.plain(f"button.{name}"), url=url),)] if url else []
    return rows(bill, [action(words, "portal")])


def ways_back(words: Words, plans: Sequence[PlanView]) -> Rows:
    """Offer those plans that can still be bought, and a look at the others."""
    for_sale = words.view.plans_for_sale
    possible = [plan for plan in plans if plan.for_sale]
    if not possible:
        return plan_buttons(words, for_sale)
    others = any(plan not in possible for plan in for_sale)
    return rows(
        named_plan_buttons(words, possible),
        [action(words, "other_plans", "plans")] if others else [],
    )


def pay_button(words: Words, plan: PlanView, url: str) -> Rows:
    """Lead to Stripe: «Pay €9.00», or to the beginning of free days."""
    amount = words.amount(plan)
    if has_trial(plan):
        label = words.plain("button.start_trial")
    elif amount:
        label = words.plain("button.pay", amount=amount)
    else:
        label = words.plain("button.pay_open")
    return ((Button(label, url=url),),)

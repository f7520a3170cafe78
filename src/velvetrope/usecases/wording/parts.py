"""What several messages are built of: descriptions of plans, and rows of buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

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


def describe_price(words: Words, plan: PlanView) -> Html:
    """Give the price, its period and the trial: «€9.00 per month · 7 days free»."""
    price = words.text("plan.price", price=words.price(plan))
    if plan.trial_days and plan.interval != "one_time":
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
    if len(plans) == 1:
        plan = plans[0]
        key = "button.try" if plan.trial_days and plan.interval != "one_time" else "button.join"
        price = words.price(plan)
        return ((Button(words.plain(key, price=price), data=f"plan:{plan.id}"),),)
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


def ways_back(words: Words, plans: Sequence[PlanView]) -> Rows:
    """Offer those plans that can still be bought, or all that can if none of them can."""
    possible = [plan for plan in plans if plan.for_sale]
    return plan_buttons(words, possible or words.view.plans_for_sale)

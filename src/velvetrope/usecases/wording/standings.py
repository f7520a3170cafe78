"""What a person is told about what they hold."""

from __future__ import annotations

from typing import TYPE_CHECKING

from velvetrope.domain.standing import StandingKind
from velvetrope.usecases.wording import parts
from velvetrope.usecases.wording.outgoing import Html, OutgoingMessage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from velvetrope.domain.standing import Standing
    from velvetrope.store.catalogue import ChatView, PlanView
    from velvetrope.usecases.wording.words import Words

#: In the order in which they concern a person most.
_ORDER = (
    StandingKind.PAST_DUE,
    StandingKind.DISPUTED,
    StandingKind.ON_HOLD,
    StandingKind.PENDING_PAYMENT,
    StandingKind.CLAIM,
    StandingKind.EXPIRING,
    StandingKind.TRIAL,
    StandingKind.RENEWS,
    StandingKind.UNTIL,
    StandingKind.FOREVER,
    StandingKind.PAUSED,
    StandingKind.ENDED,
)
_UNDATED = frozenset(
    {
        StandingKind.FOREVER,
        StandingKind.PAUSED,
        StandingKind.PENDING_PAYMENT,
        StandingKind.DISPUTED,
        StandingKind.ON_HOLD,
    }
)
#: What is told of a plan instead of a payment for it that is on its way.
_OPEN = frozenset({*StandingKind} - {StandingKind.ENDED})
#: What opens chats for longer than a claim has to be thought of.
_OPENING = _OPEN - {StandingKind.CLAIM, StandingKind.PENDING_PAYMENT, StandingKind.DISPUTED}
_PRICED = frozenset({StandingKind.RENEWS, StandingKind.TRIAL})
MOST_SHOWN = 15


def status(
    words: Words,
    standings: Sequence[Standing],
    *,
    doors: Sequence[ChatView] = (),
    pending: Sequence[PlanView] = (),
) -> OutgoingMessage:
    """Tell all that a person holds; `doors` may be entered, `pending` waits for its money."""
    shown = [one for one in worth_telling(standings) if not _is_settled(words, one, standings)]
    blocks = [_block(words, standing) for standing in shown[:MOST_SHOWN]]
    blocks += [
        parts.lines(
            words.text("plan.title", plan=words.plan_name(plan)),
            words.text("status.pending_payment"),
        )
        for plan in pending
        if not any(one.plan_id == plan.id and one.kind in _OPEN for one in shown)
    ]
    if not blocks:
        return _nothing(words)
    return OutgoingMessage(
        parts.paragraphs(words.text("status.title"), *blocks), _buttons(words, shown, doors)
    )


def already_yours(
    words: Words,
    plan: PlanView,
    standings: Sequence[Standing],
    *,
    doors: Sequence[ChatView] = (),
) -> OutgoingMessage:
    """Tell a buyer that they hold the plan already, and how it stands."""
    own = [standing for standing in worth_telling(standings) if standing.plan_id == plan.id]
    blocks = [_block(words, standing) for standing in own]
    return OutgoingMessage(
        parts.paragraphs(words.text("status.already_yours"), *blocks), _buttons(words, own, doors)
    )


def worth_telling(standings: Sequence[Standing]) -> list[Standing]:
    """Leave out what ended if something of the same plan holds; what matters most comes first."""
    running = {s.plan_id for s in standings if s.kind is not StandingKind.ENDED}
    latest_ended: dict[int, Standing] = {}
    for standing in standings:
        if standing.kind is StandingKind.ENDED and standing.plan_id not in running:
            known = latest_ended.get(standing.plan_id)
            if known is None or _end(standing) > _end(known):
                latest_ended[standing.plan_id] = standing
    kept = [s for s in standings if s.kind is not StandingKind.ENDED]
    kept.extend(latest_ended.values())
    return sorted(kept, key=lambda standing: _ORDER.index(standing.kind))


def _is_settled(words: Words, claim: Standing, standings: Sequence[Standing]) -> bool:
    """Tell a claim whose chats something else opens by now: its end changes nothing."""
    plan = words.view.plan(claim.plan_id)
    if claim.kind is not StandingKind.CLAIM or plan is None:
        return False
    others = (words.view.plan(one.plan_id) for one in standings if one.kind in _OPENING)
    opened = {chat_id for other in others if other for chat_id in other.chat_ids}
    return opened.issuperset(plan.chat_ids)


def _end(standing: Standing) -> float:
    return standing.until.timestamp() if standing.until is not None else 0.0


def _block(words: Words, standing: Standing) -> Html:
    plan = words.view.plan(standing.plan_id)
    name = words.plan_name(plan) if plan is not None else words.plain("button.unnamed_plan")
    return parts.lines(words.text("plan.title", plan=name), _line(words, standing, plan))


def _line(words: Words, standing: Standing, plan: PlanView | None) -> Html:
    key = f"status.{standing.kind.value}"
    if standing.kind in _UNDATED:
        return words.text(key)
    if standing.until is None:
        return words.text(f"{key}_undated")
    date = words.date(standing.until)
    if standing.kind not in _PRICED:
        return words.text(key, date=date)
    if plan is None or not words.amount(plan) or not _pays_price_of(standing, plan):
        return words.text(f"{key}_unpriced", date=date)
    return words.text(key, date=date, price=words.price(plan))


def _pays_price_of(standing: Standing, plan: PlanView) -> bool:
    return standing.price_id in {"", plan.price_id} and not standing.is_discounted


def _buttons(words: Words, standings: Sequence[Standing], doors: Sequence[ChatView]) -> parts.Rows:
    first = standings[0].kind if standings else None
    manage = [parts.action(words, "portal")] if any(s.manageable for s in standings) else []
    enter = [parts.action(words, "enter")] if doors else []
    offer = [parts.action(words, "plans")] if words.view.plans_for_sale else []
    if first is StandingKind.PAST_DUE:
        return parts.rows(manage, enter, offer)
    return parts.rows(enter, manage, offer)


def _nothing(words: Words) -> OutgoingMessage:
    for_sale = words.view.plans_for_sale
    if not for_sale:
        return OutgoingMessage(
            parts.paragraphs(words.text("status.none"), words.text("plans.none"))
        )
    return OutgoingMessage(
        parts.paragraphs(words.text("status.none"), parts.describe_plans(words, for_sale)),
        parts.plan_buttons(words, for_sale),
    )

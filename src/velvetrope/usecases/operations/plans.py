"""What an operator decides about a plan; what Stripe says of it is not theirs to change."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import transaction

from velvetrope.domain.validation import Invalid
from velvetrope.store.clock import present
from velvetrope.store.models import Plan, PlanChat
from velvetrope.usecases.alert_levels import sync_alerts
from velvetrope.usecases.audit import plain, record
from velvetrope.usecases.operations.reviews import request_review

if TYPE_CHECKING:
    from collections.abc import Sequence

    from velvetrope.usecases.audit import Plain

#: Stripe takes at most two years of trial.
MOST_TRIAL_DAYS = 730
#: A hundred years: longer is «for ever».
MOST_DURATION_DAYS = 36_500

_COLUMNS = ("position", "on_sale", "allow_promotion_codes", "trial_days", "duration_days")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlanChoices:
    """All that an operator chooses of a plan."""

    position: int
    on_sale: bool
    allow_promotion_codes: bool
    #: None: no trial.
    trial_days: int | None
    #: Of a one-time payment; None: for ever.
    duration_days: int | None
    chat_ids: Sequence[int]


def change_plan(plan_id: int, choices: PlanChoices, actor: str) -> None:
    """Keep the choices; raises Invalid, and DoesNotExist for an unknown plan."""
    with transaction.atomic():
        plan = Plan.objects.select_for_update().get(id=plan_id)
        _check(plan, choices)
        before = _described(plan)
        for name in _COLUMNS:
            setattr(plan, name, getattr(choices, name))
        plan.save(update_fields=_COLUMNS)
        _open_chats(plan, set(choices.chat_ids))
        after = _described(plan)
        if after != before:
            record(
                actor,
                "plan.changed",
                subject="plan",
                subject_id=plan.id,
                integration_id=plan.integration_id,
                before=before,
                after=after,
            )
            sync_alerts(plan.integration_id, present())
        if after["chats"] != before["chats"]:
            request_review(plan.integration_id)


def _described(plan: Plan) -> dict[str, Plain]:
    chats: list[Plain] = [*_chat_ids(plan)]
    return {**plain(plan, _COLUMNS), "chats": chats}


def _check(plan: Plan, choices: PlanChoices) -> None:
    if choices.trial_days is not None and not 1 <= choices.trial_days <= MOST_TRIAL_DAYS:
        remedy = f"Use 1 to {MOST_TRIAL_DAYS} days, or leave it empty for no trial."
        raise Invalid("trial_days_range", "trial_days", str(choices.trial_days), remedy)
    duration = choices.duration_days
    if duration is not None and not 1 <= duration <= MOST_DURATION_DAYS:
        remedy = f"Use 1 to {MOST_DURATION_DAYS} days, or leave it empty for ever."
        raise Invalid("duration_days_range", "duration_days", str(duration), remedy)
    if not choices.chat_ids:
        remedy = "Choose at least one chat, or nobody gets anything for their money."
        raise Invalid("plan_without_chats", "chats", "", remedy)
    own = set(plan.integration.chats.values_list("id", flat=True))
    if not own.issuperset(choices.chat_ids):
        raise Invalid("chat_of_another_bot", "chats", "", "Choose chats of this plan's bot.")


def _open_chats(plan: Plan, wanted: set[int]) -> None:
    """Change the links one by one: each moves the integration's revision."""
    for link in PlanChat.objects.filter(plan=plan).exclude(chat_id__in=wanted):
        link.delete()
    for chat_id in sorted(wanted - set(_chat_ids(plan))):
        PlanChat.objects.create(plan=plan, chat_id=chat_id)


def _chat_ids(plan: Plan) -> list[int]:
    rows = PlanChat.objects.filter(plan=plan)
    return list(rows.order_by("chat_id").values_list("chat_id", flat=True))

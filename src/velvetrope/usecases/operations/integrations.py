"""Switching an integration off and on, and having it looked at again."""

from __future__ import annotations

from django.db import transaction

from velvetrope.pipeline import jobs
from velvetrope.pipeline.pipeline import resume
from velvetrope.store.clock import present
from velvetrope.store.models import AuditEntry, Chat, Integration
from velvetrope.usecases.alert_levels import sync_alerts
from velvetrope.usecases.audit import record
from velvetrope.usecases.onboarding.jobs import request_plan_sync, request_registration
from velvetrope.usecases.reopening import reopen_door_since

#: What the audit log calls it that a bot was switched off.
OFF = "integration.disabled"


def set_active(integration_id: int, actor: str, *, active: bool) -> bool:
    """Switch an integration on or off; False if it was so already. DoesNotExist if unknown.

    While off, its updates are acknowledged and counted, and nothing is done about them.
    """
    with transaction.atomic():
        row = Integration.objects.select_for_update().get(id=integration_id)
        if row.active == active:
            return False
        row.active = active
        row.save(update_fields=["active"])
        record(
            actor,
            "integration.enabled" if active else OFF,
            subject="integration",
            subject_id=row.id,
            integration_id=row.id,
            before={"active": not active},
            after={"active": active},
        )
        sync_alerts(row.id, present())
        if active:
            request_registration(row.id)
            _catch_up(row.id)
        jobs.wake()
    return True


def _catch_up(integration_id: int) -> None:
    """Have everything looked at that the bot may have missed while it was off."""
    Integration.objects.filter(id=integration_id).update(reconciled_at=None)
    off = AuditEntry.objects.filter(integration_id=integration_id, action=OFF).order_by("-id")
    since = off.values_list("at", flat=True).first()
    if since is not None:
        for chat_id in Chat.objects.filter(integration_id=integration_id).values_list(
            "id", flat=True
        ):
            reopen_door_since(chat_id, since, present())


def verify(integration_id: int, actor: str) -> str:
    """Have the bot, its rights and prices verified and its webhook registered again.

    Gives the job's external id, by which its end can be looked up.
    """
    with transaction.atomic():
        row = Integration.objects.get(id=integration_id)
        record(
            actor,
            "integration.verification_requested",
            subject="integration",
            subject_id=row.id,
            integration_id=row.id,
        )
        return request_registration(row.id)


def sync_plans(integration_id: int, actor: str) -> str:
    """Have what Stripe says of the plans copied again; gives the job's external id."""
    with transaction.atomic():
        row = Integration.objects.get(id=integration_id)
        record(
            actor,
            "integration.plan_sync_requested",
            subject="integration",
            subject_id=row.id,
            integration_id=row.id,
        )
        return request_plan_sync(row.id)


def resume_items(integration_id: int, actor: str) -> int:
    """Let calls out again that wait for a fix; gives how many. What still fails waits again."""
    with transaction.atomic():
        number = resume(integration_id)
        if number:
            record(
                actor,
                "items.resumed",
                subject="integration",
                subject_id=integration_id,
                integration_id=integration_id,
                after={"items": number},
            )
    return number

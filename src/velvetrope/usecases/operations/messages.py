"""Which messages an integration sends, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from velvetrope.domain.messages import MessageSettings
from velvetrope.store.clock import present
from velvetrope.store.models import Integration
from velvetrope.usecases.audit import record
from velvetrope.usecases.reminding.replanning import request_replan

if TYPE_CHECKING:
    from collections.abc import Mapping

    from velvetrope.usecases.audit import Plain


def change_messages(integration_id: int, changes: Mapping[str, object], actor: str) -> bool:
    """Change switches, days and hours by their names; False if nothing is different.

    Raises Invalid for an unknown name or a value out of bounds, DoesNotExist for an unknown id.
    Reminders of all customers are planned anew.
    """
    with transaction.atomic():
        row = Integration.objects.select_for_update().get(id=integration_id)
        before = MessageSettings.from_differences(row.reminders)
        after = before.changed(changes)
        if after.differences() == before.differences():
            return False
        row.reminders = after.differences()
        row.save(update_fields=["reminders"])
        record(
            actor,
            "messages.changed",
            subject="integration",
            subject_id=row.id,
            integration_id=row.id,
            before=_plain(before),
            after=_plain(after),
        )
        request_replan(row.id, f"messages:{present():%Y%m%dT%H%M%S%f}")
    return True


def _plain(settings: MessageSettings) -> dict[str, Plain]:
    found = settings.differences()
    return {name: [*one] if isinstance(one, list) else one for name, one in found.items()}

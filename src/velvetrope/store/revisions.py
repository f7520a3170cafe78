"""Whatever belongs to an integration's configuration moves its revision when it changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db.models import F
from django.db.models.signals import post_delete, post_save

from velvetrope.store.models import Chat, Integration, Plan, PlanChat, TextOverride

if TYPE_CHECKING:
    from collections.abc import Iterable


def touch(integration_ids: Iterable[int]) -> None:
    """Move the revision; needed by hand only after updates that bypass `save()`."""
    Integration.objects.filter(id__in=list(integration_ids)).update(revision=F("revision") + 1)


def _touch_owner(instance: object, **_: object) -> None:
    match instance:
        case Integration():
            touch([instance.id])
        case Chat() | Plan() | TextOverride():
            touch([instance.integration_id])
        case PlanChat():
            touch([instance.plan.integration_id])
        case _:  # the signals are connected to these models only
            raise TypeError(instance)


def connect() -> None:
    """Listen to every saving and deleting; called once, when the app is ready."""
    for model in (Integration, Chat, Plan, PlanChat, TextOverride):
        name = model.__name__
        post_save.connect(_touch_owner, sender=model, dispatch_uid=f"revision-save-{name}")
        post_delete.connect(_touch_owner, sender=model, dispatch_uid=f"revision-delete-{name}")

"""A chat that was deleted and made again: the new one takes the old one's place."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import transaction

from velvetrope.domain import validation
from velvetrope.domain.states import ChatKind, ItemState, Presence
from velvetrope.domain.validation import Invalid
from velvetrope.store.clock import present
from velvetrope.store.models import Access, Chat, OutboxItem
from velvetrope.usecases.audit import record
from velvetrope.usecases.leaving.brake import release
from velvetrope.usecases.onboarding.jobs import request_registration
from velvetrope.usecases.reopening import show_in

if TYPE_CHECKING:
    from collections.abc import Collection

_UNSENT = (ItemState.PENDING.value, ItemState.SUSPENDED.value)


def replace_chat(chat_id: int, new_id: object, actor: str) -> str:
    """Put another chat in the place of one, by the row's id; plans and rights stay.

    Everybody who holds a right to it is shown the way into the new one. Gives the external id of
    the job that verifies it. Raises Invalid, and DoesNotExist.
    """
    (telegram_id,) = validation.chat_ids([str(new_id).strip()], field="new id")
    with transaction.atomic():
        row = Chat.objects.select_for_update().get(id=chat_id)
        if Chat.objects.filter(integration=row.integration_id, telegram_id=telegram_id).exists():
            remedy = "This chat is one of the integration's already."
            raise Invalid("chat_known", "new id", str(telegram_id), remedy)
        old_id, row.telegram_id = row.telegram_id, telegram_id
        row.kind, row.problem, row.verified_at = ChatKind.UNKNOWN.value, None, None
        row.invite_link, row.invite_link_at = "", None
        row.save()
        now = present()
        release(row, now, released_at=None)  # nobody waits any more to leave the old one
        OutboxItem.objects.filter(
            integration_id=row.integration_id, chat_id=old_id, state__in=_UNSENT
        ).update(state=ItemState.SKIPPED.value, error_code="chat_unknown", finished_at=now)
        Access.objects.filter(chat=row).update(
            observed=Presence.UNKNOWN.value,
            observed_at=None,
            requested_at=None,
            let_in_at=None,
            action="",
            problem="",
        )
        record(
            actor,
            "chat.replaced",
            subject="chat",
            subject_id=row.id,
            integration_id=row.integration_id,
            before={"telegram_id": old_id},
            after={"telegram_id": telegram_id},
        )
        job = request_registration(row.integration_id)
        holders: Collection[int] = Access.objects.filter(chat=row, desired=True).values_list(
            "customer_id", flat=True
        )
        show_in(holders, f"replaced:{row.id}:{telegram_id}")
    return job

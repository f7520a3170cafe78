"""A bot that was switched off catches up with what it has not heard."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from velvetrope.store.clock import present
from velvetrope.store.models import Integration
from velvetrope.usecases.operations import set_active

if TYPE_CHECKING:
    from tests.usecases.backroom import Backroom

APPROVE = "approveChatJoinRequest"


def test_who_knocked_while_the_bot_was_off_is_let_in(room: Backroom) -> None:
    room.now = present()
    room.subscribes()
    room.sent()
    set_active(room.integration.id, "operator:anna", active=False)
    set_active(room.integration.id, "operator:anna", active=True)
    room.now = present() + timedelta(seconds=1)
    room.run_jobs("reinvite")
    assert len(room.calls(APPROVE)) == 1


def test_everybody_is_looked_at_soon_after_a_bot_is_switched_on(room: Backroom) -> None:
    Integration.objects.update(reconciled_at=present())
    set_active(room.integration.id, "operator:anna", active=False)
    set_active(room.integration.id, "operator:anna", active=True)
    room.integration.refresh_from_db()
    assert room.integration.reconciled_at is None

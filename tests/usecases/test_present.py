"""The console and the command line live in the same time as the server."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from django.test import override_settings

from tests.usecases.snapshots import DAY, NOW
from velvetrope.gateways.clock import clock_of
from velvetrope.store.clock import present
from velvetrope.store.models import AuditEntry, InboxEvent
from velvetrope.usecases import operations

if TYPE_CHECKING:
    from pathlib import Path

    from tests.usecases.backroom import Backroom

LATER = NOW + 60 * DAY


@override_settings(VELVETROPE_CLOCK=lambda: LATER)
def test_a_grant_is_judged_and_recorded_by_the_installations_clock(room: Backroom) -> None:
    with pytest.raises(operations.GrantRefusedError):
        operations.grant(room.ann.id, room.monthly.id, NOW + 30 * DAY, "", "operator:olga")
    operations.grant(room.ann.id, room.monthly.id, LATER + DAY, "", "operator:olga")
    assert InboxEvent.objects.get().received_at == LATER
    assert AuditEntry.objects.get().at == LATER
    room.now = LATER
    room.run_jobs()
    row = room.ann.entitlement_set.get()
    assert (row.holds, row.period_end) == (True, LATER + DAY)


def test_a_sandboxs_time_is_read_from_its_file(tmp_path: Path) -> None:
    file = tmp_path / "clock"
    file.write_text("86400")
    shift = clock_of(file)() - clock_of(None)()
    assert abs(shift - DAY) < timedelta(minutes=1)


def test_without_a_file_it_is_the_systems() -> None:
    assert abs(present() - clock_of(None)()) < timedelta(minutes=1)

from __future__ import annotations

import os
import random
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from django.db import connection

from velvetrope.store.models import AuditEntry, Customer, InboxEvent, OutboxItem

if TYPE_CHECKING:
    from velvetrope.store.models import Integration

ROOT = Path(__file__).parents[2]
#: So many that nobody gets more messages than a burst: the pace of a chat would slow this down.
USERS = 500
KILLS = 6


class Child:
    """A run of `crashing.py`; what it says is read as it comes, up to the last line it wrote."""

    def __init__(self, database: str, messages: Path) -> None:
        self.acknowledged: list[str] = []
        self.process = subprocess.Popen(
            [sys.executable, "-m", "tests.pipeline.crashing", database, str(messages)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            cwd=ROOT,
            env={**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "src")])},
            text=True,
        )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            if line.endswith("\n") and "/" in line:
                self.acknowledged.append(line.strip())

    def write(self, key: str) -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{key}\n")
        self.process.stdin.flush()

    def kill(self) -> None:
        self.process.kill()
        self._end()

    def finish(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        try:
            assert self.process.wait(60) == 0
        finally:
            self.process.kill()
            self._end()

    def _end(self) -> None:
        self.process.wait()
        self._reader.join()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()


def test_every_acknowledged_event_has_its_effects_exactly_once_whenever_it_is_killed(
    integration: Integration, database: str, tmp_path: Path
) -> None:
    connection.close()
    assert integration.id == 1
    messages = tmp_path / "messages"
    messages.touch()
    rng = random.Random(2)
    acknowledged: list[str] = []
    number = 0
    for _ in range(KILLS):
        child = Child(database, messages)
        began = len(acknowledged)
        child.write(f"{number % USERS}/{number}")
        while not child.acknowledged:
            assert child.process.poll() is None
            time.sleep(0.005)
        deadline = time.monotonic() + rng.uniform(0.02, 0.4)
        while time.monotonic() < deadline:
            number += 1
            child.write(f"{number % USERS}/{number}")
            time.sleep(0.0005)
            if rng.random() < 0.1:
                child.write(f"{number % USERS}/{number}")  # delivered twice
        child.kill()
        acknowledged += child.acknowledged
        number += 1
        assert len(acknowledged) > began
    Child(database, messages).finish()

    stored = dict(InboxEvent.objects.filter(source="telegram").values_list("external_id", "state"))
    assert set(acknowledged) <= set(stored)
    assert set(stored.values()) == {"done"}
    applied = {row.telegram_user_id: int(row.source) for row in Customer.objects.all()}
    expected: dict[int, int] = {}
    for key in stored:
        user = int(key.partition("/")[0])
        expected[user] = expected.get(user, 0) + 1
    assert applied == expected
    counted = list(AuditEntry.objects.values_list("subject_id", flat=True))
    assert sorted(counted) == sorted(stored)
    said = [line.split()[0].strip('"') for line in messages.read_text().splitlines()]
    assert set(said) == set(stored)  # at least once: Telegram knows no other way
    assert set(OutboxItem.objects.values_list("state", flat=True)) == {"sent"}
    assert len(said) - len(set(said)) <= KILLS * 16 * 4

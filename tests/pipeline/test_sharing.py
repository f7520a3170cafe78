"""Several real processes on one PostgreSQL: killed, paused, ended and started while they work."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest
from django.db import connection

from tests.processes import child_environment, eventually
from velvetrope.store.models import AuditEntry, InboxEvent, Lane, LaneLease, OutboxItem

if TYPE_CHECKING:
    from collections.abc import Iterator

    from velvetrope.store.models import Integration

pytestmark = pytest.mark.postgresql_only

ROOT = Path(__file__).parents[2]
#: Within this others have taken over what a dead worker had in hand.
TAKEN_OVER = 15.0
USERS = 40


@dataclass(frozen=True)
class Call:
    """A call to the Bot API, as the process made it that is named."""

    process: int
    at: float
    chat: int
    text: str


class Part:
    """One process of several."""

    def __init__(self, url: str, role: str, folder: Path) -> None:
        self.said: list[str] = []
        with (folder / f"{role}.log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "tests.pipeline.sharing", url, role, str(folder)],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
                cwd=ROOT,
                env=child_environment(PYTHONPATH=os.pathsep.join([str(ROOT), str(ROOT / "src")])),
                text=True,
            )
        self._reader = threading.Thread(target=self._read)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.said.append(line.strip())

    def ready(self) -> Self:
        eventually(lambda: "ready" in self.said or self.process.poll(), seconds=30, what="ready")
        assert self.process.poll() is None
        return self

    def store(self, user: int, number: int, payload: str = "") -> None:
        assert self.process.stdin is not None
        self.process.stdin.write(f"{user}/{number}/{payload}\n")
        self.process.stdin.flush()

    def signal(self, number: int) -> None:
        os.kill(self.process.pid, number)

    def end(self) -> None:
        """Ask it to end, and wait."""
        self.signal(signal.SIGTERM)
        assert self.process.wait(20) in {0, -signal.SIGTERM}

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        self._reader.join()
        for pipe in (self.process.stdin, self.process.stdout):
            if pipe is not None:
                with suppress(BrokenPipeError):
                    pipe.close()


@dataclass
class House:
    """All processes of a test; they are gone when it ends."""

    url: str
    folder: Path
    parts: list[Part] = field(default_factory=list)

    def begin(self, *roles: str) -> list[Part]:
        begun = [Part(self.url, role, self.folder) for role in roles]
        self.parts += begun
        return [part.ready() for part in begun]

    def close(self) -> None:
        for part in self.parts:
            part.close()

    def calls(self) -> list[Call]:
        return [
            Call(int(process), float(at), int(chat), text)
            for process, at, chat, text in self._noted("calls")
        ]

    def ticks(self) -> list[tuple[float, str]]:
        return [(float(at), word) for _, at, word in self._noted("ticks")]

    def _noted(self, name: str) -> list[list[str]]:
        """Give what processes have noted, by time; a last line may be half written."""
        files = self.folder.glob(f"{name}.*")
        lines = [line for file in files for line in file.read_text().split("\n")[:-1]]
        return sorted((line.split() for line in lines), key=lambda words: float(words[1]))


@pytest.fixture
def house(integration: Integration, database: str, tmp_path: Path) -> Iterator[House]:
    assert integration.id == 1
    connection.close()
    place = House(database, tmp_path)
    yield place
    place.close()


def stored(*parts: Part) -> list[str]:
    return [line for part in parts for line in part.said if "/" in line]


def unfinished() -> int:
    return (
        InboxEvent.objects.exclude(state__in=["done", "dead"]).count()
        + OutboxItem.objects.exclude(state="sent").count()
    )


def wait_until_done(seconds: float = 30.0) -> None:
    eventually(lambda: unfinished() == 0, seconds=seconds, what="the end of all work")


def assert_effects_once_and_in_order() -> None:
    """Every event has its effects once, those of a person in the order in which they came."""
    came = InboxEvent.objects.filter(source="telegram").order_by("id")
    keys = list(came.values_list("external_id"))
    applied = list(AuditEntry.objects.filter(action="applied").order_by("id"))
    assert sorted((row.subject_id,) for row in applied) == sorted(keys)
    counted = AuditEntry.objects.filter(action="counted").values_list("subject_id")
    assert sorted(counted) == sorted(keys)
    for user in {row.subject for row in applied}:
        mine = [row.subject_id for row in applied if row.subject == user]
        assert mine == [key for (key,) in keys if key.startswith(f"{user}/")]


def test_two_web_and_two_worker_processes_do_everything_once_and_in_order(house: House) -> None:
    one, other, *workers = house.begin("web", "web", "worker", "worker")
    for number in range(8):
        for user in range(USERS):
            (one if user % 2 else other).store(user, number)
    eventually(lambda: len(stored(one, other)) == 8 * USERS, seconds=20)
    wait_until_done()
    assert_effects_once_and_in_order()
    calls = house.calls()
    assert Counter(call.text for call in calls) == Counter(stored(one, other))
    for user in range(USERS):
        mine = [call.text for call in calls if call.chat == user]
        assert mine == sorted(mine, key=lambda text: int(text.partition("/")[2]))
    assert {call.process for call in calls} <= {part.process.pid for part in workers}


def test_both_workers_have_a_share_of_the_work(house: House) -> None:
    (web,) = house.begin("web")
    for user in range(400):
        web.store(user, 0)
    eventually(lambda: len(stored(web)) == 400, seconds=20)
    house.begin("worker", "worker")
    wait_until_done()
    assert_effects_once_and_in_order()


def test_what_a_killed_worker_had_in_hand_is_taken_over_in_time(house: House) -> None:
    web, first, _ = house.begin("web", "worker", "worker")
    for number in range(4):
        for user in range(USERS):
            web.store(user, number)
    eventually(lambda: AuditEntry.objects.filter(action="applied").count() > USERS, seconds=20)
    first.signal(signal.SIGKILL)
    killed = time.monotonic()
    wait_until_done(TAKEN_OVER)
    assert time.monotonic() - killed < TAKEN_OVER
    assert_effects_once_and_in_order()
    said = Counter(call.text for call in house.calls())
    assert set(said) == set(stored(web))
    # Calls in flight, and those whose answers were not written down yet.
    assert sum(count - 1 for count in said.values()) <= 64


def test_a_worker_that_stood_still_for_long_does_no_harm_afterwards(house: House) -> None:
    web, still, _ = house.begin("web", "worker", "worker")
    for number in range(4):
        for user in range(USERS):
            web.store(user, number)
    eventually(lambda: AuditEntry.objects.filter(action="applied").count() > USERS, seconds=20)
    still.signal(signal.SIGSTOP)
    wait_until_done(TAKEN_OVER)
    before = len(house.calls())
    still.signal(signal.SIGCONT)
    for user in range(USERS):
        web.store(user, 4)
    eventually(lambda: len(stored(web)) == 5 * USERS, seconds=20, what="the last events")
    wait_until_done()
    assert still.process.poll() is None
    assert_effects_once_and_in_order()
    said = Counter(call.text for call in house.calls())
    assert set(said) == set(stored(web))
    assert sum(count - 1 for count in said.values()) <= 64
    # It sends nothing of what it had in hand, only what is new.
    assert {call.text.partition("/")[2] for call in house.calls()[before:]} <= {"4"} | {
        text.partition("/")[2] for text, count in said.items() if count > 1
    }
    still.end()


def test_a_worker_that_is_asked_to_end_leaves_its_work_to_the_others_at_once(house: House) -> None:
    web, ending = house.begin("web", "worker")
    for user in range(USERS):
        web.store(user, 0, "held")
    eventually(lambda: Lane.objects.count() == USERS, seconds=20)
    house.begin("worker")
    (house.folder / "mended").touch()
    ending.end()
    asked = time.monotonic()
    wait_until_done()
    assert time.monotonic() - asked < 5.0
    assert_effects_once_and_in_order()


def test_a_rolling_restart_loses_and_doubles_nothing(house: House) -> None:
    web, *workers = house.begin("web", "worker", "worker")
    number = 0
    for old in workers:
        for _ in range(3):
            for user in range(USERS):
                web.store(user, number)
            number += 1
        house.begin("worker")
        old.end()
    eventually(lambda: len(stored(web)) == number * USERS, seconds=20)
    wait_until_done()
    assert_effects_once_and_in_order()
    assert Counter(call.text for call in house.calls()) == Counter(stored(web))


def test_periodic_work_runs_once_and_never_twice_at_a_time(house: House) -> None:
    house.begin("worker", "worker")
    eventually(lambda: len(house.ticks()) >= 6, seconds=20)
    words = [word for _, word in house.ticks()]
    assert words == (["begins", "ends"] * len(words))[: len(words)]


def test_the_pace_of_a_bot_holds_with_any_number_of_workers(house: House) -> None:
    web, *_ = house.begin("web", "worker", "worker", "worker")
    for user in range(120):
        web.store(user, 0, "bulk")
    eventually(lambda: len(stored(web)) == 120, seconds=20)
    wait_until_done()
    times = [call.at for call in house.calls()]
    assert len(times) == 120
    most = max(sum(1 for at in times if start <= at < start + 1.0) for start in times)
    assert most <= 32  # thirty, and the burst


def test_nothing_stays_leased_when_there_is_nothing_to_do(house: House) -> None:
    web, _ = house.begin("web", "worker")
    for user in range(USERS):
        web.store(user, 0)
    wait_until_done()
    leased = LaneLease.objects.exclude(key__startswith="periodic:")
    eventually(lambda: not leased.exists(), seconds=15)

"""Plays stories in worlds, one after another, and keeps account of them."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections import Counter, defaultdict
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from tests.faults.history import Right
from tests.proof import judgement
from tests.proof.judgement import seen_by
from tests.proof.story import Story
from tests.proof.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Stories that one world bears before it has grown too old to be quick.
STORIES_OF_A_WORLD: Final = 25


class Theatre:
    """Plays stories in worlds, one after another, and keeps account of them."""

    def __init__(self, migrated: Path, *, seed: int, examples: int = 0, steps: int = 0) -> None:
        self.seed = seed
        self.examples = examples
        self.steps = steps
        #: Whether a story that fails is made shorter.
        self.shrinks = os.environ.get("VELVETROPE_PROOF_SHRINK") != "no"
        self._migrated = migrated
        self._runner = asyncio.Runner()
        self._world: World | None = None
        self.counts: Counter[str] = Counter()
        self.steps_done: Counter[str] = Counter()
        self.time: defaultdict[str, float] = defaultdict(float)
        self._began = time.monotonic()
        self.failures: list[str] = []

    @classmethod
    def from_environment(cls, migrated: Path) -> Theatre:
        def number(name: str, default: int) -> int:
            return int(os.environ.get(f"VELVETROPE_PROOF_{name}", default))

        return cls(
            migrated,
            seed=number("SEED", 20261123),
            examples=number("EXAMPLES", 24),
            steps=number("STEPS", 25),
        )

    def begin(self) -> Story:
        if self._world is not None and self._world.stories >= STORIES_OF_A_WORLD:
            self._leave()
        if self._world is None:
            world = World(self._migrated)
            self._runner.run(world.open())
            self._world = world
            self.counts["worlds"] += 1
        return self._runner.run(Story.begin(self._world))

    def play(self, story: Story, step: str, how: dict[str, Any]) -> None:
        began = time.monotonic()
        try:
            self._runner.run(story.do(step, **how))
            self.time[step] += time.monotonic() - began
        except BaseException as error:
            self._failed(story, error)
            raise

    def finish(self, story: Story) -> None:
        """Bring a story to its end and judge it."""
        if self._world is not story.world:
            return  # it has failed already
        try:
            began = time.monotonic()
            self._runner.run(self._end(story))
            self.time["end"] += time.monotonic() - began
        except BaseException as error:
            self._failed(story, error)
            raise
        self._count(story)

    async def _end(self, story: Story) -> None:
        await story.catch_up()
        await judgement.judge(story)
        await story.close()
        await judgement.remember_places(story)
        await judgement.everybody_is_where_they_belong(story)

    def _count(self, story: Story) -> None:
        self.counts["examples"] += 1
        self.counts["steps"] += len(story.steps)
        self.counts["kills"] += len(story.deaths)
        self.counts["faults"] += story.faults
        self.steps_done.update(step for step, _ in story.steps)

    def _failed(self, story: Story, error: BaseException) -> None:
        """Keep what is needed to play the story again; its world is not used any more."""
        self._count(story)
        self.counts["failures"] += 1
        self.failures.append(f"{type(error).__name__}: {error}"[:600])
        folder = Path(os.environ.get("VELVETROPE_PROOF_FOLDER", "build/proof"))
        folder.mkdir(parents=True, exist_ok=True)
        file = folder / f"story-{self.seed}-{self.counts['failures']}.json"
        told = {
            "error": f"{type(error).__name__}: {error}",
            "seed": self.seed,
            "steps": story.steps,
            "people": [one.id for one in story.people],
            "timelines": self._timelines(story),
            "log": story.world.home.log_text()[-30_000:].splitlines(),
        }
        file.write_text(json.dumps(told, indent=1, ensure_ascii=False, default=str))
        error.add_note(f"The story is in {file}: python -m tests.proof.replay {file}")
        self._leave()

    def _timelines(self, story: Story) -> dict[str, Any]:
        """Tell what the oracle and the product know of each person."""
        world, now = story.world, story.world.moment()
        calls = self._runner.run(seen_by(world.house.telegram, "calls", story.knows["calls"]))
        moves = self._runner.run(
            seen_by(world.house.telegram, "movements", story.knows["movements"])
        )
        found: dict[str, Any] = {}
        for number, person in enumerate(story.people):
            rights = {
                f"chat {chat}": world.history.right(person.id, chat_id, now).value
                for chat, chat_id in enumerate(world.house.chats)
                if world.history.right(person.id, chat_id, now) is not Right.OUT
            }
            known = [
                dict(row)
                for table in ("entitlement", "access", "checkout")
                for row in world.house.ledger.rows(
                    f"SELECT t.* FROM store_{table} t JOIN store_customer c ON c.id = t.customer_id"  # noqa: S608
                    " WHERE c.telegram_user_id = ?",
                    person.id,
                )
            ]
            why = world.home.command("members", "why", str(person.id), "--bot", str(world.house.id))
            words = why.out.splitlines() if why.code == 0 else []
            found[f"{number}: {person.id}"] = {
                "rights": rights,
                "rows": known,
                "why": words,
                "calls": [
                    f"{one['time']:.2f} {one['method']} {one['params']} {one['status']}"
                    for one in calls
                    if person.id in (one["params"].get("user_id"), one["params"].get("chat_id"))
                ],
                "moves": [one for one in moves if one["user"] == person.id],
            }
        return found

    def _leave(self) -> None:
        world, self._world = self._world, None
        if world is not None:
            self._runner.run(world.close())

    def close(self) -> None:
        self._leave()
        self._runner.close()

    @contextmanager
    def reporting(self) -> Iterator[None]:
        """Write the account of the run, whatever its end."""
        try:
            yield
        finally:
            self.close()
            print(self.summary())
            if place := os.environ.get("VELVETROPE_PROOF_SUMMARY"):
                with Path(place).open("a") as file:
                    file.write(self.summary() + "\n")

    def summary(self) -> str:
        seconds = time.monotonic() - self._began
        slowest = sorted(self.time.items(), key=lambda one: -one[1])[:12]
        return json.dumps(
            {
                "seed": self.seed,
                **{name: self.counts[name] for name in ("examples", "steps", "kills", "faults")},
                "worlds": self.counts["worlds"],
                "seconds": round(seconds, 1),
                "cpu": round(sum(os.times()[:4]), 1),
                "failures": self.failures,
                "spent": {name: round(spent, 1) for name, spent in slowest},
                "kinds": dict(self.steps_done.most_common()),
            }
        )

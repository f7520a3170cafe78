"""Stories put together at random, step by step, by hypothesis; the theatre that plays them."""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections import Counter
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.faults.history import Right
from tests.proof import judgement
from tests.proof.story import CAST, FAULTS, PLANS, STRIPE_PATHS, TELEGRAM_METHODS, Story
from tests.proof.world import World

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Stories that one world bears before it has grown too old to be quick.
STORIES_OF_A_WORLD = 25
STEPS = 25

_people = st.integers(0, CAST - 1)
_anybody = st.integers(0, CAST)  # the stranger too
_chats = st.integers(0, 1)
_plans = st.sampled_from(PLANS)
_times = st.sampled_from([0.1, 1.5, 2.5, 7.0, 24.0, 77.0, 192.0, 744.0])


class Theatre:
    """Plays stories in worlds, one after another, and keeps account of them."""

    def __init__(self, migrated: Path, *, seed: int, examples: int, steps: int) -> None:
        self.seed = seed
        self.examples = examples
        self.steps = steps
        self._migrated = migrated
        self._runner = asyncio.Runner()
        self._world: World | None = None
        self.counts: Counter[str] = Counter()
        self.steps_done: Counter[str] = Counter()
        self._began = time.monotonic()
        self.failures: list[str] = []

    @classmethod
    def from_environment(cls, migrated: Path) -> Theatre:
        def number(name: str, default: int) -> int:
            return int(os.environ.get(f"VELVETROPE_PROOF_{name}", default))

        return cls(
            migrated,
            seed=number("SEED", 20261123),
            examples=number("EXAMPLES", 40),
            steps=number("STEPS", STEPS),
        )

    def begin(self) -> Story:
        if self._world is not None and self._world.stories >= STORIES_OF_A_WORLD:
            self._leave()
        if self._world is None:
            self._world = World(self._migrated)
            self._runner.run(self._world.open())
            self.counts["worlds"] += 1
        return self._runner.run(Story.begin(self._world))

    def play(self, story: Story, step: str, how: dict[str, Any]) -> None:
        try:
            self._runner.run(story.do(step, **how))
        except BaseException as error:
            self._failed(story, error)
            raise

    def finish(self, story: Story) -> None:
        """Bring a story to its end and judge it."""
        if self._world is not story.world:
            return  # it has failed already
        try:
            self._runner.run(self._end(story))
        except BaseException as error:
            self._failed(story, error)
            raise
        self._count(story)

    async def _end(self, story: Story) -> None:
        await story.catch_up()
        await judgement.judge(story)
        await story.close()
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
                    f"SELECT t.* FROM store_{table} t JOIN store_customer c ON c.id = t.customer_id"
                    " WHERE c.telegram_user_id = ?",
                    person.id,
                )
            ]
            why = world.home.command("members", "why", str(person.id), "--bot", str(world.house.id))
            words = why.out.splitlines() if why.code == 0 else []
            found[f"{number}: {person.id}"] = {"rights": rights, "rows": known, "why": words}
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
            if place := os.environ.get("VELVETROPE_PROOF_SUMMARY"):
                with Path(place).open("a") as file:
                    file.write(self.summary() + "\n")

    def summary(self) -> str:
        seconds = time.monotonic() - self._began
        return json.dumps(
            {
                "seed": self.seed,
                **{name: self.counts[name] for name in ("examples", "steps", "kills", "faults")},
                "worlds": self.counts["worlds"],
                "seconds": round(seconds, 1),
                "failures": self.failures,
                "kinds": dict(self.steps_done.most_common()),
            }
        )


def settings_of(theatre: Theatre) -> settings:
    return settings(
        max_examples=theatre.examples,
        stateful_step_count=theatre.steps,
        deadline=None,
        database=None,
        derandomize=False,
        print_blob=False,
        report_multiple_bugs=False,
        phases=(Phase.generate, Phase.shrink),
        verbosity=Verbosity.normal,
        suppress_health_check=list(HealthCheck),
    )


class Machine(RuleBasedStateMachine):
    """Draws the steps; what happens in the world never decides about what is drawn."""

    stage: ClassVar[Theatre]

    @initialize()
    def begin(self) -> None:
        self.story = self.stage.begin()

    def teardown(self) -> None:
        if hasattr(self, "story"):
            self.stage.finish(self.story)

    def _play(self, step: str, **how: Any) -> None:
        self.stage.play(self.story, step, how)

    # People

    @rule(
        who=_people,
        plan=_plans,
        card=st.sampled_from(
            [
                "good",
                "good",
                "good",
                "declined",
                "declines_later",
                "needs_action",
                "delayed",
                "delayed_fails",
                "refund_fails",
                "refund_pending",
            ]
        ),
        knocks=st.sampled_from(["before", "after", "after", "after", "never"]),
    )
    def buy(self, who: int, plan: int, card: str, knocks: str) -> None:
        if knocks == "before":
            self._play("knock", who=who, chat=plan % 2)
        self._play("buy", who=who, plan=plan, card=card)
        if knocks == "after":
            for chat in (0, 1):
                self._play("knock", who=who, chat=chat)

    @rule(who=_people, plan=_plans)
    def order(self, who: int, plan: int) -> None:
        self._play("order", who=who, plan=plan)

    @rule(who=_people, card=st.sampled_from(["good", "delayed"]))
    def pay(self, who: int, card: str) -> None:
        self._play("pay", who=who, card=card)

    @rule(who=_anybody, chat=_chats)
    def knock(self, who: int, chat: int) -> None:
        self._play("knock", who=who, chat=chat)

    @rule(who=_people, chat=_chats)
    def leave(self, who: int, chat: int) -> None:
        self._play("leave", who=who, chat=chat)

    @rule(who=_people, blocks=st.booleans())
    def block(self, who: int, blocks: bool) -> None:
        self._play("block" if blocks else "unblock", who=who)

    @rule(who=_anybody, text=st.sampled_from(["/status", "/start", "hello", "/terms"]))
    def say(self, who: int, text: str) -> None:
        self._play("say", who=who, text=text)

    # Stripe

    @rule(who=_people, how=st.sampled_from(["now", "at_period_end", "cancel_at", "undo"]))
    def cancel(self, who: int, how: str) -> None:
        self._play("cancel", who=who, how=how)

    @rule(
        who=_people, how=st.sampled_from(["wholly", "keep_as_draft", "void", "mark_uncollectible"])
    )
    def pause(self, who: int, how: str) -> None:
        self._play("pause", who=who, how=how)

    @rule(who=_people)
    def resume(self, who: int) -> None:
        self._play("resume", who=who)

    @rule(who=_people, plan=st.sampled_from([PLANS[0], PLANS[1], PLANS[4]]))
    def move(self, who: int, plan: int) -> None:
        self._play("move", who=who, plan=plan)

    @rule(who=_people, card=st.sampled_from(["good", "declines_later"]))
    def swap(self, who: int, card: str) -> None:
        self._play("swap", who=who, card=card)

    @rule(who=_people)
    def retry(self, who: int) -> None:
        self._play("retry", who=who)

    @rule(
        who=_people,
        how=st.sampled_from(["succeeded", "succeeded", "part", "pending", "failed"]),
        which=st.integers(0, 2),
    )
    def refund(self, who: int, how: str, which: int) -> None:
        self._play("refund", who=who, how=how, which=which)

    @rule(who=_people, status=st.sampled_from(["failed", "succeeded", "canceled"]))
    def settle_refund(self, who: int, status: str) -> None:
        self._play("settle_refund", who=who, status=status)

    @rule(
        who=_people,
        status=st.sampled_from(["needs_response", "needs_response", "warning_needs_response"]),
        which=st.integers(0, 2),
    )
    def dispute(self, who: int, status: str, which: int) -> None:
        self._play("dispute", who=who, status=status, which=which)

    @rule(
        who=_people,
        status=st.sampled_from(["won", "lost", "under_review", "warning_closed", "prevented"]),
    )
    def judge_dispute(self, who: int, status: str) -> None:
        self._play("judge_dispute", who=who, status=status)

    @rule(who=_people, succeeded=st.booleans())
    def settle(self, who: int, succeeded: bool) -> None:
        self._play("settle", who=who, succeeded=succeeded)

    @rule(who=_people)
    def confuse(self, who: int) -> None:
        self._play("confuse", who=who)

    @rule(who=_people)
    def foreign(self, who: int) -> None:
        self._play("foreign", who=who)

    # Time, faults, deaths

    @rule(hours=_times)
    def wait(self, hours: float) -> None:
        self._play("wait", hours=hours)

    @rule(hours=_times)
    def wait_more(self, hours: float) -> None:
        self._play("wait", hours=hours)

    @rule(
        fault=st.sampled_from(sorted(FAULTS)),
        method=st.integers(0, len(TELEGRAM_METHODS) - 1),
        count=st.integers(1, 3),
    )
    def fail_telegram(self, fault: str, method: int, count: int) -> None:
        self._play("fail_telegram", fault=fault, method=method, count=count)

    @rule(
        fault=st.sampled_from(sorted(FAULTS)),
        path=st.integers(0, len(STRIPE_PATHS) - 1),
        count=st.integers(1, 3),
    )
    def fail_stripe(self, fault: str, path: int, count: int) -> None:
        self._play("fail_stripe", fault=fault, path=path, count=count)

    @rule(
        trouble=st.sampled_from(["double", "shuffle", "drop", "hold", "release"]),
        number=st.integers(2, 4),
    )
    def deliveries(self, trouble: str, number: int) -> None:
        how = {"double": {"copies": number}, "drop": {"count": number}}.get(trouble, {})
        self._play(trouble, **how)

    @rule(how=st.sampled_from(["kill", "kill", "kill", "die", "restart"]))
    def death(self, how: str) -> None:
        self._play(how)

    # Operators

    @rule(who=_people, plan=_plans, days=st.sampled_from([1, 10, 40]))
    def grant(self, who: int, plan: int, days: int) -> None:
        self._play("grant", who=who, plan=plan, days=days)

    @rule(who=_people)
    def revoke(self, who: int) -> None:
        self._play("revoke", who=who)

    @rule(off=st.booleans())
    def switch(self, off: bool) -> None:
        self._play("switch_off" if off else "switch_on")

"""Stories put together at random, step by step, by hypothesis; the theatre that plays them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import hypothesis.strategies as st
from hypothesis import HealthCheck, Phase, Verbosity, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.proof.story import CAST, FAULTS, PLANS, STRIPE_PATHS, TELEGRAM_METHODS

if TYPE_CHECKING:
    from tests.proof.theatre import Theatre

_people = st.integers(0, CAST - 1)
_anybody = st.integers(0, CAST)  # the stranger too
_chats = st.integers(0, 1)
_plans = st.sampled_from(PLANS)
_CARDS = (
    *("good", "good", "good", "good", "declines_later", "declined", "needs_action"),
    *("delayed", "delayed_fails", "refund_fails", "refund_pending"),
)
_times = st.sampled_from([0.1, 1.5, 2.5, 7.0, 24.0, 77.0, 192.0, 744.0])


def settings_of(theatre: Theatre) -> settings:
    return settings(
        max_examples=theatre.examples,
        stateful_step_count=theatre.steps,
        deadline=None,
        database=None,
        derandomize=False,
        print_blob=False,
        report_multiple_bugs=False,
        phases=(Phase.generate, Phase.shrink) if theatre.shrinks else (Phase.generate,),
        verbosity=Verbosity.normal,
        suppress_health_check=list(HealthCheck),
    )


class Machine(RuleBasedStateMachine):
    """Draws the steps; what happens in the world never decides about what is drawn."""

    stage: ClassVar[Theatre]

    @initialize(
        before=st.lists(
            st.tuples(_people, _plans, st.sampled_from(_CARDS)), min_size=1, max_size=CAST
        )
    )
    def begin(self, before: list[tuple[int, int, str]]) -> None:
        """Let some people in first: a story of nobody proves nothing."""
        self.story = self.stage.begin()
        for who, plan, card in before:
            self.buy(who, plan, card, "after")

    def teardown(self) -> None:
        if hasattr(self, "story"):
            self.stage.finish(self.story)

    def _play(self, step: str, **how: Any) -> None:
        self.stage.play(self.story, step, how)

    # People

    @rule(
        who=_people,
        plan=_plans,
        card=st.sampled_from(_CARDS),
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

    @rule(who=_people)
    def sync(self, who: int) -> None:
        self._play("sync", who=who)

    @rule(
        rule=st.sampled_from(
            [
                ("grace_days", "0"),
                ("grace_days", "3"),
                ("collection_pause_keeps", "no"),
                ("refund_ends", "no"),
                ("partial_refund_ends", "yes"),
                ("dispute_suspends", "no"),
                ("dispute_warning_suspends", "yes"),
                ("dispute_lost_ends", "no"),
                ("brake_members", "1"),
            ]
        )
    )
    def decree(self, rule: tuple[str, str]) -> None:
        name, value = rule
        self._play("rule", name=name, value=value)

    @rule()
    def confirm(self) -> None:
        self._play("confirm")

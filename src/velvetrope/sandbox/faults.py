"""The faults that a simulator can be told to show; both simulators know the same knobs."""

from __future__ import annotations

import random
from fnmatch import fnmatchcase
from typing import Generic, TypeVar

import msgspec


class FailRule(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """What happens to the next `count` calls whose method or path matches the glob `match`.

    `delay` seconds pass first. Then, unless `status` is given, the work is done; with
    `lose_answer` the connection is dropped instead of the answer. With a `status` nothing is done
    and that status is answered, with `body` as it stands (say, a proxy's HTML page) or the
    vendor's usual error made of `description`; `retry_after` seconds go along where the vendor
    would send them. `lose_answer` with a `status` drops the connection without doing the work.
    """

    match: str = "*"
    count: int = 1
    status: int | None = None
    description: str | None = None
    retry_after: int | None = None
    body: str | None = None
    lose_answer: bool = False
    delay: float = 0.0


class Knobs(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The state of every knob; the defaults are a world without faults."""

    #: How often each webhook is delivered; copies travel at the same time.
    duplicates: int = 1
    #: Seconds within which deliveries are held back at random and so overtake each other.
    shuffle: float = 0.0
    #: Multiplies the waits between two attempts at a delivery.
    retry_scale: float = 1.0
    #: Deliveries wait while this is set.
    hold: bool = False
    #: Where the random numbers start; None leaves them as they are.
    seed: int | None = None
    fail_next: list[FailRule] = msgspec.field(default_factory=list)


K = TypeVar("K", bound=Knobs)


class Faults(Generic[K]):
    """The knobs of one simulator (`Knobs`, or its own kind of them) and their randomness."""

    def __init__(self, knobs: K) -> None:
        self.knobs = knobs
        self._random = random.Random(knobs.seed)

    def configure(self, body: bytes) -> K:
        """Set the knobs named in a JSON object, leave the others; `{"reset": true}` clears first.

        `fail_next` may be one rule or a list; it replaces the rules that were waiting.
        Raises msgspec.ValidationError or msgspec.DecodeError (both ValueErrors).
        """
        changes = msgspec.json.decode(body, type=dict[str, object])
        kind = type(self.knobs)
        current = kind() if changes.pop("reset", False) else self.knobs
        if isinstance(changes.get("fail_next"), dict):
            changes["fail_next"] = [changes["fail_next"]]
        self.knobs = msgspec.convert({**msgspec.structs.asdict(current), **changes}, kind)
        if changes.get("seed") is not None:
            self._random = random.Random(self.knobs.seed)
        return self.knobs

    def take(self, name: str) -> FailRule | None:
        """Use up and give the rule that the call `name` falls under; None if it is spared."""
        for rule in self.knobs.fail_next:
            if fnmatchcase(name, rule.match):
                rule.count -= 1
                if rule.count <= 0:
                    self.knobs.fail_next.remove(rule)
                return rule
        return None

    def hold_back(self) -> float:
        """Give the seconds that the next delivery waits because of the `shuffle` knob."""
        return self._random.uniform(0, self.knobs.shuffle) if self.knobs.shuffle else 0.0

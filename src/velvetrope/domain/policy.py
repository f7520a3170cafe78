"""What each fact about a payment means for access, per integration."""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from datetime import timedelta
from typing import TYPE_CHECKING, Final, TypeVar

from velvetrope.domain.validation import Invalid, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    #: A whole number, or yes and no.
    Value = int | bool

V = TypeVar("V", int, bool)

_YES: Final = frozenset({"yes", "true", "on", "1"})
_NO: Final = frozenset({"no", "false", "off", "0"})


@dataclass(frozen=True, slots=True)
class Rule:
    """What a field of the policy may be, and what it means to an operator."""

    name: str
    #: What it decides, as a short label.
    label: str
    #: What it means, in words; for yes and no, what «yes» does.
    meaning: str
    default: Value
    #: The smallest and the largest number; None for yes and no.
    bounds: tuple[int, int] | None = None
    #: What is counted; empty for yes and no.
    unit: str = ""

    def judge(self, value: object) -> Value:
        """Give the value that a number, a truth or a text stands for; raises Invalid."""
        found = _number(value) if self.bounds else _truth(value)
        if found is None or (self.bounds and not self.bounds[0] <= found <= self.bounds[1]):
            raise Invalid("policy_value", self.name, shown(str(value)), f"Use {self.allowed}.")
        return found

    @property
    def allowed(self) -> str:
        """Say what may be chosen: «yes or no», «a whole number of days from 0 to 90»."""
        if self.bounds is None:
            return "yes or no"
        return f"a whole number ({self.unit}) from {self.bounds[0]} to {self.bounds[1]}"


def _number(value: object) -> int | None:
    if isinstance(value, str) and value.strip().isascii() and value.strip().isdigit():
        return int(value.strip()[:9])
    return value if isinstance(value, int) and not isinstance(value, bool) else None


def _truth(value: object) -> bool | None:
    if isinstance(value, str):
        word = value.strip().lower()
        return True if word in _YES else False if word in _NO else None
    return value if isinstance(value, bool) else None


def _rule(
    default: V,
    label: str,
    meaning: str,
    bounds: tuple[int, int] | None = None,
    unit: str = "",
) -> V:
    words = {"label": label, "meaning": meaning, "bounds": bounds, "unit": unit}
    return field(default=default, metadata=words)


@dataclass(frozen=True, slots=True)
class Policy:
    """The defaults of the design; an integration stores only its differences."""

    grace_days: int = _rule(
        7,
        "Grace after a failed payment",
        "How long somebody whose renewal failed stays in, counted from the first failure; later "
        "attempts don't start it anew. 0: out at once.",
        (0, 90),
        "days",
    )
    # Stripe keeps a renewal's invoice as a draft for about an hour before it asks for the money.
    slack_hours: int = _rule(
        2,
        "Patience at the end of a paid period",
        "How long to wait after the end of a paid period before asking Stripe whether it was "
        "renewed. A renewal takes Stripe about an hour, so it can't be less than one.",
        (1, 72),
        "hours",
    )
    collection_pause_keeps: bool = _rule(
        True,  # noqa: FBT003  the default of a table's row
        "Collection paused: stays",
        "While you pause the collection of payments in Stripe, the member stays in. No: out until "
        "it goes on. (A subscription that Stripe itself calls «paused» is out in any case.)",
    )
    refund_ends: bool = _rule(
        True,  # noqa: FBT003  the default of a table's row
        "Full refund: out",
        "A payment is refunded in full: access ends. A refund that fails is as if it had never "
        "been. No: access goes on as paid.",
    )
    partial_refund_ends: bool = _rule(
        False,  # noqa: FBT003  the default of a table's row
        "Partial refund: out",
        "A part of a payment is refunded: access ends as with a full refund. No: the member stays.",
    )
    dispute_suspends: bool = _rule(
        True,  # noqa: FBT003  the default of a table's row
        "Dispute opened: suspended",
        "A bank disputes a payment: out while the dispute is open, back when it is won. No: stays "
        "while it is open.",
    )
    dispute_warning_suspends: bool = _rule(
        False,  # noqa: FBT003  the default of a table's row
        "Bank inquiry: suspended",
        "A bank inquires about a payment, which may become a dispute (no money was taken yet): out "
        "until it is closed. No: stays.",
    )
    dispute_lost_ends: bool = _rule(
        True,  # noqa: FBT003  the default of a table's row
        "Dispute lost: out",
        "A dispute is lost and the money gone: access ends, until the next payment. No: stays as "
        "long as it was paid for.",
    )
    brake_members: int = _rule(
        5,
        "Brake: members",
        "A chat loses at most this many members, or the share below if that is more, before you "
        "are asked to confirm.",
        (1, 100_000),
        "members",
    )
    brake_percent: int = _rule(
        5,
        "Brake: share",
        "The same as a share of the members that are known: the larger of both counts.",
        (1, 100),
        "per cent",
    )
    brake_hours: int = _rule(
        1,
        "Brake: within",
        "How far back removals are counted for the brake.",
        (1, 168),
        "hours",
    )

    @property
    def grace(self) -> timedelta:
        return timedelta(days=self.grace_days)

    @property
    def slack(self) -> timedelta:
        return timedelta(hours=self.slack_hours)

    @property
    def brake_window(self) -> timedelta:
        return timedelta(hours=self.brake_hours)

    @classmethod
    def from_differences(cls, differences: Mapping[str, object]) -> Policy:
        """Build from what an integration stores; names and values that don't fit are left out."""
        fitting: dict[str, Value] = {}
        for rule in RULES:
            value = differences.get(rule.name)
            if type(value) is type(rule.default):
                try:
                    fitting[rule.name] = rule.judge(value)
                except Invalid:
                    continue
        return cls(**fitting)  # type: ignore[arg-type]  # each value was judged by its rule

    @property
    def differences(self) -> dict[str, Value]:
        """Give what differs from the defaults: what an integration stores."""
        return {name: value for name, value in self.values.items() if value != DEFAULTS[name]}

    @property
    def values(self) -> dict[str, Value]:
        return {rule.name: getattr(self, rule.name) for rule in RULES}

    def changed(self, values: Mapping[str, object], reset: Iterable[str] = ()) -> Policy:
        """Give the policy with these values, and with the defaults of those to be reset.

        Values may be texts, as people type them. Raises Invalid for an unknown name, a bad value,
        or a name that is both set and reset.
        """
        reset = tuple(reset)
        for name in (*values, *reset):
            if name not in DEFAULTS:
                known = ", ".join(DEFAULTS)
                raise Invalid("policy_name", shown(name), "", f"Use one of: {known}.")
        if both := set(values).intersection(reset):
            raise Invalid("policy_set_and_reset", min(both), "", "Either set it or reset it.")
        judged = {rule.name: rule.judge(values[rule.name]) for rule in RULES if rule.name in values}
        whole = self.values | judged | {name: DEFAULTS[name] for name in reset}
        return Policy(**whole)  # type: ignore[arg-type]  # each value was judged by its rule


#: Every field of the policy, in the order in which it is shown.
RULES: Final = tuple(
    Rule(name=one.name, default=getattr(Policy(), one.name), **one.metadata)
    for one in fields(Policy)
)
DEFAULTS: Final[Mapping[str, Value]] = {rule.name: rule.default for rule in RULES}

"""Every message of a membership's life: when it goes out, and what an operator may set."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Final

from velvetrope.domain.validation import Invalid, shown

if TYPE_CHECKING:
    from collections.abc import Mapping


class MessageKind(StrEnum):
    """The names are those of the switches."""

    PAYMENT_RECEIVED = "payment_received"
    PAYMENT_PENDING = "payment_pending"
    PAYMENT_LOST = "payment_lost"
    WELCOME = "welcome"
    ACCESS_GRANTED = "access_granted"
    PLACE_KEPT = "place_kept"
    ACCESS_RESTORED = "access_restored"
    PLAN_CHANGED = "plan_changed"
    TRIAL_ENDS = "trial_ends"
    RENEWS_ON = "renews_on"
    RENEWED = "renewed"
    PAYMENT_FAILED = "payment_failed"
    PAYMENT_ACTION_REQUIRED = "payment_action_required"
    GRACE_ENDS = "grace_ends"
    PAYMENT_RECOVERED = "payment_recovered"
    ACCESS_ENDS = "access_ends"
    ACCESS_ENDED = "access_ended"
    REFUND = "refund"
    DISPUTE = "dispute"


class Timing(StrEnum):
    AT_ONCE = "at once"  # somebody waits for it, or has to act on it
    CIVIL = "at a civil hour"  # nobody waits for it: never at night


@dataclass(frozen=True, slots=True)
class MessageRule:
    """How one kind is said unless an operator decides otherwise."""

    #: What it is, for operators.
    title: str
    #: On which occasion, for operators.
    when: str
    timing: Timing = Timing.AT_ONCE
    is_on: bool = True
    #: So many days before what it announces; empty for what announces nothing.
    days: tuple[int, ...] = ()


RULES: Final[Mapping[MessageKind, MessageRule]] = {
    MessageKind.PAYMENT_RECEIVED: MessageRule(
        "Payment received",
        "The first payment has arrived, or a free trial has begun; with the receipt and the way "
        "in. If it is off, only the way in is sent.",
    ),
    MessageKind.PAYMENT_PENDING: MessageRule(
        "Payment on its way",
        "Checkout is done, and the money comes later, as with a bank debit.",
    ),
    MessageKind.PAYMENT_LOST: MessageRule(
        "Payment did not come", "Money that was on its way did not arrive."
    ),
    MessageKind.WELCOME: MessageRule("Welcome", "The person was let in to a chat."),
    MessageKind.ACCESS_GRANTED: MessageRule(
        "Access given",
        "An operator has given access by hand. If it is off, only the way in is sent.",
    ),
    MessageKind.PLACE_KEPT: MessageRule(
        "Place kept",
        "A member from before is adopted from a list: until when the place is kept, and how to "
        "stay.",
        Timing.CIVIL,
    ),
    MessageKind.ACCESS_RESTORED: MessageRule(
        "Access restored",
        "What was closed is open again: paid after all, or cleared up. If it is off, only the way "
        "in is sent.",
    ),
    MessageKind.PLAN_CHANGED: MessageRule(
        "Plan changed",
        "The subscription is for another plan now. If it is off, only the way in is sent.",
    ),
    MessageKind.TRIAL_ENDS: MessageRule(
        "Trial ends",
        "Days before a free trial turns into the first payment.",
        Timing.CIVIL,
        days=(3,),
    ),
    MessageKind.RENEWS_ON: MessageRule(
        "Renews soon",
        "Days before a renewal, for plans that are paid for a long time at once.",
        Timing.CIVIL,
        days=(7,),
    ),
    MessageKind.RENEWED: MessageRule(
        "Renewed", "Each renewal that was paid, with its receipt.", is_on=False
    ),
    MessageKind.PAYMENT_FAILED: MessageRule(
        "Payment failed", "A renewal could not be charged; with the bill and the last day."
    ),
    MessageKind.PAYMENT_ACTION_REQUIRED: MessageRule(
        "Confirmation needed",
        "The bank wants the person to confirm the charge of a renewal; with the page for it.",
    ),
    MessageKind.GRACE_ENDS: MessageRule(
        "Last call",
        "Days before access ends because a renewal is not paid.",
        Timing.CIVIL,
        days=(1,),
    ),
    MessageKind.PAYMENT_RECOVERED: MessageRule(
        "Payment made good", "A renewal that had failed is paid after all."
    ),
    MessageKind.ACCESS_ENDS: MessageRule(
        "Access ends",
        "Days before access ends: cancelled, paid once for a time, given by hand, or a member "
        "from before who has not subscribed.",
        Timing.CIVIL,
        days=(3, 1),
    ),
    MessageKind.ACCESS_ENDED: MessageRule(
        "Access ended",
        "What opened a chat has ended, and the person is out of it; with the reason and the way "
        "back.",
    ),
    MessageKind.REFUND: MessageRule(
        "Refund", "Money was paid back, or a refund came to nothing, and access did not end by it."
    ),
    MessageKind.DISPUTE: MessageRule(
        "Dispute",
        "A payment is disputed at the bank, or that was decided, and access did not end by it.",
    ),
}
REMINDERS: Final = tuple(kind for kind, rule in RULES.items() if rule.days)

_DAYS: Final = "_days"
_MOST_DAYS_BEFORE: Final = 60
_MOST_REMINDERS: Final = 5
#: So that there is room within a day, whatever the clocks are put to.
_SHORTEST_DAY: Final = 3
_HOURS: Final = 24
_YEAR: Final = 366
_NUMBER = re.compile(r"[0-9]{1,3}")


@dataclass(frozen=True, slots=True)
class MessageSettings:
    """What holds for one integration; it stores only its differences from the defaults."""

    #: What differs from the rule's own switch.
    switches: Mapping[MessageKind, bool] = field(default_factory=dict)
    days: Mapping[MessageKind, tuple[int, ...]] = field(default_factory=dict)
    #: Renewals are announced for plans that are paid for so many days, or more, at once.
    renews_on_from: int = 180
    #: What nobody waits for is said between these hours of the integration's time zone.
    hour_from: int = 9
    hour_to: int = 21

    def is_on(self, kind: MessageKind) -> bool:
        return self.switches.get(kind, RULES[kind].is_on)

    def days_of(self, kind: MessageKind) -> tuple[int, ...]:
        """Give how many days before it is said, the earliest first; none if it is off."""
        return self.days.get(kind, RULES[kind].days) if self.is_on(kind) else ()

    @classmethod
    def from_differences(cls, stored: Mapping[str, object]) -> MessageSettings:
        """Build from what an integration stores; what doesn't fit any more is left out."""
        values: dict[str, object] = {}
        for name, value in stored.items():
            try:
                values[name] = checked(name, value)
            except Invalid:
                continue
        switches = {k: v for k in MessageKind if isinstance(v := values.get(k.value), bool)}
        days = {k: v for k in REMINDERS if isinstance(v := values.get(days_setting(k)), tuple)}
        numbers = {k: v for k in NUMBERS if isinstance(v := values.get(k), int)}
        settings = cls(switches=switches, days=days, **numbers)
        if settings.hour_to - settings.hour_from < _SHORTEST_DAY:
            return cls(switches, days, settings.renews_on_from)  # neither hour fits alone
        return settings

    def differences(self) -> dict[str, bool | int | list[int]]:
        """Give what differs from the defaults, as it is stored."""
        found: dict[str, bool | int | list[int]] = {
            kind.value: is_on
            for kind, is_on in self.switches.items()
            if is_on is not RULES[kind].is_on
        }
        found |= {
            days_setting(kind): list(days)
            for kind, days in self.days.items()
            if days != RULES[kind].days
        }
        usual = MessageSettings()
        for name in NUMBERS:
            if (own := getattr(self, name)) != getattr(usual, name):
                found[name] = own
        return found

    def changed(self, changes: Mapping[str, object]) -> MessageSettings:
        """Give these settings with some other values, by the names they are stored under.

        Raises Invalid for an unknown name or a value out of bounds.
        """
        values = {name: checked(name, value) for name, value in changes.items()}
        hours = {"hour_from": self.hour_from, "hour_to": self.hour_to, **values}
        first, end = hours["hour_from"], hours["hour_to"]
        if isinstance(first, int) and isinstance(end, int) and end - first < _SHORTEST_DAY:
            remedy = f"Leave at least {_SHORTEST_DAY} hours between the first and the last one."
            raise Invalid("civil_hours_too_few", "hour_to", str(end), remedy)
        return MessageSettings.from_differences({**self.differences(), **values})


@dataclass(frozen=True, slots=True)
class NumberRule:
    """A setting that is one number: what it means for operators, its least and its most."""

    meaning: str
    least: int
    most: int


NUMBERS: Final[Mapping[str, NumberRule]] = {
    "hour_from": NumberRule("Reminders are sent from this hour on", 0, 21),
    "hour_to": NumberRule("Reminders are sent until this hour; later ones wait", 3, _HOURS),
    "renews_on_from": NumberRule(
        "«Renews soon» is for plans that are paid for at least so many days at once", 1, _YEAR
    ),
}


def days_setting(kind: MessageKind) -> str:
    """Name the setting of the days of a reminder."""
    return f"{kind.value}{_DAYS}"


def setting_names() -> tuple[str, ...]:
    """Give the names of all settings that are no switches."""
    return (*(days_setting(kind) for kind in REMINDERS), *NUMBERS)


def checked(name: str, value: object) -> bool | int | tuple[int, ...]:
    """Judge a value by its name: a switch, a list of days («3, 1») or a number."""
    if name in {*MessageKind}:
        if isinstance(value, bool):
            return value
        raise Invalid("switch_malformed", name, shown(str(value)), "Switch it on or off.")
    kind = name.removesuffix(_DAYS)
    if name.endswith(_DAYS) and kind in {*REMINDERS}:
        return _days(name, value)
    if name in NUMBERS:
        return _number(name, value, NUMBERS[name].least, NUMBERS[name].most)
    listed = ", ".join(setting_names())
    raise Invalid("setting_unknown", "name", shown(name), f"There are these settings: {listed}.")


def _days(name: str, value: object) -> tuple[int, ...]:
    parts = [one for one in re.split(r"[\s,;]+", value) if one] if isinstance(value, str) else value
    if not isinstance(parts, list | tuple) or not parts:
        remedy = "Give one or more numbers of days, such as 3, 1; to say nothing, switch it off."
        raise Invalid("days_missing", name, shown(str(value)), remedy)
    found = {_number(name, one, 1, _MOST_DAYS_BEFORE) for one in parts}
    if len(found) > _MOST_REMINDERS:
        remedy = f"Give at most {_MOST_REMINDERS} numbers."
        raise Invalid("days_too_many", name, shown(str(value)), remedy)
    return tuple(sorted(found, reverse=True))


def _number(name: str, value: object, low: int, high: int) -> int:
    text = str(value).strip()
    if isinstance(value, bool) or not _NUMBER.fullmatch(text) or not low <= int(text) <= high:
        remedy = f"Give a whole number from {low} to {high}."
        raise Invalid("number_out_of_bounds", name, shown(text), remedy)
    return int(text)

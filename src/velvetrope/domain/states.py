"""The words that rows are in: every state has one name in code, tables, API and pages."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class Source(StrEnum):
    TELEGRAM = "telegram"  # a Bot API update
    STRIPE = "stripe"  # a Stripe event
    JOB = "job"  # durable work that the product gave itself


class EventState(StrEnum):
    PENDING = "pending"  # stored, nobody has it in hand
    CLAIMED = "claimed"  # in the hands of the process that serves
    DONE = "done"  # finished in the transaction of its effects
    DEAD = "dead"  # failed for good: a dead letter
    DISCARDED = "discarded"  # a dead letter that an operator gave up


class EventOutcome(StrEnum):
    HANDLED = "handled"  # had its effects
    IGNORED = "ignored"  # understood, and nothing to do
    FOREIGN = "foreign"  # belongs to another product of the same Stripe account
    UNHANDLED = "unhandled"  # a kind that the product doesn't know


class ItemState(StrEnum):
    PENDING = "pending"  # to be sent, nobody has it in hand
    CLAIMED = "claimed"  # in the hands of the process that serves
    SENT = "sent"  # the Bot API said yes
    SKIPPED = "skipped"  # overtaken by facts, such as a blocked bot
    SUSPENDED = "suspended"  # waits for an operator's fix
    DEAD = "dead"  # failed for good: a dead letter
    DISCARDED = "discarded"  # a dead letter that an operator gave up


class Priority(StrEnum):
    GRANT = "grant"  # lets somebody in or out: overtakes everything
    ANSWER = "answer"  # answers a person who waits
    BULK = "bulk"  # may wait


class Registration(StrEnum):
    PENDING = "pending"  # the job has not finished yet
    REGISTERED = "registered"  # Telegram sends its updates here
    FAILED = "failed"  # an operator has to mend `problems`


class ChatKind(StrEnum):
    UNKNOWN = "unknown"  # not looked at yet
    CHANNEL = "channel"
    SUPERGROUP = "supergroup"
    GROUP = "group"  # a basic group, which cannot be opened by request


class Interval(StrEnum):
    ONE_TIME = "one_time"  # paid once
    DAY = "day"
    WEEK = "week"
    MONTH = "month"
    YEAR = "year"


class CheckoutState(StrEnum):
    OPEN = "open"  # can be paid
    PENDING = "pending"  # paid by a method whose money comes later
    PAID = "paid"
    EXPIRED = "expired"
    FAILED = "failed"  # the later money did not come


class EntitlementKind(StrEnum):
    SUBSCRIPTION = "subscription"
    ONE_TIME = "one_time"
    GRANT = "grant"  # given by an operator
    CLAIM = "claim"  # a member from before the product, who has until its end to subscribe


#: What operators give, and end, without any money: Stripe knows nothing of it.
GIVEN: Final = frozenset({EntitlementKind.GRANT, EntitlementKind.CLAIM})


class Presence(StrEnum):
    """What Telegram says of one person in one chat."""

    UNKNOWN = "unknown"  # never seen
    REQUESTED = "requested"  # waits at the door
    INSIDE = "inside"
    OUTSIDE = "outside"
    BANNED = "banned"
    KEEPER = "keeper"  # owner or administrator: never removed by the product


class AdoptionState(StrEnum):
    LOOKING = "looking"  # Telegram is being asked where everybody is
    READY = "ready"  # it is known whom it concerns; an operator decides
    ADOPTING = "adopting"  # confirmed, one person after the other
    DONE = "done"


class Refund(StrEnum):
    NONE = "none"
    PARTIAL = "partial"
    FULL = "full"


class Dispute(StrEnum):
    NONE = "none"
    WARNING = "warning"  # an inquiry: no money was taken yet
    OPEN = "open"
    WON = "won"
    LOST = "lost"

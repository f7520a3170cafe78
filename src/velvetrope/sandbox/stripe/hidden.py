"""What Stripe knows about its objects and never shows, and the settings of its dashboard."""

from __future__ import annotations

from enum import Enum

import msgspec

from .shapes import Obj

DAY = 86400
HOUR = 3600


class CardConduct(Enum):
    """How a means of payment behaves."""

    GOOD = "good"  # every charge succeeds
    DECLINED = "declined"  # refused at once, on the page
    DECLINES_LATER = "declines_later"  # can be saved, then every charge fails
    NEEDS_ACTION = "needs_action"  # works while its owner is there to confirm; renewals wait
    DELAYED = "delayed"  # a bank debit that succeeds days later
    DELAYED_FAILS = "delayed_fails"  # a bank debit that fails days later
    REFUND_FAILS = "refund_fails"  # refunds look fine, then come back
    REFUND_PENDING = "refund_pending"  # refunds take days

    @property
    def is_bank_debit(self) -> bool:
        return self in {CardConduct.DELAYED, CardConduct.DELAYED_FAILS}


class BillingSettings(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """The choices of Stripe's billing settings and the sandbox's own waits, in seconds."""

    #: Days between one failed attempt at an invoice and the next.
    retry_days: list[float] = msgspec.field(default_factory=lambda: [3.0, 5.0, 7.0])
    #: What becomes of the subscription after the last: `cancel`, `unpaid` or `past_due`.
    after_retries: str = "cancel"
    #: How long a renewal's invoice stays a draft.
    draft_seconds: float = HOUR
    #: How long a bank debit or a slow refund takes.
    settle_seconds: float = 3 * DAY
    #: How long an unpaid first invoice keeps a subscription `incomplete`.
    incomplete_seconds: float = 23 * HOUR
    #: How long before a trial's end it is announced.
    trial_notice_seconds: float = 3 * DAY


class SessionDraft(msgspec.Struct, kw_only=True):
    """What a Checkout Session will make once it is paid."""

    subscription_data: Obj = msgspec.field(default_factory=dict)
    payment_intent_data: Obj = msgspec.field(default_factory=dict)
    coupon: str | None = None
    promotion_code: str | None = None


class SigningSecret(msgspec.Struct):
    """A webhook endpoint's secret and the moment (seconds since 1970) until which it signs."""

    text: str
    until: float = float("inf")

"""What the SDK's exceptions mean, as the three kinds with their codes."""

from __future__ import annotations

import re
from http import HTTPStatus
from typing import TYPE_CHECKING, Final

import stripe

from velvetrope.domain.errors import NeedsOperator, Permanent, RetryLater, VelvetError
from velvetrope.gateways.stripe.transport import NoAnswer

if TYPE_CHECKING:
    from velvetrope.domain.errors import Plain

#: Nobody waits longer on a vendor's word.
MAX_RETRY_AFTER: Final = 3600.0

_MESSAGE_LENGTH: Final = 200
_PRIVATE = re.compile(
    r"(?:sk|rk|pk|whsec)_\S+"  # keys, even with asterisks in them
    r"|\S+@\S+"  # addresses of mail
    r"|\+?\d[\d ()-]{7,}\d"  # telephone numbers
    r"|https?://\S+"
)


def classify(error: stripe.StripeError) -> VelvetError:
    """Build the error that an exception of the SDK means."""
    if isinstance(error, NoAnswer):
        code = "stripe_timeout" if error.timed_out else "stripe_unavailable"
        return RetryLater(code, reason=error.reason)
    status = error.http_status or 0
    if isinstance(error, stripe.RateLimitError) or status == HTTPStatus.TOO_MANY_REQUESTS:
        return RetryLater("stripe_rate_limited", retry_after=_patience(error))
    if isinstance(error, stripe.AuthenticationError):
        return NeedsOperator("stripe_key_invalid")
    if isinstance(error, stripe.PermissionError):
        return NeedsOperator("stripe_permission", message=_message(error))
    if isinstance(error, stripe.InvalidRequestError | stripe.CardError | stripe.IdempotencyError):
        return _refused(error, status)
    # What is left: 5xx, 409 (another request holds the object or the idempotency key), answers
    # that are not Stripe's. The first two may come from the idempotency key's memory: the same
    # key would then get the same answer for 24 hours.
    replayed = error.headers.get("Idempotent-Replayed") == "true" if error.headers else False
    return RetryLater(
        "stripe_unavailable", retry_after=_patience(error), status=status, replayed=replayed
    )


def unexpected_answer() -> RetryLater:
    """Stripe, or something in between, answered in a shape unknown to the pinned version."""
    return RetryLater("stripe_unavailable", reason="unexpected_answer")


def _refused(error: stripe.StripeError, status: int) -> Permanent:
    param = getattr(error, "param", None)
    data: dict[str, Plain] = {
        "param": param if isinstance(param, str) else None,
        "stripe_code": error.code,
        "message": _message(error),
    }
    if status == HTTPStatus.NOT_FOUND or error.code == "resource_missing":
        return Permanent("stripe_not_found", **data)
    return Permanent("stripe_invalid_request", **data)


def _message(error: stripe.StripeError) -> str:
    """Keep what helps an operator; drop keys, and what may be a customer's."""
    text = error.user_message if isinstance(error.user_message, str) else ""
    text = "".join(sign if sign.isprintable() else " " for sign in text)
    text = " ".join(_PRIVATE.sub("…", text).split())
    return text if len(text) <= _MESSAGE_LENGTH else text[: _MESSAGE_LENGTH - 1] + "…"


def _patience(error: stripe.StripeError) -> float | None:
    headers = error.headers if hasattr(error.headers, "get") else None
    value = headers.get("Retry-After") if headers else None
    if not isinstance(value, str) or not value.isdecimal():
        return None
    return min(float(value), MAX_RETRY_AFTER)

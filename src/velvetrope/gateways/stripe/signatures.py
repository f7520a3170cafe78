"""Webhook signatures, checked over the raw bytes and against a clock that is passed in.

The SDK's own check reads the system's clock, takes one secret and accepts the future; apart from
that both agree (a test compares them).
"""

from __future__ import annotations

import hmac
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Sequence

TOLERANCE: Final = 300.0
#: Two secrets sign while one is rolled; a longer header is somebody's attempt to keep us busy.
_HEADER_LENGTH: Final = 2048
_TIMESTAMP = re.compile(r"[0-9]{1,12}", re.ASCII)
_DIGEST = re.compile(r"[0-9a-f]{64}", re.ASCII)


class BadSignature(ValueError):  # noqa: N818  named after what it says
    """The bytes are not Stripe's, or not fresh: `code` says why.

    Codes: missing, malformed, mismatch, stale, future, no_secret.
    """

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__(code)


def verify(
    payload: bytes,
    header: str,
    secrets: Sequence[str],
    now: float,
    tolerance: float = TOLERANCE,
) -> None:
    """Raise `BadSignature` unless one of the secrets signed these bytes around `now`.

    `now` and `tolerance` are in seconds.
    """
    usable = [secret.strip() for secret in secrets if secret.strip()]
    if not usable:
        raise BadSignature("no_secret")
    timestamp, digests = _parse(header)
    signed = b"%d.%b" % (timestamp, payload)
    matched = False
    for secret in usable:
        expected = _digest(signed, secret)
        for digest in digests:  # all of them: the time taken tells nothing about a near miss
            matched |= hmac.compare_digest(expected, digest)
    if not matched:
        raise BadSignature("mismatch")
    if timestamp < now - tolerance:
        raise BadSignature("stale")
    if timestamp > now + tolerance:
        raise BadSignature("future")


def sign(payload: bytes, secret: str, timestamp: int) -> str:
    """Write the header that Stripe would send."""
    return f"t={timestamp},v1={_digest(b'%d.%b' % (timestamp, payload), secret)}"


def _digest(signed: bytes, secret: str) -> str:
    return hmac.digest(secret.encode(), signed, "sha256").hex()


def _parse(header: str) -> tuple[int, list[str]]:
    if not header:
        raise BadSignature("missing")
    if len(header) > _HEADER_LENGTH:
        raise BadSignature("malformed")
    timestamps, digests = [], []
    for item in header.split(","):
        name, _, value = item.partition("=")
        if name == "t":
            timestamps.append(value)
        elif name == "v1" and _DIGEST.fullmatch(value):
            digests.append(value)
    if len(timestamps) != 1 or not _TIMESTAMP.fullmatch(timestamps[0]) or not digests:
        raise BadSignature("malformed")
    return int(timestamps[0]), digests

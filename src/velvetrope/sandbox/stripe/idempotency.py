"""Answers kept under their idempotency keys for a day, as API v1 keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from .errors import ApiError

if TYPE_CHECKING:
    from .shapes import Obj

_KEPT = 24 * 3600
_LONGEST = 255


class Answer(msgspec.Struct, frozen=True):
    """What was answered: status, body and the id of the request that did the work."""

    status: int
    body: bytes
    request_id: str


class _Kept(msgspec.Struct, frozen=True):
    at: float
    request: str
    answer: Answer


class Answers:
    """The answers of all accounts by (account, key)."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], _Kept] = {}

    def find(self, account: str, key: str, request: str, now: float) -> Answer | None:
        """Give the stored answer; ApiError if the key was used for another request."""
        if len(key) > _LONGEST:
            raise ApiError(f"Idempotency keys may have up to {_LONGEST} characters.")
        kept = self._kept.get((account, key))
        if kept is None or kept.at + _KEPT <= now:
            return None
        if kept.request != request:
            raise ApiError(
                "Keys for idempotent requests can only be used with the same parameters they were "
                f"first used with. Try using a key other than '{key}' if you meant to execute a "
                "different request.",
                kind="idempotency_error",
            )
        return kept.answer

    def keep(self, account: str, key: str, request: str, now: float, answer: Answer) -> None:
        self._kept[account, key] = _Kept(now, request, answer)


def fingerprint(method: str, path: str, params: Obj) -> str:
    """Give what must be equal for two requests to be the same."""
    return f"{method} {path} {msgspec.json.encode(params, order='sorted').decode()}"

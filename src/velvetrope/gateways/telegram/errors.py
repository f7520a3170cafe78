"""What the Bot API's refusals mean: the table of failures, as the three kinds with their codes.

Descriptions are not a published contract, so they are matched by parts, without regard to case,
underscores or the typographic apostrophe.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, NamedTuple

import msgspec

from velvetrope.domain.errors import NeedsOperator, Permanent, RetryLater, VelvetError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from velvetrope.domain.errors import Plain

#: Refusals that say that what was asked for is so already; `is_already_so` is their one reader.
ALREADY_SO: Final = frozenset({"already_participant", "not_modified"})
#: After these a person isn't written to until they come back.
UNREACHABLE: Final = frozenset({"blocked_by_user", "user_deactivated"})

#: Wait this long if Telegram asks for patience without saying how much of it.
DEFAULT_RETRY_AFTER: Final = 1.0
#: Nobody waits longer on a vendor's word; Telegram's flood waits go up to a day.
MAX_RETRY_AFTER: Final = 86_400.0

_DESCRIPTION_LENGTH: Final = 120


class Parameters(msgspec.Struct, frozen=True):
    """The machine-readable part of a refusal."""

    retry_after: float | None = None
    migrate_to_chat_id: int | None = None


class _Rule(NamedTuple):
    """A refusal whose description holds all words of `parts`; `status` 0 is any."""

    status: int
    parts: tuple[str, ...]
    kind: type[Permanent | NeedsOperator]
    code: str


#: The first match counts.
_RULES: Final = (
    _Rule(403, ("blocked by the user",), Permanent, "blocked_by_user"),
    _Rule(403, ("user is blocked",), Permanent, "blocked_by_user"),
    _Rule(0, ("user is deactivated",), Permanent, "user_deactivated"),
    _Rule(0, ("user deactivated",), Permanent, "user_deactivated"),
    _Rule(403, ("initiate conversation",), Permanent, "cannot_initiate"),
    _Rule(403, ("send messages to bots",), Permanent, "cannot_initiate"),
    _Rule(0, ("bot was kicked",), NeedsOperator, "bot_not_in_chat"),
    _Rule(0, ("bot is not a member",), NeedsOperator, "bot_not_in_chat"),
    _Rule(0, ("chat was deleted",), NeedsOperator, "bot_not_in_chat"),
    _Rule(0, ("channel private",), NeedsOperator, "bot_not_in_chat"),
    _Rule(0, ("not enough rights",), NeedsOperator, "missing_rights"),
    _Rule(0, ("have no rights",), NeedsOperator, "missing_rights"),
    _Rule(0, ("need administrator rights",), NeedsOperator, "missing_rights"),
    _Rule(0, ("need to be inviter",), NeedsOperator, "missing_rights"),
    _Rule(0, ("chat admin required",), NeedsOperator, "missing_rights"),
    _Rule(0, ("chat write forbidden",), NeedsOperator, "missing_rights"),
    _Rule(0, ("member list is inaccessible",), NeedsOperator, "missing_rights"),
    _Rule(0, ("user is an administrator",), Permanent, "target_is_admin"),
    _Rule(0, ("user admin invalid",), Permanent, "target_is_admin"),
    _Rule(0, ("remove chat owner",), Permanent, "target_is_admin"),
    _Rule(0, ("restrict self",), Permanent, "target_is_admin"),
    _Rule(0, ("user already participant",), Permanent, "already_participant"),
    _Rule(0, ("hide requester missing",), Permanent, "request_missing"),
    _Rule(0, ("user channels too much",), Permanent, "too_many_chats"),
    _Rule(0, ("channels too much",), Permanent, "too_many_chats"),
    _Rule(0, ("message is not modified",), Permanent, "not_modified"),
    _Rule(0, ("message not modified",), Permanent, "not_modified"),
    _Rule(0, ("chat not modified",), Permanent, "not_modified"),
    _Rule(0, ("query is too old",), Permanent, "query_expired"),
    _Rule(0, ("query id is invalid",), Permanent, "query_expired"),
    _Rule(0, ("query id invalid",), Permanent, "query_expired"),
    _Rule(0, ("chat not found",), Permanent, "chat_not_found"),
    _Rule(0, ("chat id invalid",), Permanent, "chat_not_found"),
    _Rule(0, ("peer id invalid",), Permanent, "chat_not_found"),
)

_STATUS_UNAUTHORIZED: Final = 401
_STATUS_FORBIDDEN: Final = 403
_STATUS_NOT_FOUND: Final = 404
_STATUS_CONFLICT: Final = 409
_STATUS_TOO_MANY: Final = 429
_STATUS_SERVER: Final = 500


def classify(status: int, description: str, parameters: Parameters, method: str) -> VelvetError:
    """Build the error that a refusal means; `status` is the answer's `error_code`."""
    words = _plain_words(description)
    if status == _STATUS_TOO_MANY:
        wait = parameters.retry_after
        wait = DEFAULT_RETRY_AFTER if wait is None else min(max(wait, 0.0), MAX_RETRY_AFTER)
        return RetryLater("too_many_requests", retry_after=wait, method=method)
    if status >= _STATUS_SERVER:
        return unavailable(method, f"http_{status}")
    if parameters.migrate_to_chat_id is not None:
        # Not permanent: the same call works once the caller has swapped the id.
        swap = {"migrate_to_chat_id": parameters.migrate_to_chat_id}
        return RetryLater("chat_migrated", method=method, **swap)
    for rule in _RULES:
        if rule.status in {0, status} and all(part in words for part in rule.parts):
            return rule.kind(rule.code, method=method)
    return _by_status(status, description, words, method)


def unavailable(method: str, reason: str, *, maybe_delivered: bool = False) -> RetryLater:
    """Telegram could not be reached or did not answer in its own language."""
    return RetryLater(
        "telegram_unavailable", method=method, reason=reason, maybe_delivered=maybe_delivered
    )


def timed_out(method: str, phase: str, *, maybe_delivered: bool) -> RetryLater:
    """Telegram was too slow; `maybe_delivered` if the request had left by then."""
    return RetryLater(
        "telegram_timeout", method=method, phase=phase, maybe_delivered=maybe_delivered
    )


def is_already_so(error: VelvetError) -> bool:
    """Tell whether a refusal means success: the person is inside, the text is the same."""
    return error.code in ALREADY_SO


def migrated_to(data: Mapping[str, Plain]) -> int | None:
    """Return the new id that a `chat_migrated` error carries."""
    new_id = data.get("migrate_to_chat_id")
    return new_id if isinstance(new_id, int) else None


def _by_status(status: int, description: str, words: str, method: str) -> VelvetError:
    shown = _without_personal_data(description)
    if status == _STATUS_UNAUTHORIZED:
        return NeedsOperator("bot_unauthorized", method=method)
    if status == _STATUS_NOT_FOUND and "method not found" not in words:
        return NeedsOperator("bot_not_found", method=method)
    if status == _STATUS_CONFLICT:
        return NeedsOperator("conflict", method=method, description=shown)
    if status == _STATUS_FORBIDDEN:
        return Permanent("forbidden", method=method, description=shown)
    return Permanent("bad_request", method=method, status=status, description=shown)


def _plain_words(description: str) -> str:
    """Bring `USER_ALREADY_PARTICIPANT` and its prose twin to the same spelling."""
    return " ".join(
        description.lower()
        .replace("_", " ")
        .replace("\N{RIGHT SINGLE QUOTATION MARK}", "'")
        .split()
    )


_PERSONAL = re.compile(
    r"\d+:[\w-]{20,}"  # a bot's token
    r"|\"[^\"]*\"|«[^»]*»|“[^”]*”|(?<!\w)'[^']*'"  # what somebody wrote; not the one in «can't»
    r"|@\w+|\S*(?:://|t\.me/)\S*|<[^>]*>|\d{5,}"  # names, addresses, tags, ids
)


def _without_personal_data(description: str) -> str:
    """Keep what explains the refusal; drop quotes, names, addresses and long numbers."""
    clean = "".join(sign if sign.isprintable() else " " for sign in description)
    clean = " ".join(_PERSONAL.sub("…", clean).split())
    return clean if len(clean) <= _DESCRIPTION_LENGTH else clean[: _DESCRIPTION_LENGTH - 1] + "…"

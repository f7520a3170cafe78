"""The table of failures (facts: «Errors»), row by row."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from velvetrope.domain.errors import NeedsOperator, Permanent, RetryLater, VelvetError
from velvetrope.gateways.telegram import errors
from velvetrope.gateways.telegram.errors import Parameters

TABLE = [
    (403, "Forbidden: bot was blocked by the user", Permanent, "blocked_by_user"),
    (403, "Forbidden: user is deactivated", Permanent, "user_deactivated"),
    (
        403,
        "Forbidden: bot can't initiate conversation with a user",
        Permanent,
        "cannot_initiate",
    ),
    (
        403,
        "Forbidden: bot can’t initiate conversation with a user",
        Permanent,
        "cannot_initiate",
    ),
    (400, "Bad Request: chat not found", Permanent, "chat_not_found"),
    (403, "Forbidden: bot was kicked from the supergroup chat", NeedsOperator, "bot_not_in_chat"),
    (403, "Forbidden: bot was kicked from the channel chat", NeedsOperator, "bot_not_in_chat"),
    (
        403,
        "Forbidden: bot is not a member of the channel chat",
        NeedsOperator,
        "bot_not_in_chat",
    ),
    (403, "Forbidden: the group chat was deleted", NeedsOperator, "bot_not_in_chat"),
    (
        400,
        "Bad Request: not enough rights to manage chat invite link",
        NeedsOperator,
        "missing_rights",
    ),
    (400, "Bad Request: CHAT_ADMIN_REQUIRED", NeedsOperator, "missing_rights"),
    (
        400,
        "Bad Request: user is an administrator of the chat",
        Permanent,
        "target_is_admin",
    ),
    (400, "Bad Request: can't remove chat owner", Permanent, "target_is_admin"),
    (400, "Bad Request: USER_ALREADY_PARTICIPANT", Permanent, "already_participant"),
    (400, "Bad Request: HIDE_REQUESTER_MISSING", Permanent, "request_missing"),
    (400, "Bad Request: USER_CHANNELS_TOO_MUCH", Permanent, "too_many_chats"),
    (
        400,
        "Bad Request: message is not modified: specified new message content is the same",
        Permanent,
        "not_modified",
    ),
    (
        400,
        "Bad Request: query is too old and response timeout expired or query ID is invalid",
        Permanent,
        "query_expired",
    ),
    (401, "Unauthorized", NeedsOperator, "bot_unauthorized"),
    (404, "Not Found", NeedsOperator, "bot_not_found"),
    (
        409,
        "Conflict: can't use getUpdates method while webhook is active",
        NeedsOperator,
        "conflict",
    ),
    (500, "Internal Server Error", RetryLater, "telegram_unavailable"),
    (400, "Bad Request: something new under the sun", Permanent, "bad_request"),
    (403, "Forbidden: something new under the sun", Permanent, "forbidden"),
    (404, "Not Found: method not found", Permanent, "bad_request"),
]


def _classify(status: int, description: str, parameters: Parameters | None = None) -> VelvetError:
    return errors.classify(status, description, parameters or Parameters(), "sendMessage")


@pytest.mark.parametrize(("status", "description", "kind", "code"), TABLE)
@pytest.mark.parametrize("written", [str, str.upper, str.lower])
def test_every_row_of_the_table_has_its_kind_and_code(
    status: int, description: str, kind: type[VelvetError], code: str, written: type[str]
) -> None:
    error = _classify(status, written(description))
    assert type(error) is kind
    assert error.code == code
    assert error.data["method"] == "sendMessage"


def test_a_chat_that_became_a_supergroup_tells_its_new_id() -> None:
    new_id = -1001234567890
    description = "Bad Request: group chat was upgraded to a supergroup chat"
    error = _classify(400, description, Parameters(migrate_to_chat_id=new_id))
    assert isinstance(error, RetryLater)
    assert error.code == "chat_migrated"
    assert errors.migrated_to(error.data) == new_id


def test_patience_is_at_most_a_day_and_at_least_something_when_unsaid() -> None:
    def wait(asked: float | None) -> float | None:
        error = _classify(429, "Too Many Requests", Parameters(retry_after=asked))
        assert isinstance(error, RetryLater)
        return error.retry_after

    assert wait(35) == 35
    assert wait(None) == errors.DEFAULT_RETRY_AFTER
    assert wait(-5) == 0
    assert wait(10**9) == errors.MAX_RETRY_AFTER


def test_only_two_refusals_mean_success() -> None:
    already = {code for *_, code in TABLE if errors.is_already_so(Permanent(code))}
    assert already == {"already_participant", "not_modified"}


@pytest.mark.parametrize(
    ("description", "shown"),
    [
        ("Bad Request: can't parse entities: tag «Ірина» in 'Olena K'", "Ірина Olena"),
        ("Bad Request: wrong url https://example.com/a?email=x@example.com", "example.com"),
        ("Bad Request: user @olena_k with id 123456789 is unknown", "olena 123456789"),
        ('Bad Request: can\'t find "Olena Kovalenko"', "Olena Kovalenko"),
    ],
)
def test_an_unknown_refusal_is_kept_without_whom_it_concerns(description: str, shown: str) -> None:
    kept = str(_classify(400, description).data["description"])
    assert kept.startswith("Bad Request")
    assert not any(word in kept for word in shown.split())


@given(st.integers(400, 599), st.text(max_size=500))
def test_any_refusal_has_a_kind_and_a_short_description(status: int, description: str) -> None:
    error = _classify(status, description)
    assert isinstance(error, RetryLater | Permanent | NeedsOperator)
    assert len(str(error.data.get("description", ""))) <= 120

"""The refusals of the Bot API, worded as the vendor words them."""

from __future__ import annotations


class ApiError(Exception):
    """An answer with `ok: false`; `retry_after` seconds or the id of the supergroup go along."""

    def __init__(
        self,
        status: int,
        description: str,
        *,
        retry_after: int | None = None,
        migrate_to_chat_id: int | None = None,
    ) -> None:
        super().__init__(status, description)
        self.status = status
        self.description = description
        self.retry_after = retry_after
        self.migrate_to_chat_id = migrate_to_chat_id

    def to_json(self) -> dict[str, object]:
        """Shape the answer's body."""
        answer: dict[str, object] = {
            "ok": False,
            "error_code": self.status,
            "description": self.description,
        }
        if self.retry_after is not None:
            answer["parameters"] = {"retry_after": self.retry_after}
        elif self.migrate_to_chat_id is not None:
            answer["parameters"] = {"migrate_to_chat_id": self.migrate_to_chat_id}
        return answer


def bad_request(what: str) -> ApiError:
    """Give a 400 that says `what`."""
    return ApiError(400, f"Bad Request: {what}")


def forbidden(what: str) -> ApiError:
    """Give a 403 that says `what`."""
    return ApiError(403, f"Forbidden: {what}")


def too_many_requests(seconds: int) -> ApiError:
    """Give a 429 that asks for `seconds` of patience."""
    return ApiError(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)

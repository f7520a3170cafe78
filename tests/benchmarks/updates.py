"""Updates as Telegram writes and posts them."""

from __future__ import annotations

import json
from itertools import count
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

SECRET: Final = "bench-secret-0123456789"
WEBHOOK: Final = "/telegram/bots/webhooks"
_ids = count(1)
#: Nobody is asked for twice in a process: who was greeted once is greeted otherwise.
_people = count(1_000_000)
_HEAD: Final = (
    f"POST {WEBHOOK} HTTP/1.1\r\nhost: 127.0.0.1\r\n"
    "x-telegram-bot-api-secret-token: {secret}\r\n"
    "content-type: application/json\r\ncontent-length: {length}\r\n\r\n"
)


def people(count: int) -> list[int]:
    """Give Telegram ids that were not given before."""
    return [next(_people) for _ in range(count)]


def update(body: bytes, secret: str = SECRET) -> bytes:
    """Give the whole request that delivers an update."""
    return _HEAD.format(secret=secret, length=len(body)).encode() + body


def starts(users: list[int], each: int = 1) -> list[bytes]:
    """Give requests of people who press /start, each so often, in turn."""
    return [update(message(user, "/start")) for _ in range(each) for user in users]


def left_alone(number: int) -> Iterator[bytes]:
    """Give requests with updates that are stored, counted and left alone."""
    users = people(1000)
    return (update(unheard_of(users[n % len(users)])) for n in range(number))


def message(user: int, text: str) -> bytes:
    person = {
        "id": user,
        "is_bot": False,
        "first_name": f"Person {user}",
        "username": f"person{user}",
        "language_code": "en",
    }
    number = next(_ids)
    return json.dumps(
        {
            "update_id": number,
            "message": {
                "message_id": number,
                "from": person,
                "chat": {"id": user, "first_name": f"Person {user}", "type": "private"},
                "date": 1_790_000_000,
                "text": text,
                "entities": [{"offset": 0, "length": len(text), "type": "bot_command"}],
            },
        }
    ).encode()


def unheard_of(user: int) -> bytes:
    """Give an update of a kind that the product stores, counts and leaves alone."""
    return json.dumps(
        {
            "update_id": next(_ids),
            "poll_answer": {
                "poll_id": "5321234567890",
                "user": {"id": user, "is_bot": False, "first_name": f"Person {user}"},
                "option_ids": [1],
                "option_persistent_ids": ["a"],
                "note": "x" * 200,
            },
        }
    ).encode()

"""Updates as Telegram writes them."""

from __future__ import annotations

import json
from itertools import count

SECRET = "bench-secret-0123456789"
_ids = count(1)


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

"""A bot, an owner, a channel and a person in the running simulator, with what they do."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx

_NUMBERS = itertools.count(1)

ALL_UPDATES = [
    "message",
    "callback_query",
    "my_chat_member",
    "chat_member",
    "chat_join_request",
]


@dataclass(frozen=True)
class Refusal:
    """The part of a refusal that clients decide by."""

    status: int
    description: str


class Place:
    """One test's own corner of the simulator; nothing in it is shared with other tests."""

    def __init__(self, phone: httpx.Client, *, kind: str = "channel", admin: bool = True) -> None:
        self.phone = phone
        number = next(_NUMBERS)
        made = self.control("POST", "bots", name="Doorkeeper", username=f"door_{number}_bot")
        self.bot_id: int = made["id"]
        self.token: str = made["token"]
        self.username: str = made["username"]
        self.owner: int = self.control("POST", "users", first_name="Owner")["id"]
        self.ann: int = self.new_person("Ann")
        chat = self.control("POST", "chats", title="Back room", kind=kind, owner=self.owner)
        self.chat: int = chat["id"]
        if admin:
            self.put_member(self.bot_id, status="administrator")

    def control(self, method: str, path: str, /, **body: object) -> Any:
        answer = self.phone.request(method, f"/control/{path}", json=body)
        assert answer.status_code < 300, answer.text
        return answer.json()

    def new_person(self, name: str, language: str = "en", **fields: object) -> int:
        person = {"first_name": name, "language_code": language, **fields}
        made = self.control("POST", "users", **person)
        return int(made["id"])

    def put_member(self, user: int, **member: object) -> None:
        self.control("PUT", f"chats/{self.chat}/members/{user}", **member)

    def do(self, person: int, what: str, /, **body: object) -> Any:
        return self.control("POST", f"users/{person}/{what}", **body)

    def start(self, person: int | None = None) -> None:
        self.do(person or self.ann, "messages", bot=self.username, text="/start")

    def post(self, method: str, /, **params: object) -> httpx.Response:
        return self.phone.post(f"/bot{self.token}/{method}", json=params)

    def call(self, method: str, /, **params: object) -> Any:
        """Call a method that must work; gives the result."""
        answer = self.post(method, **params).json()
        assert answer["ok"], answer
        return answer["result"]

    def refusal(self, method: str, /, **params: object) -> Refusal:
        """Call a method that must be refused."""
        answer = self.post(method, **params)
        body = answer.json()
        assert body["ok"] is False, body
        assert body["error_code"] == answer.status_code
        return Refusal(answer.status_code, body["description"])

    def dialog(self, person: int, chat: int | None = None) -> Any:
        """Give what the person sees of the bot, or of a chat."""
        shown = self.phone.get(f"/control/users/{person}/dialogs").json()
        wanted = self.bot_id if chat is None else chat
        return next(one for one in shown if one["id"] == wanted)

    def join_link(self, **fields: object) -> str:
        fields = fields or {"creates_join_request": True}
        return str(self.call("createChatInviteLink", chat_id=self.chat, **fields)["invite_link"])

    def status_of(self, person: int) -> str:
        found = self.call("getChatMember", chat_id=self.chat, user_id=person)
        return str(found["status"])

    def faults(self, **knobs: object) -> None:
        self.control("POST", "faults", **knobs)

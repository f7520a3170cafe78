"""What a person does with a phone and a card, over the sandbox's control API.

The script of the demo and the end-to-end tests play people with it.
"""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, TypeVar

import msgspec

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

    import aiohttp

T = TypeVar("T")

#: Seconds that a person waits for what should be there at once.
PATIENCE: Final = 10.0
POLL: Final = 0.01


class Button(msgspec.Struct, frozen=True):
    text: str
    url: str = ""
    callback_data: str = ""


class Message(msgspec.Struct, frozen=True):
    """One bubble; `text` is what is read, without markup."""

    id: int
    text: str
    from_: str = msgspec.field(name="from")
    keyboard: list[list[Button]] = msgspec.field(default_factory=list)

    @property
    def buttons(self) -> list[Button]:
        return [button for row in self.keyboard for button in row]

    def button(self, start: str) -> Button:
        """Give the button whose data or URL begins so; AssertionError if there is none."""
        for button in self.buttons:
            if button.callback_data.startswith(start) or button.url.startswith(start):
                return button
        raise AssertionError(f"no button {start!r} among {self.buttons} under: {self.text}")


class _Dialog(msgspec.Struct):
    id: int
    messages: list[Message]


class Member(msgspec.Struct, frozen=True):
    id: int
    status: str
    is_in: bool


class SandboxError(Exception):
    """A control API refused."""


class Control:
    """The control API of one simulator, at `url`."""

    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self.url = url

    async def ask(self, method: str, path: str, body: object = None) -> Any:
        """Do one request; gives the decoded JSON."""
        data = None if body is None else msgspec.json.encode(body)
        async with self._session.request(method, f"{self.url}/control/{path}", data=data) as got:
            answer = await got.read()
            if got.status >= 400:  # noqa: PLR2004  errors begin there
                raise SandboxError(f"{method} {path}: {got.status} {answer[:500]!r}")
            return msgspec.json.decode(answer) if answer else None

    async def post(self, path: str, body: object = None) -> Any:
        return await self.ask("POST", path, {} if body is None else body)

    async def get(self, path: str) -> Any:
        return await self.ask("GET", path)


@dataclass
class Person:
    """One person with a phone, talking with one bot."""

    phone: Control
    id: int
    bot: str

    async def say(self, text: str) -> Message:
        """Send a message and give the bot's answer."""
        before = await self._last_id()
        await self.tell(text)
        return await self.hears_after(before)

    async def tell(self, text: str) -> None:
        """Send a message and don't wait."""
        await self.phone.post(f"users/{self.id}/messages", {"bot": self.bot, "text": text})

    async def press(self, message: Message, start: str) -> Message:
        """Press the button whose data begins so, and give what the bot says next."""
        before = await self._last_id()
        await self.touch(message, start)
        return await self.hears_after(before)

    async def touch(self, message: Message, start: str) -> dict[str, Any]:
        """Press a button; gives how the press was answered."""
        body = {
            "bot": self.bot,
            "message_id": message.id,
            "data": message.button(start).callback_data,
        }
        answer: dict[str, Any] = await self.phone.post(f"users/{self.id}/callbacks", body)
        return answer

    async def follow(self, url: str) -> dict[str, Any]:
        answer: dict[str, Any] = await self.phone.post(f"users/{self.id}/links", {"url": url})
        return answer

    async def messages(self) -> list[Message]:
        """Give what stands in the conversation with the bot, oldest first."""
        dialogs = await self.phone.get(f"users/{self.id}/dialogs")
        for dialog in dialogs:
            if dialog.get("bot") == self.bot:
                return msgspec.convert(dialog, _Dialog).messages
        return []

    async def hears(self, part: str, *, after: int = 0) -> Message:
        """Wait for a message of the bot that holds `part`, newer than message `after`."""

        async def found() -> Message | None:
            for message in reversed(await self._of_bot(after)):
                if part in message.text:
                    return message
            return None

        return await eventually(found, f"person {self.id} hears {part!r}", self._recall)

    async def hears_after(self, after: int) -> Message:
        async def found() -> Message | None:
            news = await self._of_bot(after)
            return news[0] if news else None

        return await eventually(found, f"person {self.id} hears the bot", self._recall)

    async def is_in(self, chat_id: int) -> bool:
        return self.id in await members(self.phone, chat_id)

    async def gets_in(self, chat_id: int) -> None:
        async def inside() -> bool:
            return await self.is_in(chat_id)

        await eventually(inside, f"person {self.id} is in {chat_id}", self._recall)

    async def gets_out(self, chat_id: int) -> None:
        async def outside() -> bool:
            return not await self.is_in(chat_id)

        await eventually(outside, f"person {self.id} is out of {chat_id}", self._recall)

    async def last_id(self) -> int:
        """Give the id of the newest message, to wait for later ones."""
        return await self._last_id()

    async def _last_id(self) -> int:
        return max((message.id for message in await self.messages()), default=0)

    async def _of_bot(self, after: int) -> list[Message]:
        every = await self.messages()
        return [one for one in every if one.from_ == self.bot and one.id > after]

    async def _recall(self) -> str:
        return "\n".join(f"{one.from_}: {one.text}" for one in (await self.messages())[-5:])


async def members(phone: Control, chat_id: int) -> set[int]:
    """Give the ids of those who are in a chat, bots and owners included."""
    room = await phone.get(f"chats/{chat_id}")
    return {one.id for one in msgspec.convert(room["members"], list[Member]) if one.is_in}


async def eventually(
    look: Callable[[], Awaitable[T | None]],
    what: str,
    recall: Callable[[], Awaitable[str]] | None = None,
    *,
    patience: float = PATIENCE,
) -> T:
    """Look until there is something; TimeoutError says what there was not."""
    deadline = time.monotonic() + patience
    while True:
        found = await look()
        if found:
            return found
        if time.monotonic() > deadline:
            seen = f"\n{await recall()}" if recall is not None else ""
            raise TimeoutError(f"{what}: not within {patience:.0f} s{seen}")
        await asyncio.sleep(POLL)


def session_of(checkout_url: str) -> str:
    """Give the Checkout Session's id out of the address of its page."""
    return checkout_url.rstrip("/").rpartition("/")[2].partition("#")[0]

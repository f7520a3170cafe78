"""Bodies of requests, read within bounds of size and time, and of memory for all together."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any, Final

from velvetrope.web.addresses import values

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping
    from typing import TypeAlias

    Scope: TypeAlias = MutableMapping[str, Any]
    Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]

#: Bytes of bodies that are on their way at the same time.
MOST_TOGETHER: Final = 64 * 1024 * 1024


class GoneError(Exception):
    """The client hung up before its request was complete."""


class TooLargeError(Exception):
    """The body is larger than it may be, or says that it will be."""


class TooSlowError(Exception):
    """The body didn't come in time."""


class Bodies:
    """Reads bodies of at most `most` bytes within `seconds`.

    Whoever can open connections could have each of them hold a body that never ends. If too much
    is held, the one that has been on its way for longest goes: honest bodies take milliseconds.
    """

    def __init__(self, most: int, seconds: float, *, together: int = MOST_TOGETHER) -> None:
        self._most = most
        self._seconds = seconds
        self._together = together
        self._held = 0
        self._on_their_way: dict[asyncio.Timeout, int] = {}

    async def read(self, scope: Scope, receive: Receive, *, keep: bool = True) -> bytes:
        """Give the whole body; b"" without `keep`, for those who are refused anyway.

        Raises the three errors of this module.
        """
        declared = values(scope["headers"], b"content-length")
        if declared and declared[0].isdigit() and int(declared[0][:20]) > self._most:
            raise TooLargeError
        try:
            async with asyncio.timeout(self._seconds) as patience:
                try:
                    return await self._read(receive, patience, keep=keep)
                finally:
                    self._held -= self._on_their_way.pop(patience, 0)
        except TimeoutError:
            raise TooSlowError from None

    async def _read(self, receive: Receive, patience: asyncio.Timeout, *, keep: bool) -> bytes:
        parts = bytearray()
        size = 0
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                raise GoneError
            piece: bytes = message.get("body", b"")
            size += len(piece)
            if size > self._most:
                raise TooLargeError
            more = message.get("more_body", False)
            if not keep:
                piece = b""
            elif not parts and not more:
                return piece
            parts += piece
            if not more:
                return bytes(parts)
            self._hold(patience, len(piece))

    def _hold(self, patience: asyncio.Timeout, size: int) -> None:
        self._on_their_way[patience] = self._on_their_way.get(patience, 0) + size
        self._held += size
        while self._held > self._together:
            oldest = next(iter(self._on_their_way))
            self._held -= self._on_their_way.pop(oldest)
            oldest.reschedule(asyncio.get_running_loop().time())

"""A TCP relay between two real processes whose connections can be refused, cut, or left hanging."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine

T = TypeVar("T")

_PIECE: Final = 65_536
#: What a client of PostgreSQL says to end a transaction.
_COMMIT: Final = b"COMMIT"


class Relay:
    """Listens on a port of its own and passes bytes on to the first of `targets` that answers.

    Connections take the targets in turn. It runs in a thread; every method may be called from any
    other one and returns when the deed is done.
    """

    def __init__(self, *targets: int) -> None:
        self._targets = list(targets)
        self._turn = 0
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.Server | None = None
        # Bound, not listening: nobody else is given the port while connections are refused.
        self._keeper = _bind(0)
        self.port: int = self._keeper.getsockname()[1]
        self._loop = asyncio.new_event_loop()
        self._flows = asyncio.Event()
        self._commits_to_lose = 0
        self._thread = threading.Thread(target=self._loop.run_forever, name="relay", daemon=True)
        self._thread.start()
        self.flow()
        self.accept()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def close(self) -> None:
        self.refuse()
        self._do(self._end())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()
        self._keeper.close()

    def accept(self) -> None:
        """Take connections again."""
        self._do(self._listen())

    def refuse(self) -> None:
        """Refuse new connections and reset those that there are, as a machine that is down."""
        self._do(self._close())
        self.cut()

    def cut(self) -> int:
        """Reset all connections in the middle of what they say; gives how many there were."""
        return self._do(self._cut())

    def stall(self) -> None:
        """Take connections and bytes, and pass nothing on, as a firewall that forgot."""
        self._do(self._set_flowing(flows=False))

    def flow(self) -> None:
        """Pass on what was held up, and what comes."""
        self._do(self._set_flowing(flows=True))

    def lose_commits(self, count: int) -> None:
        """Cut the next connections of which a commit is done, before its answer is there."""
        self._commits_to_lose = count

    @property
    def commits_to_lose(self) -> int:
        return self._commits_to_lose

    def _do(self, work: Coroutine[Any, Any, T]) -> T:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    # From here on: the relay's thread.

    async def _listen(self) -> None:
        if self._server is None:
            self._server = await asyncio.start_server(self._connected, sock=_bind(self.port))

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
            self._server = None

    async def _cut(self) -> int:
        writers, self._writers = self._writers, set()
        for writer in writers:
            writer.transport.abort()
        return len(writers) // 2

    async def _set_flowing(self, *, flows: bool) -> None:
        if flows:
            self._flows.set()
        else:
            self._flows.clear()

    async def _end(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _connected(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        self._writers.add(writer)
        try:
            there = await self._reach()
            if there is None:
                writer.transport.abort()
                return
            self._writers.add(there[1])
            lost = asyncio.Event()
            ways = [self._pass(reader, there[1], lost), self._pass_back(there[0], writer, lost)]
            await asyncio.gather(*ways)
        finally:
            self._writers.discard(writer)
            writer.transport.abort()

    async def _reach(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter] | None:
        await self._flows.wait()
        for _ in range(len(self._targets)):
            self._turn += 1
            target = self._targets[self._turn % len(self._targets)]
            with contextlib.suppress(OSError):
                return await asyncio.open_connection("127.0.0.1", target)
        return None

    async def _pass(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, lost: asyncio.Event
    ) -> None:
        with contextlib.suppress(OSError):
            while piece := await reader.read(_PIECE):
                await self._flows.wait()
                if self._commits_to_lose and _COMMIT in piece:
                    self._commits_to_lose -= 1
                    lost.set()
                writer.write(piece)
                await writer.drain()
        self._leave(writer)

    async def _pass_back(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, lost: asyncio.Event
    ) -> None:
        with contextlib.suppress(OSError):
            while piece := await reader.read(_PIECE):
                await self._flows.wait()
                if lost.is_set():
                    writer.transport.abort()
                    break
                writer.write(piece)
                await writer.drain()
        self._leave(writer)

    def _leave(self, writer: asyncio.StreamWriter) -> None:
        self._writers.discard(writer)
        with contextlib.suppress(OSError):
            writer.close()


def _bind(port: int) -> socket.socket:
    bound = socket.socket()
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.bind(("127.0.0.1", port))
    return bound

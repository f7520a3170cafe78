"""One process of several that share the work: `python -m tests.pipeline.sharing URL ROLE FOLDER`.

A `web` process stores what comes in over standard input, `<user>/<key>` a line, and says each key
that is stored. A `worker` does the work: every event is audited, a job audits it once more, and a
message goes to the person. Calls to the Bot API and ticks of what is periodic go into files of the
folder, one for each process, a line each with the process and the time.
"""

from __future__ import annotations

import asyncio
import os
import signal
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from tests.pipeline.crashing import configure
from velvetrope.domain.errors import RetryLater

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from velvetrope.pipeline.events import Event
    from velvetrope.pipeline.pipeline import Pipeline
    from velvetrope.pipeline.work import Work

#: Seconds that an event takes before its effects, and a call to the Bot API.
THINKING, CALLING = 0.002, 0.002


def _note(file: Path, *words: object) -> None:
    own = file.with_suffix(f".{os.getpid()}")
    with own.open("a") as log:
        log.write(" ".join(str(word) for word in (os.getpid(), time.monotonic(), *words)) + "\n")


def make_pipeline(db: Any, folder: Path) -> Pipeline:
    from tests.pipeline.works import QUICK, Answer, Doing, no_links, now  # noqa: PLC0415  set up
    from velvetrope.pipeline.pipeline import Pipeline  # noqa: PLC0415  the same
    from velvetrope.pipeline.routes import Periodic, Routes  # noqa: PLC0415  the same
    from velvetrope.store.catalogue import Catalogue  # noqa: PLC0415  the same

    class Telegram:
        async def perform(self, method: str, params: Mapping[str, object]) -> Answer:  # noqa: ARG002  port
            plain = msgspec.json.decode(msgspec.json.encode(params))
            _note(folder / "calls", plain["chat_id"], plain["text"])
            await asyncio.sleep(CALLING)
            return Answer(None)

    async def prepare(update: Event) -> None:
        if update.payload == b"held" and not (folder / "mended").exists():
            raise RetryLater("too_many_requests", retry_after=0.2)
        await asyncio.sleep(THINKING)

    def apply(update: Event, _facts: Any, work: Work) -> None:
        user = int(update.lane.rpartition(":")[2])
        key = update.external_id
        work.audit("applied", subject=str(user), subject_id=key)
        work.defer("count", {"key": key}, lane=f"job:{key}", account=1, external_id=key)
        bulk = "bulk" if update.payload == b"bulk" else "answer"
        params = {"chat_id": user, "text": key}
        work.send(
            integration_id=1, method="sendMessage", params=params, chat_id=user, priority=bulk
        )

    def count(job: Event, _facts: Any, work: Work) -> None:
        work.audit("counted", subject="event", subject_id=job.external_id)

    async def tick() -> None:
        _note(folder / "ticks", "begins")
        await asyncio.sleep(1.3)
        _note(folder / "ticks", "ends")

    return Pipeline(
        db,
        Catalogue(),
        now,
        Routes(
            handlers={
                ("telegram", "message"): Doing(apply, prepare),
                ("job", "count"): Doing(count),
            },
            periodic=(Periodic("tick", 1.0, tick),),
        ),
        lambda _: Telegram(),
        no_links,
        backoff=QUICK,
    )


async def serve(role: str, folder: Path) -> None:
    from velvetrope.pipeline.database import Database  # noqa: PLC0415  Django is set up by now
    from velvetrope.pipeline.dialect import dialect_of_database  # noqa: PLC0415  the same

    db = Database(dialect_of_database())
    await db.start()
    pipeline = make_pipeline(db, folder)
    if role == "worker":
        await pipeline.start()
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    if role == "web":
        await _store_lines(pipeline)
    else:
        told = asyncio.Event()
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, told.set)
        await told.wait()
    await pipeline.stop(5.0)
    await db.stop()


async def _store_lines(pipeline: Pipeline) -> None:
    from tests.pipeline.works import event  # noqa: PLC0415  Django is set up by now

    async def take(line: str) -> None:
        user, key, payload = line.split("/")
        await pipeline.store(
            event(1, int(user), external_id=f"{user}/{key}", payload=payload.encode())
        )
        sys.stdout.write(f"{user}/{key}\n")
        sys.stdout.flush()

    await _each_line(take)


async def _each_line(take: Callable[[str], Awaitable[None]]) -> None:
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    async for line in reader:
        await take(line.decode().strip())


if __name__ == "__main__":
    configure(sys.argv[1])
    asyncio.run(serve(sys.argv[2], Path(sys.argv[3])))

"""A process that takes events in over standard input and is killed at will.

Each line holds a key; `<key>` on standard output says that it is stored. Its effects: a customer
whose `source` counts how often the event was applied, a job that audits it once more, and a
message, which the stand-in for the Bot API appends to a file.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

if TYPE_CHECKING:
    from collections.abc import Mapping

    from velvetrope.pipeline.events import Event
    from velvetrope.pipeline.work import Work


def configure(database: str) -> None:
    from velvetrope import settings as product_settings  # noqa: PLC0415  before any model
    from velvetrope.web import django_config  # noqa: PLC0415  the same

    django_config.configure(
        product_settings.load(
            {
                "VELVETROPE_ENV": "development",
                "VELVETROPE_DATABASE_URL": database,
                "VELVETROPE_SECRET_KEY": "tests-sign-with-this-0123456789-abcdefghijklmnop",
                "VELVETROPE_ENCRYPTION_KEYS": "tests-encrypt-with-this-0123456789-qrstuvwxyz",
            }
        )
    )


async def serve(messages: Path) -> None:
    from tests.pipeline.works import Answer, Doing, event, no_links, now  # noqa: PLC0415  set up
    from velvetrope.pipeline.database import Database  # noqa: PLC0415  the same
    from velvetrope.pipeline.dialect import dialect_of_database  # noqa: PLC0415  the same
    from velvetrope.pipeline.pipeline import Pipeline  # noqa: PLC0415  the same
    from velvetrope.pipeline.routes import Routes  # noqa: PLC0415  the same
    from velvetrope.store.catalogue import Catalogue  # noqa: PLC0415  the same

    class Telegram:
        async def perform(self, method: str, params: Mapping[str, object]) -> Answer:
            await asyncio.sleep(0.001)
            with messages.open("a") as file:
                file.write(f"{msgspec.json.encode(params['text']).decode()} {method}\n")
            return Answer(None)

    def apply(update: Event, _facts: Any, work: Work) -> None:
        user = int(update.lane.rpartition(":")[2])
        customer = work.customer((1, user)) or work.new_customer((1, user), source="0")
        customer.source = str(int(customer.source) + 1)
        work.save(customer)
        key = update.external_id
        work.defer("count", {"key": key}, lane=f"job:{key}", account=1, external_id=key)
        work.send(integration_id=1, method="sendMessage", params={"text": key}, chat_id=user)

    def count(job: Event, _facts: Any, work: Work) -> None:
        work.audit("counted", subject="event", subject_id=job.external_id)

    db = Database(dialect_of_database())
    await db.start()
    pipeline = Pipeline(
        db,
        Catalogue(),
        now,
        Routes(
            handlers={
                ("telegram", "message"): Doing(apply, about=lambda e: [(1, int(e.lane[5:]))]),
                ("job", "count"): Doing(count),
            }
        ),
        lambda _: Telegram(),
        no_links,
    )
    await pipeline.start()

    async def take(key: str) -> None:
        await pipeline.store(event(1, int(key.partition("/")[0]), external_id=key))
        sys.stdout.write(f"{key}\n")
        sys.stdout.flush()

    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(
        lambda: asyncio.StreamReaderProtocol(reader), sys.stdin
    )
    taking: set[asyncio.Task[None]] = set()
    async for line in reader:
        task = asyncio.create_task(take(line.decode().strip()))
        taking.add(task)
        task.add_done_callback(taking.discard)
    while taking or not await pipeline.quiesced():  # noqa: ASYNC110  nothing tells of it
        await asyncio.sleep(0.01)
    await pipeline.stop()
    await db.stop()


if __name__ == "__main__":
    configure(sys.argv[1])
    asyncio.run(serve(Path(sys.argv[2])))

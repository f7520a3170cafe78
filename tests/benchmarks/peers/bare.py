"""The bare dispatcher: the product's group commit and its table, and no product around it.

What it stores nobody handles. It is the bound for the product's own ingress.
"""

from __future__ import annotations

import asyncio
import os
import sys
from typing import TYPE_CHECKING, Any

import uvicorn

from tests.benchmarks.peers import PATH, SECRET

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping

    Scope = MutableMapping[str, Any]
    Receive = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]

_START = {"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"0")]}
_REFUSED = {"type": "http.response.start", "status": 403, "headers": [(b"content-length", b"0")]}
_END = {"type": "http.response.body", "body": b""}


def create_app() -> Callable[[Scope, Receive, Send], Awaitable[None]]:
    from velvetrope import settings  # noqa: PLC0415  Django is set up in here
    from velvetrope.web import django_config  # noqa: PLC0415  the same

    chosen = settings.from_environment(os.environ)
    django_config.configure(chosen)

    from velvetrope import bootstrap  # noqa: PLC0415  after Django is set up
    from velvetrope.domain.states import Source  # noqa: PLC0415  the same
    from velvetrope.gateways.telegram.updates import peek_update  # noqa: PLC0415  the same
    from velvetrope.pipeline.events import Event  # noqa: PLC0415  the same
    from velvetrope.pipeline.inbox import Inbox  # noqa: PLC0415  the same
    from velvetrope.pipeline.ledger import Ledger, Nobody  # noqa: PLC0415  the same
    from velvetrope.pipeline.outbox import Outbox  # noqa: PLC0415  the same
    from velvetrope.pipeline.routes import Routes  # noqa: PLC0415  the same
    from velvetrope.pipeline.stats import Stats  # noqa: PLC0415  the same
    from velvetrope.pipeline.storing import StoreEvents  # noqa: PLC0415  the same
    from velvetrope.store.ids import new_id  # noqa: PLC0415  the same

    application = bootstrap.build(chosen)
    db, clock, dialect = application.db, application.clock, application.db.dialect
    ledger = Ledger(
        dialect, application.catalogue, clock, Inbox(dialect), Outbox(dialect), Nobody()
    )
    store = StoreEvents(ledger, Routes(), Stats())
    secret = (b"x-telegram-bot-api-secret-token", SECRET.encode())

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await db.start()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await db.stop()
            await send({"type": "lifespan.shutdown.complete"})
            return
        if scope["path"] != PATH or secret not in scope["headers"]:
            await send(_REFUSED)
            await send(_END)
            return
        message = await receive()
        body = message["body"]
        while message.get("more_body"):
            message = await receive()
            body += message["body"]
        peek = peek_update(body)
        event = Event(
            id=new_id(),
            source=Source.TELEGRAM.value,
            account=1,
            external_id=str(peek.update_id),
            kind=peek.kind,
            lane=f"tg:1:{peek.lane}",
            payload=body,
            received_at=clock(),
        )
        await db.submit(store, event)
        await send(_START)
        await send(_END)

    return app


async def main() -> None:
    config = uvicorn.Config(
        create_app(),
        host="127.0.0.1",
        port=int(sys.argv[1]),
        loop="uvloop",
        http="httptools",
        ws="none",
        lifespan="on",
        log_config=None,
        access_log=False,
    )
    await uvicorn.Server(config).serve()


if __name__ == "__main__":
    sys.setswitchinterval(0.0005)  # as the product has it
    import uvloop

    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(main())

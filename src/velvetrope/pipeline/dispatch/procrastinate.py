"""Procrastinate's worker, which fetches the jobs that name lanes and keeps the timetable.

Jobs are short: they take lanes up and end. What runs in a lane is secured by its lease.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import structlog
from django.db import connection
from procrastinate import App, PsycopgConnector
from procrastinate.exceptions import ConnectorException, ProcrastinateException
from psycopg_pool import AsyncConnectionPool, PoolTimeout

from velvetrope.pipeline.dispatch.deferring import QUEUE, TAKE
from velvetrope.store.serving import DEAD_AFTER

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

    from psycopg import AsyncConnection

log = structlog.get_logger()

#: Jobs at once: those that take lanes up wait for the database only, periodic ones may last.
CONCURRENCY: Final = 16
#: Connections: for jobs and signs of life. One more listens.
CONNECTIONS: Final = 3
#: Seconds between two looks for jobs: a wake-up may be lost.
_POLL: Final = 0.5
_BEAT: Final = 2.0
#: Seconds until a worker is started again that the database has failed.
_START_AGAIN: Final = 1.0


class JobWorker:
    """Runs jobs until it is stopped, however often the database fails it meanwhile."""

    def __init__(
        self,
        take: Callable[[Collection[str]], Awaitable[None]],
        called: Callable[[str], None],
        channel: str,
    ) -> None:
        """`take` takes lanes up; `called` gets what is told on a channel."""
        self._take = take
        self._called = called
        self._channel = channel
        self._periodic: list[tuple[str, str, Callable[[], Awaitable[None]]]] = []
        self._app: App | None = None
        self._tasks: list[asyncio.Task[None]] = []
        self._stopping = False
        # A line for each job costs more than the job.
        logging.getLogger("procrastinate").setLevel(logging.WARNING)

    def repeat(self, name: str, cron: str, run: Callable[[], Awaitable[None]]) -> None:
        """Have a function run at the times of a crontab, by one worker of all."""
        self._periodic.append((name, cron, run))

    def start(self) -> None:
        self._tasks = [asyncio.get_running_loop().create_task(self._work())]

    async def stop(self) -> None:
        """Fetch nothing more; what was fetched and isn't done goes to another worker."""
        self._stopping = True
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks)

    async def _work(self) -> None:
        while not self._stopping:
            try:
                await self._run_worker()
            except (ProcrastinateException, PoolTimeout, OSError) as error:
                log.warning("job_worker_failed", reason=type(error).__name__)
            except Exception:
                log.exception("job_worker_failed")
            await asyncio.sleep(_START_AGAIN)

    async def _run_worker(self) -> None:
        app = self._make_app()
        async with app.open_async():
            beside = [
                asyncio.create_task(self._listen(app)),
                asyncio.create_task(self._retry_stalled(app)),
            ]
            try:
                await app.run_worker_async(
                    queues=[QUEUE],
                    concurrency=CONCURRENCY,
                    fetch_job_polling_interval=_POLL,
                    delete_jobs="always",
                    install_signal_handlers=False,
                    update_heartbeat_interval=_BEAT,
                    stalled_worker_timeout=DEAD_AFTER,
                    shutdown_graceful_timeout=1.0,
                )
            finally:
                for task in beside:
                    task.cancel()
                await asyncio.wait(beside)

    def _make_app(self) -> App:
        app = App(connector=_connector())

        @app.task(name=TAKE, queue=QUEUE)
        async def take(lanes: list[str]) -> None:
            await self._take(lanes)

        for name, cron, run in self._periodic:
            _register(app, name, cron, run)
        return app

    async def _listen(self, app: App) -> None:
        async def told(*, channel: str, payload: str) -> None:  # noqa: ARG001  their signature
            self._called(payload)

        while True:
            with suppress(ConnectorException, OSError):
                await app.connector.listen_notify(told, [self._channel])
            await asyncio.sleep(_START_AGAIN)

    async def _retry_stalled(self, app: App) -> None:
        """Have jobs fetched again whose worker is gone."""
        while True:
            await asyncio.sleep(_BEAT)
            with suppress(ConnectorException, PoolTimeout):
                stalled = await app.job_manager.get_stalled_jobs(seconds_since_heartbeat=DEAD_AFTER)
                for job in stalled:
                    # Another worker may have done so a moment ago.
                    with suppress(ConnectorException):
                        await app.job_manager.retry_job(job)


def _register(app: App, name: str, cron: str, run: Callable[[], Awaitable[None]]) -> None:
    @app.periodic(cron=cron)
    @app.task(name=f"velvetrope.periodic.{name}", queue=QUEUE)
    async def tick(timestamp: int) -> None:  # noqa: ARG001  given to periodic tasks
        await run()


def _connector() -> PsycopgConnector:
    """Give a connector with the settings of Django's connections.

    What it writes may be lost with the server's memory: a job is then fetched a second time, which
    does no harm. So nobody waits for the disk.
    """
    given = dict(connection.get_connection_params())
    for name in ("cursor_factory", "context"):
        given.pop(name, None)
    given["options"] = f"{given.get('options', '')} -c synchronous_commit=off".strip()

    async def configure(opened: AsyncConnection[Any]) -> None:
        await opened.set_autocommit(True)

    return PsycopgConnector(
        pool_factory=_pool,
        kwargs=given,
        configure=configure,
        min_size=1,
        max_size=CONNECTIONS,
        timeout=5.0,
    )


def _pool(**options: Any) -> AsyncConnectionPool[Any]:
    """Make a pool that doesn't ask a connection whether it lives each time it is used."""
    return AsyncConnectionPool(**{**options, "check": None})

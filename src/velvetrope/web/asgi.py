"""What uvicorn serves: a plain dispatcher in front, Django behind it in threads.

Webhooks never touch a framework: routing alone would cost a multiple of their handling.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

import msgspec
import structlog
from django.core.wsgi import get_wsgi_application

from velvetrope.bootstrap.roles import Role
from velvetrope.domain.errors import VelvetError
from velvetrope.usecases.operations import count_open_by_code
from velvetrope.web.addresses import ClientAddresses
from velvetrope.web.health import Health, KnownVendors
from velvetrope.web.ingress import (
    STRIPE_PATH,
    TELEGRAM_PATH,
    Limits,
    StripeIngress,
    TelegramIngress,
)
from velvetrope.web.metrics import IngressMetrics, MetricsPage, PipelineCollector
from velvetrope.web.senders import StripeSenders, TelegramSenders
from velvetrope.web.wsgi import WsgiInThreads

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, MutableMapping
    from typing import TypeAlias

    from velvetrope.bootstrap import Application

    Scope: TypeAlias = MutableMapping[str, Any]
    Receive: TypeAlias = Callable[[], Awaitable[MutableMapping[str, Any]]]
    Send: TypeAlias = Callable[[MutableMapping[str, Any]], Awaitable[None]]
    Asgi: TypeAlias = Callable[[Scope, Receive, Send], Awaitable[None]]

log = structlog.get_logger()

UP_PATH: Final = "/up"
HEALTH_PATH: Final = "/telegram/bots/health"
METRICS_PATH: Final = "/metrics"
#: Seconds for what is in flight when the process is asked to stop; the server itself has waited
#: for its connections before.
PATIENCE: Final = 6.0


def create_app(
    application: Application, role: Role = Role.ALL, leaving: Callable[[], bool] = bool
) -> Asgi:
    """Give the ASGI application of one process; its lifespan starts and stops the product.

    Once `leaving` is true `/up` answers 503, and everything else as before.
    """
    return _App(application, role, leaving)


class _App:
    def __init__(self, application: Application, role: Role, leaving: Callable[[], bool]) -> None:
        self._application = application
        self._role = role
        self._leaving = leaving
        self._routes: dict[str, Asgi] = {}
        settings = application.settings
        self._addresses = ClientAddresses(settings.trusted_proxies)
        self._metrics = MetricsPage(self._addresses, settings.metrics_token)
        self._django = WsgiInThreads(get_wsgi_application(), self._addresses)
        self._other: Asgi = self._django if role.is_reached else _not_here

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        kind = scope["type"]
        if kind == "http":
            route = self._routes.get(scope["path"], self._other)
            await route(scope, receive, send)
        elif kind == "lifespan":
            await self._live(receive, send)
        else:
            await send({"type": "websocket.close", "code": 1000})

    async def _live(self, receive: Receive, send: Send) -> None:
        while True:
            message = await receive()
            if message["type"] == "lifespan.startup":
                await self._application.start(self._role)
                self._routes = self._build_routes()
                await send({"type": "lifespan.startup.complete"})
            else:
                await self._application.stop(PATIENCE)
                self._django.close()
                await send({"type": "lifespan.shutdown.complete"})
                return

    def _build_routes(self) -> dict[str, Asgi]:
        application = self._application
        settings, pipeline, db = application.settings, application.pipeline, application.db
        routes: dict[str, Asgi] = {
            UP_PATH: self._up,
            HEALTH_PATH: self._health_page,
            METRICS_PATH: self._metrics_page,
        }
        registry = self._metrics.registry
        registry.register(PipelineCollector(pipeline))
        self._health = Health(db, pipeline, KnownVendors(db, application.bot, application.stripe))
        if not self._role.is_reached:
            return routes
        common = (pipeline.store, application.clock, self._addresses, IngressMetrics(registry))
        limits = Limits()
        return {
            **routes,
            TELEGRAM_PATH: TelegramIngress(
                TelegramSenders(db),
                *common,
                allowed=settings.allowed_telegram_ips,
                limits=limits,
                bad=limits.telegram_bad,
            ),
            STRIPE_PATH: StripeIngress(
                StripeSenders(db, settings.stripe_webhook_secrets),
                *common,
                allowed=settings.allowed_stripe_ips,
                limits=limits,
                bad=limits.stripe_bad,
            ),
        }

    async def _up(self, scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG002  ASGI
        status, word = (503, b"leaving\n") if self._leaving() else (200, b"up\n")
        await _get(scope, send, status, [(b"content-type", b"text/plain")], word)

    async def _health_page(
        self,
        scope: Scope,
        receive: Receive,  # noqa: ARG002  ASGI
        send: Send,
    ) -> None:
        deep = b"deep=1" in scope["query_string"].split(b"&")
        report = await self._health.report(deep=deep)
        headers = [(b"content-type", b"application/json"), (b"cache-control", b"no-store")]
        await _get(scope, send, report.http_status, headers, msgspec.json.encode(report))

    async def _metrics_page(
        self,
        scope: Scope,
        receive: Receive,  # noqa: ARG002  ASGI
        send: Send,
    ) -> None:
        with suppress(VelvetError):  # the other numbers are wanted most while the database is away
            self._metrics.alerts.counts = await self._application.db.read(count_open_by_code)
        status, headers, body = self._metrics.answer(scope)
        await _get(scope, send, status, headers, body)


async def _not_here(scope: Scope, receive: Receive, send: Send) -> None:  # noqa: ARG001  ASGI
    await _get(scope, send, 404, [(b"content-type", b"text/plain")], b"This process works.\n")


async def _get(
    scope: Scope, send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes
) -> None:
    """Answer a page that is only read."""
    if scope["method"] not in {"GET", "HEAD"}:
        status, headers, body = 405, [(b"allow", b"GET, HEAD")], b""
    head = [*headers, (b"content-length", b"%d" % len(body))]
    await send({"type": "http.response.start", "status": status, "headers": head})
    await send({"type": "http.response.body", "body": b"" if scope["method"] == "HEAD" else body})

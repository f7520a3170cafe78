"""Whether the process can do its work, for those who watch it."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass
from datetime import UTC, datetime
from time import monotonic, perf_counter
from typing import TYPE_CHECKING, Final, Protocol

import msgspec
from django.db import connection
from msgspec.structs import replace

from velvetrope.domain.errors import VelvetError
from velvetrope.store.ids import new_id
from velvetrope.store.models import Integration, Lane, StripeAccount
from velvetrope.store.serving import count_workers
from velvetrope.usecases.operations import count_open_by_code

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from velvetrope.pipeline.database import Database
    from velvetrope.pipeline.pipeline import Pipeline
    from velvetrope.store.encryption import Secret

#: Seconds for which an answer is given again, without and with a look at the vendors: whoever
#: asks often must not make us ask them often.
FRESH: Final = 1.0
FRESH_DEEP: Final = 30.0
_PATIENCE: Final = 3.0
_PATIENCE_DEEP: Final = 10.0
#: Bots and accounts that a deep look asks.
_ASKED: Final = 3

#: The lane of no event.
_PROBE: Final = "health"

OK: Final = "ok"
DEGRADED: Final = "degraded"  # works, and something behind it doesn't
FAILING: Final = "failing"


class Check(msgspec.Struct, frozen=True):
    status: str
    latency_ms: float
    detail: str


class Report(msgspec.Struct, frozen=True):
    status: str
    checks: dict[str, Check]

    @property
    def http_status(self) -> int:
        return 503 if self.status == FAILING else 200


class Vendors(Protocol):
    """Asks the vendors the cheapest of questions; raises the three kinds."""

    async def ask_telegram(self) -> str: ...

    async def ask_stripe(self) -> str: ...


@dataclass(frozen=True, slots=True)
class _Kept:
    until: float
    report: Report


class Health:
    """Looks at database, queue and vendors, at most once in a while however many ask."""

    def __init__(self, db: Database, pipeline: Pipeline, vendors: Vendors) -> None:
        self._db = db
        self._pipeline = pipeline
        self._vendors = vendors
        self._kept: dict[bool, _Kept] = {}
        self._locks = {False: asyncio.Lock(), True: asyncio.Lock()}

    async def report(self, *, deep: bool) -> Report:
        """Give a report that is a few moments old at most; `deep` reaches out to the vendors."""
        async with self._locks[deep]:
            kept = self._kept.get(deep)
            if kept is not None and kept.until > monotonic():
                return kept.report
            report = await self._look(deep=deep)
            age = FRESH_DEEP if deep else FRESH
            self._kept[deep] = _Kept(monotonic() + age, report)
            return report

    async def _look(self, *, deep: bool) -> Report:
        names = ("database", "queue", "telegram", "stripe")
        vendors: Sequence[Awaitable[Check]]
        if deep:
            vendors = (
                _timed(self._vendors.ask_telegram, _PATIENCE_DEEP),
                _timed(self._vendors.ask_stripe, _PATIENCE_DEEP),
            )
        else:
            vendors = (_ready(self._remote("telegram")), _ready(self._remote("stripe")))
        found = await asyncio.gather(
            _timed(self._read, _PATIENCE), _timed(self._write, _PATIENCE), *vendors
        )
        checks = dict(zip(names, found, strict=True))
        if checks["queue"].status == OK and not await self._somebody_works():
            waits = "no worker runs, what comes in waits: velvetrope serve --role worker"
            checks["queue"] = replace(checks["queue"], status=DEGRADED, detail=waits)
        states = {check.status for check in checks.values()}
        worst = FAILING if FAILING in states else DEGRADED if DEGRADED in states else OK
        return Report(worst, checks)

    async def _read(self) -> str:
        await self._db.read(_select_one)
        return ""

    async def _write(self) -> str:
        """Go through the writer and onto the disk, as everything that is acknowledged does."""
        await self._db.write(_write_one, urgent=True)
        load = self._pipeline.load()
        alerts = await self._db.read(count_open_by_code)
        listed = f": {', '.join(sorted(alerts))}" if alerts else ""
        return (
            f"{load.events} events and {load.items} calls in hand,"
            f" {load.lanes_held} lanes wait for another try,"
            f" {sum(alerts.values())} alerts are open{listed}"
        )

    async def _somebody_works(self) -> bool:
        """Tell whether there is a process that does the work; this one does where it is alone."""
        return not self._db.dialect.is_shared or await self._db.read(count_workers) > 0

    def _remote(self, kind: str) -> Check:
        """Tell what the breakers know, without asking anybody."""
        down = [one for one in self._pipeline.breakers.down() if one.startswith(kind)]
        if not down:
            return Check(OK, 0.0, "")
        return Check(DEGRADED, 0.0, f"{len(down)} of them do not answer: {', '.join(down[:5])}")


class KnownVendors:
    """Asks for the first bots and accounts that are configured."""

    def __init__(
        self,
        db: Database,
        bots: Callable[[Secret], Bot],
        stripe: StripeGateways,
    ) -> None:
        self._db = db
        self._bots = bots
        self._stripe = stripe

    async def ask_telegram(self) -> str:
        tokens = await self._db.read(_tokens)
        for token in tokens:
            await self._bots(token).get_me()
        return f"{len(tokens)} bots asked" if tokens else "no bot is connected yet"

    async def ask_stripe(self) -> str:
        accounts = await self._db.read(_accounts)
        for account in accounts:
            await (await self._stripe.gateway(account)).fetch_account()
        return f"{len(accounts)} accounts asked" if accounts else "no account is connected yet"


class Bot(Protocol):
    async def get_me(self) -> object: ...


class StripeGateway(Protocol):
    async def fetch_account(self) -> object: ...


class StripeGateways(Protocol):
    async def gateway(self, account_id: int) -> StripeGateway: ...


async def _timed(look: Callable[[], Awaitable[str]], patience: float) -> Check:
    started = perf_counter()
    try:
        async with asyncio.timeout(patience):
            status, detail = OK, await look()
    except TimeoutError:
        status, detail = FAILING, f"no answer within {patience:g} s"
    except VelvetError as error:
        status, detail = FAILING, error.code
    except Exception as error:  # noqa: BLE001  whatever it is, the check fails
        status, detail = FAILING, type(error).__name__
    return Check(status, round((perf_counter() - started) * 1000, 2), detail)


async def _ready(check: Check) -> Check:
    return check


def _select_one() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT 1")
        cursor.fetchone()


def _write_one() -> None:
    """Have a page written, and leave no row: a full disk lets everything pass but that."""
    probe = f"{_PROBE}:{new_id()}"  # other processes look as well
    Lane.objects.create(key=probe, retry_at=datetime.now(UTC), attempts=0)
    Lane.objects.filter(key=probe).delete()


def _tokens() -> list[Secret]:
    rows = Integration.objects.filter(active=True).order_by("id")[:_ASKED]
    return [row.token for row in rows if row.token is not None]


def _accounts() -> list[int]:
    used = Integration.objects.filter(active=True).values("stripe_account")
    return list(
        StripeAccount.objects.filter(id__in=used)
        .order_by("id")
        .values_list("id", flat=True)[:_ASKED]
    )

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NoReturn

import pytest

from tests.web.deliveries import now
from velvetrope.domain.errors import NeedsOperator, RetryLater
from velvetrope.pipeline.breakers import Breakers
from velvetrope.pipeline.database import Database
from velvetrope.pipeline.dialect import dialect_of_database
from velvetrope.pipeline.pipeline import Pipeline
from velvetrope.pipeline.routes import Routes
from velvetrope.store.catalogue import Catalogue
from velvetrope.web.health import Health, Report

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping


class Vendors:
    def __init__(self) -> None:
        self.asked = 0
        self.telegram: Exception | None = None

    async def ask_telegram(self) -> str:
        self.asked += 1
        await asyncio.sleep(0.01)
        if self.telegram is not None:
            raise self.telegram
        return "1 bots asked"

    async def ask_stripe(self) -> str:
        return "1 accounts asked"


class House:
    def __init__(self) -> None:
        self.db = Database(dialect_of_database())
        self.breakers = Breakers()
        self.vendors = Vendors()
        pipeline = Pipeline(
            self.db, Catalogue(), now, Routes(), _nobody, _nowhere, breakers=self.breakers
        )
        self.health = Health(self.db, pipeline, self.vendors)


def _nobody(_: object) -> NoReturn:
    raise AssertionError("nobody is to be called")


async def _nowhere(_: int) -> NoReturn:
    raise AssertionError("no link is to be made")


@pytest.fixture
async def house(database: str) -> AsyncIterator[House]:  # noqa: ARG001  its file is used
    house = House()
    await house.db.start()
    yield house
    await house.db.stop()


def states(report: Report) -> Mapping[str, str]:
    return {name: check.status for name, check in report.checks.items()}


async def test_all_is_well(house: House) -> None:
    report = await house.health.report(deep=True)
    assert (report.status, report.http_status) == ("ok", 200)
    assert set(states(report).values()) == {"ok"}
    assert all(check.latency_ms >= 0 for check in report.checks.values())


async def test_a_database_that_cannot_be_written_fails_the_check(house: House) -> None:
    await house.db.stop()
    report = await house.health.report(deep=False)
    assert report.http_status == 503
    assert states(report)["queue"] == "failing"
    await house.db.start()


async def test_a_vendor_that_is_down_degrades_and_does_not_take_the_process_out(
    house: House,
) -> None:
    for _ in range(5):
        house.breakers.record("telegram:1", RetryLater("telegram_unavailable"))
    report = await house.health.report(deep=False)
    assert (report.status, report.http_status) == ("degraded", 200)
    assert "telegram:1" in report.checks["telegram"].detail
    assert states(report)["stripe"] == "ok"


async def test_a_deep_look_says_by_a_code_what_is_wrong(house: House) -> None:
    house.vendors.telegram = NeedsOperator("bot_unauthorized")
    report = await house.health.report(deep=True)
    assert report.http_status == 503
    assert report.checks["telegram"].detail == "bot_unauthorized"


async def test_an_unforeseen_failure_is_named_by_its_kind_alone(house: House) -> None:
    house.vendors.telegram = ValueError("a secret may stand here")
    report = await house.health.report(deep=True)
    assert report.checks["telegram"].detail == "ValueError"


async def test_vendors_are_asked_once_however_many_want_to_know(house: House) -> None:
    reports = await asyncio.gather(*(house.health.report(deep=True) for _ in range(50)))
    assert house.vendors.asked == 1
    assert all(report is reports[0] for report in reports)

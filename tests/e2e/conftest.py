"""One server and one connected bot for the tests of a module; each test has its own people."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import TYPE_CHECKING

import aiohttp
import pytest

from tests.e2e.house import House, build_house
from tests.faults.leaks import check_leaks
from tests.gateways.wire import check_calls_of
from tests.processes import Installation, Sandbox
from velvetrope.sandbox.handset import Control

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator
    from pathlib import Path

    from tests.postgres import Template


@pytest.fixture(scope="module")
def served(
    sandbox: Sandbox, migrated: Path | Template, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Installation]:
    """Run a server for all tests of a module; judge all that it asked for and wrote."""
    place = Installation(tmp_path_factory.mktemp("installation"), migrated, sandbox)
    place.start()
    yield place
    place.close()
    assert check_calls_of(sandbox)
    check_leaks(place, sandbox)


@pytest.fixture(scope="module")
def built(sandbox: Sandbox, served: Installation) -> House:
    """Connect a bot with one channel and a monthly, a yearly and a one-time price."""

    async def build() -> House:
        async with aiohttp.ClientSession() as session:
            return await build_house(session, sandbox, served)

    return asyncio.run(build())


@pytest.fixture
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    async with aiohttp.ClientSession(timeout=aiohttp.ClientTimeout(total=60)) as opened:
        yield opened


@pytest.fixture
async def house(built: House, session: aiohttp.ClientSession) -> AsyncIterator[House]:
    """Give the module's bot; what a test does to the vendors is undone."""
    mine = replace(
        built,
        telegram=Control(session, built.telegram.url),
        stripe=Control(session, built.stripe.url),
    )
    yield mine
    await mine.telegram.post("faults", {"reset": True})
    await mine.stripe.post("faults", {"reset": True})

from __future__ import annotations

import asyncio

import pytest

from velvetrope.domain.breaker import BreakerPolicy
from velvetrope.domain.errors import Permanent, RetryLater
from velvetrope.pipeline.breakers import Breakers

DOWN = RetryLater("stripe_unavailable")


class Time:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def breakers(time: Time) -> Breakers:
    return Breakers(BreakerPolicy(failures=2, cool_down=5.0), now=time)


def handle(breakers: Breakers, failure: Exception | None, remote: str = "stripe:1") -> None:
    """Do as the dispatcher does with a handler that asks a gateway's provider twice."""
    breakers.watch()
    try:
        breakers.enter(remote)
        breakers.enter(remote)
    except RetryLater as error:
        breakers.settle(error)
        raise
    breakers.settle(failure)


def test_a_remote_that_failed_often_is_not_entered_until_it_had_time(
    breakers: Breakers, time: Time
) -> None:
    handle(breakers, DOWN)
    handle(breakers, DOWN)
    with pytest.raises(RetryLater) as raised:
        handle(breakers, None)
    assert (raised.value.code, raised.value.retry_after) == ("circuit_open", 5.0)
    assert breakers.down() == ["stripe:1"]
    handle(breakers, None, "stripe:2")
    time.now += 5.0
    handle(breakers, None)
    assert breakers.down() == []


def test_a_refusal_is_no_outage(breakers: Breakers) -> None:
    for _ in range(5):
        handle(breakers, Permanent("stripe_invalid_request"))
    assert breakers.down() == []


def test_trouble_of_another_vendor_is_no_outage_of_this_one(breakers: Breakers) -> None:
    for _ in range(5):
        handle(breakers, RetryLater("telegram_unavailable"))
    assert breakers.down() == []


async def test_handlers_that_run_at_once_do_not_answer_for_one_another(breakers: Breakers) -> None:
    async def run(remote: str, failure: Exception | None) -> None:
        breakers.watch()
        breakers.enter(remote)
        await asyncio.sleep(0)
        breakers.settle(failure)

    for _ in range(2):
        await asyncio.gather(
            asyncio.create_task(run("stripe:1", DOWN)), asyncio.create_task(run("stripe:2", None))
        )
    assert breakers.down() == ["stripe:1"]

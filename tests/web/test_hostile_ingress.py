"""What a stranger, or many, can do at the doors: cost little, and take nothing from others."""

from __future__ import annotations

import asyncio
import re
import resource
import socket
from contextlib import ExitStack, closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.db import connection

from tests.processes import eventually
from tests.web.deliveries import SECRET, Door, make_integration, now, stripe_event, update
from tests.web.serving import Served, looking_at
from velvetrope.gateways.stripe.signatures import sign
from velvetrope.store.models import InboxEvent
from velvetrope.web.addresses import block_of, parse
from velvetrope.web.bodies import Bodies, TooSlowError
from velvetrope.web.ingress import STRIPE_PATH, TELEGRAM_PATH, Limits
from velvetrope.web.limits import Rate
from velvetrope.web.senders import TRUSTED_FOR

if TYPE_CHECKING:
    from collections.abc import Iterator

MIB = 1024 * 1024
FEW = Rate(per_second=0.001, burst=3)
NONE = Rate(per_second=0.001, burst=0)


@pytest.fixture
def strict(database: str) -> Iterator[Door]:  # noqa: ARG001  its rows lie there
    """Give doors that forgive three mistakes of a stranger, and look up nothing after them."""
    make_integration()
    yield Door(limits=Limits(telegram_bad=FEW, stripe_bad=FEW, doubtful=NONE))
    connection.close()


@pytest.fixture(scope="module")
def served(migrated_file: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with Served(tmp_path_factory.mktemp("strangers"), migrated_file) as place:
        yield place


async def test_the_many_addresses_of_one_ipv6_customer_are_one(strict: Door) -> None:
    statuses = [
        (await strict.telegram(update(), secret="no", client=f"2001:db8:1:2::{number:x}")).status
        for number in range(5)
    ]
    assert statuses == [403, 403, 403, 429, 429]
    neighbour = await strict.telegram(update(), secret="no", client="2001:db8:1:3::1")
    assert neighbour.status == 403


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff:ffff:ffff:ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("", "unix", False),
    ],
)
def test_limits_count_by_what_one_customer_is_given(one: str, other: str, *, same: bool) -> None:
    assert (block_of(one) == block_of(other)) is same


def test_a_novel_in_a_forwarding_header_is_no_address() -> None:
    assert parse("1" * 100_000) is None


async def test_whoever_was_wrong_too_often_has_no_body_read(strict: Door) -> None:
    for _ in range(3):
        await strict.telegram(update(), secret="no")
    async with asyncio.timeout(1):
        secrets: tuple[str | None, ...] = ("no", "another", None)
        for secret in secrets:
            answer = await strict.telegram([b"a", b"b"], secret=secret, pause=60)
            assert answer.status == 429
            assert answer.headers["connection"] == "close"
            assert int(answer.headers["retry-after"]) > 0


async def test_strangers_at_the_same_address_do_not_shut_a_valid_sender_out(strict: Door) -> None:
    assert (await strict.telegram(update(1))).status == 200
    for number in range(20):
        await strict.telegram(update(), secret=f"guess-{number}")
    await asyncio.sleep(TRUSTED_FOR + 0.1)  # it has to be looked up again
    assert (await strict.telegram(update(2))).status == 200
    assert (await strict.telegram(update(3), secret="guess-21")).status == 429


async def test_a_spent_address_may_still_bring_what_stripe_signed(strict: Door) -> None:
    for number in range(6):
        await strict.stripe(stripe_event(f"evt_{number}"), signature=f"t=1,v1={'0' * 64}")
    assert (await strict.stripe(stripe_event("evt_9"))).status == 200


@pytest.mark.parametrize(
    ("change", "status"),
    [
        (lambda header: header, 200),
        (lambda header: f"{header},v0={'0' * 64},v1={'1' * 64}", 200),
        (lambda header: header.replace("v1=", f"v1={'1' * 64},v1="), 200),
        (lambda header: header.replace("v1=", "v0="), 400),
        (lambda header: header.upper(), 400),
        (lambda header: header + ",t=1", 400),
        (lambda header: header.replace("t=", "t=-"), 400),
        (lambda header: header.replace("t=", "t=٣"), 400),
        (lambda header: re.sub("t=[0-9]+", "t=" + "9" * 400, header), 400),
        (lambda header: re.sub("t=[0-9]+", "t=1e9", header), 400),
        (lambda header: header + ",v1=" * 4000, 400),
        (lambda header: f" {header}", 400),
        (lambda _: "\x00", 400),
        (lambda _: ",=,=,", 400),
    ],
)
async def test_only_a_whole_signature_opens_stripes_door(
    strict: Door, change: Any, status: int
) -> None:
    body = stripe_event()
    header = sign(body, "whsec_0123456789abcdefghijklmnop", int(now().timestamp()))
    assert (await strict.stripe(body, signature=change(header))).status == status


async def test_an_old_event_counts_only_with_a_fresh_signature(strict: Door) -> None:
    body = stripe_event()
    header = sign(body, "whsec_0123456789abcdefghijklmnop", int(now().timestamp()) - 301)
    assert (await strict.stripe(body, signature=header)).status == 400
    fresh = header.replace(header.partition(",")[0], f"t={int(now().timestamp())}")
    assert (await strict.stripe(body, signature=fresh)).status == 400
    assert strict.stored == []


class Sender:
    """A client that has sent a piece and keeps the rest to itself until it is told."""

    def __init__(self, piece: bytes) -> None:
        self._pieces = [piece]
        self.rest = asyncio.Event()

    async def receive(self) -> dict[str, object]:
        if self._pieces:
            return {"type": "http.request", "body": self._pieces.pop(), "more_body": True}
        await self.rest.wait()
        return {"type": "http.request", "body": b".", "more_body": False}


async def test_if_too_much_is_on_its_way_the_slowest_goes() -> None:
    bodies = Bodies(100, 60.0, together=100)
    senders = [Sender(b"x" * 40) for _ in range(4)]
    readings = []
    for sender in senders:
        readings.append(asyncio.ensure_future(bodies.read({"headers": []}, sender.receive)))
        await asyncio.sleep(0)
    for reading in readings[:2]:
        with pytest.raises(TooSlowError):
            await asyncio.wait_for(reading, 1.0)
    for sender, reading in zip(senders[2:], readings[2:], strict=True):
        sender.rest.set()
        assert await asyncio.wait_for(reading, 1.0) == b"x" * 40 + b"."
    # Nothing is counted twice or for ever.
    one = Sender(b"x" * 99)
    one.rest.set()
    assert len(await bodies.read({"headers": []}, one.receive)) == 100


@pytest.mark.parametrize(
    ("path", "header"),
    [
        (TELEGRAM_PATH, "X-Telegram-Bot-Api-Secret-Token: wrong"),
        (STRIPE_PATH, "Stripe-Signature: t={now},v1=" + "0" * 64),
    ],
)
def test_bodies_of_strangers_do_not_fill_the_memory(served: Served, path: str, header: str) -> None:
    """One hundred and fifty of almost a MiB each, which never end."""
    head = (
        f"POST {path} HTTP/1.1\r\nhost: x\r\ncontent-length: {MIB}\r\n"
        f"{header.format(now=int(now().timestamp()))}\r\n\r\n"
    )
    before = resident_mib(served)
    with ExitStack() as stack:
        for _ in range(150):
            line = socket.create_connection(("127.0.0.1", served.installation.port), 5.0)
            stack.enter_context(closing(line))
            line.sendall(head.encode() + b"x" * (MIB - 1000))
        assert served.http.get("/up").status_code == 200
        assert resident_mib(served) < before + 100
        headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET}
        answer = served.http.post(TELEGRAM_PATH, content=update(1), headers=headers)
        assert answer.status_code == 200


def resident_mib(served: Served) -> float:
    status = Path(f"/proc/{served.installation.server.pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+)", status)
    assert found is not None
    return int(found[1]) / 1024


def test_a_full_disk_is_told_and_lives_through(tmp_path: Path, migrated_file: Path) -> None:
    """No byte goes to any file any more: neither to the database nor to the log."""
    headers = {"X-Telegram-Bot-Api-Secret-Token": SECRET}
    with Served(tmp_path, migrated_file) as place:
        http, pid = place.http, place.installation.server.pid
        assert http.post(TELEGRAM_PATH, content=update(1), headers=headers).status_code == 200
        before = resource.prlimit(pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
        for _ in range(30):
            answer = http.post(TELEGRAM_PATH, content=update(2), headers=headers)
            assert answer.status_code == 503
            assert int(answer.headers["retry-after"]) > 0
        assert eventually(lambda: http.get("/telegram/bots/health").status_code == 503)
        assert http.get("/up").status_code == 200
        resource.prlimit(pid, resource.RLIMIT_FSIZE, before)
        answer = http.post(TELEGRAM_PATH, content=update(2), headers=headers)
        assert answer.status_code == 200
        assert eventually(lambda: http.get("/telegram/bots/health").status_code == 200)
        with looking_at(place.installation.database):
            stored = InboxEvent.objects.filter(source="telegram")
            assert sorted(stored.values_list("external_id", flat=True)) == ["1", "2"]

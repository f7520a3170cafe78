from __future__ import annotations

import asyncio
import json
from ipaddress import ip_network
from typing import TYPE_CHECKING

import pytest
from django.db import connection
from structlog.testing import capture_logs

from tests.web.deliveries import (
    SECRET,
    STRIPE_SECRET,
    Door,
    make_integration,
    now,
    stripe_event,
    update,
)
from velvetrope.domain.errors import RetryLater
from velvetrope.gateways.stripe.signatures import sign
from velvetrope.store.encryption import Secret, installation_keys
from velvetrope.store.models import Integration, StripeAccount
from velvetrope.web.ingress import Limits
from velvetrope.web.limits import Rate

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def integration(database: str) -> Iterator[Integration]:  # noqa: ARG001  its rows lie there
    yield make_integration()
    connection.close()


@pytest.fixture
def door(integration: Integration) -> Door:  # noqa: ARG001  is found by its secret
    return Door()


async def test_an_update_is_stored_with_its_lane_before_it_is_acknowledged(door: Door) -> None:
    assert (await door.telegram(update(5))).status == 200
    (event,) = door.stored
    assert (event.source, event.account, event.external_id) == ("telegram", 1, "5")
    assert (event.kind, event.lane, event.payload) == ("message", "tg:1:7", update(5))
    assert door.counted("telegram", "stored") == 1


async def test_a_known_update_is_acknowledged_again(door: Door) -> None:
    for _ in range(3):
        assert (await door.telegram(update(5))).status == 200
    assert len(door.stored) == 1
    assert door.counted("telegram", "known") == 2


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"])
async def test_other_methods_are_told_which_one_is_allowed(door: Door, method: str) -> None:
    for answer in (
        await door.telegram(update(), method=method),
        await door.stripe(stripe_event(), method=method),
    ):
        assert (answer.status, answer.headers["allow"]) == (405, "POST")


@pytest.mark.parametrize(
    "secret", [None, "", "wrong", SECRET + "x", SECRET[:-1], "x" * 257, "\N{SNOWMAN}" * 3]
)
async def test_a_missing_or_wrong_secret_is_forbidden(door: Door, secret: str | None) -> None:
    assert (await door.telegram(update(), secret=secret)).status == 403
    assert door.stored == []


async def test_two_secrets_in_one_request_are_forbidden(door: Door) -> None:
    again = [(b"x-telegram-bot-api-secret-token", SECRET.encode())]
    assert (await door.telegram(update(), headers=again)).status == 403


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"text"',
        b"{",
        b"\xff\xfe",
        b'{"update_id": "1"}',
        b'{"update_id": 1.5}',
        b'{"update_id": -1}',
        b'{"update_id": 99999999999999999999999999}',
        b'{"update_id": 1, "message": 5}',
        b'{"update_id": 1, "message": {"chat": {"id": 1e400, "type": "private"}}}',
        b'{"update_id": 1, "x": "\xc3\x28"}',
        b'{"update_id": 1, "x": ' + b"[" * 100_000 + b"]" * 100_000 + b"}",
        b'{"a":' * 50_000,
    ],
)
async def test_what_is_no_update_is_refused_and_logged_without_its_body(
    door: Door, body: bytes
) -> None:
    with capture_logs() as logs:
        assert (await door.telegram(body)).status == 400
    assert door.stored == []
    (line,) = logs
    assert line["event"] == "event_malformed"
    assert line["size"] == len(body)
    assert "update_id" not in json.dumps(line)


async def test_an_unknown_kind_of_update_is_stored(door: Door) -> None:
    assert (await door.telegram(b'{"update_id": 1, "poll": {"id": "5"}}')).status == 200
    assert door.stored[0].kind == "unknown"


async def test_a_body_that_is_too_large_is_refused_by_its_declared_size(door: Door) -> None:
    answer = await door.telegram(b"x", declared=1024 * 1024 + 1)
    assert (answer.status, answer.headers["connection"]) == (413, "close")


async def test_a_body_that_is_too_large_is_refused_while_it_streams(door: Door) -> None:
    pieces = [b"x" * 65536] * 17
    assert (await door.telegram(pieces, declared=10)).status == 413
    assert (await door.telegram(b"x" * (1024 * 1024 + 1), declared=10)).status == 413


async def test_the_size_is_judged_before_the_secret(door: Door) -> None:
    answer = await door.telegram(b"x", secret="wrong", declared=2 * 1024 * 1024)
    assert answer.status == 413


async def test_a_body_that_comes_in_pieces_is_put_together(door: Door) -> None:
    whole = update(9)
    assert (await door.telegram([whole[:10], b"", whole[10:30], whole[30:]])).status == 200
    assert door.stored[0].payload == whole


async def test_a_body_that_does_not_come_is_not_waited_for(integration: Integration) -> None:  # noqa: ARG001  is found by its secret
    door = Door(limits=Limits(body_seconds=0.05))
    answer = await door.telegram([b"{", b"}"], pause=0.2)
    assert (answer.status, answer.headers["connection"]) == (408, "close")


async def test_a_client_that_hangs_up_gets_no_answer(door: Door) -> None:
    assert (await door.telegram([b"{", b"}"], hangs_up=True)).status == 0
    assert door.counted("telegram", "gone") == 1


async def test_an_inactive_integration_is_acknowledged_and_not_stored(door: Door) -> None:
    await asyncio.to_thread(lambda: Integration.objects.update(active=False))
    assert (await door.telegram(update())).status == 200
    assert door.stored == []
    assert door.counted("telegram", "inactive") == 1


async def test_an_integration_that_is_switched_on_loses_nothing_from_then_on(door: Door) -> None:
    await asyncio.to_thread(lambda: Integration.objects.update(active=False))
    assert (await door.telegram(update(1))).status == 200
    await asyncio.to_thread(lambda: Integration.objects.update(active=True))
    assert (await door.telegram(update(2))).status == 200
    assert [one.external_id for one in door.stored] == ["2"]


async def test_what_cannot_be_stored_is_asked_for_again(door: Door) -> None:
    door.trouble = RetryLater("database_unavailable")
    for answer in (await door.telegram(update()), await door.stripe(stripe_event())):
        assert answer.status == 503
        assert int(answer.headers["retry-after"]) >= 1


async def test_a_secret_that_was_changed_counts_within_a_second(door: Door) -> None:
    assert (await door.telegram(update(1))).status == 200

    def rotate() -> None:
        row = Integration.objects.get()
        row.webhook_secret = Secret("another-secret")
        row.webhook_secret_hash = installation_keys().look_up_hash("another-secret")
        row.save()

    await asyncio.to_thread(rotate)
    assert (await door.telegram(update(2), secret="another-secret")).status == 200
    await asyncio.sleep(1.0)
    assert (await door.telegram(update(3))).status == 403


async def test_a_secret_is_looked_up_once_for_many_deliveries(door: Door) -> None:
    await asyncio.gather(*(door.telegram(update(n)) for n in range(50)))
    assert door.reader.reads == 1
    assert len(door.stored) == 50


async def test_strangers_are_limited_by_their_address_and_told_when_to_come_back(
    integration: Integration,  # noqa: ARG001  is found by its secret
) -> None:
    door = Door(limits=Limits(telegram_bad=Rate.per_minute(5)))
    answers = [await door.telegram(update(), secret=f"wrong {n}") for n in range(8)]
    assert [answer.status for answer in answers] == [403] * 5 + [429] * 3
    assert 1 <= int(answers[-1].headers["retry-after"]) <= 12
    other = await door.telegram(update(), secret="wrong", client="203.0.113.10")
    assert other.status == 403
    assert (await door.telegram(update(1))).status == 200  # whoever knows the secret is heard


async def test_malformed_requests_of_strangers_count_as_well(
    integration: Integration,  # noqa: ARG001  is found by its secret
) -> None:
    door = Door(limits=Limits(stripe_bad=Rate.per_minute(3)))
    answers = [await door.stripe(stripe_event(), signature="nonsense") for _ in range(5)]
    assert [answer.status for answer in answers] == [400] * 3 + [429] * 2
    assert (await door.stripe(stripe_event())).status == 200


async def test_one_integration_cannot_take_everything(integration: Integration) -> None:  # noqa: ARG001  is found by its secret
    door = Door(limits=Limits(valid=Rate(per_second=1, burst=3)))
    answers = [await door.telegram(update(n)) for n in range(5)]
    assert [answer.status for answer in answers] == [200] * 3 + [429] * 2


async def test_only_listed_addresses_may_deliver(integration: Integration) -> None:  # noqa: ARG001  is found by its secret
    door = Door(allowed=[ip_network("149.154.160.0/20"), ip_network("2001:db8::/32")])
    assert (await door.telegram(update(1), client="149.154.167.1")).status == 200
    assert (await door.telegram(update(2), client="2001:db8::7")).status == 200
    assert (await door.telegram(update(3), client="::ffff:149.154.167.1")).status == 200
    for stranger in ("149.154.176.1", "2001:db9::7", ""):
        assert (await door.telegram(update(4), client=stranger)).status == 403
    spoofed = [(b"x-forwarded-for", b"149.154.167.1")]
    assert (await door.telegram(update(5), headers=spoofed)).status == 403


async def test_a_trusted_proxy_is_believed_about_the_address(integration: Integration) -> None:  # noqa: ARG001  is found by its secret
    door = Door(trusted=[ip_network("10.0.0.0/8")], allowed=[ip_network("149.154.160.0/20")])
    for hops, status in (
        (b"149.154.167.1", 200),
        (b"6.6.6.6, 149.154.167.1, 10.0.0.7", 200),
        (b"149.154.167.1, 6.6.6.6", 403),
        (b"149.154.167.1, nonsense", 403),
    ):
        answer = await door.telegram(
            update(), client="10.0.0.1", headers=[(b"x-forwarded-for", hops)]
        )
        assert answer.status == status, hops


async def test_a_stripe_event_is_stored_with_its_lane(door: Door) -> None:
    assert (await door.stripe(stripe_event("evt_9"))).status == 200
    (event,) = door.stored
    assert (event.source, event.account, event.external_id) == ("stripe", 1, "evt_9")
    assert (event.kind, event.lane) == ("customer.subscription.updated", "stripe:1:cus_1")


@pytest.mark.parametrize(
    ("signature", "age", "secret"),
    [
        ("", 0, STRIPE_SECRET),
        ("t=1,v1=00", 0, STRIPE_SECRET),
        (None, 301, STRIPE_SECRET),
        (None, -301, STRIPE_SECRET),
        (None, 0, "whsec_wrong_0123456789"),
    ],
)
async def test_a_missing_stale_early_or_wrong_signature_is_refused(
    door: Door, signature: str | None, age: int, secret: str
) -> None:
    answer = await door.stripe(stripe_event(), signature=signature, age=age, secret=secret)
    assert answer.status == 400
    assert door.stored == []


async def test_a_body_that_was_changed_on_its_way_is_refused(door: Door) -> None:
    good = stripe_event()
    signature = sign(good, STRIPE_SECRET, int(now().timestamp()))
    assert (await door.stripe(good.replace(b"cus_1", b"cus_2"), signature=signature)).status == 400


async def test_the_secret_that_fits_tells_the_account(door: Door) -> None:
    def add() -> None:
        StripeAccount.objects.create(
            name="Second", api_key=Secret("sk_test_x"), webhook_secrets=Secret("whsec_a\nwhsec_b")
        )

    await asyncio.to_thread(add)
    for number, secret in enumerate(("whsec_a", "whsec_b", STRIPE_SECRET)):
        answer = await door.stripe(stripe_event(f"evt_{number}"), secret=secret)
        assert answer.status == 200
    assert [event.account for event in door.stored] == [2, 2, 1]


@pytest.mark.parametrize(
    "body", [b"", b"[]", b'{"id": "evt_1"}', b'{"object": "event"}', b"\xff", b"[" * 50_000]
)
async def test_what_is_signed_and_no_event_is_refused(door: Door, body: bytes) -> None:
    assert (await door.stripe(body)).status == 400
    assert door.stored == []


async def test_memory_for_strangers_is_bounded(door: Door) -> None:
    for n in range(200):
        await door.telegram(update(), secret=f"wrong {n}", client=f"203.0.{n // 250}.{n % 250}")
    assert len(door._telegram._bad) == 200
    assert len(door._telegram._senders._known) <= 201

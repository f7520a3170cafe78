from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest

from velvetrope.web.addresses import ClientAddresses, parse
from velvetrope.web.limits import Buckets, Rate


def scope(peer: str, *headers: tuple[str, str]) -> dict[str, Any]:
    return {
        "client": (peer, 1),
        "scheme": "http",
        "headers": [(name.encode(), value.encode()) for name, value in headers],
    }


PROXIES = ClientAddresses([ip_network("10.0.0.0/8"), ip_network("fd00::/8")])


@pytest.mark.parametrize(
    ("peer", "forwarded", "client"),
    [
        ("203.0.113.9", "1.1.1.1", "203.0.113.9"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "1.1.1.1", "1.1.1.1"),
        ("10.0.0.1", "6.6.6.6, 1.1.1.1", "1.1.1.1"),
        ("10.0.0.1", "6.6.6.6, 1.1.1.1, 10.9.9.9", "1.1.1.1"),
        ("10.0.0.1", "10.1.1.1, 10.2.2.2", "10.1.1.1"),
        ("10.0.0.1", "1.1.1.1, unknown", "10.0.0.1"),
        ("10.0.0.1", '1.1.1.1:443, "[2001:db8::1]:443"', "2001:db8::1"),
        ("::ffff:10.0.0.1", "1.1.1.1", "1.1.1.1"),
        ("fd00::1", "::ffff:1.1.1.1", "1.1.1.1"),
        ("10.0.0.1", "," * 1000, "10.0.0.1"),
    ],
)
def test_the_rightmost_address_that_is_no_trusted_proxy_counts(
    peer: str, forwarded: str, client: str
) -> None:
    assert PROXIES.of(scope(peer, ("x-forwarded-for", forwarded))) == client


def test_several_headers_read_as_one() -> None:
    headers = (("x-forwarded-for", "6.6.6.6"), ("x-forwarded-for", "1.1.1.1, 10.0.0.2"))
    assert PROXIES.of(scope("10.0.0.1", *headers)) == "1.1.1.1"


@pytest.mark.parametrize("text", ["", "unix", "1.2.3", "1.2.3.4.5", "fe80:::", "host:80"])
def test_what_is_no_address_is_none(text: str) -> None:
    assert parse(text) is None


@pytest.mark.parametrize(
    ("peer", "headers", "local"),
    [
        ("127.0.0.1", [("host", "127.0.0.1:8000")], True),
        ("::1", [("host", "[::1]:8000")], True),
        ("::1", [("host", "[::1]")], True),
        ("127.0.0.1", [("host", "localhost")], True),
        ("127.0.0.1", [("host", "shop.example.com")], False),
        ("127.0.0.1", [("host", "localhost"), ("x-forwarded-for", "127.0.0.1")], False),
        ("127.0.0.1", [("host", "localhost"), ("forwarded", "for=1.1.1.1")], False),
        ("127.0.0.1", [("host", "localhost"), ("via", "1.1 proxy")], False),
        ("127.0.0.1", [], False),
        ("203.0.113.9", [("host", "localhost")], False),
    ],
)
def test_a_proxy_on_this_machine_does_not_make_strangers_local(
    peer: str, headers: list[tuple[str, str]], local: bool
) -> None:
    assert ClientAddresses([]).is_local(scope(peer, *headers)) is local


def test_a_proxy_that_speaks_the_old_protocol_is_one() -> None:
    asked = scope("127.0.0.1", ("host", "127.0.0.1:8000"))
    assert ClientAddresses([]).is_local({**asked, "http_version": "1.1"})
    assert not ClientAddresses([]).is_local({**asked, "http_version": "1.0"})


def test_where_the_loopback_is_a_trusted_proxy_nobody_is_local() -> None:
    addresses = ClientAddresses([ip_network("127.0.0.0/8")])
    assert not addresses.is_local(scope("127.0.0.1", ("host", "localhost")))


def test_tls_is_believed_of_trusted_proxies_only() -> None:
    secure = ("x-forwarded-proto", "https")
    assert PROXIES.is_secure(scope("10.0.0.1", secure))
    assert not PROXIES.is_secure(scope("203.0.113.9", secure))


def test_a_bucket_fills_again_with_time() -> None:
    buckets: Buckets[str] = Buckets(Rate(per_second=2, burst=3))
    assert [buckets.take("a", 0.0) for _ in range(4)] == [True] * 3 + [False]
    assert buckets.is_spent("a", 0.4)
    assert buckets.retry_after("a", 0.0) == 1
    assert buckets.take("a", 0.5)
    assert not buckets.take("a", 0.6)
    assert buckets.take("b", 0.6)


def test_there_are_never_more_buckets_than_agreed() -> None:
    buckets: Buckets[int] = Buckets(Rate.per_minute(1), most=100)
    for n in range(1000):
        buckets.take(n, 0.0)
    assert len(buckets) == 100
    assert not buckets.take(999, 0.0)

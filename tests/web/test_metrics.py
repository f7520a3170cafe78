from __future__ import annotations

from ipaddress import ip_network
from typing import Any

import pytest
from prometheus_client import CollectorRegistry
from prometheus_client.parser import text_string_to_metric_families

from velvetrope.web.addresses import ClientAddresses
from velvetrope.web.metrics import IngressMetrics, MetricsPage

TOKEN = "metrics-token-0123456789"


def scope(peer: str = "127.0.0.1", method: str = "GET", **headers: str) -> dict[str, Any]:
    given = {"host": "127.0.0.1:8000"} | headers
    return {
        "method": method,
        "client": (peer, 1),
        "headers": [
            (key.replace("_", "-").encode(), value.encode()) for key, value in given.items()
        ],
    }


def test_the_page_is_what_prometheus_reads() -> None:
    page = MetricsPage(ClientAddresses([]), None)
    IngressMetrics(page.registry).count("telegram", "stored", 0.002)
    status, headers, body = page.answer(scope())
    assert status == 200
    assert dict(headers)[b"content-type"].startswith(b"text/plain; version=0.0.4")
    families = {family.name: family for family in text_string_to_metric_families(body.decode())}
    counted = families["velvetrope_ingress_requests"].samples[0]
    assert (counted.labels, counted.value) == ({"source": "telegram", "outcome": "stored"}, 1.0)
    assert "velvetrope_ingress_seconds" in families
    assert "process_resident_memory_bytes" in families


@pytest.mark.parametrize(
    ("asked", "status"),
    [
        (scope(), 200),
        (scope("::1", host="[::1]:8000"), 200),
        (scope("203.0.113.9"), 401),
        (scope(x_forwarded_for="127.0.0.1"), 401),
        (scope(host="shop.example"), 401),
        (scope("203.0.113.9", authorization=f"Bearer {TOKEN}"), 200),
        (scope("203.0.113.9", authorization=f"bearer {TOKEN}"), 401),
        (scope(authorization="Bearer wrong"), 401),
        (scope(authorization="Basic eDp5"), 401),
        (scope(method="POST"), 405),
    ],
)
def test_only_this_machine_and_the_token_open_it(asked: dict[str, Any], status: int) -> None:
    assert MetricsPage(ClientAddresses([]), TOKEN).answer(asked)[0] == status


def test_open_alerts_are_counted_by_code() -> None:
    page = MetricsPage(ClientAddresses([]), None)
    page.alerts.counts = {"missing_rights": 2, "other": 1}
    body = page.answer(scope())[2].decode()
    assert 'velvetrope_alerts_open{code="missing_rights"} 2.0' in body
    assert 'velvetrope_alerts_open{code="other"} 1.0' in body


def test_without_a_token_no_token_opens_it() -> None:
    page = MetricsPage(ClientAddresses([]), None)
    assert page.answer(scope("203.0.113.9", authorization="Bearer "))[0] == 401
    assert page.answer(scope("203.0.113.9", authorization="Bearer None"))[0] == 401


def test_behind_a_proxy_on_this_machine_the_token_is_needed() -> None:
    page = MetricsPage(ClientAddresses([ip_network("127.0.0.0/8")]), TOKEN)
    assert page.answer(scope())[0] == 401
    assert page.answer(scope(authorization=f"Bearer {TOKEN}"))[0] == 200


def test_labels_come_from_small_sets() -> None:
    registry = CollectorRegistry()
    metrics = IngressMetrics(registry)
    for _ in range(100):
        metrics.count("stripe", "known", 0.001)
    samples = [one for family in registry.collect() for one in family.samples]
    assert len({tuple(one.labels.items()) for one in samples if "le" not in one.labels}) == 2

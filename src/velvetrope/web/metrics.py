"""What is counted, in the text format of Prometheus; labels come from small, fixed sets."""

from __future__ import annotations

from hmac import compare_digest
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, Final

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.gc_collector import GCCollector
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from velvetrope.web.addresses import values

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from prometheus_client.core import Metric

    from velvetrope.pipeline.pipeline import Pipeline
    from velvetrope.web.addresses import ClientAddresses

CONTENT_TYPE: Final = "text/plain; version=0.0.4; charset=utf-8"

#: Seconds; an acknowledgement takes a few milliseconds, and a vendor gives up after some seconds.
_BUCKETS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)


class IngressMetrics:
    """Counts deliveries by source and outcome, with the time until they were answered."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self._requests = Counter(
            "velvetrope_ingress_requests",
            "Deliveries by what became of them.",
            ("source", "outcome"),
            registry=registry,
        )
        self._seconds = Histogram(
            "velvetrope_ingress_seconds",
            "Seconds from a delivery to its answer.",
            ("source",),
            buckets=_BUCKETS,
            registry=registry,
        )
        self._counters: dict[tuple[str, str], Any] = {}
        self._histograms: dict[str, Any] = {}

    def count(self, source: str, outcome: str, seconds: float) -> None:
        key = (source, outcome)
        counter = self._counters.get(key)
        if counter is None:  # looking labels up costs more than counting
            counter = self._counters[key] = self._requests.labels(source, outcome)
            self._histograms[source] = self._seconds.labels(source)
        counter.inc()
        self._histograms[source].observe(seconds)


class PipelineCollector(Collector):
    """Shows the pipeline's own numbers at the moment when they are asked for."""

    def __init__(self, pipeline: Pipeline) -> None:
        self._pipeline = pipeline

    def collect(self) -> Iterator[Metric]:
        stats, load = self._pipeline.stats, self._pipeline.load()
        yield _counter(
            "velvetrope_events_done", "Events by outcome.", ("source", "outcome"), stats.events_done
        )
        yield _counter(
            "velvetrope_events_retried",
            "Tries of events that failed and are repeated.",
            ("source", "code"),
            stats.events_retried,
        )
        yield _counter(
            "velvetrope_events_dead",
            "Events that became dead letters.",
            ("source", "code"),
            stats.events_dead,
        )
        yield _counter(
            "velvetrope_outbox_items", "Calls to the Bot API.", ("method", "result"), stats.items
        )
        yield _counter(
            "velvetrope_periodic_runs", "Runs of periodic work.", ("name", "result"), stats.periodic
        )
        yield _counter(
            "velvetrope_transactions",
            "Transactions of the group writer.",
            ("kind",),
            {("committed",): load.transactions, ("replayed",): load.replays},
        )
        gauges: dict[str, tuple[str, float]] = {
            "velvetrope_events_in_hand": ("Events in memory.", load.events),
            "velvetrope_lanes": ("Lanes with events in memory.", load.lanes),
            "velvetrope_lanes_held": ("Lanes that wait for another try.", load.lanes_held),
            "velvetrope_items_in_hand": ("Calls in memory.", load.items),
            "velvetrope_items_in_flight": ("Calls being made.", load.items_in_flight),
            "velvetrope_writes_waiting": ("What waits for the writer.", load.writes_waiting),
            "velvetrope_remotes_down": ("Remotes that are down.", len(load.remotes_down)),
        }
        for name, (text, value) in gauges.items():
            yield GaugeMetricFamily(name, text, value=value)


class AlertCollector(Collector):
    """Shows how many alerts are open, as the database told last."""

    def __init__(self) -> None:
        self.counts: Mapping[str, int] = {}

    def collect(self) -> Iterator[Metric]:
        family = GaugeMetricFamily(
            "velvetrope_alerts_open", "Alerts that wait for an operator.", labels=("code",)
        )
        for code, number in self.counts.items():
            family.add_metric((code,), number)
        yield family


def _counter(
    name: str, text: str, labels: tuple[str, ...], counts: Mapping[Any, float]
) -> CounterMetricFamily:
    family = CounterMetricFamily(name, text, labels=labels)
    for key, value in list(counts.items()):
        family.add_metric(key, value)
    return family


class MetricsPage:
    """Answers `/metrics`, to those who know the token or ask from this very machine."""

    def __init__(self, addresses: ClientAddresses, token: str | None) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        PlatformCollector(registry=self.registry)
        GCCollector(registry=self.registry)
        self.alerts = AlertCollector()
        self.registry.register(self.alerts)
        self._addresses = addresses
        self._token = token

    def answer(self, scope: Mapping[str, Any]) -> tuple[int, list[tuple[bytes, bytes]], bytes]:
        """Give status, headers and body."""
        if scope["method"] not in {"GET", "HEAD"}:
            return HTTPStatus.METHOD_NOT_ALLOWED, [(b"allow", b"GET, HEAD")], b""
        given = values(scope["headers"], b"authorization")
        if given:
            if self._token is None or not compare_digest(
                given[0], b"Bearer " + self._token.encode()
            ):
                return HTTPStatus.UNAUTHORIZED, [(b"www-authenticate", b"Bearer")], b""
        elif not self._addresses.is_local(scope):
            return HTTPStatus.UNAUTHORIZED, [(b"www-authenticate", b"Bearer")], b""
        return (
            HTTPStatus.OK,
            [(b"content-type", CONTENT_TYPE.encode())],
            generate_latest(self.registry),
        )

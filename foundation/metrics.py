"""Numbers for Prometheus, on a port of their own that only the operator's network reaches. Ids and counts only."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field

from prometheus_client import CollectorRegistry, start_http_server
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector
from sqlalchemy.exc import SQLAlchemyError

log = logging.getLogger(__name__)

_UP = "waypost_up"


@dataclass(frozen=True)
class Reading:
    """One number as it is now. The same name comes with the same labels' names each time."""

    name: str
    says: str
    value: float
    labels: dict[str, str] = field(default_factory=dict)


class _Readings(Collector):
    """Asks anew for every scrape; a database that is away is a number as well, `waypost_up 0`."""

    def __init__(self, read: Callable[[], Iterable[Reading]]) -> None:
        self._read = read

    def collect(self) -> Iterator[GaugeMetricFamily]:
        up = GaugeMetricFamily(_UP, "Whether the database answered this time.")
        try:
            families = list(_families(self._read()))
            up.add_metric([], 1)
        except SQLAlchemyError as fault:
            log.error("the metrics could not reach the database: %s", type(fault).__name__)
            families = []
            up.add_metric([], 0)
        yield up
        yield from families


def registry(read: Callable[[], Iterable[Reading]]) -> CollectorRegistry:
    """A registry of these readings alone: nothing of the process or its libraries."""
    made = CollectorRegistry(auto_describe=False)
    made.register(_Readings(read))
    return made


def serve(read: Callable[[], Iterable[Reading]], host: str, port: int) -> Callable[[], None]:
    """Serves them at `http://host:port/metrics` from a thread; returns what ends it. Raises OSError."""
    server, thread = start_http_server(port, addr=host, registry=registry(read))

    def end() -> None:
        server.shutdown()
        server.server_close()
        thread.join()

    return end


def _families(readings: Iterable[Reading]) -> Iterator[GaugeMetricFamily]:
    families: dict[str, GaugeMetricFamily] = {}
    for reading in readings:
        labels = sorted(reading.labels)
        family = families.setdefault(
            reading.name, GaugeMetricFamily(reading.name, reading.says, labels=labels)
        )
        family.add_metric([reading.labels[label] for label in labels], reading.value)
    yield from families.values()

"""The bell: RQ on any Redis-compatible server. If it is gone, work is only later, never lost."""

from __future__ import annotations

import logging
import time
from typing import Any
from urllib.parse import urlsplit

import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from redis.sentinel import Sentinel
from rq import Queue
from rq.serializers import JSONSerializer

from foundation.settings import Settings

log = logging.getLogger(__name__)

# The name by which a worker finds the function to run.
DRAIN = "worker.drain"
# After a failure the bell stays silent so long, so that a frozen server does not slow every page.
_SILENCE_SECONDS = 5.0


def connect(settings: Settings, *, timeout: float | None = 0.5) -> redis.Redis | None:
    """A connection to the server of the settings, or None where none is set. Connects lazily."""
    if not settings.redis_url:
        return None
    waits: dict[str, Any] = {"socket_timeout": timeout, "socket_connect_timeout": timeout or 1.0}
    if timeout:
        # Each retry would wait as long again, with a commit's page behind it.
        waits["retry"] = Retry(NoBackoff(), 0)
    if settings.redis_sentinels:
        parts = urlsplit(settings.redis_url)
        nodes = [
            (node.rpartition(":")[0], int(node.rpartition(":")[2]))
            for node in settings.redis_sentinels.split(",")
        ]
        sentinel = Sentinel(nodes, **waits)  # type: ignore[no-untyped-call]  # redis-py leaves it untyped
        found: redis.Redis = sentinel.master_for(  # type: ignore[no-untyped-call]
            settings.redis_sentinel_name, password=parts.password, db=int(parts.path.strip("/") or 0), **waits
        )
        return found
    return redis.Redis.from_url(settings.redis_url, **waits)


def queue(connection: redis.Redis, *, urgent: bool) -> Queue:
    """The queue of urgent or of routine work; each worker process listens to one only."""
    return Queue("urgent" if urgent else "routine", connection=connection, serializer=JSONSerializer)


class Bell:
    """Rings the worker: best effort, bounded, never raising. `missed` counts the rings that did not arrive."""

    def __init__(self, settings: Settings) -> None:
        self._connection = connect(settings)
        self._silent_until = 0.0
        self.missed = 0

    def __call__(self, urgent: bool) -> None:
        """Enqueues one drain of the urgent or the routine outbox."""
        if self._connection is None or time.monotonic() < self._silent_until:
            return
        try:
            queue(self._connection, urgent=urgent).enqueue(
                DRAIN, urgent, description=DRAIN, retry=None, result_ttl=0, failure_ttl=60, job_timeout=120
            )
        except Exception as fault:
            # Whatever it is: the commit that rang stands, and its page must say so.
            self.missed += 1
            self._silent_until = time.monotonic() + _SILENCE_SECONDS
            log.warning("the bell did not ring: %s; the sweep delivers", type(fault).__name__)

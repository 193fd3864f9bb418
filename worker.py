"""The queue process and the clock start here: `worker.py queue urgent|routine`, `worker.py clock`.

A queue process waits for the bell and drains the outbox; each listens to one queue only (on two, a job can be lost
for good). The clock process takes every step that is due and drains what no bell announced, so that the whole
service works, only slower, without Redis.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import time
from collections.abc import Callable
from datetime import datetime
from functools import cache
from pathlib import Path

import redis
from rq import SimpleWorker
from rq.serializers import JSONSerializer
from sqlalchemy.exc import DBAPIError

from foundation import clock, database, heartbeat, outbox, queue
from foundation.settings import Settings, SettingsError
from notifications import callbacks, delivery
from referrals.duty import Duty
from referrals.grants import Keys
from referrals.keyring import FileKeyring
from routing import clocks, jobs

log = logging.getLogger(__name__)

# Every name that an outbox message may hold.
JOBS: dict[str, Callable[[Duty, str], datetime | None]] = {
    "routing.jobs.route_referral": jobs.route_referral,
    "routing.jobs.next_contact": jobs.next_contact,
    "notifications.delivery.deliver": delivery.deliver,
    "notifications.callbacks.apply_report": callbacks.apply_report,
}
# Without Redis this is how long a notice waits at most before it leaves.
_SWEEP_SECONDS = 0.5


@cache
def duty() -> Duty:
    """What this process works with, from its environment."""
    try:
        settings = Settings.from_mapping(os.environ)
    except SettingsError as fault:
        sys.exit("Waypost cannot start:\n  " + "\n  ".join(fault.faults))
    engine = outbox.with_bell(database.make_engine(settings.database_url), queue.Bell(settings))
    ring = FileKeyring.unlock(Path(settings.keyring_file), settings.keyring_passphrase)
    return Duty(engine, settings, Keys(ring, settings.deployment))


def perform(working: Duty) -> outbox.Job:
    """The function by which the outbox does a job by its name."""

    def run(job: str, subject_id: str) -> datetime | None:
        return JOBS[job](working, subject_id)

    return run


def drain(urgent: bool) -> int:
    """What a ring of the bell does: everything of that kind that is due. RQ calls it by name."""
    done = outbox.drain(duty().engine, perform(duty()), urgent=urgent)
    _beat("queue urgent" if urgent else "queue routine")
    return done


def sweep(working: Duty) -> int:
    """One round of the clock: due steps, then whatever is owed and nobody drained, urgent first."""
    steps = clocks.sweep(working)
    for urgent in (True, False):
        steps += outbox.drain(working.engine, perform(working), urgent=urgent)
    return steps


def run_clock() -> None:
    """Sweeps until it is told to stop; a lost database only makes it wait."""
    stopping: list[int] = []
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, lambda number, frame: stopping.append(number))
    while not stopping:
        steps = 0
        try:
            steps = sweep(duty())
            _beat("clock")
        except DBAPIError as fault:
            log.error("the sweep could not reach the database: %s", type(fault).__name__)
        if not steps:
            # What was just done may owe the next thing at once; only a quiet house is left alone.
            time.sleep(_SWEEP_SECONDS)


def run_queue(name: str) -> None:
    """Waits for the bell of one queue until it is told to stop.

    Without a server it waits for one to come back, and the clock delivers meanwhile. A server lost during work ends
    the process, since RQ keeps threads and signals of its own: the supervisor starts a clean one.
    """
    working = duty()
    connection = queue.connect(working.settings, timeout=None)
    if connection is None:
        sys.exit("REDIS_URL is not set: there is no bell to wait for. The clock process delivers by itself.")
    while not _answers(connection):
        time.sleep(_SWEEP_SECONDS)
    try:
        _worker(connection, name).work(logging_level="WARNING")
    except redis.RedisError as fault:
        sys.exit(f"The bell was lost: {type(fault).__name__}.")


def _answers(connection: redis.Redis) -> bool:
    try:
        return bool(connection.ping())
    except (redis.RedisError, OSError):
        return False


def _worker(connection: redis.Redis, name: str) -> SimpleWorker:
    # Short intervals: with RQ's own, a killed worker's jobs come back after a quarter of an hour.
    worker = SimpleWorker(
        [queue.queue(connection, urgent=name == "urgent")],
        connection=connection,
        serializer=JSONSerializer,
        worker_ttl=30,
        maintenance_interval=30,
        job_monitoring_interval=5,
        log_job_description=False,
    )
    return worker


def _beat(part: str) -> None:
    with database.transaction(duty().engine) as session:
        heartbeat.beat(session, part, clock.now())


def main() -> None:
    """Reads the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parts = parser.add_subparsers(dest="part", required=True)
    parts.add_parser("queue").add_argument("name", choices=("urgent", "routine"))
    parts.add_parser("clock")
    asked = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    if asked.part == "clock":
        run_clock()
    else:
        run_queue(asked.name)


if __name__ == "__main__":
    # RQ imports this file as `worker`; both must be one module, with one set of connections.
    import worker

    worker.main()

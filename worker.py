"""The queue process and the clock start here: `worker.py queue urgent|routine`, `worker.py clock`.

A queue process waits for the bell and drains the outbox; each listens to one queue only (on two, a job can be lost
for good). The clock process takes every step that is due, and beside it drains what no bell announced, so that the
whole service works, only slower, without Redis.
"""

from __future__ import annotations

import argparse
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

import redis
from rq import SimpleWorker
from rq.serializers import JSONSerializer
from sqlalchemy.exc import SQLAlchemyError

from foundation import clock, database, heartbeat, metrics, outbox, queue
from foundation.metrics import Reading
from foundation.settings import Settings, SettingsError
from ledger.sequencer import Sequencer
from notifications import (
    bounces,
    bundling,
    callbacks,
    checking,
    delivery,
    key_ends,
    reports,
    ringing,
    senders,
    silence,
    turns,
    witnesses,
)
from referrals import rotation, shelf
from referrals.duty import Duty
from referrals.grants import Keys
from referrals.keyring import FileKeyring
from routing import canary, clocks, drills, dry_run, jobs, permission, signs, snapshots

log = logging.getLogger(__name__)

# Every name that an outbox message may hold.
JOBS: dict[str, Callable[[Duty, str], datetime | None]] = {
    "routing.jobs.route_referral": jobs.route_referral,
    "routing.jobs.next_contact": jobs.next_contact,
    "routing.permission.settle": permission.settle,
    "routing.dry_run.try_draft": dry_run.try_draft,
    "notifications.delivery.deliver": delivery.deliver,
    "notifications.callbacks.apply_report": callbacks.apply_report,
    "notifications.silence.look": silence.look,
    "notifications.ringing.ring": ringing.ring,
    "notifications.senders.page": senders.page,
    "notifications.checking.send_code": checking.send_code,
    "notifications.reports.send": reports.send,
    "notifications.witnesses.mail_checkpoint": witnesses.mail_checkpoint,
}
# What the clock keeps in order beside its steps, once a minute each.
UPKEEP: tuple[Callable[[Duty], int], ...] = (
    rotation.keep_keys,
    shelf.keep_shelf,
    checking.keep_proofs,
    turns.tell_coming,
    key_ends.tell_ending,
    bundling.release,
    canary.keep_watch,
    drills.keep,
    signs.call_outside,
    bounces.read_mailbox,
)
_UPKEEP_SECONDS = 60.0
# Without Redis this is how long a notice waits at most before it leaves.
_SWEEP_SECONDS = 0.5
# A queue's job ends after so long and so many messages, well before RQ ends it in the middle of a call.
_JOB_SECONDS, _JOB_MESSAGES = 60.0, 100
# No part says more often that it lives.
_BEAT_SECONDS = 5.0
_beaten: dict[str, float] = {}
# A stopped clock lets calls under way come to their end, but not for longer than a supervisor waits.
_FAREWELL_SECONDS = 8.0


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
    """What a ring of the bell does: what is due of that kind, for a minute at most. RQ calls it by name."""
    ends = time.monotonic() + _JOB_SECONDS
    return _drain(duty(), urgent, _queue_part(urgent), lambda: time.monotonic() < ends)


def sweep(working: Duty) -> int:
    """One round of all that the clock process does, in one thread: due steps, then what is owed, urgent first."""
    steps = clocks.sweep(working)
    for urgent in (True, False):
        steps += outbox.drain(working.engine, perform(working), urgent=urgent)
    return steps


def run_clock() -> None:
    """Takes due steps and drains until it is told to stop; a lost database only makes it wait.

    Steps, urgent and routine messages, and the upkeep have a thread each: a provider that answers slowly, or never,
    holds up neither the clocks nor, with what is routine, what is urgent.
    """
    stopping = threading.Event()
    for stop in (signal.SIGTERM, signal.SIGINT):
        signal.signal(stop, lambda number, frame: stopping.set())
    _serve_metrics(duty())
    if not run_rounds(duty(), stopping):
        sys.exit("A part of the clock fell out of its loop; the supervisor starts a clean one.")


def _serve_metrics(working: Duty) -> None:
    """Where METRICS_PORT is set. A port that is taken is said, and stops no clock."""

    def read() -> list[Reading]:
        with database.reading(working.engine) as session:
            return list(signs.readings(session, working.settings, clock.now()))

    host, port = working.settings.metrics_host, working.settings.metrics_port
    try:
        if port:
            metrics.serve(read, host, port)
    except OSError as fault:
        log.error("metrics cannot be served on port %s: %s", port, type(fault).__name__)


def run_rounds(working: Duty, stopping: threading.Event) -> bool:
    """The loops of the clock, until `stopping` is set; False if one of them broke and so stopped all."""

    def going() -> bool:
        return not stopping.is_set()

    rounds: dict[str, Callable[[], int]] = {
        "clock": partial(clocks.sweep, working),
        "clock urgent": partial(_drain, working, True, "clock urgent", going),
        "clock routine": partial(_drain, working, False, "clock routine", going),
        "clock upkeep": partial(_keep_up, working, stopping),
        "clock ledger": Sequencer(working.engine, working.settings).take_turn,
    }
    broken: list[str] = []

    def run(part: str) -> None:
        try:
            _repeat(part, rounds[part], stopping)
        except BaseException as fault:
            log.error("the loop of the %s broke: %s", part, type(fault).__name__)
            broken.append(part)
            stopping.set()

    # Daemons: a call to a provider that hangs must not keep a stopped process alive. What it was doing is unsettled,
    # and asked about after its lease.
    threads = [threading.Thread(target=run, args=(part,), daemon=True) for part in rounds]
    for thread in threads:
        thread.start()
    stopping.wait()
    deadline = time.monotonic() + _FAREWELL_SECONDS
    for thread in threads:
        thread.join(max(deadline - time.monotonic(), 0))
    return not broken


def _repeat(part: str, round_: Callable[[], int], stopping: threading.Event) -> None:
    while not stopping.is_set():
        done = 0
        try:
            done = round_()
            beat(part)
        except SQLAlchemyError as fault:
            # Also when every connection is taken: that passes.
            log.error("the %s could not reach the database: %s", part, type(fault).__name__)
        except _NotKept:
            # A minute has passed already.
            continue
        if not done:
            # What was just done may owe the next thing at once; only a quiet house is left alone.
            stopping.wait(_SWEEP_SECONDS)


def _drain(working: Duty, urgent: bool, part: str, goes_on: Callable[[], bool]) -> int:
    """Does what is due of that kind, and says after each message that this part lives."""

    def beat_and_ask() -> bool:
        beat(part)
        return goes_on()

    most = _JOB_MESSAGES
    return outbox.drain(working.engine, perform(working), urgent=urgent, most=most, goes_on=beat_and_ask)


class _NotKept(Exception):
    """A part of the upkeep failed, which is logged; the others went on."""


def _keep_up(working: Duty, stopping: threading.Event) -> int:
    """One round of the upkeep, and a minute's rest. What fails, a folder or a key that cannot be read, stops neither
    the others nor the clocks beside them; the round then does not say that it lives, so that the status page turns red.
    """
    kept = [_kept(keep, working) for keep in UPKEEP]
    stopping.wait(_UPKEEP_SECONDS)
    if not all(kept):
        raise _NotKept
    return 1


def _kept(keep: Callable[[Duty], int], working: Duty) -> bool:
    try:
        keep(working)
    except Exception as fault:
        log.error("the upkeep %s.%s failed: %s", keep.__module__, keep.__name__, type(fault).__name__)
        return False
    return True


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
    snapshots.keep_warm()
    try:
        _worker(connection, name).work(logging_level="WARNING")
    except redis.RedisError as fault:
        sys.exit(f"The bell was lost: {type(fault).__name__}.")


def _answers(connection: redis.Redis) -> bool:
    try:
        return bool(connection.ping())
    except (redis.RedisError, OSError):
        return False


class _Beating(SimpleWorker):
    """Says in the database as well that it lives, whenever RQ has it say so in Redis: before, between and after jobs,
    and each quarter of a minute when the queue is empty."""

    part = ""

    def heartbeat(self, *given: Any, **named: Any) -> None:
        super().heartbeat(*given, **named)
        try:
            beat(self.part)
        except SQLAlchemyError as fault:
            log.error("%s could not reach the database: %s", self.part, type(fault).__name__)


def _worker(connection: redis.Redis, name: str) -> SimpleWorker:
    # Short intervals: with RQ's own, a killed worker's jobs come back after a quarter of an hour.
    worker = _Beating(
        [queue.queue(connection, urgent=name == "urgent")],
        connection=connection,
        serializer=JSONSerializer,
        worker_ttl=30,
        maintenance_interval=30,
        job_monitoring_interval=5,
        log_job_description=False,
    )
    worker.part = _queue_part(name == "urgent")
    return worker


def _queue_part(urgent: bool) -> str:
    return "queue urgent" if urgent else "queue routine"


def beat(part: str) -> None:
    """Records that a part of this process lives, every few seconds at most."""
    if time.monotonic() - _beaten.get(part, -_BEAT_SECONDS) < _BEAT_SECONDS:
        return
    with database.transaction(duty().engine) as session:
        heartbeat.beat(session, part, clock.now())
    _beaten[part] = time.monotonic()


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

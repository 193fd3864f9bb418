"""The outbox: what one transaction owes to a later one. The database is the book, the queue only the bell.

A message names a job and carries one id. It is claimed with a lease, done outside any transaction of ours, and
settled by deleting its row. A process that dies in between leaves the row; after the lease somebody else takes
it. So each job may run twice and must be written for that.
"""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from types import TracebackType

from sqlalchemy import ColumnElement, Engine, delete, func, insert, or_, select, update
from sqlalchemy.orm import Session

from foundation import database
from foundation.identifiers import new_id
from foundation.tables import outbox

log = logging.getLogger(__name__)

# Longer than any job may talk with a provider, so that nobody takes over one that still runs. The rooms above bound
# their conversations by it: a mail is cut off after 50 s, connecting included, a question and a text after 48 s.
LEASE = timedelta(seconds=60)
_LONGEST_PAUSE_SECONDS = 300
_MANY_TRIES = 5

# Made once, so that it is not compiled anew each time; the row's number is not asked for.
_OWE = insert(outbox).inline()

Bell = Callable[[bool], None]
Job = Callable[[str, str], datetime | None]


@dataclass(frozen=True)
class Message:
    """A claimed message; `lease` proves that it is ours."""

    id: int
    job: str
    subject_id: str
    tries: int
    lease: str


def with_bell(engine: Engine, bell: Bell) -> Engine:
    """The same engine, whose transactions ring `bell(urgent)` after a commit that posted something."""
    return engine.execution_options(bell=bell)


def post(
    session: Session,
    job: str,
    subject_id: str,
    *,
    now: datetime,
    urgent: bool = False,
    due_at: datetime | None = None,
) -> None:
    """Owes `job(subject_id)` from `due_at` on (default: at once), if and only if this transaction commits."""
    row = {"job": job, "subject_id": subject_id, "urgent": urgent, "created_at": now, "due_at": due_at or now}
    session.execute(_OWE, row)
    bell = session.get_bind().get_execution_options().get("bell")
    if bell is not None:
        session.info.setdefault("after_commit", {})[urgent] = partial(bell, urgent)


def claim(session: Session, *, urgent: bool) -> Message | None:
    """Takes the oldest due message of that kind under a new lease, or None. Commit before doing it.

    First in, first out among the urgent: imminent ones do not overtake, or a storm of them would starve what is
    merely elevated; what is slow is held up by more processes, not by order.
    """
    now = database.now(session)
    row = session.execute(
        select(outbox)
        .where(*_due(urgent, now))
        .order_by(outbox.c.due_at, outbox.c.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    ).first()
    if row is None:
        return None
    lease = new_id()
    session.execute(
        update(outbox)
        .where(outbox.c.id == row.id)
        .values(lease=lease, lease_until=now + LEASE, tries=row.tries + 1)
    )
    return Message(row.id, row.job, row.subject_id, row.tries + 1, lease)


def drain(engine: Engine, run: Job, *, urgent: bool, most: int = 100) -> int:
    """Does up to `most` due messages through `run(job, subject_id)`; returns how many it did.

    `run` returns None when nothing is owed any more, or the time at which to come again. If it raises, the
    message comes again after a pause that grows; the exception's words are not kept, they may hold content.
    """
    with database.reading(engine) as session:
        if not _anything_due(session, urgent):
            # A look costs no write lock, so a sweep that finds nothing slows nobody.
            return 0
    done = 0
    while done < most:
        with database.transaction(engine) as session:
            message = claim(session, urgent=urgent)
        if message is None:
            break
        _do(engine, run, message)
        done += 1
    return done


def waiting(session: Session) -> dict[str, int]:
    """How many messages are due and not yet done, by job."""
    now = database.now(session)
    rows = session.execute(
        select(outbox.c.job, func.count()).where(outbox.c.due_at <= now).group_by(outbox.c.job)
    )
    return {job: count for job, count in rows}


def failing(session: Session) -> list[tuple[str, str]]:
    """Job and the last fault's class of messages that failed five times or more: somebody has to look."""
    rows = session.execute(
        select(outbox.c.job, outbox.c.fault)
        .where(outbox.c.tries >= _MANY_TRIES, outbox.c.fault.is_not(None))
        .distinct()
    )
    return [(job, fault) for job, fault in rows]


def _due(urgent: bool, now: datetime) -> tuple[ColumnElement[bool], ...]:
    return (
        outbox.c.urgent == urgent,
        outbox.c.due_at <= now,
        or_(outbox.c.lease_until.is_(None), outbox.c.lease_until < now),
    )


def _anything_due(session: Session, urgent: bool) -> bool:
    query = select(outbox.c.id).where(*_due(urgent, database.now(session))).limit(1)
    return session.execute(query).first() is not None


def _do(engine: Engine, run: Job, message: Message) -> None:
    try:
        again = run(message.job, message.subject_id)
        fault = None
    except Exception as failure:
        # The class says enough to look for; the text could hold somebody's words.
        fault = type(failure).__name__
        log.error("job %s failed: %s", message.job, fault, exc_info=_where(failure))
        again = None
    with database.transaction(engine) as session:
        _settle(session, message, again, fault)


def _settle(session: Session, message: Message, again: datetime | None, fault: str | None) -> None:
    ours = (outbox.c.id == message.id, outbox.c.lease == message.lease)
    if again is None and fault is None:
        session.execute(delete(outbox).where(*ours))
        return
    due_at = again or database.now(session) + _pause(message.tries)
    session.execute(
        update(outbox).where(*ours).values(due_at=due_at, lease=None, lease_until=None, fault=fault)
    )


def _pause(tries: int) -> timedelta:
    seconds = min(2.0**tries, _LONGEST_PAUSE_SECONDS)
    # Jitter, so that a hundred failed jobs do not come back in the same second.
    return timedelta(seconds=seconds * random.uniform(0.5, 1.0))


def _where(failure: Exception) -> tuple[type[Exception], Exception, TracebackType | None]:
    """The place of a failure without its text."""
    blank = RuntimeError(type(failure).__name__)
    return (RuntimeError, blank, failure.__traceback__)

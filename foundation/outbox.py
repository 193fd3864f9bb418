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

from sqlalchemy import Engine, bindparam, delete, func, insert, or_, select, update
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

# Made once, since making a statement costs as much as sending it. The row's number is not asked for.
_OWE = insert(outbox).inline()
_OLDEST = (
    select(outbox.c.id)
    .where(
        outbox.c.urgent == bindparam("of_urgent"),
        outbox.c.due_at <= bindparam("moment"),
        or_(outbox.c.lease_until.is_(None), outbox.c.lease_until < bindparam("moment")),
    )
    .order_by(outbox.c.due_at, outbox.c.id)
    .limit(1)
)
_CLAIM = (
    update(outbox)
    # What another process is just claiming is passed over, where the database can (PostgreSQL).
    .where(outbox.c.id == _OLDEST.with_for_update(skip_locked=True).scalar_subquery())
    .values(lease=bindparam("new_lease"), lease_until=bindparam("new_lease_until"), tries=outbox.c.tries + 1)
    .returning(outbox.c.id, outbox.c.job, outbox.c.subject_id, outbox.c.tries)
)
_DONE = delete(outbox).where(outbox.c.id == bindparam("number"), outbox.c.lease == bindparam("our_lease"))

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
    now, lease = database.now(session), new_id()
    asked = {"of_urgent": urgent, "moment": now, "new_lease": lease, "new_lease_until": now + LEASE}
    row = session.execute(_CLAIM, asked).one_or_none()
    return None if row is None else Message(row.id, row.job, row.subject_id, row.tries, lease)


def drain(
    engine: Engine, run: Job, *, urgent: bool, most: int = 100, goes_on: Callable[[], bool] = lambda: True
) -> int:
    """Does up to `most` due messages through `run(job, subject_id)`; returns how many it did.

    `run` returns None when nothing is owed any more, or the time at which to come again. If it raises, the
    message comes again after a pause that grows; the exception's words are not kept, they may hold content.
    After each message `goes_on` is asked whether to take another.
    """
    with database.reading(engine) as session:
        if not _anything_due(session, urgent):
            # A look costs no write lock, so a sweep that finds nothing slows nobody.
            return 0
    done, ended = 0, None
    while True:
        another = done < most and (not done or goes_on())
        # What is done is settled in the transaction that claims the next: a commit less for each message.
        with database.transaction(engine) as session:
            if ended:
                _settle(session, *ended)
            message = claim(session, urgent=urgent) if another else None
        if message is None:
            return done
        ended = (message, *_try(run, message))
        done += 1


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


def _anything_due(session: Session, urgent: bool) -> bool:
    asked = {"of_urgent": urgent, "moment": database.now(session)}
    return session.execute(_OLDEST, asked).first() is not None


def _try(run: Job, message: Message) -> tuple[datetime | None, str | None]:
    """When to come again, if ever, and the class of what went wrong, if anything did."""
    try:
        return run(message.job, message.subject_id), None
    except Exception as failure:
        # The class says enough to look for; the text could hold somebody's words.
        fault = type(failure).__name__
        log.error("job %s failed: %s", message.job, fault, exc_info=_where(failure))
        return None, fault


def _settle(session: Session, message: Message, again: datetime | None, fault: str | None) -> None:
    if again is None and fault is None:
        session.execute(_DONE, {"number": message.id, "our_lease": message.lease})
        return
    ours = outbox.c.id == message.id, outbox.c.lease == message.lease
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

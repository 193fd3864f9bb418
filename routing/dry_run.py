"""Dry runs of drafts: asked for at the desk, done by a worker, their progress in a row that anybody may look at."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Engine, Row, insert, select, update
from sqlalchemy.orm import Session

from foundation import clock, database, outbox
from foundation.identifiers import new_id
from referrals.duty import Duty
from referrals.facts import Facts
from referrals.tables import referrals
from routing import drafts, touched
from routing.drafts import Draft
from routing.found import Step
from routing.redeciding import Tick, everybody, redecide
from routing.snapshots import Snapshot
from routing.tables import dry_runs

JOB = "routing.dry_run.try_draft"
# So far back referrals are decided again.
LOOK_BACK = timedelta(days=90)
# A run that said nothing for so long has died with its worker; another may begin. Longer than any lease.
_SILENT = timedelta(minutes=2)
_PAGE = 2_000
# A list of open referrals longer than this is no list for a person; its length is told.
MOST_OPEN = 500


def ask(session: Session, found: Draft, now: datetime) -> str:
    """Owes a dry run of the draft as it is now; returns its id. One that waits or runs already is the one."""
    newest = latest(session, found.id)
    if newest is not None and newest.digest == found.digest and is_under_way(newest, now):
        return str(newest.id)
    id = _row(session, found, now)
    outbox.post(session, JOB, found.id, now=now)
    return id


def try_draft(duty: Duty, draft_id: str) -> None:
    """Does the newest dry run that was asked for, if it is not done. Safe to run twice: both find the same."""
    with database.reading(duty.engine) as session:
        row = latest(session, draft_id)
    if row is not None and row.finished_at is None:
        run(duty.engine, draft_id, row.id)


def run(engine: Engine, draft_id: str, run_id: str, tick: Tick | None = None) -> Row[Any]:
    """Does it and keeps its progress; returns the finished row. No transaction is open while it decides."""
    progress = _Progress(engine, run_id, tick)
    now = clock.now()
    with database.reading(engine) as session:
        found = drafts.read(session, draft_id)
        before, after = drafts.before_and_after(session, found)
        facts = _recent(session, now - LOOK_BACK)
    told = redecide(before, after, now, everybody(before, after, facts), progress)
    with database.reading(engine) as session:
        opened = _open(session, before, after, now)
    with database.transaction(engine) as session:
        # What changed meanwhile was not tried: its digest is another, and so it stays unfinished.
        values = {"finished_at": clock.now(), "digest": found.digest, "result": told.as_json() | opened}
        session.execute(update(dry_runs).where(dry_runs.c.id == run_id).values(values))
        return session.execute(select(dry_runs).where(dry_runs.c.id == run_id)).one()


def run_here(engine: Engine, found: Draft, tick: Tick | None = None) -> Row[Any]:
    """Does it at once, in this process: for the command."""
    with database.transaction(engine) as session:
        id = _row(session, found, clock.now())
    return run(engine, found.id, id, tick)


def latest(session: Session, draft_id: str) -> Row[Any] | None:
    """The newest dry run of a draft, whatever became of it."""
    newest = (dry_runs.c.asked_at.desc(), dry_runs.c.id)
    query = select(dry_runs).where(dry_runs.c.draft_id == draft_id).order_by(*newest).limit(1)
    return session.execute(query).one_or_none()


def finished(session: Session, found: Draft) -> Row[Any] | None:
    """The newest finished dry run of exactly this content on this base; None where there is none."""
    query = select(dry_runs).where(
        dry_runs.c.draft_id == found.id,
        dry_runs.c.digest == found.digest,
        dry_runs.c.finished_at.is_not(None),
    )
    return session.execute(query.order_by(dry_runs.c.finished_at.desc()).limit(1)).one_or_none()


def is_under_way(row: Row[Any], now: datetime) -> bool:
    """Whether it waits or runs."""
    return row.finished_at is None and now - row.beat_at < _SILENT


def changes_anything(result: Mapping[str, Any]) -> bool:
    """Whether the dry run found anything that would be otherwise."""
    return any(result[name] for name in ("differences", "lost", "never", "ended", "open"))


def _row(session: Session, found: Draft, now: datetime) -> str:
    id = new_id()
    session.execute(
        insert(dry_runs).values(
            id=id,
            draft_id=found.id,
            digest=found.digest,
            asked_at=now,
            step=Step.WAITING.value,
            done=0,
            total=0,
            beat_at=now,
        )
    )
    return id


def _recent(session: Session, since: datetime) -> list[Facts]:
    """Facts of the referrals filed since then: acts, urgency, setting and places as codes. Nothing else is read."""
    query = select(referrals.c.facts).where(referrals.c.filed_at >= since, referrals.c.erased_at.is_(None))
    query = query.where(referrals.c.mark.is_(None))
    rows = session.execute(query.order_by(referrals.c.id).execution_options(yield_per=_PAGE))
    return [Facts.from_json(facts) for facts in rows.scalars()]


def _open(session: Session, before: Snapshot, after: Snapshot, now: datetime) -> dict[str, Any]:
    """Open referrals that would be led by others, for a person to offer anew. Nothing moves by itself."""
    references = [one.reference for one in touched.touched(session, before, after, now)]
    return {"open": references[:MOST_OPEN], "open_count": len(references)}


@dataclass
class _Progress:
    """Writes how far it is, once a second at most: each step in a transaction of its own."""

    engine: Engine
    run_id: str
    also: Tick | None
    written_at: datetime | None = field(default=None)

    def __call__(self, step: str, done: int, total: int) -> None:
        if self.also is not None:
            self.also(step, done, total)
        now = clock.now()
        if self.written_at is None or done == 0 or now - self.written_at >= timedelta(seconds=1):
            self.written_at = now
            values = {"step": str(step), "done": done, "total": total, "beat_at": now}
            with database.transaction(self.engine) as session:
                session.execute(update(dry_runs).where(dry_runs.c.id == self.run_id).values(values))

"""Dry runs of drafts: asked for at the desk, done by a worker, their progress in a row that anybody may look at."""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from typing import Any, overload

from sqlalchemy import Engine, Row, func, insert, select, update
from sqlalchemy.orm import Session

from foundation import clock, database, outbox
from foundation.identifiers import new_id
from referrals.duty import Duty
from referrals.facts import Facts
from referrals.tables import referrals
from routing import drafts, touched
from routing.drafts import Draft
from routing.found import Step
from routing.redeciding import Piece, Redeciding, Tick, everybody
from routing.snapshots import Snapshot
from routing.tables import dry_runs

JOB = "routing.dry_run.try_draft"
# So far back referrals are decided again.
LOOK_BACK = timedelta(days=90)
# A run that said nothing for so long has died with its worker; another may begin. Longer than any lease.
_SILENT = timedelta(minutes=2)
# A worker does it for so long and then lets others' messages pass; with a piece of some seconds and the end of it, well
# within a lease.
_TURN_SECONDS = 20.0
# What is unfinished concerns nobody who only looks.
_TOLD = [column for column in dry_runs.c if column is not dry_runs.c.so_far]
# So much of it is done again, at most, when a worker dies.
_KEEP_SECONDS = 5.0
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


def try_draft(duty: Duty, draft_id: str) -> datetime | None:
    """Does the newest dry run that was asked for, if it is not done, for a turn; returns when to come again if it is
    not done then. Safe to run twice: who is second leaves it to the first."""
    with database.reading(duty.engine) as session:
        row = latest(session, draft_id)
    if row is None or row.finished_at is not None:
        return None
    done = _go_on(duty.engine, draft_id, row.id, None, time.monotonic() + _TURN_SECONDS)
    return None if done else clock.now()


def run(engine: Engine, draft_id: str, run_id: str, tick: Tick | None = None) -> Row[Any]:
    """Does all of it that is left; returns the finished row. No transaction is open while it decides."""
    _go_on(engine, draft_id, run_id, tick, math.inf)
    with database.reading(engine) as session:
        return _read(session, run_id)


def _go_on(engine: Engine, draft_id: str, run_id: str, tick: Tick | None, ends: float) -> bool:
    """Does piece after piece, keeping what was found, until all are done or the time has come; False for the
    latter."""
    with database.reading(engine) as session:
        row, found = _read(session, run_id), drafts.read(session, draft_id)
        before, after = drafts.before_and_after(session, found)
    everyone = everybody(before, after, _Recent(engine, row.asked_at))
    work = Redeciding(before, after, row.asked_at, everyone)
    kept = _Kept(engine, run_id, found.digest, row.writes)
    # What changed meanwhile was not tried: then it begins anew.
    begins = kept.taken_up(work, row)
    for number, piece in enumerate(work.pieces[begins:], begins):
        if number > begins and time.monotonic() >= ends:
            return not kept.keep(number, work)
        if tick is not None:
            tick(piece.step, piece.done, piece.total)
        if not kept.beat(number, work, piece):
            return True
        work.do(piece)
    return _list_open(kept, work, (before, after), ends)


def _list_open(kept: _Kept, work: Redeciding, sides: tuple[Snapshot, Snapshot], ends: float) -> bool:
    """What comes last: open referrals that would be led by others, for a person to offer anew. Nothing moves by itself.
    False if the time has come before all were asked."""
    opened, number = kept.opened, len(work.pieces)
    while True:
        with database.reading(kept.engine) as session:
            found, opened.last = touched.some(session, *sides, work.at, opened.last)
        opened.add([one.reference for one in found])
        if not opened.last:
            kept.finish(work)
            return True
        if time.monotonic() >= ends:
            return not kept.keep(number, work)
        if not kept.beat_on(number, work):
            return True


def run_here(engine: Engine, found: Draft, tick: Tick | None = None) -> Row[Any]:
    """Does it at once, in this process: for the command."""
    with database.transaction(engine) as session:
        id = _row(session, found, clock.now())
    return run(engine, found.id, id, tick)


def latest(session: Session, draft_id: str) -> Row[Any] | None:
    """The newest dry run of a draft, whatever became of it."""
    newest = (dry_runs.c.asked_at.desc(), dry_runs.c.id)
    query = select(*_TOLD).where(dry_runs.c.draft_id == draft_id).order_by(*newest).limit(1)
    return session.execute(query).one_or_none()


def finished(session: Session, found: Draft) -> Row[Any] | None:
    """The newest finished dry run of exactly this content on this base; None where there is none."""
    query = select(*_TOLD).where(
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


def _read(session: Session, run_id: str) -> Row[Any]:
    return session.execute(select(dry_runs).where(dry_runs.c.id == run_id)).one()


class _Recent(Sequence[Facts]):
    """Facts of the referrals of the last ninety days, read when they are asked for, a slice at a time: acts, urgency,
    setting and places as codes. Nothing else is read."""

    def __init__(self, engine: Engine, at: datetime) -> None:
        self._engine = engine
        filed = referrals.c.filed_at >= at - LOOK_BACK, referrals.c.filed_at <= at
        self._which = (*filed, referrals.c.erased_at.is_(None), referrals.c.mark.is_(None))

    def __len__(self) -> int:
        with database.reading(self._engine) as session:
            query = select(func.count()).select_from(referrals).where(*self._which)
            return int(session.execute(query).scalar_one())

    @overload
    def __getitem__(self, which: int) -> Facts: ...

    @overload
    def __getitem__(self, which: slice) -> list[Facts]: ...

    def __getitem__(self, which: int | slice) -> Facts | list[Facts]:
        if isinstance(which, int):
            return self[which : which + 1][0]
        begins, ends = which.start or 0, which.stop
        query = select(referrals.c.facts).where(*self._which).order_by(referrals.c.id)
        with database.reading(self._engine) as session:
            rows = session.execute(query.offset(begins).limit(ends - begins))
            return [Facts.from_json(facts) for facts in rows.scalars()]


@dataclass
class _Opened:
    """Open referrals that would be led by others: the first of them by reference, how many, and which was asked last
    (its id)."""

    first: list[str] = field(default_factory=list)
    count: int = 0
    last: str = ""

    def add(self, references: Sequence[str]) -> None:
        """So many more."""
        self.count += len(references)
        self.first += references[: MOST_OPEN - len(self.first)]


@dataclass
class _Kept:
    """What is found so far, in the run's row. Of two processes that do one run, the first that writes goes on."""

    engine: Engine
    run_id: str
    digest: str
    written: int
    kept_at: float = field(default_factory=time.monotonic)
    opened: _Opened = field(default_factory=_Opened)

    def taken_up(self, work: Redeciding, row: Row[Any]) -> int:
        """Goes on from what was kept of this very content; returns the number of the next piece."""
        if not row.so_far or row.so_far["digest"] != self.digest:
            return 0
        work.found.go_on_from(row.so_far["found"])
        self.opened = _Opened(**row.so_far.get("opened", {}))
        return int(row.so_far["next"])

    def beat(self, number: int, work: Redeciding, piece: Piece) -> bool:
        """Writes how far it is, and every few seconds what was found; False if somebody else does it by now."""
        return self.beat_on(number, work, step=piece.step.value, done=piece.done, total=piece.total)

    def beat_on(self, number: int, work: Redeciding, **told: Any) -> bool:
        """The same where no piece begins."""
        if time.monotonic() - self.kept_at < _KEEP_SECONDS:
            return self._write(**told)
        return self.keep(number, work, **told)

    def keep(self, number: int, work: Redeciding, **told: Any) -> bool:
        """Writes what was found before that piece; False if somebody else does it by now."""
        self.kept_at = time.monotonic()
        so_far = {"digest": self.digest, "next": number, "found": work.found.as_json()}
        so_far["opened"] = asdict(self.opened)
        return self._write(so_far=so_far, **told)

    def finish(self, work: Redeciding) -> None:
        """Writes the result of all of it."""
        result = work.found.as_json() | {"open": self.opened.first, "open_count": self.opened.count}
        self._write(finished_at=clock.now(), digest=self.digest, result=result, so_far=None)

    def _write(self, **values: Any) -> bool:
        ours = (
            dry_runs.c.id == self.run_id,
            dry_runs.c.writes == self.written,
            dry_runs.c.finished_at.is_(None),
        )
        statement = update(dry_runs).where(*ours)
        with database.transaction(self.engine) as session:
            written = {"writes": self.written + 1, "beat_at": clock.now(), **values}
            self.written += 1
            return database.changed(session, statement.values(written)) == 1

"""Drills: a team tries whether its people are reached. The same way as a tip's, with DRILL in every text."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.orm import Session

from directory import members
from foundation import clock, database
from foundation.identifiers import new_id
from ledger.entries import Actor
from notifications.states import NoticeState
from notifications.tables import attempts, notices
from referrals import moves
from referrals.duty import Duty
from referrals.facts import Urgency
from referrals.filing import Mark
from referrals.states import State
from referrals.tables import referrals
from routing import handoffs, marked
from routing.handoffs import Offer
from routing.outcomes import Case
from routing.states import TAKEN
from routing.tables import drills

_ACTOR = Actor(part="drill")
_WORDS = "This is a drill. Nobody reported anything. Acknowledge it as you would a real one; it then ends by itself."
# By then every ladder has been called from its first step to its last.
_ENDS_AFTER = timedelta(hours=4)
_FAILED = (NoticeState.FAILED_PERMANENT.value, NoticeState.FAILED_TRANSIENT.value)


class DrillFault(ValueError):
    """A drill cannot be planned so; the message is a sentence for the field."""


@dataclass(frozen=True)
class Times:
    """One person in a drill: when first told, when the first message left, whether all failed, when they answered."""

    name: str
    told_at: datetime
    left_at: datetime | None
    failed: bool
    answered_at: datetime | None
    # Whether the answer was yes.
    took_it: bool

    @property
    def took(self) -> timedelta | None:
        """From the first notice to the answer."""
        return self.answered_at - self.told_at if self.answered_at else None


@dataclass(frozen=True)
class Report:
    """What became of a drill: its plan, when it began and ended, and everybody who was told, in that order."""

    drill: Row[Any]
    reference: str | None
    began_at: datetime | None
    ended_at: datetime | None
    people: list[Times]

    @property
    def answered(self) -> bool:
        """Whether somebody took it."""
        return any(person.took_it for person in self.people)


def plan(session: Session, team_id: str, urgency: Urgency, at: datetime, *, by: str, now: datetime) -> str:
    """Plans a drill of that team; returns its id. Raises DrillFault for a time that is past or too far away."""
    if not now - timedelta(minutes=1) <= at <= now + timedelta(days=366):
        raise DrillFault("Choose a time between now and a year from now.")
    id = new_id()
    session.execute(
        insert(drills).values(id=id, team_id=team_id, urgency=urgency.value, planned_at=at, planned_by=by)
    )
    return id


def cancel(session: Session, drill_id: str, now: datetime) -> bool:
    """Takes a planned drill back; whether it had not begun."""
    mine = drills.c.id == drill_id, drills.c.referral_id.is_(None), drills.c.cancelled_at.is_(None)
    return database.changed(session, update(drills).where(*mine).values(cancelled_at=now)) > 0


def keep(duty: Duty) -> int:
    """Ends drills that are over and begins those whose time has come; returns how many began. The clock calls it."""
    now = clock.now()
    with database.reading(duty.engine) as session:
        over = _going(session, now)
        due = drills.c.planned_at <= now, drills.c.referral_id.is_(None), drills.c.cancelled_at.is_(None)
        planned = session.execute(select(drills).where(*due)).all()
    marked.close_all(duty, over, actor=_ACTOR, now=now)
    return sum(_begin(duty, drill, now) for drill in planned)


def _begin(duty: Duty, drill: Row[Any], now: datetime) -> bool:
    """Whether it was this clock that began it."""
    try:
        with database.transaction(duty.engine) as session:
            filed = marked.file(session, duty.settings, Mark.DRILL, Urgency(drill.urgency), _WORDS, now)
            mine = drills.c.id == drill.id, drills.c.referral_id.is_(None), drills.c.cancelled_at.is_(None)
            if not database.changed(session, update(drills).where(*mine).values(referral_id=filed.id)):
                raise moves.NotNow("another clock began it, or it was taken back")
    except moves.NotNow:
        return False
    return True


def act_on(case: Case) -> None:
    """Routing's act for a drill: its team is asked, once, whatever was decided."""
    mine = drills.c.referral_id == case.referral.id
    drill = case.session.execute(select(drills).where(mine)).one()
    if handoffs.of_referral(case.session, case.referral.id):
        return
    proposal = Offer(**marked.proposal(case.referral, drill.team_id, case.decision_id))
    handoffs.offer(case.session, case.keys, proposal, actor=Actor(part="routing"), now=case.now)


def of_team(session: Session, team_id: str, most: int = 50) -> list[Row[Any]]:
    """A team's drills that were not taken back, the latest first."""
    mine = drills.c.team_id == team_id, drills.c.cancelled_at.is_(None)
    query = select(drills).where(*mine).order_by(drills.c.planned_at.desc(), drills.c.id).limit(most)
    return list(session.execute(query))


def one(session: Session, drill_id: str) -> Row[Any] | None:
    """A drill that was not taken back, or None."""
    mine = drills.c.id == drill_id, drills.c.cancelled_at.is_(None)
    return session.execute(select(drills).where(*mine)).one_or_none()


def report(session: Session, drill: Row[Any]) -> Report:
    """Who was told when, and who answered how fast."""
    if drill.referral_id is None:
        return Report(drill, None, None, None, [])
    referral = moves.referral(session, drill.referral_id)
    offers = handoffs.of_referral(session, referral.id)
    return Report(drill, referral.reference, referral.filed_at, referral.closed_at, _people(session, offers))


def _people(session: Session, offers: list[Row[Any]]) -> list[Times]:
    answers = {offer.answered_by: offer for offer in offers if offer.answered_by}
    left = func.min(attempts.c.started_at)
    told = session.execute(
        select(notices.c.member_id, func.min(notices.c.created_at).label("at"), left.label("left_at"))
        .outerjoin(attempts, attempts.c.notice_id == notices.c.id)
        # Who only heard what became of it was not asked.
        .where(notices.c.subject_id.in_([offer.id for offer in offers]), notices.c.code_until.is_not(None))
        .group_by(notices.c.member_id)
        .order_by(func.min(notices.c.created_at), notices.c.member_id)
    ).all()
    reached = _reached(session, offers)
    names = members.names(session, [row.member_id for row in told])
    return [
        Times(
            name=names[row.member_id],
            told_at=row.at,
            left_at=row.left_at,
            failed=row.member_id not in reached,
            answered_at=answers[row.member_id].answered_at if row.member_id in answers else None,
            took_it=row.member_id in answers and answers[row.member_id].state in TAKEN,
        )
        for row in told
    ]


def _reached(session: Session, offers: list[Row[Any]]) -> set[str]:
    """Who has a notice that did not fail."""
    alive = notices.c.subject_id.in_([offer.id for offer in offers]), notices.c.state.not_in(_FAILED)
    return set(session.execute(select(notices.c.member_id).where(*alive)).scalars())


def _going(session: Session, now: datetime) -> list[str]:
    """Ids of the referrals of drills that are over: taken, with nobody left to ask, or too long under way."""
    under_way = referrals.c.mark == Mark.DRILL.value, referrals.c.state != State.CLOSED.value
    rows = session.execute(select(referrals).where(*under_way)).all()
    return [row.id for row in rows if _is_over(session, row, now)]


def _is_over(session: Session, row: Row[Any], now: datetime) -> bool:
    if row.state == State.FILED.value:
        return bool(row.filed_at < now - _ENDS_AFTER)
    asked = handoffs.open_offers(session, row.id)
    return not asked or row.state == State.HELD.value or row.filed_at < now - _ENDS_AFTER

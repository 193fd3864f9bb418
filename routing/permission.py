"""Asking the originator for permission, its answer, and setting its handling code aside in imminent danger."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row, exists, insert, or_, select
from sqlalchemy.orm import Session

from directory.tables import teams as team_rows
from directory.teams import TeamKind
from foundation import clock, database, outbox
from ledger.entries import Actor
from notifications import notices
from referrals import moves
from referrals.duty import Duty
from referrals.facts import Facts
from referrals.grants import Keys
from referrals.moves import NotNow
from routing import offers, register, telling
from routing.offers import Offer
from routing.states import OPEN, Act, Basis, Decline, Kind, Reason
from routing.tables import handoffs, permission_answers

# The job that makes an answer happen.
SETTLE = "routing.permission.settle"


def newest(session: Session, referral_id: str, about: str) -> Row[Any] | None:
    """The last request for permission about that team, in any state, or None."""
    rows = [row for row in register.of_referral(session, referral_id) if row.kind == Kind.PERMISSION.value]
    return next((row for row in reversed(rows) if row.about == about), None)


def ask(session: Session, keys: Keys, referral: Row[Any], about: str, *, actor: Actor, now: datetime) -> str:
    """Asks the originating office whether it may go to that team; returns the request's id, once while it is open.

    Raises NotNow where no office could answer.
    """
    office = originator(session, referral)
    if office is None:
        raise NotNow("no office of the originator can be asked")
    proposal = Offer(
        referral_id=referral.id,
        kind=Kind.PERMISSION,
        from_team=str(actor.team_id),
        to_team=office,
        reason=Reason.HANDLING,
        basis=Basis.INTAKE_ROUTING,
        parts=(),
        about=about,
    )
    return offers.offer(session, keys, proposal, actor=actor, now=now)


def originator(session: Session, referral: Row[Any]) -> str | None:
    """The office that forwarded it, by its team's id; None for a public tip."""
    named = Facts.from_json(referral.facts).originator
    query = select(team_rows.c.id).where(
        team_rows.c.kind == TeamKind.OFFICE.value,
        or_(
            team_rows.c.id == named,
            team_rows.c.organisation_id == referral.originator_organisation_id,
        ),
    )
    found = list(session.execute(query).scalars())
    return named if named in found else next(iter(found), None)


def waiting(session: Session, team_ids: list[str]) -> list[Row[Any]]:
    """Requests that these offices have to answer, the most urgent deadline first."""
    query = select(handoffs).where(
        handoffs.c.kind == Kind.PERMISSION.value,
        handoffs.c.to_team_id.in_(team_ids),
        handoffs.c.state.in_(OPEN),
        ~exists().where(permission_answers.c.handoff_id == handoffs.c.id),
    )
    return list(session.execute(query.order_by(handoffs.c.due_at, handoffs.c.id)))


def post_answer(session: Session, handoff_id: str, *, allowed: bool, member_id: str, now: datetime) -> None:
    """Writes down what an office answered, and owes the rest to the worker: the public door only ever inserts.

    Raises IntegrityError where somebody answered before.
    """
    session.execute(
        insert(permission_answers).values(
            handoff_id=handoff_id, allowed="yes" if allowed else "no", member_id=member_id, at=now
        )
    )
    outbox.post(session, SETTLE, handoff_id, now=now, urgent=True)


def settle(duty: Duty, handoff_id: str) -> None:
    """Makes an office's answer happen, in its member's name. Safe to run twice; late for one that lapsed."""
    with database.transaction(duty.engine) as session:
        said = session.execute(
            select(permission_answers).where(permission_answers.c.handoff_id == handoff_id)
        ).one()
        row = register.handoff(session, handoff_id)
        moves.lock(session, row.referral_id)
        if row.state in OPEN:
            actor = Actor(member_id=said.member_id, team_id=row.to_team_id)
            answer(session, handoff_id, granted=said.allowed == "yes", actor=actor, now=clock.now())


def answer(session: Session, handoff_id: str, *, granted: bool, actor: Actor, now: datetime) -> Row[Any]:
    """A named member of the office answers; who asked is told. Returns the row. Raises AlreadyAnswered."""
    act = Act.ACKNOWLEDGE if granted else Act.DECLINE
    columns = {} if granted else {"decline_reason": Decline.OTHER.value}
    row = register.answer(session, handoff_id, act, actor, "portal", now, **columns)
    kind = "permission_given" if granted else "permission_refused"
    register.write(session, row, kind, actor, now, about=row.about)
    notices.supersede(session, handoff_id)
    telling.tell_sender(session, row, "acknowledged" if granted else "task", now)
    return row


def override(session: Session, row: Row[Any], words_id: str, *, actor: Actor, now: datetime) -> None:
    """Writes down that a handoff was sent without permission, for the danger that is sealed under `words_id`; the
    originator is told at once. Raises nothing: danger waits for no answer."""
    register.write(session, row, "handling_set_aside", actor, now, words=words_id)
    office = originator(session, moves.referral(session, row.referral_id))
    if office is not None:
        telling.tell_office(session, row, office, now)

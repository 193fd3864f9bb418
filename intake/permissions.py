"""What the office is asked: whether something that it forwarded may be passed on to a team that it did not name."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import abort, flash, g, redirect, request, url_for
from flask_babel import gettext
from sqlalchemy import Row, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from directory import guards
from directory.guards import guard
from foundation import clock, database, web
from ledger import entries
from ledger.entries import Actor
from referrals.tables import referrals
from routing import permission
from routing.states import Kind
from routing.tables import handoffs


@dataclass(frozen=True)
class Asked:
    """A request that waits for this office."""

    id: str
    reference: str
    urgency: str
    case_number: str
    by: str
    about: str
    due_at: datetime


def waiting(session: Session, office_ids: Sequence[str]) -> list[Asked]:
    """What these offices have to answer, the nearest deadline first."""
    rows = permission.waiting(session, list(office_ids))
    of = referrals.c
    about = session.execute(
        select(of.id, of.reference, of.urgency, of.originator_case_number).where(
            of.id.in_([row.referral_id for row in rows])
        )
    )
    known = {row.id: row for row in about}
    return [_asked(row, known[row.referral_id]) for row in rows]


@guard("portal.permit")
def answer(reference: str) -> Response:
    """The office allows it or does not. Whoever was first is who answered."""
    allowed = {"yes": True, "no": False}.get(request.form.get("answer", ""))
    if allowed is None:
        abort(400)
    said = record_answer(
        [office.id for office in g.offices],
        g.referral.id,
        request.form.get("handoff", ""),
        allowed=allowed,
        member_id=guards.signed_in().member.id,
    )
    flash(gettext("Your answer is on record.") if said else gettext("This was answered already."))
    return redirect(url_for("portal.list"), 303)


def record_answer(
    office_ids: Sequence[str],
    referral_id: str,
    handoff_id: str,
    *,
    allowed: bool,
    member_id: str,
    api_key_id: str | None = None,
) -> bool:
    """Whether this answer is the one: it waited for these offices, and nobody answered it before. Commits it, with an
    entry of its own where the office's system answered by a key."""
    try:
        with database.transaction(web.engine()) as session:
            waits, now = permission.waiting(session, list(office_ids)), clock.now()
            asked = next(
                (row for row in waits if (row.id, row.referral_id) == (handoff_id, referral_id)), None
            )
            if asked is None:
                return False
            permission.post_answer(session, handoff_id, allowed=allowed, member_id=member_id, now=now)
            if api_key_id:
                _say_by_which_key(session, asked, Actor(member_id, asked.to_team_id), api_key_id, now)
        return True
    except IntegrityError:
        return False


def _say_by_which_key(
    session: Session, asked: Row[Any], actor: Actor, api_key_id: str, now: datetime
) -> None:
    facts = {"handoff": asked.id, "about": asked.about, "api_key": api_key_id}
    entries.append(
        session, asked.referral_id, kind="permission_answered_by_key", at=now, actor=actor, facts=facts
    )


def was_asked(session: Session, office_id: str, referral_id: str, handoff_id: str) -> bool:
    """Whether that is a question to this office about that forward, answered or not."""
    row = session.execute(select(handoffs).where(handoffs.c.id == handoff_id)).one_or_none()
    known = row and (row.kind, row.to_team_id, row.referral_id)
    return known == (Kind.PERMISSION.value, office_id, referral_id)


def _asked(row: Row[Any], referral: Any) -> Asked:
    return Asked(
        id=row.id,
        reference=referral.reference,
        urgency=referral.urgency,
        case_number=referral.originator_case_number or "",
        by=row.as_then["from_team"],
        about=row.as_then["about"],
        due_at=row.due_at,
    )

"""Open referrals that a change of the rules would send elsewhere: listed for a person, moved by nobody."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from referrals.facts import Facts, Urgency
from referrals.states import State
from referrals.tables import referrals
from routing import jobs
from routing.decision import Decision, decide
from routing.snapshots import Snapshot

_PAGE = 200


@dataclass(frozen=True)
class Touched:
    """An open referral, and how it would be decided before and after the change."""

    referral_id: str
    reference: str
    urgency: Urgency
    custodian_team_id: str
    before: Decision
    after: Decision


def touched(session: Session, old: Snapshot, new: Snapshot, now: datetime) -> Iterator[Touched]:
    """Open referrals whose leads are others under `new` than under `old`, by id; see `some`."""
    found, last = some(session, old, new, now)
    yield from found
    while last:
        found, last = some(session, old, new, now, last)
        yield from found


def some(
    session: Session, old: Snapshot, new: Snapshot, now: datetime, last: str = ""
) -> tuple[list[Touched], str]:
    """Of the next open referrals after the id `last` those that are touched, and where to go on; "" at the end.

    Both are decided as of `now`, without whoever has already said no, and with whoever can be reached now.
    """
    page = _page(session, last)
    silent = {urgency: jobs.unreachable(session, urgency) for urgency in Urgency} if page else {}
    said_no, found = jobs.spent(session, [row.id for row in page]), []
    for row in page:
        facts, no = Facts.from_json(row.facts), said_no.get(row.id, {})
        before, after = (
            decide(facts, one.rules, one.boundaries, now, silent[facts.urgency], no) for one in (old, new)
        )
        if (before.status, before.leads) != (after.status, after.leads):
            found.append(Touched(row.id, row.reference, facts.urgency, row.custodian_team_id, before, after))
    return found, page[-1].id if page else ""


def _page(session: Session, last: str) -> Sequence[Row[Any]]:
    """The next open referrals after that id."""
    query = select(referrals).where(referrals.c.state != State.CLOSED.value, referrals.c.id > last)
    query = query.where(referrals.c.mark.is_(None))
    return session.execute(query.order_by(referrals.c.id).limit(_PAGE)).all()

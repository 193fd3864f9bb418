"""Boundary complaints: teams that answered "not our area", each with the area by which they were asked."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, literal, select, tuple_
from sqlalchemy.orm import Session

from foundation.database import UTCDateTime
from routing.states import Decline, HandoffState, Kind
from routing.tables import decisions, handoffs
from routing.verdict import Considered, Decision
from routing.weighing import Outcome

_PAGE = 200
_ASKED_FIRST = (Outcome.LEAD, Outcome.TIED, Outcome.LOST)


@dataclass(frozen=True)
class Complaint:
    """A team says that a place is not in its area. `rule` and `area` are those by which routing asked it, "" where a
    person or silence did; `better_team` is the one that it named, if any. Nothing of the tip is in it."""

    handoff_id: str
    referral_id: str
    team: str
    better_team: str | None
    at: datetime
    rule: str
    area: str
    rule_set: str


def complaints(session: Session, since: datetime) -> Iterator[Complaint]:
    """All since that moment, oldest first, read page by page. For the gap report."""
    last: tuple[Any, str] = (since, "")
    while page := _page(session, last):
        yield from map(_complaint, page)
        last = page[-1].answered_at, page[-1].id


def _page(session: Session, last: tuple[Any, str]) -> list[Row[Any]]:
    """The next declined transfers after that time and id."""
    columns = handoffs.c
    query = (
        select(handoffs, decisions.c.explanation)
        .outerjoin(decisions, decisions.c.id == columns.decision_id)
        .where(
            columns.kind == Kind.TRANSFER.value,
            columns.state == HandoffState.DECLINED.value,
            columns.decline_reason == Decline.NOT_OUR_AREA.value,
            tuple_(columns.answered_at, columns.id) > tuple_(literal(last[0], UTCDateTime), literal(last[1])),
        )
        .order_by(columns.answered_at, columns.id)
        .limit(_PAGE)
    )
    return list(session.execute(query))


def _complaint(row: Row[Any]) -> Complaint:
    decision = Decision.from_json(row.explanation) if row.explanation else None
    asked_by = _asked_by(decision, row.to_team_id) if decision else None
    return Complaint(
        handoff_id=row.id,
        referral_id=row.referral_id,
        team=row.to_team_id,
        better_team=row.better_team_id,
        at=row.answered_at,
        rule=asked_by.rule if asked_by else "",
        area=asked_by.area if asked_by else "",
        rule_set=decision.rule_set if decision else "",
    )


def _asked_by(decision: Decision, team: str) -> Considered | None:
    """The rule that brought the team in: the best of those that could lead."""
    return next(
        (entry for entry in decision.considered if entry.team == team and entry.outcome in _ASKED_FIRST), None
    )

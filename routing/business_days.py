"""Counting time on working days, in a team's own time zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from directory import teams
from referrals.facts import Urgency
from routing.states import DESK_WITHIN

_SATURDAY = 5
_DAY = timedelta(days=1)


def due(start: datetime, after: timedelta, urgency: Urgency, time_zone: str) -> datetime:
    """`after` later than `start`. Routine time runs on Monday to Friday of the time zone only; other time always.

    Whole days keep the hour on the wall through a change of daylight saving.
    """
    if urgency is not Urgency.ROUTINE:
        return start + after
    zone = ZoneInfo(time_zone)
    local = start.astimezone(zone)
    local = _next_working(local)
    days, rest = divmod(after, _DAY)
    for _ in range(days):
        local = _next_working(local + _DAY)
    return _next_working((local.astimezone(UTC) + rest).astimezone(zone)).astimezone(UTC)


def desk_due(session: Session, team_id: str, urgency: Urgency, now: datetime) -> datetime:
    """By when a team's desk has to act on what waits there."""
    return due(now, DESK_WITHIN[urgency], urgency, teams.team(session, team_id).time_zone)


def _next_working(local: datetime) -> datetime:
    """The same moment on a working day; on a weekend, its hour on the Monday after."""
    while local.weekday() >= _SATURDAY:
        local += _DAY
    return local

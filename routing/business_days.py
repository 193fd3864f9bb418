"""Counting time in a team's own hours, in its own time zone, past its own holidays. Pure."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from zoneinfo import ZoneInfo

from directory.hours import DAYS, Hours

_DAY = timedelta(days=1)
# More days than any office is closed at a stretch; hours that never come would count for ever.
_MOST_DAYS = 400


def working_week(zone: str) -> Hours:
    """The hours of a team that named none: Monday to Friday, day and night, of an IANA zone."""
    return Hours(zone, time(0), time(0), frozenset(DAYS[:5]))


def due(start: datetime, after: timedelta, hours: Hours | None) -> datetime:
    """`after` later than `start`, in UTC; with hours, only days on which they come count, and it ends within them.

    Whole days keep the hour on the wall through a change of daylight saving.
    """
    if hours is None:
        return start + after
    zone = ZoneInfo(hours.zone)
    local = _opened(start.astimezone(zone), hours)
    days, rest = divmod(after, _DAY)
    for _ in range(days):
        local = _opened(local + _DAY, hours)
    return _opened((local.astimezone(UTC) + rest).astimezone(zone), hours).astimezone(UTC)


def _opened(local: datetime, hours: Hours) -> datetime:
    """The same moment within the hours; outside of them the next one within."""
    for _ in range(_MOST_DAYS):
        if hours.hold(local):
            return local
        begins = datetime.combine(local.date(), hours.begins, local.tzinfo)
        if hours.hold(begins) and local < begins:
            return begins
        local = _next_day(local, hours, was_open=hours.hold(begins))
    return local


def _next_day(local: datetime, hours: Hours, *, was_open: bool) -> datetime:
    """The hour of a day that does not count moves to the next day; what came after closing time, to its opening."""
    all_day = hours.begins == hours.ends
    in_time = all_day or hours.begins <= local.time() < hours.ends
    tomorrow = local + _DAY
    if in_time and not was_open:
        return tomorrow
    return datetime.combine(tomorrow.date(), time(0), local.tzinfo)

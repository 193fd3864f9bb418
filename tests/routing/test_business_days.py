"""Time on working days, in the team's own time zone."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directory.hours import DAYS, Hours
from routing.business_days import due, working_week

DENVER = ZoneInfo("America/Denver")
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def routine(start: str, after: timedelta) -> str:
    return counted(start, after, working_week("America/Denver"))


def counted(start: str, after: timedelta, hours: Hours) -> str:
    moment = due(datetime.fromisoformat(start).replace(tzinfo=DENVER), after, hours)
    assert moment.tzinfo is UTC
    return moment.astimezone(DENVER).strftime("%a %d %H:%M")


@pytest.mark.parametrize(
    ("start", "after", "then"),
    [
        ("2026-11-23 09:00", DAY, "Tue 24 09:00"),
        ("2026-11-27 16:00", DAY, "Mon 30 16:00"),
        ("2026-11-27 20:00", 12 * HOUR, "Mon 30 08:00"),
        ("2026-11-28 10:00", DAY, "Tue 01 10:00"),
        ("2026-11-26 16:00", 3 * DAY, "Tue 01 16:00"),
        # Friday before the clocks go back, and before they go forward: the hour on the wall stays.
        ("2026-10-30 09:00", DAY, "Mon 02 09:00"),
        ("2026-03-06 09:00", DAY, "Mon 09 09:00"),
    ],
)
def test_weekends_do_not_count_and_the_hour_on_the_wall_stays(
    start: str, after: timedelta, then: str
) -> None:
    assert routine(start, after) == then


# Thanksgiving is a Thursday.
OFFICE = Hours(
    "America/Denver",
    time(8),
    time(17),
    frozenset(DAYS[:5]),
    frozenset({date(2026, 11, 26), date(2026, 12, 25)}),
)
NIGHTS = Hours("America/Denver", time(20), time(6), frozenset(DAYS[:5]))


@pytest.mark.parametrize(
    ("start", "after", "then"),
    [
        ("2026-11-24 09:00", DAY, "Wed 25 09:00"),
        # Past the holiday, and past the weekend behind it.
        ("2026-11-25 09:00", DAY, "Fri 27 09:00"),
        ("2026-11-25 09:00", 2 * DAY, "Mon 30 09:00"),
        # What comes after closing time begins when they open, and ends within their hours.
        ("2026-11-24 20:00", DAY, "Fri 27 08:00"),
        ("2026-11-24 06:00", HOUR, "Tue 24 09:00"),
        ("2026-11-24 16:30", 2 * HOUR, "Wed 25 08:00"),
        ("2026-11-28 20:00", HOUR, "Mon 30 09:00"),
        ("2026-11-26 10:00", DAY, "Mon 30 10:00"),
    ],
)
def test_a_team_s_own_hours_and_holidays_count(start: str, after: timedelta, then: str) -> None:
    assert counted(start, after, OFFICE) == then


def test_a_night_desk_is_due_at_night() -> None:
    assert counted("2026-11-24 12:00", HOUR, NIGHTS) == "Tue 24 21:00"
    assert counted("2026-11-28 12:00", HOUR, NIGHTS) == "Mon 30 21:00"


def test_without_hours_time_runs_always() -> None:
    saturday = datetime(2026, 11, 28, 3, tzinfo=UTC)
    assert due(saturday, HOUR, None) == saturday + HOUR


@given(st.integers(0, 365 * 24 * 60), st.integers(0, 20 * 24 * 60))
def test_it_is_never_early_and_never_on_a_weekend(start: int, minutes: int) -> None:
    begun, after = NEW_YEAR + timedelta(minutes=start), timedelta(minutes=minutes)
    then = due(begun, after, working_week("America/Denver"))
    assert then >= begun + after - HOUR  # an hour of daylight saving
    assert then.astimezone(DENVER).weekday() < 5

"""Time on working days, in the team's own time zone."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from referrals.facts import Urgency
from routing.business_days import due

DENVER = ZoneInfo("America/Denver")
NEW_YEAR = datetime(2026, 1, 1, tzinfo=UTC)
DAY, HOUR = timedelta(days=1), timedelta(hours=1)


def routine(start: str, after: timedelta) -> str:
    moment = due(
        datetime.fromisoformat(start).replace(tzinfo=DENVER), after, Urgency.ROUTINE, "America/Denver"
    )
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


@pytest.mark.parametrize("urgency", [Urgency.ELEVATED, Urgency.IMMINENT])
def test_urgent_time_runs_always(urgency: Urgency) -> None:
    saturday = datetime(2026, 11, 28, 3, tzinfo=UTC)
    assert due(saturday, HOUR, urgency, "America/Denver") == saturday + HOUR


@given(st.integers(0, 365 * 24 * 60), st.integers(0, 20 * 24 * 60))
def test_it_is_never_early_and_never_on_a_weekend(start: int, minutes: int) -> None:
    begun, after = NEW_YEAR + timedelta(minutes=start), timedelta(minutes=minutes)
    then = due(begun, after, Urgency.ROUTINE, "America/Denver")
    assert then >= begun + after - HOUR  # an hour of daylight saving
    assert then.astimezone(DENVER).weekday() < 5

"""Who is on call: turns on the team's own wall clock, through changes of daylight saving, exchanges and holes."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from directory.hours import Hours
from directory.on_call import Exchange, Rotation, Schedule, ScheduleFault

DENVER = ZoneInfo("America/Denver")
WEEKLY = Rotation("week", ("ines", "tomas"), starts=date(2026, 3, 2))
NIGHT = Hours("America/Denver", time(17), time(8))
WORKDAYS = frozenset({"monday", "tuesday", "wednesday", "thursday", "friday"})
OFFICE = Hours("America/Denver", time(8), time(17), days=WORKDAYS)


def _schedule(*rotations: Rotation, **more: object) -> Schedule:
    return Schedule(zone="America/Denver", fallback=("rita",), rotations=rotations, **more)  # type: ignore[arg-type]


def _wall(text: str, fold: int = 0) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=DENVER, fold=fold)


# In 2026 Denver's clocks go forward on 8 March (2:00 becomes 3:00) and back on 1 November (2:00 becomes 1:00).
@pytest.mark.parametrize(
    ("moment", "who"),
    [
        ("2026-03-02T07:59", None),
        ("2026-03-02T08:00", "ines"),
        ("2026-03-08T01:59", "ines"),
        ("2026-03-08T03:00", "ines"),
        ("2026-03-09T07:59", "ines"),
        ("2026-03-09T08:00", "tomas"),
        ("2026-10-26T08:00", "ines"),
        ("2026-11-01T01:30", "ines"),
        ("2026-11-02T07:59", "ines"),
        ("2026-11-02T08:00", "tomas"),
    ],
)
def test_a_handover_at_eight_is_at_eight_in_summer_and_in_winter(moment: str, who: str | None) -> None:
    assert _schedule(WEEKLY).on_duty(_wall(moment)) == ((who,) if who else ())


@pytest.mark.parametrize(("day", "hours"), [("2026-03-02", 167), ("2026-10-26", 169), ("2026-06-01", 168)])
def test_a_week_in_which_the_clocks_change_is_an_hour_shorter_or_longer(day: str, hours: int) -> None:
    begins = _wall(f"{day}T08:00")
    turn = next(iter(_schedule(WEEKLY).turns(begins, begins + timedelta(days=30))))
    assert turn.ends - turn.begins == timedelta(hours=hours)


def test_the_night_that_has_an_hour_twice_is_one_turn() -> None:
    schedule = _schedule(Rotation("night", ("ines",), date(2026, 1, 1), hours=NIGHT))
    turns = list(schedule.turns(_wall("2026-10-31T17:00"), _wall("2026-11-01T08:00")))
    assert [turn.members for turn in turns] == [("ines",)]
    assert turns[0].ends.astimezone(UTC) - turns[0].begins.astimezone(UTC) == timedelta(hours=16)


def test_the_duty_comes_first_and_the_fallback_always_last() -> None:
    schedule = _schedule(Rotation("office", ("ines",), date(2026, 1, 1), hours=OFFICE))
    assert schedule.at(_wall("2026-06-03T10:00")) == ("ines", "rita")
    assert schedule.at(_wall("2026-06-03T20:00")) == ("rita",)


def test_a_holiday_of_the_hours_belongs_to_the_fallback() -> None:
    closed = Hours("America/Denver", time(8), time(17), days=WORKDAYS, holidays=frozenset({date(2026, 7, 3)}))
    schedule = _schedule(Rotation("office", ("ines",), date(2026, 1, 1), hours=closed))
    assert schedule.on_duty(_wall("2026-07-03T10:00")) == ()


def test_an_exchange_takes_one_persons_turn_and_gives_it_back() -> None:
    swap = Exchange("uma", _wall("2026-03-04T08:00"), _wall("2026-03-05T08:00"), instead_of="ines")
    schedule = _schedule(WEEKLY, exchanges=(swap,))
    wednesday, thursday = _wall("2026-03-04T12:00"), _wall("2026-03-05T08:00")
    assert schedule.on_duty(wednesday) == ("uma",)
    assert schedule.on_duty(thursday) == ("ines",)
    # It is about Ines's turn alone.
    assert schedule.on_duty(wednesday + timedelta(days=7)) == ("tomas",)


def test_an_exchange_for_nobody_in_particular_is_called_before_all() -> None:
    extra = Exchange("uma", _wall("2026-03-04T08:00"), _wall("2026-03-05T08:00"))
    assert _schedule(WEEKLY, exchanges=(extra,)).on_duty(_wall("2026-03-04T09:00")) == ("uma", "ines")


def test_hours_that_nobody_covers_are_a_hole_with_its_two_ends() -> None:
    schedule = _schedule(Rotation("office", ("ines",), date(2026, 1, 1), hours=OFFICE))
    friday = _wall("2026-06-05T12:00")
    holes = schedule.holes(friday, friday + timedelta(days=3), reachable={"ines"})
    assert [(hole.begins.astimezone(DENVER), hole.ends.astimezone(DENVER)) for hole in holes] == [
        (_wall("2026-06-05T17:00"), _wall("2026-06-08T08:00"))
    ]


def test_a_person_who_cannot_be_reached_leaves_a_hole() -> None:
    begins = _wall("2026-03-02T08:00")
    holes = _schedule(WEEKLY).holes(begins, begins + timedelta(days=14), reachable={"tomas", "rita"})
    assert [hole.members for hole in holes] == [("ines",)]


def test_a_team_without_rotations_stands_on_its_fallback() -> None:
    begins = _wall("2026-03-02T08:00")
    alone = _schedule()
    assert alone.holes(begins, begins + timedelta(days=7), {"rita"}) == []
    assert alone.holes(begins, begins + timedelta(days=7), set())[0].members == ("rita",)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [({"members": []}, "nobody"), ({"turn_days": 0}, "1 to 366"), ({"handover": "25:00"}, "cannot be read")],
)
def test_a_rotation_that_cannot_be_is_refused_by_name(wrong: dict[str, object], says: str) -> None:
    with pytest.raises(ScheduleFault, match="week") as refused:
        Rotation.from_json(WEEKLY.as_json() | wrong)
    assert says in str(refused.value)


def test_a_rotation_comes_back_from_json_as_it_was() -> None:
    with_hours = Rotation("night", ("ines",), date(2026, 1, 1), time(17), 14, NIGHT)
    assert Rotation.from_json(with_hours.as_json()) == with_hours


def test_a_handover_in_the_hour_that_never_was_comes_when_the_clocks_have_jumped() -> None:
    early = Rotation("week", ("ines", "tomas"), date(2026, 3, 1), handover=time(2, 30))
    turns = list(_schedule(early).turns(_wall("2026-03-08T00:00"), _wall("2026-03-08T12:00")))
    assert [turn.members for turn in turns] == [("ines",), ("tomas",)]
    assert turns[1].begins.astimezone(DENVER) == _wall("2026-03-08T03:00")


_MOMENTS = st.datetimes(
    datetime(2026, 1, 1),  # noqa: DTZ001 - hypothesis adds the zone itself
    datetime(2027, 12, 31),  # noqa: DTZ001
    timezones=st.just(UTC),
)
_WALLS = st.builds(time, st.integers(0, 23), st.sampled_from([0, 15, 30]))


@given(_MOMENTS, _WALLS, st.integers(1, 9), st.integers(0, 460))
def test_turns_follow_each_other_without_gap_and_say_what_each_moment_says(
    begins: datetime, handover: time, days: int, hours: int
) -> None:
    turning = Rotation("week", ("ines", "tomas", "uma"), date(2026, 3, 2), handover, days)
    schedule = _schedule(turning, Rotation("night", ("rob",), date(2026, 1, 1), hours=NIGHT))
    turns = list(schedule.turns(begins, begins + timedelta(days=20)))
    assert [turn.ends for turn in turns[:-1]] == [turn.begins for turn in turns[1:]]
    moment = begins + timedelta(hours=hours)
    holds = next(turn for turn in turns if turn.begins <= moment < turn.ends)
    assert holds.members == schedule.on_duty(moment)

"""Schedules as they are kept: who is called now, what is refused and with which words, exchanges."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from directory import members, schedules
from directory.hours import Hours
from directory.members import Channel
from directory.on_call import Exchange, Rotation, ScheduleFault
from directory.tables import contacts
from directory.tables import members as people
from foundation import database
from tests.builders import Town

PHOENIX = ZoneInfo("America/Phoenix")
# A Wednesday.
NOW = datetime(2026, 11, 25, 10, 0, tzinfo=PHOENIX)
OFFICE = Hours("America/Phoenix", time(8), time(17), days=frozenset({"monday", "tuesday", "wednesday"}))


def _weekly(town: Town, *names: str, hours: Hours | None = None) -> Rotation:
    ids = tuple(town.member_id(name) for name in names)
    return Rotation("week", ids, starts=NOW.date() - timedelta(days=3), handover=time(8), hours=hours)


def _set(town: Town, *rotations: Rotation, covers: bool = False) -> None:
    with database.transaction(town.engine) as session:
        schedules.set_rotations(
            session, town.team["tempe-police"], rotations, fallback_covers=covers, by=None, now=NOW
        )


def _called(town: Town, at: datetime = NOW) -> list[str]:
    with database.reading(town.engine) as session:
        return schedules.ladder(session, town.team["tempe-police"], at)


def test_without_rotations_the_ladder_is_called(town: Town) -> None:
    with database.reading(town.engine) as session:
        assert _called(town) == members.ladder(session, town.team["tempe-police"])


def test_who_has_the_turn_is_called_first_and_next_week_the_other(town: Town) -> None:
    ines, tomas = town.member_id("Ines"), town.member_id("Tomas")
    _set(town, _weekly(town, "Tomas", "Ines"))
    assert _called(town)[:2] == [tomas, ines]
    assert _called(town, NOW + timedelta(days=7))[:2] == [ines, tomas]


def test_a_hole_is_refused_with_its_hours_on_the_teams_own_clock(town: Town) -> None:
    with pytest.raises(
        ScheduleFault, match=r"from Wednesday 25 November 2026 17:00 to Monday 30 November 2026 08:00"
    ):
        _set(town, _weekly(town, "Ines", hours=OFFICE))
    _set(town, _weekly(town, "Ines", hours=OFFICE), covers=True)


def test_a_first_rotation_may_begin_later_and_the_ladder_is_called_until_then(town: Town) -> None:
    later = replace(_weekly(town, "Tomas"), starts=NOW.date() + timedelta(days=5))
    _set(town, later)
    assert _called(town)[0] == town.member_id("Ines")
    assert _called(town, NOW + timedelta(days=5))[0] == town.member_id("Tomas")
    # Now there are turns, and one that begins later leaves a hole.
    with pytest.raises(ScheduleFault, match="Nobody has the duty from Wednesday 25 November 2026 10:00"):
        _set(town, replace(later, starts=NOW.date() + timedelta(days=9)))


def test_a_turn_of_somebody_who_cannot_be_reached_is_refused_by_name(town: Town) -> None:
    with database.transaction(town.engine) as session:
        mine = contacts.c.member_id == town.member_id("Tomas")
        session.execute(update(contacts).where(mine).values(verified_at=None))
    with pytest.raises(ScheduleFault, match="can be reached: Tomas"):
        _set(town, _weekly(town, "Ines", "Tomas"))


def test_a_stranger_in_a_rotation_is_refused_by_name(town: Town) -> None:
    with pytest.raises(ScheduleFault, match=r"Olu .* has no seat"):
        _set(town, _weekly(town, "Ines", "Olu"))


def test_an_exchange_is_called_while_it_lasts_and_can_be_undone(town: Town) -> None:
    _set(town, _weekly(town, "Ines"))
    ines, tomas, team = town.member_id("Ines"), town.member_id("Tomas"), town.team["tempe-police"]
    swap = Exchange(tomas, NOW - timedelta(hours=1), NOW + timedelta(hours=1), instead_of=ines)
    with database.transaction(town.engine) as session:
        made = schedules.exchange(session, team, swap, by=tomas, now=NOW)
    assert _called(town)[0] == tomas
    assert _called(town, NOW + timedelta(hours=2))[0] == ines
    with database.transaction(town.engine) as session:
        assert schedules.undo_exchange(session, team, made)
    assert _called(town)[0] == ines


@pytest.mark.parametrize(("who", "ends"), [("Olu", 1), ("Tomas", -1)])
def test_an_exchange_with_a_stranger_or_into_the_past_is_refused(town: Town, who: str, ends: int) -> None:
    entry = Exchange(town.member_id(who), NOW - timedelta(hours=3), NOW + timedelta(hours=ends))
    with database.transaction(town.engine) as session, pytest.raises(ScheduleFault):
        schedules.exchange(session, town.team["tempe-police"], entry, by=None, now=NOW)


def test_an_exchange_with_somebody_who_cannot_be_reached_is_refused_with_its_hours(town: Town) -> None:
    _set(town, _weekly(town, "Ines"))
    ines, tomas, team = town.member_id("Ines"), town.member_id("Tomas"), town.team["tempe-police"]
    swap = Exchange(tomas, NOW, NOW + timedelta(hours=1), instead_of=ines)
    with database.transaction(town.engine) as session:
        session.execute(update(contacts).where(contacts.c.member_id == tomas).values(verified_at=None))
    with (
        pytest.raises(ScheduleFault, match=r"10:00 to .* 11:00 can be reached: Tomas"),
        database.transaction(town.engine) as session,
    ):
        schedules.exchange(session, team, swap, by=ines, now=NOW)
    beside = replace(swap, instead_of=None)
    with database.transaction(town.engine) as session:
        schedules.exchange(session, team, beside, by=ines, now=NOW)


def test_a_member_who_left_has_no_turn_any_more(town: Town) -> None:
    _set(town, _weekly(town, "Ines", "Tomas"))
    with database.transaction(town.engine) as session:
        session.execute(update(people).where(people.c.id == town.member_id("Ines")).values(active=False))
    assert town.member_id("Ines") not in _called(town)
    assert _called(town)


def test_the_fallback_is_never_empty_and_forgets_nobody(town: Town) -> None:
    team, tomas = town.team["tempe-police"], town.member_id("Tomas")
    with database.transaction(town.engine) as session:
        before = set(members.ladder(session, team))
        schedules.set_fallback(session, team, [tomas])
        after = members.ladder(session, team)
        with pytest.raises(ScheduleFault, match="must name somebody"):
            schedules.set_fallback(session, team, [])
    assert after[0] == tomas
    assert set(after) == before


def test_a_new_seat_is_part_of_the_fallback_at_once(town: Town) -> None:
    with database.transaction(town.engine) as session:
        uma = town.member_id("Uma")
        members.join_team(session, uma, town.team["tempe-police"], discipline="police")
        members.add_contact(session, uma, Channel.SMS, "+16025550188", verified_at=NOW)
    assert uma in _called(town)

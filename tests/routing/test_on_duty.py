"""Who is on duty is called first, and an exchange changes who is called."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta

import pytest

from directory import schedules
from directory.on_call import Exchange, Rotation
from foundation import clock, database
from notifications import notices
from tests.builders import Town, later
from tests.routing.acts import sweep, tip

TEMPE = "tempe-police"


def rotate(town: Town, *names: str) -> None:
    """A rotation that began yesterday, a week each."""
    now = clock.now()
    turn = Rotation("weeks", tuple(map(town.member_id, names)), (now - timedelta(days=2)).date())
    with database.transaction(town.engine) as session:
        schedules.set_rotations(session, town.team[TEMPE], [turn], fallback_covers=True, by=None, now=now)


def swap(town: Town, who: str, instead_of: str) -> None:
    now = clock.now()
    entry = Exchange(
        town.member_id(who), now - timedelta(hours=1), now + timedelta(hours=8), town.member_id(instead_of)
    )
    with database.transaction(town.engine) as session:
        schedules.exchange(session, town.team[TEMPE], entry, by=None, now=now)


@pytest.mark.parametrize("on_duty", [("Ines", "Tomas"), ("Tomas", "Ines")])
def test_who_is_on_duty_is_called_first(town: Town, on_duty: Sequence[str]) -> None:
    rotate(town, *on_duty)
    assert tip(town).told("offer") == {on_duty[0]}


def test_an_exchange_changes_who_is_called(town: Town) -> None:
    rotate(town, "Ines", "Tomas")
    swap(town, "Tomas", instead_of="Ines")
    case = tip(town)
    assert case.told("offer") == {"Tomas"}
    assert case.handoff(TEMPE).as_then["ladder"][0] == "Tomas Reed"


def test_who_is_not_on_duty_is_called_next(town: Town) -> None:
    rotate(town, "Tomas")
    case = tip(town)
    with database.reading(town.engine) as session:
        due = case.handoff(TEMPE).due_at - database.now(session)
    with later(seconds=due.total_seconds() + 1):
        sweep(town)
    with database.reading(town.engine) as session:
        told = notices.told(session, case.offer_to(TEMPE))
    assert told == {town.member_id("Tomas"), town.member_id("Ines")}

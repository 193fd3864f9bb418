"""A member's own quiet hours."""

from __future__ import annotations

import pytest

from directory import members
from foundation import database
from tests.desk.sitting import Desk


def hours(desk: Desk) -> tuple[str | None, str | None]:
    with database.reading(desk.town.engine) as session:
        return members.quiet_hours(session, desk.town.member_id("Ines"))


@pytest.mark.parametrize("given", [("21:00", "07:00"), ("", "")])
def test_a_member_sets_and_ends_them(desk: Desk, given: tuple[str, str]) -> None:
    seat = desk.seat("Ines")
    seat.send("/contacts/quiet", {"begins": "20:00", "ends": "06:00"})
    seat.send("/contacts/quiet", {"begins": given[0], "ends": given[1]})
    assert hours(desk) == (given[0] or None, given[1] or None)


def test_half_of_them_is_refused_and_stays_typed(desk: Desk) -> None:
    page = desk.seat("Ines").send("/contacts/quiet", {"begins": "20:00", "ends": ""}, status=400)
    assert "Say both" in page.get_text()
    assert page.select_one("#begins")["value"].startswith("20:00")  # type: ignore[index, union-attr]
    assert hours(desk) == (None, None)

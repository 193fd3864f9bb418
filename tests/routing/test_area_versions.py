"""Versions of areas and the sets that they form: only added to, named by their content."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from routing import boundary_sets
from routing.area_set import Columns
from routing.area_versions import add_versions, believed_at, right_on
from routing.areas import Area
from routing.boundaries import Boundaries
from routing.demonstration import areas
from routing.tables import area_versions

NOW = datetime(2026, 3, 4, 17, tzinfo=UTC)
LATER = NOW + timedelta(days=30)
SCHOOL = "school:test-one"


def version(name: str, area: str = SCHOOL, **more: Any) -> Area:
    return Area.from_json({"id": area, "name": name, "state": "04", **more})


def add(session: Session, *versions: Area, at: datetime = NOW) -> list[str]:
    return add_versions(session, versions, at)


def test_a_version_is_named_by_its_content_and_by_when_the_law_holds() -> None:
    digests = {
        version("One").digest,
        version("Two").digest,
        version("One", valid_from="2026-07-01").digest,
        version("One", relations=[["renamed_to", "school:test-two", "2026-07-01"]]).digest,
    }
    assert len(digests) == 4
    assert version("One").digest == version("One").digest


def test_what_was_right_and_what_was_believed_stay_apart(session: Session) -> None:
    add(session, version("Old", valid_to="2026-01-01"), version("Wrong", valid_from="2026-01-01"))
    add(session, version("Right", valid_from="2026-01-01"), at=LATER)
    day = date(2026, 2, 1)
    found = right_on(session, SCHOOL, day), believed_at(session, SCHOOL, day, NOW)
    assert [area and area.name for area in found] == ["Right", "Wrong"]
    before = right_on(session, SCHOOL, date(2025, 12, 31))
    assert before is not None
    assert before.name == "Old"
    assert believed_at(session, SCHOOL, day, NOW - timedelta(days=1)) is None


def test_a_version_is_stored_once_until_another_overruled_it(session: Session) -> None:
    add(session, version("One"))
    add(session, version("One"), at=NOW + timedelta(hours=1))
    assert session.execute(select(func.count()).select_from(area_versions)).scalar_one() == 1
    add(session, version("Two"), at=NOW + timedelta(hours=2))
    add(session, version("One"), at=LATER)
    believed = believed_at(session, SCHOOL, date(2026, 2, 1), LATER)
    assert believed is not None
    assert believed.name == "One"


def test_a_set_keeps_all_that_an_area_says(session: Session) -> None:
    whole = version(
        "Tempe", "place:test", aliases=["T"], zips={"85281": 0.5}, parents={"county:04013": 1.0},
        relations=[["split_into", SCHOOL, "2026-07-01"]], precision_m=12.5, valid_from="2020-01-01",
        valid_to="2026-07-01", source="s", vintage="2026", licence="none",
        geometry=areas()[0]["geometry"],
    )  # fmt: skip
    (named,) = add(session, whole)
    set_id = boundary_sets.draft_set(session, None, [named], (), "test", NOW)
    assert boundary_sets.load_set(session, set_id).extra["place:test"] == whole


def test_a_draft_adds_removes_and_leaves_its_base_alone(session: Session) -> None:
    base = boundary_sets.store_areas(session, areas(), "test", NOW)
    drafted = boundary_sets.draft_set(
        session, base, add(session, version("One")), ["school:demo-ocotillo"], "test", NOW
    )
    before, after = (set(boundary_sets.load_set(session, one).extra) for one in (base, drafted))
    assert (after - before, before - after) == ({SCHOOL}, {"school:demo-ocotillo"})


def test_a_set_is_the_same_however_it_came_about(session: Session) -> None:
    one, two = add(session, version("One"), version("Two", "school:test-two"))
    at_once = boundary_sets.draft_set(session, None, [one, two], (), "test", NOW)
    first = boundary_sets.draft_set(session, None, [two], (), "test", NOW)
    assert boundary_sets.draft_set(session, first, [one], (), "test", NOW) == at_once
    assert boundary_sets.load_set(session, at_once).extra.columns.digest == at_once


def test_faults_of_a_draft_name_the_area(session: Session) -> None:
    hanging = add(session, version("Lost", "place:test"))
    drafted = boundary_sets.draft_set(session, None, hanging, (), "test", NOW)
    (fault,) = boundary_sets.faults(session, drafted)
    assert fault.startswith("place:test has neither an outline nor ZIPs")


def test_a_newer_version_waits_for_its_day(session: Session) -> None:
    (old,) = add(session, version("Old"))
    base = boundary_sets.draft_set(session, None, [old], (), "test", NOW)
    new = add(session, version("New", valid_from="2026-07-01"))
    found = boundary_sets.load_set(session, boundary_sets.draft_set(session, base, new, (), "test", NOW))
    names = [found.on(day).name(SCHOOL) for day in (date(2026, 6, 30), date(2026, 7, 1))]
    assert names == ["Old", "New"]
    # From the same day on, the added one stands alone.
    again = add(session, version("Newest", valid_from="2026-01-01"))
    last = boundary_sets.draft_set(session, base, again, (), "test", NOW)
    assert boundary_sets.load_set(session, last).on(date(2026, 7, 1)).name(SCHOOL) == "Newest"


def test_a_corrected_version_takes_the_place_of_the_one_of_the_same_day(session: Session) -> None:
    base = boundary_sets.draft_set(session, None, add(session, version("Wrong")), (), "test", NOW)
    corrected = boundary_sets.draft_set(session, base, add(session, version("Right")), (), "test", NOW)
    columns = boundary_sets.load_set(session, corrected).extra.columns
    assert [area.name for area in columns.areas()] == ["Right"]


def test_an_area_that_ended_leads_to_what_it_became() -> None:
    one = version("One", valid_to="2026-07-01", relations=[["renamed_to", "school:test-two", "2026-07-01"]])
    two = version("Two", "school:test-two", valid_from="2026-07-01")
    three = version(
        "Three", "school:test-three", valid_from="2026-07-01",
        relations=[["merged_from", "school:test-four", "2026-07-01"]],
    )  # fmt: skip
    four = version("Four", "school:test-four", valid_to="2026-07-01")
    found = Boundaries([one, two, three, four])
    before, after = found.on(date(2026, 6, 30)), found.on(date(2026, 7, 1))
    assert before.successors(SCHOOL) == (SCHOOL,)
    assert after.successors(SCHOOL) == ("school:test-two",)
    assert after.successors("school:test-four") == ("school:test-three",)
    assert (before.knows("school:test-two"), after.knows(SCHOOL)) == (False, False)
    assert before.digest == after.digest == found.digest


def test_names_and_zips_of_another_days_version_find_nothing() -> None:
    renamed = [version("Old Name", valid_to="2026-07-01"), version("New Name", valid_from="2026-07-01")]
    after = Boundaries(renamed).on(date(2026, 7, 1))
    assert (after.schools_named("Old Name"), after.schools_named("New Name")) == ((), (SCHOOL,))


def test_columns_come_back_as_they_were() -> None:
    columns = Columns.of(map(Area.from_json, areas()))
    again = Columns.from_bytes(columns.to_bytes())
    assert list(again.areas()) == list(columns.areas())
    assert again.to_bytes() == columns.to_bytes()


def test_a_set_or_version_that_was_never_stored_is_said(session: Session) -> None:
    with pytest.raises(boundary_sets.SetFault, match="no boundary set"):
        boundary_sets.load_set(session, "0" * 64)
    with pytest.raises(LookupError, match="no area version"):
        boundary_sets.draft_set(session, None, ["0" * 64], (), "test", NOW)

"""A hub's member sends a file, sees what it would change and what is wrong with it, and makes the draft."""

from __future__ import annotations

import io
from pathlib import Path

import pytest
from bs4 import BeautifulSoup, Tag

from foundation import clock, database
from routing import drafts, snapshots
from routing.importing import uploads
from tests import builders
from tests.desk.sitting import Desk
from tests.routing.importing import files
from tests.routing.importing.files import square

SCHOOLS = """NCESSCH,LEAID,NAME,STFIP,CNTY,LAT,LON
40001,408340,Tempe Ridge High School,04,4013,33.40,-111.93
"""
FAULTY = SCHOOLS + "40003,408340,Nowhere School,04,4013,-111.93,33.40\n"


@pytest.fixture(autouse=True)
def _nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "_current", None)


def send(
    desk: Desk,
    content: str | bytes,
    name: str = "schools.csv",
    *,
    holds: str = "school",
    mapping: str = "nces-schools",
    status: int = 200,
    **more: str,
) -> BeautifulSoup:
    """Ada sends a file; the page that she comes to."""
    client = desk.seat("Ada").client
    token = builders.csrf_token(client.get("/import").get_data(as_text=True))
    written = content.encode() if isinstance(content, str) else content
    fields = {
        "csrf_token": token,
        "holds": holds,
        "mapping": mapping,
        **more,
        "file": (io.BytesIO(written), name),
    }
    answer = client.post("/import", data=fields, follow_redirects=True)
    text = answer.get_data(as_text=True)
    assert answer.status_code == status, text[:2000]
    desk.seat("Ada").answer = answer
    return BeautifulSoup(text, "html.parser")


def words(page: Tag) -> str:
    return " ".join(page.get_text(" ").split())


def press(desk: Desk, page: BeautifulSoup, status: int = 200, **ticked: str) -> BeautifulSoup:
    """The button under the look at the file."""
    address = desk.seat("Ada").answer.request.path
    return desk.seat("Ada").press(page, address, ticked, status=status)


def all_drafts(desk: Desk) -> list[drafts.Draft]:
    with database.reading(desk.town.engine) as session:
        return drafts.listed(session)


def test_a_file_is_looked_at_before_it_is_a_draft(desk: Desk) -> None:
    page = send(desk, SCHOOLS)
    told = words(page)
    assert "Areas: 1 new, 0 changed, 0 unchanged. No row is faulty." in told
    assert "Tempe Ridge High School, in Maricopa County, Tempe" in told
    assert all_drafts(desk) == []


def test_the_press_makes_the_draft_by_that_member(desk: Desk) -> None:
    page = press(desk, send(desk, SCHOOLS))
    (draft,) = all_drafts(desk)
    assert "Areas of schools.csv" in words(page)
    assert (draft.title, draft.begun_by) == ("Areas of schools.csv", desk.town.member_id("Ada"))
    with database.reading(desk.town.engine) as session:
        _, after = drafts.before_and_after(session, draft)
        assert not snapshots.current(session, clock.now()).boundaries.knows("school:nces-000000040001")
    assert after.boundaries.knows("school:nces-000000040001")


def test_a_row_without_an_id_is_not_called_by_half_of_one(desk: Desk) -> None:
    page = words(send(desk, SCHOOLS + ",408340,Nameless School,04,4013,33.40,-111.93\n"))
    assert "the id is missing Column NCESSCH" in page
    assert "school: " not in page


def test_faulty_rows_are_shown_and_left_out_only_knowingly(desk: Desk) -> None:
    page = send(desk, FAULTY)
    (row,) = page.select("tbody tr")
    assert (
        words(row)
        == "3 latitude and longitude look swapped Column LAT, LON -111.93, 33.40 school:nces-000000040003"
    )
    refused = press(desk, page, status=400)
    assert "Mend the file, or leave those rows out" in refused.get_text()
    press(desk, refused, leave_out="y")
    assert len(all_drafts(desk)) == 1


def test_of_more_faults_than_are_shown_it_says_how_many_there_are(desk: Desk) -> None:
    rows = [f"{number},408340,,04,4013,-111.93,33.40" for number in range(150)]
    page = words(send(desk, "\n".join([SCHOOLS.splitlines()[0], *rows])))
    assert "150 rows are faulty" in page
    assert "Rows that cannot be used: the first 200 of 300 reasons" in page


def test_a_map_is_read_as_well(desk: Desk, tmp_path: Path) -> None:
    cells = {"id": "wash", "name": "The wash", "state": "AZ"}
    path = files.zipped(tmp_path / "a.zip", [(cells, square())])
    page = send(desk, path.read_bytes(), "wash.zip", holds="custom", mapping="generic")
    assert "custom:wash The wash, in Maricopa County; drawn" in words(page)


def test_rules_are_drafted_too(desk: Desk) -> None:
    page = send(desk, "id,team,role,area\nnew,tempe-police,notify,state:04\n", "rules.csv", holds="rules")
    assert "new: Tempe Police is told of what happens in Arizona." in words(page)
    press(desk, page)
    (draft,) = all_drafts(desk)
    assert set(draft.changes) == {"new"}


def test_what_cannot_be_read_is_said(desk: Desk) -> None:
    page = send(desk, "rubbish", "a.gpkg", holds="custom", mapping="generic", status=400)
    assert "The file is no GeoPackage, or is broken." in words(page)


@pytest.mark.parametrize(
    ("name", "given", "reason"),
    [
        ("", {}, "Choose a file"),
        ("schools.kml", {}, "must end with one of .csv"),
        ("schools.csv", {"holds": ""}, "Choose what the file holds"),
        ("schools.csv", {"mapping": ""}, "Choose how the file is written"),
        ("schools.csv", {"holds": "campus"}, "for the layer school, not for campus"),
        ("schools.csv", {"mapping": "own", "own_mapping": "id = 3"}, "id in the mapping must be text"),
    ],
)
def test_a_form_that_cannot_be_used_says_why(
    desk: Desk, name: str, given: dict[str, str], reason: str
) -> None:
    assert reason in words(send(desk, SCHOOLS, name, status=400, **given))


def test_a_mapping_of_ones_own_may_be_pasted(desk: Desk) -> None:
    own = 'id = "{NCESSCH}"\nname = "{NAME}"'
    page = send(desk, SCHOOLS, holds="campus", mapping="own", own_mapping=own)
    assert "campus:40001 Tempe Ridge High School" in words(page)


def test_rules_on_areas_that_would_end_are_shown_before_anybody_ticks_it(desk: Desk) -> None:
    own = 'id = "demo-{id}"\nname = "{id}"'
    page = send(desk, "id\nnew\n", mapping="own", own_mapping=own)
    assert "3 rules stand on areas that the file lacks" in words(page)
    assert "saguaro-bend-school: school:demo-saguaro-bend" in words(page)
    assert "on areas that the file lacks" not in words(send(desk, SCHOOLS))


def test_a_large_file_is_taken_here_and_a_larger_one_is_not(
    desk: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    large = SCHOOLS + "\n" * 3_000_000
    send(desk, large)
    monkeypatch.setattr(uploads, "LARGEST", 1024)
    send(desk, large, status=413)


def test_a_form_without_its_token_is_refused(desk: Desk) -> None:
    fields = {
        "holds": "school",
        "mapping": "nces-schools",
        "file": (io.BytesIO(SCHOOLS.encode()), "schools.csv"),
    }
    desk.seat("Ada")
    desk.app.config["WTF_CSRF_ENABLED"] = True
    assert desk.seat("Ada").client.post("/import", data=fields).status_code == 400


def test_what_was_published_meanwhile_has_to_be_looked_at(desk: Desk) -> None:
    page = send(desk, SCHOOLS)
    with database.transaction(desk.town.engine) as session:
        current = snapshots.current(session, clock.now())
        rules = {**current.rules.as_json(), "rules": []}
        fresh = snapshots.store_rules(session, rules, "other", clock.now())
        snapshots.put_in_force(session, fresh, current.areas_id, clock.now())
    again = press(desk, page, status=400)
    assert "Something else was published since you looked" in again.get_text()
    press(desk, again)
    assert len(all_drafts(desk)) == 1


def test_nobody_else_sees_a_members_file(desk: Desk) -> None:
    send(desk, SCHOOLS)
    address = desk.seat("Ada").answer.request.path
    desk.seat("Rita").look(address, status=404)


def test_a_local_team_imports_nothing(desk: Desk) -> None:
    desk.seat("Ines").look("/import", status=404)


def test_a_kept_file_gives_way_to_the_next_and_to_time(desk: Desk) -> None:
    send(desk, SCHOOLS)
    first = desk.seat("Ada").answer.request.path
    send(desk, SCHOOLS)
    desk.seat("Ada").look(first, status=404)

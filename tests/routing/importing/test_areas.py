"""Areas are imported as a draft: all of a file or nothing, and what is in force stays as it is."""

from __future__ import annotations

import csv
import tracemalloc
from pathlib import Path

import pytest

from foundation import clock, database
from ledger.entries import Actor
from routing import demonstration, snapshots
from routing.boundaries import Boundaries
from routing.importing import areas_file, drafting
from routing.importing.checking import Checker
from routing.importing.drafting import Overtaken
from routing.importing.mapping import mapping_named
from routing.importing.report import Report
from routing.importing.spool import Spool
from routing.importing.tables_csv import open_table
from tests.builders import Town
from tests.routing.importing import files
from tests.routing.importing.conftest import Run, draft_count, drafted
from tests.routing.importing.files import square

SCHOOLS = (
    "NCESSCH,LEAID,NAME,STFIP,CNTY,LAT,LON",
    "40001,408340,Tempe Ridge High School,04,4013,33.40,-111.93",
    "40002,408340,Salt Bank Middle School,04,4013,33.42,-111.95",
)
FAULTY = "40003,408340,Nowhere School,04,4013,-111.93,33.40"


def schools(tmp_path: Path, *more: str) -> Path:
    return files.table(tmp_path / "schools.csv", *SCHOOLS, *more)


def places(tmp_path: Path) -> Path:
    tempe = {"GEOID": "0473000", "NAME": "Tempe", "NAMELSAD": "Tempe city", "STATEFP": "04"}
    return files.zipped(tmp_path / "places.zip", [(tempe, square())])


def in_force(town: Town) -> str:
    with database.reading(town.engine) as session:
        return snapshots.current(session, clock.now()).digest


def test_a_school_list_becomes_a_draft(run: Run, town: Town, tmp_path: Path) -> None:
    before = in_force(town)
    said = run("areas", schools(tmp_path), "--mapping", "nces-schools")
    assert said.exit_code == 0, said.output
    assert "Areas: 2 new, 0 changed, 0 unchanged" in said.output
    boundaries = drafted(town, said.output).boundaries
    assert boundaries.schools_named("Tempe Ridge HS") == ("school:nces-000000040001",)
    assert dict(boundaries.widen("school:nces-000000040001"))["place:0473000"] == 1.0
    assert in_force(town) == before


def test_a_preview_shows_the_first_rows_and_changes_nothing(run: Run, town: Town, tmp_path: Path) -> None:
    said = run("areas", schools(tmp_path), "--mapping", "nces-schools", "--preview")
    assert "Tempe Ridge High School, in Maricopa County, Tempe" in said.output
    assert "This was a preview" in said.output
    assert draft_count(town) == 0


def test_one_faulty_row_refuses_all(run: Run, town: Town, tmp_path: Path) -> None:
    said = run("areas", schools(tmp_path, FAULTY), "--mapping", "nces-schools")
    assert said.exit_code == 1
    assert (
        "row 4, school:nces-000000040003: LAT, LON -111.93, 33.40: latitude and longitude look swapped"
        in (said.output)
    )
    assert draft_count(town) == 0


def test_faulty_rows_may_be_left_out_and_are_listed(run: Run, town: Town, tmp_path: Path) -> None:
    report = tmp_path / "report.csv"
    words = ("--mapping", "nces-schools", "--leave-out-faulty", "--report", report)
    said = run("areas", schools(tmp_path, FAULTY), *words)
    assert "Areas: 2 new" in said.output
    (line,) = csv.DictReader(report.read_text().splitlines())
    assert (line["outcome"], line["row"], line["column"]) == ("refused", "4", "LAT, LON")
    assert draft_count(town) == 1


def test_a_report_runs_no_formula(run: Run, tmp_path: Path) -> None:
    report = tmp_path / "report.csv"
    row = '40004,1,"Fine School",=cmd()|x,4013,33.40,-111.93'
    run("areas", schools(tmp_path, row), "--mapping", "nces-schools", "--report", report)
    assert [line["value"] for line in csv.DictReader(report.read_text().splitlines())] == ["'=cmd()|x"]


def test_the_same_id_twice_names_both_rows(run: Run, tmp_path: Path) -> None:
    said = run("areas", schools(tmp_path, SCHOOLS[1]), "--mapping", "nces-schools")
    assert "row 4, school:nces-000000040001: row 2 has the same id" in said.output


def test_a_file_says_what_it_changes(run: Run, town: Town, tmp_path: Path) -> None:
    said = run("areas", places(tmp_path), "--mapping", "census-places")
    assert said.exit_code == 0, said.output
    assert "Areas: 0 new, 1 changed, 0 unchanged. 3 in force are not in the file: they stay." in said.output
    assert drafted(town, said.output).boundaries.extra["place:0473000"].aliases == ("Tempe city",)


def test_what_was_read_beside_older_rules_is_not_drafted(town: Town) -> None:
    with database.transaction(town.engine) as session:
        base = drafting.in_force(session)
        fewer = {**base.rules.as_json(), "rules": []}
        snapshots.publish(session, areas=demonstration.areas(), rules=fewer, source="test", now=clock.now())
    with database.transaction(town.engine) as session, pytest.raises(Overtaken):
        drafting.draft_rules(
            session, base.rules.as_json(), base=base, source="a", by=Actor(part="test"), now=clock.now()
        )
    assert draft_count(town) == 0


def test_what_a_complete_file_lacks_ends(run: Run, town: Town, tmp_path: Path) -> None:
    mapping = tmp_path / "m.toml"
    mapping.write_text('id = "demo-{id}"\nname = "{id}"')
    path = files.table(tmp_path / "a.csv", "id", "new-campus")
    said = run("areas", path, "--as", "campus", "--mapping", mapping, "--end-missing")
    assert "1 in force is not in the file: it ends." in said.output
    after = drafted(town, said.output).boundaries
    assert [after.knows(f"campus:demo-{name}") for name in ("new-campus", "palo-verde")] == [True, False]


def test_rules_on_what_ends_are_named(run: Run, town: Town, tmp_path: Path) -> None:
    path = files.table(tmp_path / "a.csv", "id", "new")
    mapping = tmp_path / "m.toml"
    mapping.write_text('id = "demo-{id}"\nname = "{id}"')
    kept, ended = (
        run("areas", path, "--as", "school", "--mapping", mapping, "--preview", *more)
        for more in ((), ("--end-missing",))
    )
    assert "saguaro-bend-school" not in kept.output
    assert "3 rules stand on areas that end." in ended.output
    assert "  saguaro-bend-school: school:demo-saguaro-bend" in ended.output


def test_what_others_lie_in_cannot_end(run: Run, town: Town, tmp_path: Path) -> None:
    said = run("areas", places(tmp_path), "--mapping", "census-places", "--end-missing")
    assert "school:demo-lincoln-mesa lies in place:0446000, which is not known" in said.output
    assert draft_count(town) == 0


def test_a_district_and_its_schools_may_come_in_one_file_in_any_order(
    run: Run, town: Town, tmp_path: Path
) -> None:
    mapping = tmp_path / "m.toml"
    mapping.write_text('id = "{id}"\nname = "{id}"\nparents = "{in}"\nzips = "{zips}"')
    path = files.table(tmp_path / "a.csv", "id,in,zips", "b,custom:a,", "a,,85281", "c,custom:gone,85281")
    said = run("areas", path, "--as", "custom", "--mapping", mapping, "--leave-out-faulty")
    assert "row 4, custom:c: custom:gone: it lies in an area that is neither known nor brought" in said.output


def test_a_repaired_outline_is_said(run: Run, town: Town, tmp_path: Path) -> None:
    cells = {"id": "x", "name": "Crossed", "state": "04"}
    path = files.geojson(tmp_path / "a.geojson", [(cells, files.BOW_TIE)])
    said = run("areas", path, "--as", "custom", "--mapping", "generic")
    assert "row 1, custom:x: the outline was repaired" in said.output
    assert drafted(town, said.output).boundaries.extra["custom:x"].geometry


def test_a_file_of_another_shape_names_its_columns(run: Run, tmp_path: Path) -> None:
    said = run("areas", schools(tmp_path), "--as", "school", "--mapping", "generic")
    assert "The file has no column id, name, state. Its columns are NCESSCH" in said.output
    assert said.exit_code == 1


def test_two_imports_do_not_undo_each_other_unseen(
    run: Run, town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def publish_meanwhile(*given: object, **named: object) -> object:
        with database.transaction(town.engine) as session:
            rules = snapshots.current(session, clock.now()).rules.as_json()
            snapshots.publish(
                session, areas=[], rules={**rules, "rules": []}, source="other", now=clock.now()
            )
        return changes(*given, **named)  # type: ignore[arg-type]

    changes = areas_file.changes
    monkeypatch.setattr(areas_file, "changes", publish_meanwhile)
    said = run("areas", schools(tmp_path), "--mapping", "nces-schools")
    assert "Something else was published while the file was read" in said.output
    assert draft_count(town) == 0


def test_memory_does_not_grow_with_the_rows(tmp_path: Path) -> None:
    mapping = mapping_named("nces-schools")
    checker = Checker(mapping, "school", Boundaries.from_json(demonstration.areas()))

    def peak(count: int) -> int:
        rows = (f"{number},1,School {number},04,4013,," for number in range(count))
        path = files.table(tmp_path / "many.csv", SCHOOLS[0], *rows, FAULTY)
        report = Report()
        tracemalloc.start()
        with open_table(path) as opened, Spool() as spool:
            areas_file.read_areas(opened, checker, spool, report, lambda rows: None)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert [fault.row for fault in report.faults] == [count + 2]
        return most

    peak(10)
    assert peak(1200) < peak(200) + 50_000

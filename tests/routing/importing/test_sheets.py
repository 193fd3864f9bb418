"""Rules, teams and contacts come in by CSV, with the same preview, report and all-or-nothing."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from directory import contacts, members, teams
from directory.tables import contacts as contact_rows
from directory.tables import teams as team_rows
from directory.teams import KeyPurpose, TeamKind
from foundation import clock, database
from ledger.tables import ledger_entries
from routing import snapshots
from routing.boundaries import Boundaries
from routing.importing import contacts_csv, rules_csv, teams_csv
from routing.importing.report import Report
from routing.importing.rows import Opened, ReadingFault
from routing.importing.tables_csv import open_table
from routing.importing.teams_csv import Known, Team
from tests.builders import Town
from tests.routing.importing import files
from tests.routing.importing.conftest import Run, drafted

RULES = "id,team,role,area,behaviours,hours_zone,hours_begin,hours_end,valid_from"
NIGHT = "tempe-night,tempe-police,lead,place:usps-AZ-TEMPE,,America/Phoenix,20:00,08:00,2026-01-01"
TEAMS = "slug,name,kind,parent,time_zone,state,telephone"
PEORIA = "peoria-police,Peoria Police,local,peoria-county,America/Phoenix,AZ,(623) 555-0133"
COUNTY = "peoria-county,Peoria's county team,local,az-stamp,America/Phoenix,04,"
CONTACTS = "member,channel,address"


def faults(tmp_path: Path, read: Callable[[Opened, Report], object], *lines: str) -> str:
    """What a reader of sheets says of these lines, without a database."""
    report = Report()
    with open_table(files.table(tmp_path / "sheet.csv", *lines)) as opened:
        read(opened, report)
    return "; ".join(map(str, report.faults))


def rows(town: Town, table: Any) -> int:
    with database.reading(town.engine) as session:
        return int(session.execute(select(func.count()).select_from(table)).scalar_one())


def test_rules_become_a_draft_and_stay_out_of_force(run: Run, town: Town, tmp_path: Path) -> None:
    said = run("rules", files.table(tmp_path / "r.csv", RULES, NIGHT))
    assert said.exit_code == 0, said.output
    assert "Rules: 1 new, 0 changed, 0 unchanged. 12 in force are not in the file: they stay." in said.output
    rule = next(rule for rule in drafted(town, said.output).rules.rules if rule.id == "tempe-night")
    assert (rule.team, rule.hours is not None) == (town.team["tempe-police"], True)
    with database.reading(town.engine) as session:
        assert "tempe-night" not in {rule.id for rule in snapshots.current(session, clock.now()).rules.rules}


def test_a_whole_file_ends_the_rules_that_it_lacks(run: Run, town: Town, tmp_path: Path) -> None:
    said = run("rules", files.table(tmp_path / "r.csv", RULES, NIGHT), "--whole")
    assert [rule.id for rule in drafted(town, said.output).rules.rules] == ["tempe-night"]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("x,nobody,lead,state:04,,,,,", "row 3, x: team nobody: there is no such team"),
        (
            "x,tempe-police,rule,state:04,,,,,",
            "row 3, x: role rule: it is one of lead, support, notify, exclude",
        ),
        ("x,tempe-police,,state:04,,,,,", "row 3, x: role: it is one of lead"),
        (
            "x,tempe-police,lead,place:9999999,,,,,",
            "row 3, x: area place:9999999: place:9999999 is not known",
        ),
        ("x,tempe-police,lead,county:09001,,,,,", "county:09001 has ended; in its place: county:09120"),
        ("x,tempe-police,lead,state:04,being_odd,,,,", "unknown behaviours being_odd"),
        ("x,tempe-police,lead,state:04,,,20:00,,", "hours need a beginning and an end"),
        ("x,tempe-police,lead,state:04,,,,,31.3.2026", "valid_from 31.3.2026: a day is written 2026-03-31"),
        ("x,tempe-police,lead,state:04", "it has 4 cells where the header has 9"),
    ],
)
def test_what_is_wrong_with_a_rule_is_said_with_its_row(tmp_path: Path, row: str, reason: str) -> None:
    assert reason in faults(tmp_path, read_rules, RULES, NIGHT, row)


def read_rules(opened: Opened, report: Report) -> object:
    slugs = {"tempe-police": "tempe-police"}
    return rules_csv.read_rules(
        opened,
        report,
        teams=slugs,
        base={"root_team": "root"},
        boundaries=Boundaries(),
        tick=lambda rows: None,
    )


def test_a_misspelt_condition_is_not_a_rule_without_it(tmp_path: Path) -> None:
    row = "x,tempe-police,lead,state:04,x"
    with pytest.raises(ReadingFault, match="The columns behaviour mean nothing here"):
        faults(tmp_path, read_rules, "id,team,role,area,behaviour", row)


def test_one_faulty_rule_refuses_all(run: Run, town: Town, tmp_path: Path) -> None:
    said = run("rules", files.table(tmp_path / "r.csv", RULES, NIGHT, "x,nobody,lead,state:04,,,,,"))
    assert "row 3, x: team nobody: there is no such team" in said.output
    assert "Nothing was imported" in said.output
    assert said.exit_code == 1


def test_teams_come_with_their_keys_in_any_order(run: Run, town: Town, tmp_path: Path) -> None:
    said = run("teams", files.table(tmp_path / "t.csv", TEAMS, PEORIA, COUNTY))
    assert said.exit_code == 0, said.output
    with database.reading(town.engine) as session:
        peoria = teams.team_by_slug(session, "peoria-police")
        assert peoria is not None
        assert [row.slug for row in teams.ancestors(session, peoria.id)] == [
            "peoria-county",
            "az-stamp",
            "root-desk",
        ]
        assert (peoria.telephone, peoria.time_zone) == ("+16235550133", "America/Phoenix")
        assert town.ring.seed(teams.public_key(session, peoria.id, KeyPurpose.READING).id)


def test_the_same_teams_again_change_nothing(run: Run, town: Town, tmp_path: Path) -> None:
    path = files.table(tmp_path / "t.csv", TEAMS, PEORIA, COUNTY)
    run("teams", path)
    assert "Teams: 0 new, 0 changed, 2 unchanged." in run("teams", path).output


def test_a_team_that_is_known_gets_its_new_name(run: Run, town: Town, tmp_path: Path) -> None:
    row = "mesa-police,Mesa Police Department,local,az-stamp,America/Phoenix,04,"
    assert "1 changed" in run("teams", files.table(tmp_path / "t.csv", TEAMS, row)).output
    with database.reading(town.engine) as session:
        assert teams.team(session, town.team["mesa-police"]).name == "Mesa Police Department"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("New Team,N,local,az-stamp,America/Phoenix,,", "a slug is small letters"),
        ("n,,local,az-stamp,America/Phoenix,,", "a name has 1 to 120 signs"),
        ("n,N,root,az-stamp,America/Phoenix,,", "a kind is one of hub, local, support, office"),
        ("n,N,local,nowhere,America/Phoenix,,", "nowhere: there is no such team"),
        ("n,N,local,fbi-phoenix,America/Phoenix,,", "an office only forwards"),
        ("n,N,local,az-stamp,Phoenix,,", "a time zone is written like"),
        ("n,N,local,az-stamp,America/Phoenix,ZZ,", "there is no such state"),
        ("n,N,local,az-stamp,America/Phoenix,,123", "no telephone number"),
        ("mesa-police,M,hub,az-stamp,America/Phoenix,,", "it is of the kind local and stays so"),
        ("az-stamp,A,hub,mesa-police,America/Phoenix,04,", "the teams above it lead back to itself"),
        ("n,N,local,n,America/Phoenix,,", "the teams above it lead back to itself"),
    ],
)
def test_what_is_wrong_with_a_team_is_said_with_its_row(tmp_path: Path, row: str, reason: str) -> None:
    assert f"row 3, {row.partition(',')[0]}: " in faults(tmp_path, read_teams, TEAMS, COUNTY, row)
    assert reason in faults(tmp_path, read_teams, TEAMS, COUNTY, row)


def read_teams(opened: Opened, report: Report) -> object:
    def known(slug: str, kind: TeamKind, parent: str) -> Known:
        return Known(slug, Team(slug, slug, kind, parent, "America/Phoenix"))

    there = (
        known("root-desk", TeamKind.ROOT, ""),
        known("az-stamp", TeamKind.HUB, "root-desk"),
        known("mesa-police", TeamKind.LOCAL, "az-stamp"),
        known("fbi-phoenix", TeamKind.OFFICE, "root-desk"),
    )
    return teams_csv.read_teams(opened, report, {entry.id: entry for entry in there})


def test_one_faulty_team_refuses_all(run: Run, town: Town, tmp_path: Path) -> None:
    before = rows(town, team_rows)
    said = run("teams", files.table(tmp_path / "t.csv", TEAMS, COUNTY, "n,N,local,nowhere,America/Phoenix,,"))
    assert said.exit_code == 1
    assert rows(town, team_rows) == before


def test_contacts_are_added_unverified(run: Run, town: Town, tmp_path: Path) -> None:
    path = files.table(tmp_path / "c.csv", CONTACTS, "Ines@tempe-police.example,sms,(480) 555-0177")
    said = run("contacts", path)
    assert said.exit_code == 0, said.output
    with database.reading(town.engine) as session:
        mine = {row.address: row.verified_at for row in contacts.of_member(session, town.member_id("Ines"))}
        assert mine["+14805550177"] is None
        reached = members.reachable_contacts(session, [town.member_id("Ines")])
        assert "+14805550177" not in {row.address for row in reached}


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("nobody@example.org,sms,(480) 555-0177", "row 2: member: there is no active member"),
        ("ines@tempe-police.example,pigeon,x", "channel pigeon: a channel is one of sms, email"),
        ("ines@tempe-police.example,sms,555", "row 2: address: no telephone has that number"),
        ("ines@tempe-police.example,email,ines at home", "row 2: address: this is no e-mail address"),
    ],
)
def test_what_is_wrong_with_a_contact_is_said_with_its_row(tmp_path: Path, row: str, reason: str) -> None:
    def read(opened: Opened, report: Report) -> object:
        return contacts_csv.read_contacts(opened, report, {"ines@tempe-police.example": "ines"})

    assert reason in faults(tmp_path, read, CONTACTS, row)


def test_one_faulty_contact_refuses_all(run: Run, town: Town, tmp_path: Path) -> None:
    before = rows(town, contact_rows)
    good = "ines@tempe-police.example,sms,+14805550177"
    said = run("contacts", files.table(tmp_path / "c.csv", CONTACTS, good, good))
    assert "row 3: address: row 2 says the same" in said.output
    assert rows(town, contact_rows) == before


def test_the_report_of_contacts_repeats_no_address(run: Run, tmp_path: Path) -> None:
    report = tmp_path / "report.csv"
    path = files.table(tmp_path / "c.csv", CONTACTS, "nobody@example.org,sms,48055501")
    said = run("contacts", path, "--report", report)
    assert "row 2: address: no telephone has that number" in said.output
    for secret in ("nobody@example.org", "48055501"):
        assert secret not in said.output + report.read_text()


def test_what_was_imported_stands_in_the_ledger(run: Run, town: Town, tmp_path: Path) -> None:
    run("contacts", files.table(tmp_path / "c.csv", CONTACTS, "ines@tempe-police.example,sms,+14805550177"))
    with database.reading(town.engine) as session:
        kinds = session.execute(select(ledger_entries.c.kind)).scalars().all()
    assert kinds.count("contacts_imported") == 1

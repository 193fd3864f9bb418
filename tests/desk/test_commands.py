"""Commands: the doctor and the ledger's verdict end with a status that a script can trust."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result
from sqlalchemy import Engine, delete, select, update

from directory.tables import contacts
from foundation import clock, database, heartbeat
from foundation.settings import Settings
from ledger.entries import DEPLOYMENT
from ledger.tables import ledger_heads
from ledger.verification import entries_of
from referrals.keyring import FileKeyring
from routing import snapshots
from routing.tables import rule_sets
from tests import builders
from tests.builders import Town
from tests.desk.test_setting_up import run
from tests.routing.acts import tip

PASSPHRASE = "a passphrase of the ring"


@pytest.fixture
def town(engine: Engine, settings: Settings, database_url: str, tmp_path: Path) -> Town:
    ring = tmp_path / "ring.json"
    FileKeyring.create(ring, PASSPHRASE)
    opened = replace(
        settings, database_url=database_url, keyring_file=str(ring), keyring_passphrase=PASSPHRASE
    )
    return builders.found(engine, opened)


def command(town: Town, *args: str) -> Result:
    return run(town.settings, *args)


def test_the_doctor_is_content_with_a_sound_town(town: Town) -> None:
    tip(town)
    with database.transaction(town.engine) as session:
        heartbeat.beat(session, "clock", clock.now())
    assert command(town, "doctor").exit_code == 0


def test_the_doctor_names_what_is_wrong(town: Town) -> None:
    with database.transaction(town.engine) as session:
        mine = contacts.c.member_id == town.member_id("Olu")
        session.execute(update(contacts).where(mine).values(disabled_at=clock.now()))
    said = command(town, "doctor")
    assert said.exit_code == 1
    assert said.output.splitlines() == [
        "the clock has never run",
        "Mesa Police: nobody on its ladder can be reached",
    ]


def test_a_broken_ledger_is_named_and_fails(town: Town) -> None:
    case = tip(town)
    assert command(town, "ledger", "verify").exit_code == 0
    with database.transaction(town.engine) as session:
        session.execute(delete(ledger_heads).where(ledger_heads.c.stream == case.id))
    said = command(town, "ledger", "verify")
    assert said.exit_code == 1
    assert f"BROKEN: stream {case.id}" in said.output


def test_a_new_team_gets_a_key_that_the_ring_keeps_and_a_member(town: Town) -> None:
    assert command(town, "directory", "add-team", "yuma", "--name", "Yuma", "--kind", "local", "--parent",
                   "az-stamp").exit_code == 0  # fmt: skip
    made = command(town, "directory", "add-member", "yara@yuma.example", "--name", "Yara", "--team", "yuma",
                   "--discipline", "deputy", "--phone", "928 555 0100", "--password",
                   "a long enough password of hers")  # fmt: skip
    assert made.exit_code == 0, made.output
    assert "Yara" in command(town, "directory", "list").output


@pytest.mark.parametrize("wrong", [("--parent", "nowhere"), ("--time-zone", "Mars")])
def test_a_wrong_team_is_refused_in_a_sentence(town: Town, wrong: tuple[str, str]) -> None:
    args = ["--name", "Yuma", "--kind", "local", "--parent", "az-stamp", *wrong]
    said = command(town, "directory", "add-team", "yuma", *args)
    assert said.exit_code != 0
    assert wrong[1] in said.output


def test_faulty_rules_change_nothing(town: Town, tmp_path: Path) -> None:
    (tmp_path / "rules.json").write_text('{"rules": {"rules": [{"team": "nobody"}]}}')
    with database.reading(town.engine) as session:
        before = session.execute(select(rule_sets.c.id)).all()
    assert command(town, "routing", "publish", str(tmp_path / "rules.json")).exit_code == 1
    with database.reading(town.engine) as session:
        assert session.execute(select(rule_sets.c.id)).all() == before


def test_rules_in_force_are_changed_by_a_draft_or_on_record(town: Town, tmp_path: Path) -> None:
    rule = {"id": "one", "team": "tempe-police", "role": "lead", "area": "place:0473000"}
    file = tmp_path / "rules.json"
    file.write_text(json.dumps({"rules": {"rules": [rule]}}))
    said = command(town, "routing", "publish", str(file))
    assert said.exit_code == 1
    assert "by a draft" in said.output
    with database.reading(town.engine) as session:
        before = snapshots.current(session, clock.now())
    assert command(town, "routing", "publish", str(file), "--replace").exit_code == 0
    with database.reading(town.engine) as session:
        after = snapshots.current(session, clock.now())
        last = entries_of(session, DEPLOYMENT)[-1]
    # Areas that the file does not name stay.
    assert after.areas_id == before.areas_id
    assert [kept.id for kept in after.rules.rules] == ["one"]
    assert (last["kind"], last["facts"]["rules"]) == ("rules_published", after.rules_id)

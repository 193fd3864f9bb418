"""A real installation out of nothing, and a demonstration that stays away from real people."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import psycopg
import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import Engine, make_url, select

from desk import demonstration
from desk.commands import register_commands
from desk.demonstration import NotHere
from directory.tables import members
from foundation import clock, database, heartbeat
from foundation.identifiers import new_id
from foundation.settings import Settings
from notifications.tables import notices
from referrals.duty import Duty
from referrals.facts import Evidence, PlaceKind, Relation
from referrals.grants import Keys
from referrals.keyring import FileKeyring, HeldKeys
from routing import jobs
from tests import builders
from tests.builders import Town

PASSPHRASE, PASSWORD = "a passphrase of the ring", "correct horse battery staple"
ANSWERS = [
    *("--name", "Ohio desk", "--admin-name", "Rosa Lane", "--admin-email", "rosa@ohio.example"),
    *("--admin-phone", "614 555 0123", "--time-zone", "America/New_York", "--admin-password", PASSWORD),
]


@pytest.fixture(params=["sqlite", "postgresql"])
def bare(request: pytest.FixtureRequest, tmp_path: Path) -> Settings:
    """Settings of a deployment whose database has no table and whose keyring is not made."""
    url = f"sqlite:///{tmp_path / 'bare.db'}"
    if request.param == "postgresql":
        server, name = request.getfixturevalue("postgresql_url"), f"bare_{new_id()}"
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        url = make_url(server).set(database=name).render_as_string(hide_password=False)
    ring = {"KEYRING_FILE": str(tmp_path / "ring.json"), "KEYRING_PASSPHRASE": PASSPHRASE}
    return Settings.from_mapping({"SECRET_KEY": "x" * 32, "DATABASE_URL": url} | ring)


def run(settings: Settings, *args: str) -> Result:
    """`flask --app wsgi …`, with these settings."""
    app, engine = Flask("waypost"), database.make_engine(settings.database_url)
    app.extensions |= {"settings": settings, "engine": engine}
    register_commands(app)
    try:
        with app.app_context():
            return app.test_cli_runner().invoke(args=args)
    finally:
        engine.dispose()


def recovery_in(said: str) -> str:
    return next(line.strip() for line in said.splitlines() if len(line.strip()) == 64)


def test_a_tip_to_a_new_deployment_reaches_its_root_desk(bare: Settings) -> None:
    made = run(bare, "setup", *ANSWERS)
    assert made.exit_code == 0, made.output
    engine = database.make_engine(bare.database_url)
    ring = FileKeyring.unlock(Path(bare.keyring_file), PASSPHRASE)
    filed = builders.file_tip(Town(engine, bare), evidence=(Evidence(PlaceKind.UNKNOWN, Relation.TARGET),))
    jobs.route_referral(Duty(engine, bare, Keys(ring, bare.deployment)), filed.id)
    with database.transaction(engine) as session:
        told = session.execute(select(members.c.name).join(notices)).scalars().all()
        heartbeat.beat(session, "clock", clock.now())
    assert told == ["Rosa Lane", "Rosa Lane"]
    checked = run(bare, "doctor")
    assert (checked.exit_code, "All promises hold" in checked.output) == (0, True), checked.output
    assert "intact" in run(bare, "ledger", "verify").output
    # The printed recovery copy opens the ring, and gives it a new passphrase.
    FileKeyring.recover(Path(bare.keyring_file), recovery_in(made.output), "a new one, chosen later")
    assert FileKeyring.unlock(Path(bare.keyring_file), "a new one, chosen later")
    engine.dispose()


def test_setting_up_twice_is_refused_and_changes_nothing(bare: Settings) -> None:
    run(bare, "setup", *ANSWERS)
    ring = Path(bare.keyring_file).read_text()
    again = run(bare, "setup", *ANSWERS)
    assert again.exit_code == 1
    assert "set up already" in again.output
    assert Path(bare.keyring_file).read_text() == ring


def test_a_weak_password_leaves_no_keyring_behind(bare: Settings) -> None:
    answers = [*ANSWERS[:-1], "short"]
    assert run(bare, "setup", *answers).exit_code == 1
    assert not Path(bare.keyring_file).exists()


@pytest.mark.parametrize(
    ("setting", "value"), [("--time-zone", "Mars/Olympus"), ("--admin-phone", "call me")]
)
def test_a_wrong_answer_is_one_sentence_and_leaves_nothing_behind(
    bare: Settings, setting: str, value: str
) -> None:
    answers = list(ANSWERS)
    answers[answers.index(setting) + 1] = value
    said = run(bare, "setup", *answers)
    assert said.exit_code != 0
    assert value in said.output
    assert not Path(bare.keyring_file).exists()


def test_without_a_keyring_file_setup_says_so(bare: Settings) -> None:
    said = run(replace(bare, keyring_file="", keyring_passphrase=""), "setup", *ANSWERS)
    assert said.exit_code == 1
    assert "KEYRING_FILE" in said.output


@pytest.mark.parametrize(
    "live",
    [
        {"public_url": "https://tips.example.org"},
        {"smtp_host": "mail.example.org"},
        {"twilio_account_sid": "AC1", "twilio_auth_token": "t"},
    ],
)
def test_the_demonstration_does_not_load_beside_real_people(
    engine: Engine, settings: Settings, live: dict[str, str]
) -> None:
    with database.transaction(engine) as session, pytest.raises(NotHere):
        demonstration.load(session, HeldKeys(), replace(settings, **live), clock.now(), "x")  # type: ignore[arg-type]
    with database.reading(engine) as session:
        assert not demonstration.is_loaded(session)

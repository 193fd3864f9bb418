"""Promise: a door that says it is ready can do its work."""

from __future__ import annotations

from flask import Flask
from sqlalchemy import Engine, update

from desk.app import create_app as desk
from directory.tables import team_keys
from foundation import clock, database
from intake.app import create_app as intake
from referrals.grants import Keys
from referrals.keyring import HeldKeys
from tests.builders import Town


def doors(town: Town, engine: Engine | None = None) -> list[Flask]:
    given = engine or town.engine
    return [intake(town.settings, given), desk(town.settings, given, town.keys)]


def answers(apps: list[Flask], path: str = "/readyz") -> list[tuple[int, str]]:
    found = [app.test_client().get(path) for app in apps]
    return [(answer.status_code, answer.get_data(as_text=True).strip()) for answer in found]


def test_both_doors_are_ready(town: Town) -> None:
    assert answers(doors(town)) == [(200, "ok"), (200, "ok")]


def test_without_a_database_they_answer_and_are_not_ready(town: Town) -> None:
    away = database.make_engine("postgresql://nobody:x@127.0.0.1:9/nothing")
    assert answers(doors(town, away)) == [(503, "no database")] * 2
    assert answers(doors(town, away), "/healthz") == [(200, "ok")] * 2


def test_without_a_key_to_seal_to_neither_is_ready(town: Town) -> None:
    with database.transaction(town.engine) as session:
        session.execute(update(team_keys).values(retired_at=clock.now()))
    assert answers(doors(town)) == [(503, "no desk to seal to")] * 2


def test_a_desk_with_anothers_keyring_is_not_ready(town: Town) -> None:
    app = desk(town.settings, town.engine, Keys(HeldKeys(), town.settings.deployment))
    assert answers([app]) == [(503, "the keyring is not this deployment's")]

"""Migrations: up and down with data, on both databases; and what they make is what the code expects."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Engine, func, inspect, make_url, select
from sqlalchemy.schema import CheckConstraint

import desk.commands  # noqa: F401  # loads every room's tables
from foundation import database
from foundation.identifiers import new_id
from foundation.settings import Settings
from ledger.audit import audit
from referrals.tables import referrals
from tests import builders


@pytest.fixture(params=["sqlite", "postgresql"])
def bare(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Engine]:
    """An engine on a database without any table, of this test alone."""
    url = f"sqlite:///{tmp_path / 'bare.db'}"
    if request.param == "postgresql":
        server, name = request.getfixturevalue("postgresql_url"), f"bare_{new_id()}"
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute(f'CREATE DATABASE "{name}"')
        url = make_url(server).set(database=name).render_as_string(hide_password=False)
    engine = database.make_engine(url)
    yield engine
    engine.dispose()


def test_the_migrated_schema_is_the_one_of_the_code(engine: Engine) -> None:
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_server_default": True})
        assert compare_metadata(context, database.metadata) == []


def test_the_rules_that_alembic_does_not_compare_are_there_too(engine: Engine) -> None:
    found = {check["name"] for check in inspect(engine).get_check_constraints("referrals")}
    named = {str(one.name) for one in referrals.constraints if isinstance(one, CheckConstraint)}
    assert named
    assert named <= found
    partial = {index["name"]: index for index in inspect(engine).get_indexes("handoffs")}
    kind = engine.dialect.name
    for name in ("uq_handoffs_open_offer", "uq_handoffs_held_transfer"):
        assert partial[name]["unique"]
        assert partial[name]["dialect_options"][f"{kind}_where"] is not None


def test_down_and_up_again_with_data(bare: Engine, settings: Settings) -> None:
    database.migrate(bare)
    for _ in range(2):
        town = builders.found(bare, settings)
        builders.file_tip(town)
        with database.reading(bare) as session:
            assert session.execute(select(func.count()).select_from(referrals)).scalar_one() == 1
            assert audit(session).intact
        database.migrate(bare, "base")
        assert set(inspect(bare).get_table_names()) <= {"alembic_version"}
        database.migrate(bare)


def test_migrating_twice_changes_nothing(bare: Engine) -> None:
    database.migrate(bare)
    tables = inspect(bare).get_table_names()
    database.migrate(bare)
    assert inspect(bare).get_table_names() == tables

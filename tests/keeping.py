"""What loading the demonstration wrote, kept so that the next test's database only copies it."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable
from typing import Any

from sqlalchemy import Engine, text

from foundation import database

Copy = Callable[[Engine], None]

_NUMBERS = itertools.count()
# A superuser may switch triggers off, those of foreign keys and of the ledger included: rows come in any order.
_UNCHECKED = "SET LOCAL session_replication_role = replica"


def keep(engine: Engine) -> Copy:
    """Keeps all rows as they are now; the answer writes them into another empty migrated database of that kind."""
    return _KINDS[engine.dialect.name](engine)


def _of_sqlite(engine: Engine) -> Copy:
    kept = sqlite3.connect(":memory:", check_same_thread=False)
    _copy_file(engine, lambda file: file.backup(kept))
    return lambda other: _copy_file(other, kept.backup)


def _copy_file(engine: Engine, copy: Callable[[Any], None]) -> None:
    connection = engine.raw_connection()
    copy(connection.driver_connection)
    connection.close()


def _of_postgresql(engine: Engine) -> Copy:
    """In a schema beside: each process of the run has one database, which each test finds empty."""
    schema = f"kept_{next(_NUMBERS)}"
    with engine.begin() as connection:
        connection.execute(text(f"CREATE SCHEMA {schema}"))
        filled = [
            table.name
            for table in database.metadata.sorted_tables
            if connection.execute(text(f'SELECT EXISTS (SELECT FROM "{table.name}")')).scalar()  # noqa: S608
        ]
        for name in filled:
            connection.execute(text(f'CREATE TABLE {schema}."{name}" AS TABLE "{name}"'))
    statements = "".join(f'INSERT INTO "{name}" SELECT * FROM {schema}."{name}";' for name in filled)  # noqa: S608

    def copy(other: Engine) -> None:
        with other.begin() as connection:
            connection.exec_driver_sql(f"{_UNCHECKED};{statements}")

    return copy


_KINDS: dict[str, Callable[[Engine], Copy]] = {"sqlite": _of_sqlite, "postgresql": _of_postgresql}

"""The database: one metadata, engines with the right switches, transactions that open at the edge."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    Connection,
    CursorResult,
    DateTime,
    Delete,
    Dialect,
    Engine,
    Integer,
    LargeBinary,
    MetaData,
    Update,
    create_engine,
    event,
    func,
    make_url,
    select,
)
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeDecorator, TypeEngine

from foundation import clock

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(column_0_label)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

# SQLite numbers rows by itself only for INTEGER PRIMARY KEY.
Sequence64: TypeEngine[int] = BigInteger().with_variant(Integer, "sqlite")
Bytes = LargeBinary
_MOMENT = select(func.clock_timestamp(type_=DateTime(timezone=True)))


class UTCDateTime(TypeDecorator[datetime]):
    """An aware datetime in UTC on both databases. A naive one is refused: it is a bug that loses hours."""

    impl = DateTime(timezone=True)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """SQLite has no zones: it is given UTC without one."""
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone")
        value = value.astimezone(UTC)
        return value.replace(tzinfo=None) if dialect.name == "sqlite" else value

    def process_result_value(self, value: datetime | None, dialect: Dialect) -> datetime | None:
        """Always aware, always UTC."""
        if value is None:
            return None
        return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)


def make_engine(url: str) -> Engine:
    """An engine for `sqlite:///file` or `postgresql://…`; parameters never appear in its errors."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return _sqlite(url)
    return create_engine(
        parsed.set(drivername="postgresql+psycopg"),
        hide_parameters=True,
        pool_pre_ping=True,
        pool_size=10,
        max_overflow=20,
        # A lost database must become a page within seconds, not a hanging browser.
        pool_timeout=5,
        connect_args={"connect_timeout": 5},
    )


def _sqlite(url: str) -> Engine:
    path = make_url(url).database
    if path and path != ":memory:":
        Path(path).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(url, hide_parameters=True, connect_args={"timeout": 10})
    event.listen(engine, "connect", _sqlite_switches)
    event.listen(engine, "begin", _sqlite_begin)
    return engine


def _sqlite_switches(connection: Any, _record: Any) -> None:
    # The driver must not open transactions by itself: it would begin them too late and deferred.
    connection.isolation_level = None
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _sqlite_begin(connection: Any) -> None:
    # IMMEDIATE takes the write lock at once; a deferred transaction that writes later can fail half-way.
    reading = connection.get_execution_options().get("reading", False)
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


class _CoreSession(Session):
    """A session whose statements go straight to its transaction's connection. None of ours is the ORM's, and what
    the ORM would prepare for each costs as much again as the statement."""

    _in_transaction: Connection | None = None

    def execute(self, statement: Any, params: Any = None, **options: Any) -> Any:
        """As the connection does it; opened by the first statement, as ever."""
        if self._in_transaction is None:
            self._in_transaction = self.connection()
        return self._in_transaction.execute(statement, params, **options)


@contextmanager
def transaction(engine: Engine) -> Iterator[Session]:
    """One transaction: committed at the end of the block, rolled back on any exception. Afterwards the calls
    that the block left in `session.info["after_commit"]` are made; the commit does not depend on them."""
    with _CoreSession(engine) as session:
        with session.begin():
            yield session
        for call in session.info.get("after_commit", {}).values():
            call()


@contextmanager
def reading(engine: Engine) -> Iterator[Session]:
    """A transaction that only reads, so that on SQLite it waits for nobody."""
    with _CoreSession(engine.execution_options(reading=True)) as session, session.begin():
        yield session


@contextmanager
def steady(engine: Engine) -> Iterator[Session]:
    """A transaction that only reads, all of it as it was at its first moment, whatever others write meanwhile."""
    options: dict[str, Any] = {"reading": True}
    if engine.dialect.name == "postgresql":
        options["isolation_level"] = "REPEATABLE READ"
    with _CoreSession(engine.execution_options(**options)) as session, session.begin():
        yield session


def changed(session: Session, statement: Update | Delete, given: Mapping[str, Any] | None = None) -> int:
    """Makes the change, with what its parameters are `given`, and says how many rows it met: what a compare-and-set
    asks."""
    result = session.execute(statement, given)
    assert isinstance(result, CursorResult)
    return result.rowcount


def now(session: Session) -> datetime:
    """The database's own clock: the one that all processes share when they ask what is due."""
    if session.get_bind().dialect.name == "sqlite":
        # SQLite runs on this machine and has its clock, but to the millisecond: what was posted within the last
        # one would not be due yet.
        return clock.now()
    moment: datetime = session.execute(_MOMENT).scalar_one()
    return moment.astimezone(UTC) + clock.shift()


def migrate(engine: Engine, to: str = "head") -> None:
    """Brings the schema to the revision `to`; "base" empties it."""
    from alembic import command
    from alembic.config import Config

    # Who installs reads the recovery words here; which revision came is of no use between them.
    logging.getLogger("alembic").setLevel(logging.WARNING)
    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent.parent / "migrations"))
    config.attributes["engine"] = engine
    downwards = to == "base" or to.startswith("-")
    (command.downgrade if downwards else command.upgrade)(config, to)


def is_of_this_version(engine: Engine) -> bool:
    """Whether the schema is the code's: a migration that was never released may have changed under its name."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with engine.connect() as connection:
        return not compare_metadata(MigrationContext.configure(connection), metadata)

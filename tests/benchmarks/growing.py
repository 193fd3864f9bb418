"""A deployment grown to a million referrals: a few are made by the code itself, and the database copies them, row by
row, under new ids and times. So every row has its real shape, and the ledger its real chains, tiles and heads."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    Column,
    Engine,
    Integer,
    MetaData,
    String,
    Table,
    bindparam,
    delete,
    event,
    exists,
    func,
    insert,
    literal,
    or_,
    select,
    text,
    update,
)
from sqlalchemy.orm import Session

from directory.tables import contacts, ladder_steps, members, memberships, organisations, team_keys, teams
from foundation import clock, database
from foundation.database import UTCDateTime
from foundation.identifiers import new_id
from foundation.tables import outbox
from ledger import log, tiles
from ledger.tables import ledger_entries, ledger_heads, ledger_leaves
from notifications.tables import attempts, notices
from referrals import casework
from referrals.casework import Disposition
from referrals.facts import Urgency
from referrals.tables import casework as casework_rows
from referrals.tables import closings, grants, referrals, sealed_parts
from routing import handoffs
from routing.states import Kind
from routing.tables import decisions
from routing.tables import handoffs as handoff_rows
from tests.builders import Town
from tests.routing import acts
from tests.routing.acts import Case

_TEAMS = 200
_STREAM_OF = (1, 2, 3)
_BATCH = 50_000
# Parents first: the rows of one referral, and those of one organisation.
_OF_A_REFERRAL = (
    *(referrals, decisions, casework_rows, sealed_parts, grants, handoff_rows, closings, notices, attempts),
)
_OF_AN_ORGANISATION = (organisations, teams, team_keys, members, memberships, contacts, ladder_steps)
# Times that lie ahead of what is open; all others lie behind.
_AHEAD = frozenset({"due_at", "remind_at", "deadline_at", "code_until"})
# One row for each copy: what makes its ids, its team, and its times.
_COPIES = Table(
    "copies",
    MetaData(),
    Column("n", Integer, primary_key=True),
    Column("shape", String(20), index=True),
    Column("key", String(9)),
    Column("team_id", String(32)),
    Column("behind", UTCDateTime),
    Column("ahead", UTCDateTime),
)

Rows = list[tuple[Table, list[dict[str, Any]]]]


@dataclass(frozen=True)
class Shape:
    """A referral that the code made, and what share of all is like it."""

    name: str
    referral_id: str
    share: float


def grow(town: Town, count: int) -> None:
    """Fills the town up to about `count` referrals of 200 teams; all promises hold in it but that the clock ran."""
    shapes = _shapes(town)
    _settle_notices(town.engine)
    spread = [town.team["tempe-police"], *_more_teams(town)]
    _number(town.engine, shapes, spread, count)
    with database.reading(town.engine) as session:
        origins = [(shape, _rows_of(session, _OF_A_REFERRAL, {shape.referral_id})) for shape in shapes]
    with _careless(town.engine):
        with _without_indexes(town.engine):
            for shape, rows in origins:
                _copy_referrals(town, shape, rows)
        with database.transaction(town.engine) as session:
            session.execute(delete(outbox))
        _chain(town.engine, shapes)
        _fold(town.engine)
    _analyse(town.engine)


def _shapes(town: Town) -> tuple[Shape, ...]:
    tempe = acts.TEMPE
    closed = _held(acts.tip(town, Urgency.ROUTINE, tempe, form="closed"))
    _close(closed, Disposition.MANAGED)
    over = _held(acts.tip(town, Urgency.ROUTINE, tempe, form="over"))
    _close(over, Disposition.UNFOUNDED)
    worked = _held(acts.forward(town, Urgency.ROUTINE, tempe))
    worked.hand_on("Ines", "mesa-police", Kind.CONSULT)
    worked.acknowledge("Olu", "mesa-police", Kind.CONSULT)
    worked.hand_on("Ines", "mesa-police", Kind.SUPPORT)
    worked.decline("Olu", "mesa-police", Kind.SUPPORT)
    _close(worked, Disposition.MANAGED)
    held = _held(acts.tip(town, Urgency.ELEVATED, tempe, form="held"))
    offered = acts.tip(town, Urgency.ELEVATED, tempe, form="offered")
    return (
        Shape("closed", closed.id, 0.85),
        Shape("worked", worked.id, 0.11),
        Shape("over", over.id, 0.01),
        Shape("held", held.id, 0.02),
        Shape("offered", offered.id, 0.01),
    )


def _held(case: Case) -> Case:
    case.acknowledge("Ines", "tempe-police")
    case.write("Ines", "Talked with the school. The family comes on Friday.")
    return case


def _close(case: Case, ending: Disposition) -> None:
    town, now = case.town, clock.now()
    actor = town.actor("Ines")
    with database.transaction(town.engine) as session:
        casework.propose_closing(
            session, town.keys, case.id, disposition=ending, reason="Plan in place.", actor=actor,
            due_at=now, now=now,
        )  # fmt: skip
        handoffs.close(session, case.id, actor=actor, now=now)


def _settle_notices(engine: Engine) -> None:
    """As if a provider had delivered them all: an attempt each."""
    now = clock.now()
    with database.transaction(engine) as session:
        session.execute(update(notices).values(state="delivered"))
        rows = [
            {"id": new_id(), "notice_id": id, "started_at": now, "settled_at": now, "outcome": "sent",
             "provider_id": new_id()}
            for id in session.execute(select(notices.c.id).order_by(notices.c.id)).scalars()
        ]  # fmt: skip
        session.execute(insert(attempts), rows)


def _more_teams(town: Town) -> list[str]:
    """Copies of Tempe's organisation with its people, so that each team can be reached; the ids of their teams."""
    engine, made = town.engine, []
    with database.transaction(engine) as session:
        origin = session.execute(
            select(teams.c.organisation_id).where(teams.c.id == town.team["tempe-police"])
        ).scalar_one()
        rows = _rows_of(session, _OF_AN_ORGANISATION, {origin})
        known = {row["id"] for _, some in rows for row in some if "id" in row}
        for n in range(1, _TEAMS):
            key = f"{n:08x}g"
            for table, some in rows:
                alone = _unique(table)
                session.execute(
                    insert(table),
                    [
                        {name: _renamed(value, key, known, name in alone) for name, value in row.items()}
                        for row in some
                    ],
                )
            made.append(key + town.team["tempe-police"][9:])
    return made


def _renamed(value: Any, key: str, known: set[str], alone: bool) -> Any:
    if value in known or (alone and isinstance(value, str)):
        return key + value[9:]
    return value


def _number(engine: Engine, shapes: tuple[Shape, ...], spread: list[str], count: int) -> None:
    """A row for each copy. The letter makes its ids unlike any of the program's."""
    now, n = clock.now(), 0
    with database.transaction(engine) as session:
        _COPIES.create(session.connection())
        for shape in shapes:
            for _ in range(round(shape.share * count / _BATCH) or 1):
                rows = [
                    {
                        "n": at,
                        "shape": shape.name,
                        "key": f"{at:08x}g",
                        "team_id": spread[at % len(spread)],
                        "behind": now - timedelta(minutes=10 + (at * 7919) % 1_500_000)
                        if shape.share > 0.02 or shape.name == "over"
                        else now - timedelta(minutes=at % 10_000),
                        "ahead": now + timedelta(minutes=120 + at % 10_000),
                    }
                    for at in range(n + 1, n + 1 + min(_BATCH, round(shape.share * count)))
                ]
                n += len(rows)
                session.execute(insert(_COPIES), rows)


@contextmanager
def _careless(engine: Engine) -> Iterator[None]:
    """Nobody misses this database after a crash: what is written twice for that is written once."""
    if engine.dialect.name == "postgresql":
        with engine.begin() as connection:
            # Three quarters of all bytes.
            connection.execute(text("ALTER TABLE grants SET UNLOGGED"))
        yield
        return
    event.listen(engine, "connect", _careless_switches)
    engine.dispose()
    yield
    event.remove(engine, "connect", _careless_switches)
    engine.dispose()


def _careless_switches(connection: Any, _record: Any) -> None:
    for pragma in ("foreign_keys=OFF", "synchronous=OFF", "cache_size=-1000000", "journal_mode=OFF"):
        connection.execute(f"PRAGMA {pragma}")


@contextmanager
def _without_indexes(engine: Engine) -> Iterator[None]:
    """One sort of all rows afterwards is much cheaper than a search for each."""
    indexes = [index for table in _OF_A_REFERRAL for index in table.indexes]
    for index in indexes:
        index.drop(engine)
    yield
    for index in indexes:
        index.create(engine)


def _copy_referrals(town: Town, shape: Shape, rows: Rows) -> None:
    with database.transaction(town.engine) as session:
        if town.engine.dialect.name == "postgresql":
            # A copy refers to what was copied as its origin does: looking again takes most of the time.
            session.execute(text("SET LOCAL session_replication_role = replica"))
        known = {row["id"] for _, some in rows for row in some if "id" in row}
        for table, some in rows:
            for row in some:
                values = [_copied(table.c[name], value, known, town) for name, value in row.items()]
                wanted = select(*values).where(_COPIES.c.shape == shape.name)
                session.execute(insert(table).from_select(list(row), wanted))


def _copied(column: Column[Any], value: Any, known: set[str], town: Town) -> Any:
    """The expression that gives a copy's value."""
    if value is None:
        return literal(None, column.type)
    if isinstance(value, datetime):
        return _COPIES.c.ahead if column.name in _AHEAD else _COPIES.c.behind
    if column.name == "reference":
        return literal("R-") + _COPIES.c.key
    if value in known if isinstance(value, str) else False:
        return _COPIES.c.key + literal(value[9:])
    if isinstance(value, str) and column.name in _unique(column.table):
        return _COPIES.c.key + literal(value[9:])
    if value == town.team["tempe-police"]:
        return _COPIES.c.team_id
    return literal(value, column.type)


def _rows_of(session: Session, tables: tuple[Table, ...], ids: set[str]) -> Rows:
    """The rows that belong to these ids, and to the ids of rows that were found before."""
    found = []
    for table in tables:
        belongs = [column for column in table.c if column.name.endswith("_id") or column.name == "id"]
        query = select(table).where(or_(*(column.in_(ids) for column in belongs)))
        rows = [dict(row._mapping) for row in session.execute(query)]
        ids = ids | {row["id"] for row in rows if "id" in row}
        if rows:
            found.append((table, rows))
    return found


def _unique(table: Any) -> set[str]:
    """The columns of which each row has a value of its own."""
    alone = {column.name for column in table.c if column.unique}
    return alone - {column.name for column in table.primary_key}


def _chain(engine: Engine, shapes: tuple[Shape, ...]) -> None:
    """Three entries for each copy, with hashes and links, made by the database."""
    _teach(engine)
    with database.transaction(engine) as session:
        for shape in shapes:
            bodies = _bodies(session, shape.referral_id)
            previous: Any = literal("0" * 64)
            for position, row in enumerate(bodies, start=1):
                stream = _COPIES.c.key + literal(shape.referral_id[9:])
                start, middle = _parts(row.body, shape.referral_id)
                body = (
                    literal(start) + f'"position":{position},"previous":"' + previous + middle + stream
                    + '","version":1}'
                )  # fmt: skip
                query = select(
                    stream, literal(position), literal(row.kind), literal(row.at, UTCDateTime), body,
                    _sha256(session, body),
                ).where(_COPIES.c.shape == shape.name)  # fmt: skip
                if position > 1:
                    query = query.join(ledger_heads, ledger_heads.c.stream == stream)
                names = ["stream", "position", "kind", "at", "body", "entry_hash"]
                session.execute(insert(ledger_entries).from_select(names, query))
                _head(session, position)
                previous = ledger_heads.c.entry_hash


def _bodies(session: Session, stream: str) -> list[Any]:
    entry = ledger_entries.c
    rows = session.execute(select(ledger_entries).where(entry.stream == stream).order_by(entry.position))
    return [row for row in rows if row.position in _STREAM_OF]


def _parts(body: str, stream: str) -> tuple[str, str]:
    """What of an entry's text stands before its position, and what between its previous hash and its stream."""
    start, _, rest = body.partition('"position":')
    assert rest.endswith(f'"stream":"{stream}","version":1}}')
    return start, '","stream":"'


def _head(session: Session, position: int) -> None:
    """The heads follow the entries of that position that have none after them."""
    entry = ledger_entries.c
    if position == 1:
        # NOT IN would look through all heads for each entry.
        known = exists().where(ledger_heads.c.stream == entry.stream)
        query = select(entry.stream, entry.position, entry.entry_hash).where(entry.position == 1, ~known)
        session.execute(insert(ledger_heads).from_select(["stream", "position", "entry_hash"], query))
        return
    session.execute(
        update(ledger_heads)
        .where(
            ledger_heads.c.stream == entry.stream,
            entry.position == position,
            ledger_heads.c.position == position - 1,
        )
        .values(position=entry.position, entry_hash=entry.entry_hash)
    )


def _sha256(session: Session, body: Any) -> Any:
    if session.get_bind().dialect.name == "sqlite":
        return func.sha256_hex(body)
    return func.encode(func.sha256(func.convert_to(body, "UTF8")), "hex")


def _teach(engine: Engine) -> None:
    """SQLite knows no SHA-256."""
    if engine.dialect.name != "sqlite":
        return

    @event.listens_for(engine, "connect")
    def _(connection: Any, _record: Any) -> None:
        connection.create_function("sha256_hex", 1, lambda body: hashlib.sha256(body.encode()).hexdigest())
        connection.create_function("leaf_hash", 1, lambda body: log.leaf_hash(body.encode()))

    engine.dispose()


def _fold(engine: Engine) -> None:
    """The log of all entries that have no place yet, with its tiles."""
    for first, some in _unfolded(engine):
        with database.transaction(engine) as session:
            hashes = [log.leaf_hash(row.body.encode()) for row in some]
            session.execute(
                insert(ledger_leaves),
                [
                    {"log_index": first + at, "sequence": row.sequence, "leaf_hash": leaf}
                    for at, (row, leaf) in enumerate(zip(some, hashes, strict=True))
                ],
            )
            tiles.grow(session, first, hashes)


def _unfolded(engine: Engine) -> Iterator[tuple[int, list[Any]]]:
    entry, first, last = ledger_entries.c, 0, 0
    query = (
        select(entry.sequence, entry.body)
        .where(entry.sequence > bindparam("last"))
        .order_by(entry.sequence)
        .limit(_BATCH)
    )
    while True:
        with database.reading(engine) as session:
            some = list(session.execute(query, {"last": last}))
        if not some:
            return
        yield first, some
        first, last = first + len(some), some[-1].sequence


def _analyse(engine: Engine) -> None:
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("ANALYZE" if engine.dialect.name == "sqlite" else "VACUUM ANALYZE"))

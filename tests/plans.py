"""The plans that PostgreSQL makes for statements: which of them read through a whole table."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any

from sqlalchemy import Connection, Engine, event, text

# Tables that grow with every referral. What is read of others is short.
GROWING = frozenset(
    {
        *("referrals", "sealed_parts", "grants", "casework", "closings", "decisions", "handoffs"),
        *("notices", "attempts", "delivery_reports", "attachments", "calls"),
        *("ledger_entries", "ledger_heads", "ledger_leaves"),
    }
)
_SCANS = frozenset({"Seq Scan", "Index Scan", "Index Only Scan", "Bitmap Index Scan"})


@dataclass
class Watched:
    """Statements that were made, each once, with the longest time that one took."""

    seconds: dict[str, float] = field(default_factory=dict)
    parameters: dict[str, Any] = field(default_factory=dict)


@contextmanager
def watched(engine: Engine) -> Iterator[Watched]:
    """Remembers every SELECT of the block; changes too, since their conditions search as well."""
    seen, begun = Watched(), list[float]()

    def before(*_: Any) -> None:
        begun.append(perf_counter())

    def after(_c: Any, _cursor: Any, statement: str, parameters: Any, _context: Any, many: bool) -> None:
        took = perf_counter() - begun.pop()
        if statement.startswith(("SELECT", "WITH", "UPDATE", "DELETE")) and not many:
            if took >= seen.seconds.get(statement, -1.0):
                seen.parameters[statement] = parameters
            seen.seconds[statement] = max(took, seen.seconds.get(statement, 0.0))

    event.listen(engine, "before_cursor_execute", before)
    event.listen(engine, "after_cursor_execute", after)
    try:
        yield seen
    finally:
        event.remove(engine, "before_cursor_execute", before)
        event.remove(engine, "after_cursor_execute", after)


def whole_reads(engine: Engine, seen: Watched, *, forced: bool = True) -> list[str]:
    """The statements that read a growing table without a condition that an index answers, with that table's name.

    `forced`: on a small database, where reading everything is cheapest: the planner is told of a million rows, and
    then reads them all only where no index helps it. Reading the whole of a partial index is a condition in itself.
    """
    found = []
    with engine.connect() as connection:
        partial = _partial(connection)
        if forced:
            _as_if_grown(connection)
        for statement, parameters in seen.parameters.items():
            plan = plan_of(connection, statement, parameters)
            for node in _nodes(plan):
                if _reads_all(node, partial):
                    found.append(f"{node.get('Relation Name') or node['Index Name']}: {statement}")
        connection.rollback()
    return found


def _as_if_grown(connection: Connection) -> None:
    """Until this transaction is rolled back: whatever the server knows of these few rows, and since when, decides
    nothing."""
    connection.execute(text("SET LOCAL enable_seqscan = off"))
    connection.execute(text("DELETE FROM pg_statistic"))
    grown = text(
        "UPDATE pg_class SET relpages = 1, reltuples = 1000000 WHERE oid IN ("
        " SELECT oid FROM pg_class WHERE relname = ANY(:names)"
        " UNION SELECT indexrelid FROM pg_index JOIN pg_class ON oid = indrelid WHERE relname = ANY(:names))"
    )
    connection.execute(grown, {"names": sorted(GROWING)})


def plan_of(connection: Connection, statement: str, parameters: Any, options: str = "") -> dict[str, Any]:
    """The plan of a statement with the values that it was made with."""
    made = connection.exec_driver_sql(f"EXPLAIN (FORMAT JSON{options}) {statement}", parameters).scalar_one()
    plan: dict[str, Any] = (json.loads(made) if isinstance(made, str) else made)[0]["Plan"]
    return plan


def _nodes(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield plan
    for below in plan.get("Plans", ()):
        if plan["Node Type"] == "Limit" and "Filter" not in below and below["Node Type"] in _SCANS:
            # The first rows of an index in its order, such as the greatest: no more is read.
            continue
        yield from _nodes(below)


def _reads_all(node: dict[str, Any], partial: frozenset[str]) -> bool:
    if node["Node Type"] not in _SCANS:
        return False
    # The index of a bitmap scan is named, its table is not.
    table = node.get("Relation Name") or node["Index Name"].split("_", 1)[1]
    growing = any(table.startswith(name) for name in GROWING)
    return growing and "Index Cond" not in node and node.get("Index Name") not in partial


def _partial(connection: Connection) -> frozenset[str]:
    rows = connection.execute(
        text("SELECT indexrelid::regclass::text FROM pg_index WHERE indpred IS NOT NULL")
    )
    return frozenset(rows.scalars())

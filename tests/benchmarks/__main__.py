"""`make bench`: runs the benchmarks and writes docs/benchmarks.md, with the date and the machine."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Iterable
from contextlib import ExitStack
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from foundation import database
from foundation.settings import Settings
from tests import servers
from tests.benchmarks import deciding, million, table
from tests.benchmarks.dry_running import dry_runs
from tests.benchmarks.filing import tips_per_second
from tests.benchmarks.importing import seconds_to_draft, seconds_to_refuse
from tests.benchmarks.leaving import seconds_to_provider
from tests.benchmarks.ledger import appends_per_second, proved
from tests.benchmarks.locating import rows as locating
from tests.benchmarks.queueing import rows as queueing

_MILLION = 1_000_000


@dataclass(frozen=True)
class Place:
    """Where a part may work: a folder, and a server that is started when the first asks for it."""

    folder: Path
    started: ExitStack

    @cached_property
    def postgresql(self) -> str:
        """The URL of a durable server."""
        return self.started.enter_context(servers.postgresql(durable=True))

    @cached_property
    def settings(self) -> Settings:
        """Those of a benchmark."""
        return Settings.from_mapping({"SECRET_KEY": "a benchmark's key, known to everybody who reads it"})


def main() -> None:
    """Runs the parts that are named, or all but the longest; prints and writes the rows of each when they are there."""
    named = sys.argv[1:] or [part for part in PARTS if part not in _ONLY_BY_NAME]
    if unknown := {*named} - PARTS.keys():
        sys.exit(f"There is no part {', '.join(sorted(unknown))}; there are {', '.join(PARTS)}.")
    with tempfile.TemporaryDirectory() as folder, ExitStack() as started:
        place = Place(Path(folder), started)
        for part in named:
            print(part, table.rewrite(part, list(PARTS[part](place))), sep="\n", flush=True)


def _filing(folder: Path, postgresql: str, settings: Settings) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for name, url in (("SQLite", f"sqlite:///{folder}/filing.db"), ("PostgreSQL", postgresql)):
        _migrated(url)
        measured = tips_per_second(url, settings)
        what = f"Sealed, ledgered, queued tip through the real POST, {name}"
        rows.append(
            (
                what,
                f"{measured.tips:.0f} tips/s",
                f"bare Flask-WTF form, one field, one row, no page: {measured.bare:.0f}/s",
                f"{measured.by_bare:.2f} times the cost",
            )
        )
        rows.append(
            (
                what,
                f"{measured.tips:.0f} tips/s",
                f"Flask-WTF form with the same questions and a page, one row in clear: {measured.plain:.0f}/s",
                f"{measured.by_plain:.2f} times the cost",
            )
        )
    return rows


def _deciding() -> list[tuple[str, ...]]:
    count, measured = deciding.costs()
    return [
        (
            f"A whole decision on {cost.kind}, explanation and digest included, {count:,} rules, CPU",
            f"p50 {cost.p50:.0f} µs, p99 {cost.p99:.0f} µs",
            f"of it locating: p50 {cost.locate_p50:.0f} µs, p99 {cost.locate_p99:.0f} µs",
            f"first time p99 {cost.first_p99:.0f} µs",
        )
        for cost in measured
    ]


def _dry_running() -> list[tuple[str, ...]]:
    return [
        (
            f"Dry run over {one.asked:,} ZIPs and schools, {one.rules:,} rules, one core: {one.what}",
            f"{one.named:.1f} s CPU; {one.whole:.1f} s with points and rules",
            f"{one.reached:,} felt the change; {one.compared} compared one by one, {one.wrong} wrong",
            "",
        )
        for one in dry_runs()
    ]


def _leaving(folder: Path) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = []
    for name, with_redis in (("Redis up", True), ("Redis gone", False)):
        measured = seconds_to_provider(folder / name.replace(" ", "-"), with_redis=with_redis)
        rows.append(
            (
                f"From the POST to the hand-over to the SMS provider, {name}",
                f"p50 {measured['p50']:.2f} s",
                f"p99 {measured['p99']:.2f} s",
                "",
            )
        )
    return rows


def _ledger(postgresql: str, settings: Settings) -> list[tuple[str, ...]]:
    _emptied(postgresql)
    rows: list[tuple[str, ...]] = []
    for writers in (1, 4, 16):
        appended, bare = appends_per_second(postgresql, writers)
        what = f"Ledger appends, each committed, {writers} writers, PostgreSQL"
        rows.append(
            (
                what,
                f"{appended:.0f}/s",
                f"one bare row, committed: {bare:.0f}/s",
                f"{bare / appended:.2f} times the cost",
            )
        )
    _emptied(postgresql)
    made = proved(postgresql, settings, _MILLION)
    audited = made.audited
    return [
        *rows,
        (
            f"Audit of {audited.entries:,} entries, {audited.signed} checkpoints, PostgreSQL",
            f"{made.audit_s:.1f} s",
            f"processor {made.audit_core_s:.1f} s, and the server's {made.audit_server_s:.1f} s",
            "",
        ),
        ("Folding them into the log", f"{_MILLION / made.fold_s:.0f} entries/s", "", ""),
        (
            "A custody receipt of three entries among them",
            f"{made.receipt_bytes / 1024:.1f} KiB",
            f"{made.hashes} hashes a proof",
            "",
        ),
    ]


def _emptied(postgresql: str) -> None:
    _migrated(postgresql)
    servers.empty(postgresql)


def _importing(folder: Path, settings: Settings) -> list[tuple[str, ...]]:
    url = f"sqlite:///{folder}/importing.db"
    _migrated(url)
    return [
        (
            f"{measured.rows:,} {what} from a file to a draft, checked and compared row by row",
            f"{measured.wall:.0f} s",
            f"processor {measured.cpu:.0f} s, memory {measured.memory:.0f} MB",
            "",
        )
        for what, measured in seconds_to_draft(url, folder, settings).items()
    ]


def _refusing(folder: Path, settings: Settings) -> list[tuple[str, ...]]:
    url = f"sqlite:///{folder}/refusing.db"
    _migrated(url)
    measured = seconds_to_refuse(url, folder, settings)
    return [
        (
            f"{measured.rows:,} rows of a CSV, one of them bad: all checked, that one named, nothing imported",
            f"{measured.wall:.0f} s",
            f"processor {measured.cpu:.0f} s, memory {measured.memory:.0f} MB",
            "",
        )
    ]


def _migrated(url: str) -> None:
    engine = database.make_engine(url)
    database.migrate(engine)
    engine.dispose()


def _queueing(place: Place) -> list[table.Row]:
    _emptied(place.postgresql)
    return queueing(place.folder, place.postgresql)


# By the word that names each: `make bench BENCH=locating`.
PARTS: dict[str, Callable[[Place], Iterable[table.Row]]] = {
    "deciding": lambda place: _deciding(),
    "dry_running": lambda place: _dry_running(),
    "filing": lambda place: _filing(place.folder, place.postgresql, place.settings),
    "leaving": lambda place: _leaving(place.folder),
    "locating": lambda place: locating(place.folder, os.environ.get("POSTGIS_URL") or place.postgresql),
    "ledger": lambda place: _ledger(place.postgresql, place.settings),
    "queueing": _queueing,
    "importing": lambda place: _importing(place.folder, place.settings),
    "refusing": lambda place: _refusing(place.folder, place.settings),
    "million": lambda place: million.rows(),
}
# Minutes and 30 GB for each kind of database.
_ONLY_BY_NAME = frozenset({"million"})


if __name__ == "__main__":
    main()

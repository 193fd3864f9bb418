"""Previews: a whole file read and compared with what is in force, before anything is written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from routing import comparing
from routing.importing import areas_file, rules_csv
from routing.importing.apart import Limits
from routing.importing.changes import Changes
from routing.importing.checking import Checker
from routing.importing.mapping import AreaMapping
from routing.importing.reading import open_file
from routing.importing.report import Report
from routing.importing.rows import Opened
from routing.importing.spool import Spool
from routing.rules import RuleSet
from routing.snapshots import Snapshot

# What is done, and how many rows there are at most; within the block its value is told of each row.
Progress = Callable[[str, int], AbstractContextManager[Callable[[int], Any]]]


@dataclass(frozen=True)
class Source:
    """A file, what reading it may cost, and what it does not say itself. `inside`: the layer or shapefile to read."""

    path: Path
    limits: Limits
    inside: str = ""
    encoding: str = ""

    def open(self) -> AbstractContextManager[Opened]:
        """Its rows. Raises ReadingFault, also while rows are read."""
        return open_file(self.path, self.limits, layer=self.inside, encoding=self.encoding)


def areas(
    source: Source,
    mapping: AreaMapping,
    layer: str,
    *,
    base: Snapshot,
    today: date,
    spool: Spool,
    report: Report,
    progress: Progress,
) -> Changes:
    """Good rows in the spool, faulty ones in the report, and what they change. Raises ReadingFault and MappingFault."""
    with source.open() as opened:
        mapping.check_columns(opened.columns)
        checker = Checker(mapping, layer, base.boundaries.on(today))
        with progress("Reading", opened.count) as tick:
            areas_file.read_areas(opened, checker, spool, report, tick)
    with progress("Comparing", len(spool)) as tick:
        return areas_file.changes(spool, mapping, layer, base.boundaries, tick)


def rules(
    source: Source,
    *,
    base: Snapshot,
    teams: Mapping[str, str],
    whole: bool,
    today: date,
    report: Report,
    progress: Progress,
) -> tuple[dict[str, Any], Changes]:
    """The rule set that the file would make of the one in force, and what it changes. Raises ReadingFault."""
    before = base.rules.as_json()
    with source.open() as opened, progress("Reading", opened.count) as tick:
        found = rules_csv.read_rules(
            opened, report, teams=teams, base=before, boundaries=base.boundaries.on(today), tick=tick
        )
    after = rules_csv.merged(before, found, whole=whole)
    return after, rules_csv.changes(before, after, found)


def first_rules(
    drafted: Mapping[str, Any], changes: Changes, base: Snapshot, names: Mapping[str, str], count: int = 5
) -> list[str]:
    """The first new and changed rules as sentences. `names`: team names by id."""
    rules = {rule.id: rule for rule in RuleSet.from_json(drafted).rules}
    first = (*changes.new, *changes.changed)[:count]
    return [f"{id}: {comparing.says(rules[id], base, names)}" for id in first]


def rules_left(base: Snapshot, changes: Changes) -> tuple[str, ...]:
    """Rules in force on areas that the file lacks, each with its area: if those end, the rules have to end or move too.
    The draft could not be published before."""
    missing = set(changes.missing)
    return tuple(f"{rule.id}: {rule.area}" for rule in base.rules.rules if rule.area in missing)

"""Coverage rules from a CSV: a draft of a rule set, never a change of what is in force."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import date, time
from enum import StrEnum
from typing import Any

from referrals.facts import Relation, Setting, Urgency
from routing.boundaries import Boundaries
from routing.importing.changes import Changes
from routing.importing.report import Fault, Report
from routing.importing.rows import Opened, Row
from routing.importing.sheets import check_columns, listed
from routing.rules import Role, RuleFault, RuleSet

NEEDED = ("id", "team", "role", "area")
# Cells that hold several values, parted by semicolons.
_LISTS = ("behaviours", "urgencies", "settings", "originators", "relations", "shields")
_NUMBERS = ("mandate", "priority")
_TEXTS = ("every", "calendar", "valid_from", "valid_to", "author", "reason")
# `hours_zone` may be empty where the team's own zone is meant.
_HOURS = {"hours_zone": "zone", "hours_begin": "begins", "hours_end": "ends"}
_HOUR_LISTS = {"hours_days": "days", "hours_holidays": "holidays"}
# Cells, or parts of cells, that hold one of a few words.
_WORDS: Mapping[str, type[StrEnum]] = {
    "role": Role, "urgencies": Urgency, "settings": Setting, "relations": Relation,
}  # fmt: skip
# What the other cells must be written like: for those who read a fault, not a program.
_FORMS: Mapping[str, tuple[Callable[[str], object], str]] = {
    "valid_from": (date.fromisoformat, "a day is written 2026-03-31"),
    "valid_to": (date.fromisoformat, "a day is written 2026-03-31"),
    "hours_begin": (time.fromisoformat, "a time is written 17:00"),
    "hours_end": (time.fromisoformat, "a time is written 17:00"),
    "hours_holidays": (date.fromisoformat, "a day is written 2026-03-31"),
}
COLUMNS = (*NEEDED, *_LISTS, *_NUMBERS, *_TEXTS, *_HOURS, *_HOUR_LISTS)


class _Wrong(ValueError):
    """One cell that cannot be used."""

    def __init__(self, column: str, reason: str, value: str) -> None:
        super().__init__(reason)
        self.column, self.value = column, value


def read_rules(
    opened: Opened,
    report: Report,
    *,
    teams: Mapping[str, str],
    base: Mapping[str, Any],
    boundaries: Boundaries,
    tick: Callable[[int], Any],
) -> dict[str, dict[str, Any]]:
    """The rules of a CSV by id, in plain JSON. `teams` maps slugs to ids; `base` is the rule set in force, whose zones
    and calendars count. Each faulty row goes into the report. Raises ReadingFault."""
    check_columns(opened.columns, NEEDED, COLUMNS)
    found: dict[str, dict[str, Any]] = {}
    rows: dict[str, int] = {}
    for row in opened.rows:
        tick(1)
        faults = list(_faults(row, rows, found, teams, base, boundaries))
        if faults:
            report.refuse(faults)
    return found


def _faults(
    row: Row,
    rows: dict[str, int],
    found: dict[str, dict[str, Any]],
    teams: Mapping[str, str],
    base: Mapping[str, Any],
    boundaries: Boundaries,
) -> Iterator[Fault]:
    """The reasons against one row; without any it is among `found`."""
    name = row.values.get("id", "")
    if row.fault:
        yield Fault(row.number, name, "", row.fault)
        return
    if name in rows:
        yield Fault(row.number, name, "id", f"row {rows[name]} has the same id", name)
        return
    rows[name] = row.number
    try:
        entry = _entry(row.values, teams)
        alone = RuleSet.from_json({**base, "rules": [entry], "zones": _zone(base, entry["team"])})
    except _Wrong as wrong:
        yield Fault(row.number, name, wrong.column, str(wrong), wrong.value)
    except RuleFault as fault:
        yield Fault(row.number, name, "", str(fault).removeprefix(f"{name}: "))
    else:
        found[name] = entry
        for sentence in alone.faults(boundaries):
            found.pop(name, None)
            yield Fault(row.number, name, "area", sentence.removeprefix(f"{name}: "), entry["area"])


def _zone(base: Mapping[str, Any], team: str) -> dict[str, str]:
    zone = base.get("zones", {}).get(team)
    return {team: zone} if zone else {}


def _check_forms(cells: Mapping[str, str]) -> None:
    """Raises _Wrong for the first cell that is written in no way that is understood."""
    for column, words in _WORDS.items():
        known = [word.value for word in words]
        for given in listed(cells.get(column, "")) or [""] * (column in NEEDED):
            if given not in known:
                raise _Wrong(column, f"it is one of {', '.join(known)}", given)
    for column, (read, said) in _FORMS.items():
        for given in listed(cells.get(column, "")):
            try:
                read(given)
            except ValueError:
                raise _Wrong(column, said, given) from None


def _entry(cells: Mapping[str, str], teams: Mapping[str, str]) -> dict[str, Any]:
    _check_forms(cells)
    entry: dict[str, Any] = {
        "id": cells["id"],
        "team": _team("team", cells["team"], teams),
        "role": cells["role"],
        "area": cells["area"],
    }
    entry |= {name: listed(cells[name]) for name in _LISTS if cells.get(name)}
    entry |= {name: _whole(name, cells[name]) for name in _NUMBERS if cells.get(name)}
    entry |= {name: cells[name] for name in _TEXTS if cells.get(name)}
    if "originators" in entry:
        entry["originators"] = [_team("originators", slug, teams) for slug in entry["originators"]]
    if hours := _hours(cells):
        entry["hours"] = hours
    return entry


def _hours(cells: Mapping[str, str]) -> dict[str, Any]:
    hours: dict[str, Any] = {key: cells[column] for column, key in _HOURS.items() if cells.get(column)}
    hours |= {key: listed(cells[column]) for column, key in _HOUR_LISTS.items() if cells.get(column)}
    if hours and not {"begins", "ends"} <= hours.keys():
        raise _Wrong(
            "hours_begin, hours_end", "hours need a beginning and an end, such as 17:00 and 08:00", ""
        )
    return hours


def _team(column: str, slug: str, teams: Mapping[str, str]) -> str:
    if slug not in teams:
        raise _Wrong(column, "there is no such team", slug)
    return teams[slug]


def _whole(column: str, written: str) -> int:
    try:
        return int(written)
    except ValueError:
        raise _Wrong(column, "a whole number is needed", written) from None


def merged(base: Mapping[str, Any], brought: Mapping[str, dict[str, Any]], *, whole: bool) -> dict[str, Any]:
    """The rule set in force with these rules in place of those of the same id; with `whole`, these alone."""
    kept: Iterable[dict[str, Any]] = () if whole else base.get("rules", ())
    rules = {rule["id"]: rule for rule in kept} | dict(brought)
    return RuleSet.from_json({**base, "rules": list(rules.values())}).as_json()


def changes(base: Mapping[str, Any], draft: Mapping[str, Any], brought: Iterable[str]) -> Changes:
    """What the draft does to the rules in force. `missing` are those that the file does not name."""
    before = {rule["id"]: rule for rule in base.get("rules", ())}
    after = {rule["id"]: rule for rule in draft["rules"]}
    named = sorted(brought)
    return Changes(
        new=tuple(name for name in named if name not in before),
        changed=tuple(name for name in named if name in before and before[name] != after[name]),
        unchanged=tuple(name for name in named if before.get(name) == after[name]),
        missing=tuple(sorted(before.keys() - set(named))),
    )

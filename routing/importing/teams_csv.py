"""Teams from a CSV: new ones with their keys, and changed names, parents, zones and telephones of known ones."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from directory.addresses import ContactFault, normal_address
from directory.members import Channel
from directory.tables import organisations
from directory.tables import teams as table
from directory.teams import TeamKind
from referrals.founding import NewTeam, found_team
from referrals.keyring import Keyring
from routing import gazetteer
from routing.importing.changes import Changes
from routing.importing.report import Fault, Report
from routing.importing.rows import Opened, Row
from routing.importing.sheets import check_columns
from routing.names import place_key

NEEDED = ("slug", "name", "kind", "parent", "time_zone")
COLUMNS = (*NEEDED, "state", "telephone")
_KINDS = {kind.value: kind for kind in TeamKind if kind is not TeamKind.ROOT}
_LONGEST = {"slug": 60, "name": 120}


@dataclass(frozen=True)
class Team:
    """One row. `parent` is a slug, `state` a FIPS code or "", `telephone` E.164 or ""."""

    slug: str
    name: str
    kind: TeamKind
    parent: str
    time_zone: str
    state: str = ""
    telephone: str = ""


@dataclass(frozen=True)
class Known:
    """A team as it is in the directory; the root desk has no parent and may be named but not changed."""

    id: str
    team: Team


def known_teams(session: Session) -> dict[str, Known]:
    """Every team by slug."""
    rows = session.execute(
        select(table, organisations.c.state).join(
            organisations, organisations.c.id == table.c.organisation_id
        )
    ).all()
    slugs = {row.id: row.slug for row in rows}
    return {
        row.slug: Known(
            row.id,
            Team(
                row.slug,
                row.name,
                TeamKind(row.kind),
                slugs.get(row.parent_id, ""),
                row.time_zone,
                row.state or "",
                row.telephone or "",
            ),
        )
        for row in rows
    }


def read_teams(opened: Opened, report: Report, known: Mapping[str, Known]) -> dict[str, Team]:
    """The teams of a CSV by slug; each faulty row goes into the report. A parent may stand in any row. Raises
    ReadingFault."""
    check_columns(opened.columns, NEEDED, COLUMNS)
    found: dict[str, Team] = {}
    rows: dict[str, int] = {}
    for row in opened.rows:
        faults = list(_faults_alone(row, rows, known))
        if faults:
            report.refuse(faults)
            continue
        found[row.values["slug"]] = _team(row.values)
    for faults in _faults_together(found, rows, known):
        found.pop(faults[0].id)
        report.refuse(faults)
    return found


def _faults_alone(row: Row, rows: dict[str, int], known: Mapping[str, Known]) -> Iterator[Fault]:
    cells, slug = row.values, row.values.get("slug", "")
    if row.fault:
        yield Fault(row.number, slug, "", row.fault)
        return
    if slug in rows:
        yield Fault(row.number, slug, "slug", f"row {rows[slug]} has the same slug")
    rows.setdefault(slug, row.number)
    for column, fits, reason in _CELLS:
        if not fits(cells.get(column, "")):
            yield Fault(row.number, slug, column, reason, cells.get(column, ""))
    if slug in known and known[slug].team.kind.value != cells.get("kind"):
        yield Fault(row.number, slug, "kind", f"it is of the kind {known[slug].team.kind} and stays so")


def _slug(written: str) -> bool:
    return written == "-".join(written.lower().split()) and 0 < len(written) <= _LONGEST["slug"]


def _telephone(written: str) -> bool:
    try:
        return not written or bool(_number(written))
    except ContactFault:
        return False


def _number(written: str) -> str:
    return normal_address(Channel.SMS, written)


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


# Column → what it must satisfy, and the sentence if it does not.
_CELLS: tuple[tuple[str, Any, str], ...] = (
    ("slug", _slug, "a slug is small letters, digits and dashes, such as tempe-police"),
    ("name", lambda written: 0 < len(written) <= _LONGEST["name"], "a name has 1 to 120 signs"),
    ("kind", lambda written: written in _KINDS, f"a kind is one of {', '.join(_KINDS)}"),
    ("parent", bool, "the slug of the team that silence climbs to is missing"),
    ("time_zone", lambda written: written in _zones(), "a time zone is written like America/Phoenix"),
    ("state", lambda written: not written or bool(_state(written)), "there is no such state"),
    ("telephone", _telephone, "this is no telephone number"),
)


def _state(written: str) -> str:
    known = gazetteer.load()
    if written in known.states:
        return written
    state = known.states_by_name.get(place_key(written))
    return state.code if state else ""


def _team(cells: Mapping[str, str]) -> Team:
    return Team(
        cells["slug"],
        cells["name"],
        _KINDS[cells["kind"]],
        cells["parent"],
        cells["time_zone"],
        _state(cells.get("state", "")),
        _number(cells["telephone"]) if cells.get("telephone") else "",
    )


def _faults_together(
    found: Mapping[str, Team], rows: Mapping[str, int], known: Mapping[str, Known]
) -> Iterator[list[Fault]]:
    """What is wrong with the tree that the file and the directory make together, a row at a time."""
    after = {slug: entry.team for slug, entry in known.items()} | dict(found)
    for slug, team in sorted(found.items(), key=lambda entry: rows[entry[0]]):
        above = after.get(team.parent)
        if above is None:
            yield [Fault(rows[slug], slug, "parent", "there is no such team", team.parent)]
        elif above.kind is TeamKind.OFFICE:
            yield [
                Fault(
                    rows[slug],
                    slug,
                    "parent",
                    "an office only forwards; silence cannot climb to it",
                    team.parent,
                )
            ]
        elif _in_a_ring(slug, after):
            yield [Fault(rows[slug], slug, "parent", "the teams above it lead back to itself", team.parent)]


def _in_a_ring(slug: str, after: Mapping[str, Team]) -> bool:
    seen, current = {slug}, after[slug].parent
    while current in after and current not in seen:
        seen.add(current)
        current = after[current].parent
    return current == slug


def changes(found: Mapping[str, Team], known: Mapping[str, Known]) -> Changes:
    """What the file does to the directory. Teams that it does not name stay as they are."""
    named = sorted(found)
    return Changes(
        new=tuple(slug for slug in named if slug not in known),
        changed=tuple(slug for slug in named if slug in known and known[slug].team != found[slug]),
        unchanged=tuple(slug for slug in named if slug in known and known[slug].team == found[slug]),
    )


def write_teams(
    session: Session,
    found: Mapping[str, Team],
    known: Mapping[str, Known],
    *,
    ring: Keyring,
    suite: str,
    now: datetime,
) -> None:
    """Adds and changes teams, in this transaction. New ones get an organisation of their own and their keys."""
    ids = {slug: entry.id for slug, entry in known.items()}
    for slug in changes(found, known).new:
        ids[slug] = _add(session, found[slug], ring, suite, now)
    # All are there now, whatever the order of the rows.
    for slug, team in found.items():
        session.execute(
            update(table)
            .where(table.c.id == ids[slug])
            .values(
                name=team.name,
                parent_id=ids[team.parent],
                time_zone=team.time_zone,
                telephone=team.telephone or None,
            )
        )
        organisation = select(table.c.organisation_id).where(table.c.id == ids[slug]).scalar_subquery()
        session.execute(
            update(organisations).where(organisations.c.id == organisation).values(state=team.state or None)
        )


def _add(session: Session, team: Team, ring: Keyring, suite: str, now: datetime) -> str:
    new = NewTeam(team.slug, team.name, team.kind, None, team.time_zone, team.state or None)
    return found_team(session, ring, suite, new, now)

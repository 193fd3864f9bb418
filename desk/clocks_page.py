"""A team's clocks and hours: read by the administrator, and changed with who and why, and on record."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, time
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from sqlalchemy import Row
from sqlalchemy.orm import Session

from desk.answers import Page
from directory import members, teams
from directory.guards import guard, signed_in
from directory.hours import DAYS, HOLIDAY, Hours
from foundation import clock, database, web
from ledger.entries import Actor
from referrals.facts import Urgency
from routing import timetable
from routing.states import Kind
from routing.steps import STEPS_OF, Audience
from routing.timetable import CUSTODY, ClockFault

# Kind of a handoff, or custody → what its row says.
_ROWS: dict[str, tuple[str, str]] = {
    Kind.TRANSFER.value: ("Transfer", "A team is asked to take it"),
    CUSTODY: ("Who holds it", ""),
    Kind.CONSULT.value: ("Consult", "A team is asked to work with the one that holds it"),
    Kind.SUPPORT.value: ("Support", "A team is asked to help with a need"),
    Kind.INFORM.value: ("Inform", "Only a receipt is asked"),
    Kind.REQUEST.value: ("Request", "A team asks the one that holds it to pass it over"),
    Kind.EXTERNAL.value: ("External", "This team told somebody outside and must call them back"),
    Kind.PERMISSION.value: ("Permission", "The originator is asked whether it may be passed on"),
}
_FIRST = (Kind.TRANSFER.value, CUSTODY)
_OF_CUSTODY: dict[str, str] = {
    "desk": "Its desk must have chosen",
    "first_action": "First action",
    "next_action": "Each next action",
}
_AUDIENCES: dict[Audience, str] = {
    Audience.FIRST: "the first person",
    Audience.NEXT: "the next person",
    Audience.WHOLE_TEAM: "everybody",
    Audience.HUB_DESK: "the desk above",
    Audience.SENDER: "who asked",
}
# Of these the desk above hears; of others only who asked.
_CLIMBING = frozenset({Kind.TRANSFER, Kind.EXTERNAL})
_WAITS = (
    ("no", "Counts always, day and night", "The default: somebody is on call always."),
    (
        "yes",
        "Counts in the hours above only",
        "What comes on a Friday evening then waits until Monday, and nobody else is asked before.",
    ),
)


@dataclass(frozen=True)
class Cell:
    """One clock: its field, what happens when it runs out, its default in minutes, and that in hours or days."""

    field: str
    name: str
    default: int
    span: str


@dataclass(frozen=True)
class ClockRow:
    """The clocks of one kind."""

    name: str
    words: str
    cells: list[Cell]


@dataclass(frozen=True)
class ClockTable:
    """The clocks of one urgency: those that matter most `first`; `changed`: one of the `others` is the team's own."""

    first: list[ClockRow]
    others: list[ClockRow]
    changed: bool


@guard("clocks.change")
def clocks_page(slug: str) -> Page:
    """What runs for this team now."""
    with database.reading(web.engine()) as session:
        team = _team(session, slug)
        return _page(session, team, _shown(timetable.of(session, team.id)), "")


@guard("clocks.change")
def change_clocks(slug: str) -> Page:
    """Puts other clocks in force; those that run already keep their times."""
    with database.transaction(web.engine()) as session:
        team = _team(session, slug)
        try:
            timetable.change(
                session,
                team.id,
                hours=_hours(team),
                minutes=_minutes(),
                elevated_waits=request.form.get("elevated_waits") == "yes",
                why=request.form.get("why", ""),
                actor=Actor(member_id=signed_in().member.id),
                now=clock.now(),
            )
        except ClockFault as fault:
            return _page(session, team, request.form.to_dict(), f"{fault}"), 400
        except ValueError:
            sentence = "Write minutes as whole numbers, times as 08:00, and holidays as 2026-11-26."
            return _page(session, team, request.form.to_dict(), sentence), 400
    flash(f"The clocks of {team.name} are changed. What runs already keeps its time.")
    return redirect(url_for("desk.clocks", slug=slug))


def _team(session: Session, slug: str) -> Row[Any]:
    team = teams.team_by_slug(session, slug)
    if team is None:
        abort(404)
    return team


def _shown(table: timetable.Timetable) -> dict[str, Any]:
    """Every field of the page by name."""
    minutes = {
        _field(urgency, of, name): table.minutes.get(urgency, {}).get(of, {}).get(name, amount)
        for urgency, of, name, amount in _defaults()
    }
    return minutes | {
        "begins": table.hours.begins.isoformat("minutes"),
        "ends": table.hours.ends.isoformat("minutes"),
        "holidays": " ".join(sorted(day.isoformat() for day in table.hours.holidays)),
        **{f"day.{day}": "y" for day in table.hours.days if day != HOLIDAY},
        "elevated_waits": "yes" if table.elevated_waits else "no",
        "why": "",
    }


def _minutes() -> dict[str, dict[str, dict[str, int]]]:
    typed: dict[str, dict[str, dict[str, int]]] = {}
    for urgency, of, name, _ in _defaults():
        amount = int(request.form.get(_field(urgency, of, name), ""))
        typed.setdefault(urgency, {}).setdefault(of, {})[name] = amount
    return typed


def _defaults() -> list[tuple[str, str, str, int]]:
    return [
        (urgency, of, name, amount)
        for urgency, works in timetable.defaults().items()
        for of, clocks in works.items()
        for name, amount in clocks.items()
    ]


def _field(urgency: str, of: str, name: str) -> str:
    return f"{urgency}.{of}.{name}"


def _hours(team: Row[Any]) -> Hours:
    return Hours(
        team.time_zone,
        time.fromisoformat(request.form.get("begins", "")),
        time.fromisoformat(request.form.get("ends", "")),
        frozenset(day for day in DAYS if request.form.get(f"day.{day}")),
        frozenset(date.fromisoformat(day) for day in request.form.get("holidays", "").split()),
    )


def _page(session: Session, team: Row[Any], shown: dict[str, Any], fault: str) -> str:
    changes = timetable.changes(session, team.id)
    return render_template(
        "clocks.html",
        team=team,
        shown=shown,
        fault=fault,
        faulty="why" if not str(shown["why"]).strip() else "begins",
        rows={urgency.value: _table(urgency, shown) for urgency in Urgency},
        days=DAYS,
        waits=_WAITS,
        changes=changes,
        people=members.names(session, [change.by for change in changes if change.by]),
    )


def _table(urgency: Urgency, shown: dict[str, Any]) -> ClockTable:
    others = [_row(urgency, of) for of in _ROWS if of not in _FIRST]
    cells = [cell for row in others for cell in row.cells]
    return ClockTable(
        [_row(urgency, of) for of in _FIRST],
        others,
        any(str(shown.get(cell.field)) != str(cell.default) for cell in cells),
    )


def _row(urgency: Urgency, of: str) -> ClockRow:
    name, words = _ROWS[of]
    cells = [
        Cell(_field(urgency.value, of, clock), _clock_name(urgency, of, clock), amount, _span(amount))
        for clock, amount in timetable.defaults()[urgency.value][of].items()
    ]
    return ClockRow(name, words, cells)


def _clock_name(urgency: Urgency, of: str, clock: str) -> str:
    """What happens when it runs out."""
    if of == CUSTODY:
        return _OF_CUSTODY[clock]
    kind, steps = Kind(of), STEPS_OF[Kind(of)][urgency]
    step = steps[int(clock.removeprefix("step_"))]
    told = [
        _AUDIENCES[audience]
        for audience in step.audiences
        if audience is not Audience.HUB_DESK or kind in _CLIMBING
    ]
    if not told:
        return "Then it ends, and who asked is told"
    calls = ", who must telephone" if step.calls and kind is Kind.TRANSFER else ""
    return f"Then {' and '.join(told)}{calls}"


def _span(minutes: int) -> str:
    """In hours or days; "" where minutes say it best."""
    days, hours = divmod(minutes, 24 * 60)
    if days and not hours:
        return f"{days} day{'s' if days > 1 else ''}"
    return f"{minutes // 60} h" if minutes >= 120 and not minutes % 60 else ""

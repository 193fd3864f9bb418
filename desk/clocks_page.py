"""A team's clocks and hours: read by the administrator, and changed with the change in the ledger."""

from __future__ import annotations

from datetime import date, time
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from sqlalchemy import Row
from sqlalchemy.orm import Session

from desk.answers import Page
from directory import teams
from directory.guards import guard, signed_in
from directory.hours import DAYS, HOLIDAY, Hours
from foundation import clock, database, web
from ledger.entries import Actor
from routing import timetable
from routing.timetable import ClockFault

# Name of a clock → what it means.
NAMES: dict[str, str] = {
    "step_1": "An offer: the next person, or everybody again",
    "step_2": "An offer: the whole team, or the desk above",
    "step_3": "An offer: the desk above",
    "desk": "A desk must have chosen",
    "first_action": "The first action after an acknowledgement",
    "next_action": "The next action after each action",
}


@guard("clocks.change")
def clocks_page(slug: str) -> Page:
    """What runs for this team now."""
    with database.reading(web.engine()) as session:
        team = _team(session, slug)
        return _page(team, _shown(timetable.of(session, team.id)), "")


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
                actor=Actor(member_id=signed_in().member.id),
                now=clock.now(),
            )
        except ClockFault as fault:
            return _page(team, request.form.to_dict(), str(fault)), 400
        except ValueError:
            sentence = "Write minutes as whole numbers, times as 08:00, and holidays as 2026-11-26."
            return _page(team, request.form.to_dict(), sentence), 400
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
        f"{urgency}.{name}": table.minutes.get(urgency, {}).get(name, amount)
        for urgency, clocks in timetable.defaults().items()
        for name, amount in clocks.items()
    }
    return minutes | {
        "begins": table.hours.begins.isoformat("minutes"),
        "ends": table.hours.ends.isoformat("minutes"),
        "holidays": " ".join(sorted(day.isoformat() for day in table.hours.holidays)),
        **{f"day.{day}": "y" for day in table.hours.days if day != HOLIDAY},
    }


def _minutes() -> dict[str, dict[str, int]]:
    return {
        urgency: {name: int(request.form[f"{urgency}.{name}"]) for name in clocks}
        for urgency, clocks in timetable.defaults().items()
    }


def _hours(team: Row[Any]) -> Hours:
    return Hours(
        team.time_zone,
        time.fromisoformat(request.form.get("begins", "")),
        time.fromisoformat(request.form.get("ends", "")),
        frozenset(day for day in DAYS if request.form.get(f"day.{day}")),
        frozenset(date.fromisoformat(day) for day in request.form.get("holidays", "").split()),
    )


def _page(team: Row[Any], shown: dict[str, Any], fault: str) -> str:
    return render_template(
        "clocks.html",
        team=team,
        shown=shown,
        fault=fault,
        names=NAMES,
        days=DAYS,
        defaults=timetable.defaults(),
    )

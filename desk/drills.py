"""Planning drills of a team, and reading how fast each of its people was reached and answered."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import abort, flash, redirect, render_template, url_for
from flask_wtf import FlaskForm
from sqlalchemy import Row
from sqlalchemy.orm import Session
from wtforms import DateTimeLocalField, RadioField, SelectField
from wtforms.validators import InputRequired, Optional

from desk.answers import Page
from directory import permissions, teams
from directory.guards import guard, signed_in
from directory.teams import TeamKind
from foundation import clock, database, web
from foundation.choosing import options
from referrals.facts import Urgency
from routing import drills
from routing.drills import DrillFault


class DrillForm(FlaskForm):  # type: ignore[misc]
    """Which team, how urgent it says to be, and when."""

    team = SelectField("Which team?", validators=[InputRequired("Choose the team.")])
    urgency = RadioField(
        "As urgent as",
        choices=options((urgency.value, urgency.value.capitalize()) for urgency in Urgency),
        default=Urgency.ELEVATED.value,
        validators=[InputRequired("Choose how urgent.")],
    )
    at = DateTimeLocalField(
        "When, on the team's own clock",
        description="Leave it empty to begin within a minute. Surprise is fair, but tell the team that drills happen.",
        validators=[Optional()],
    )


@guard("drill.see")
def drills_page() -> Page:
    """The drills of my teams, and the form for the next."""
    with database.reading(web.engine()) as session:
        return _page(session, _form(session), "")


@guard("drill.plan")
def plan() -> Page:
    """Plans one."""
    fault, now = "", clock.now()
    with database.transaction(web.engine()) as session:
        form = _form(session)
        if not form.validate():
            return _page(session, form, ""), 400
        try:
            at, member_id = _moment(session, form, now), signed_in().member.id
            drills.plan(session, form.team.data, Urgency(form.urgency.data), at, by=member_id, now=now)
        except DrillFault as refused:
            fault = str(refused)
            return _page(session, form, fault), 400
    flash("The drill is planned.")
    return redirect(url_for("desk.drills"))


@guard("drill.see")
def drill_page(drill_id: str) -> Page:
    """The report of one drill: who was told when, and who answered how fast."""
    with database.reading(web.engine()) as session:
        drill = _mine(session, drill_id)
        report = drills.report(session, drill)
        return render_template("drill.html", report=report, team=teams.team(session, drill.team_id).name)


@guard("drill.plan")
def cancel(drill_id: str) -> Page:
    """Takes a planned one back."""
    with database.transaction(web.engine()) as session:
        _mine(session, drill_id)
        gone = drills.cancel(session, drill_id, clock.now())
    flash("The drill is taken back." if gone else "It had begun already.")
    return redirect(url_for("desk.drills"))


def _page(session: Session, form: DrillForm, fault: str) -> str:
    named = {team.id: str(team.name) for team in _teams(session)}
    found = [drill for team_id in named for drill in drills.of_team(session, team_id)]
    latest = sorted(found, key=lambda drill: drill.planned_at, reverse=True)[:50]
    reports = [drills.report(session, drill) for drill in latest]
    return render_template("drills.html", form=form, fault=fault, reports=reports, named=named)


def _form(session: Session) -> DrillForm:
    form = DrillForm()
    form.team.choices = options((team.id, team.name) for team in _teams(session))
    return form


def _teams(session: Session) -> list[Row[Any]]:
    """My teams; for those who re-route, every team that takes referrals."""
    member = signed_in().member
    every = [team for team in teams.all_teams(session) if team.kind != TeamKind.OFFICE.value]
    if permissions.allowed(member, "routing.explain"):
        return every
    return [team for team in every if team.id in member.team_ids]


def _mine(session: Session, drill_id: str) -> Row[Any]:
    """That drill, if its team is one that I may plan for; else there is none."""
    drill = drills.one(session, drill_id)
    if drill is None or drill.team_id not in {team.id for team in _teams(session)}:
        abort(404)
    return drill


def _moment(session: Session, form: DrillForm, now: datetime) -> datetime:
    if form.at.data is None:
        return now
    zone = ZoneInfo(teams.team(session, form.team.data).time_zone)
    typed: datetime = form.at.data
    return typed.replace(tzinfo=zone)

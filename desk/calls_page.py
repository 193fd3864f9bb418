"""Telephone calls that must be made: red until a person records how each went."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import abort, flash, g, redirect, render_template, url_for
from sqlalchemy import Row
from sqlalchemy.orm import Session

from desk import acting
from desk.answers import Page
from desk.handing_forms import CallForm
from directory import teams
from directory.guards import guard, signed_in
from foundation import clock, database, web
from ledger.entries import Actor
from routing import calls


@dataclass(frozen=True)
class ToMake:
    """A call that waits: whom, on which number, since when, how often it was tried."""

    id: str
    whom: str
    telephone: str | None
    since: datetime
    tries: int
    form: CallForm


@guard("referral.call")
def calls_page(reference: str) -> Page:
    """The calls that a team of the member must make for this referral."""
    return _page()


@guard("referral.call")
def record_call(reference: str) -> Page:
    """Records how a call went. Only having spoken with them ends it."""
    form = CallForm()
    with database.reading(web.engine()) as session:
        mine = {row.id: row for row in _mine(session)}
    call_id = form.call.data or ""
    if call_id not in mine:
        abort(404)
    if not form.validate():
        return _page(form), 400
    actor = Actor(member_id=signed_in().member.id, team_id=mine[call_id].team_id)
    with database.transaction(web.engine()) as session:
        done = calls.record(session, call_id, form.result.data or "", actor=actor, now=clock.now())
    flash("The call is on record." if done else "On record. The call stays open: try again in five minutes.")
    return redirect(url_for("desk.referral", reference=reference))


def to_make(session: Session) -> list[ToMake]:
    """The open calls of this referral for the member's teams, in words."""
    found = [row for row in _mine(session) if row.done_at is None]
    return [_words(session, row.id, row.whom, row.made_at, row.tries) for row in found]


def _mine(session: Session) -> list[Row[Any]]:
    mine = acting.my_teams()
    return [row for row in calls.of_referral(session, g.referral.id) if row.team_id in mine]


def _words(session: Session, id: str, whom: str, since: datetime, tries: int) -> ToMake:
    form = CallForm(formdata=None, call=id)
    if whom == calls.EMERGENCY:
        return ToMake(id, "the 911 centre of the place", None, since, tries, form)
    team = teams.team(session, whom)
    return ToMake(id, team.name, team.telephone, since, tries, form)


def _page(form: CallForm | None = None) -> str:
    with database.reading(web.engine()) as session:
        waiting = to_make(session)
    return render_template("calls.html", waiting=waiting, form=form or CallForm(formdata=None))

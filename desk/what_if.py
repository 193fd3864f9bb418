"""What if? Any evidence in; the decision of the rules in force out, as sentences, a small map and the table.

It is asked by POST and stored nowhere, although it changes nothing: who asks often asks about a real referral, and
an address with its places would stay in the browser's history and in the web server's log.
"""

from __future__ import annotations

from zoneinfo import ZoneInfo

from flask import g, render_template, request
from sqlalchemy.orm import Session

from desk import explained
from desk.answers import Page
from desk.explained import Told
from desk.what_if_form import MOST_PIECES, WhatIfForm
from directory import teams
from directory.guards import guard
from directory.teams import TeamKind
from foundation import clock, database, web
from foundation.choosing import options
from routing import coverage, jobs
from routing.decision import decide


@guard("routing.explain")
def what_if_page() -> Page:
    """The empty question."""
    with database.reading(web.engine()) as session:
        return render_template("what_if.html", form=_form(session), told=None, most=MOST_PIECES)


@guard("routing.explain")
def what_if() -> Page:
    """The answer, above the question as it was asked; or the question again with one more place, or with faults."""
    with database.reading(web.engine()) as session:
        form = _form(session)
        if request.form.get("step") == "more":
            return render_template("what_if.html", form=form, told=None, most=MOST_PIECES)
        form.validate()
        told = _answer(session, form)
        page = render_template("what_if.html", form=form, told=told, most=MOST_PIECES)
        return page if told else (page, 400)


def _form(session: Session) -> WhatIfForm:
    form = WhatIfForm()
    form.show(more=request.form.get("step") == "more")
    offices = [team for team in teams.all_teams(session) if team.kind == TeamKind.OFFICE.value]
    form.originator.choices = options([("", "The public"), *((office.id, office.name) for office in offices)])
    return form


def _answer(session: Session, form: WhatIfForm) -> Told | None:
    now = clock.now()
    moment = form.moment(now, ZoneInfo(g.get("time_zone") or "UTC"))
    snapshot = coverage.in_force(session, moment, now)
    facts = form.facts(snapshot.boundaries)
    if facts is None:
        return None
    silent = jobs.unreachable(session, facts.urgency)
    decision = decide(facts, snapshot.rules, snapshot.boundaries, moment, silent)
    return explained.tell(session, decision, snapshot.boundaries)

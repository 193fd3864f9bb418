"""The gap report as a page: of one state, at a day and hour, for one urgency or all."""

from __future__ import annotations

from datetime import datetime
from zoneinfo import ZoneInfo

from flask import g, render_template, request
from flask_wtf import FlaskForm
from wtforms import DateTimeLocalField, SelectField
from wtforms.validators import Optional

from desk.answers import Page
from directory.guards import guard
from foundation import clock, database, web
from foundation.choosing import options
from referrals.facts import Urgency
from routing import gaps, gazetteer, snapshots


class GapsForm(FlaskForm):  # type: ignore[misc]
    """Of which state, for which urgency, as of when."""

    class Meta:
        """A question that changes nothing and can be kept as an address."""

        csrf = False

    state = SelectField("State", validators=[Optional()])
    urgency = SelectField(
        "Urgency",
        choices=options(
            [("", "Each"), *((urgency.value, urgency.value.capitalize()) for urgency in Urgency)]
        ),
        validators=[Optional()],
    )
    at = DateTimeLocalField(
        "As of",
        format=["%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S", "%Y-%m-%d %H:%M"],
        validators=[Optional()],
    )


# Whatever is wrong with a field.
_FAULTS = {
    "state": "Choose a state from the list.",
    "urgency": "Choose an urgency from the list.",
    "at": "Give a day and a time, such as 2026-12-01 08:00.",
}


@guard("rules.see")
def gaps_page() -> Page:
    """What is missing, with what to do about it. A field that makes no sense asks nothing, and says so."""
    form = _form()
    wrong = {name for name in _FAULTS if form[name].errors}
    state, urgency = ("" if name in wrong else form[name].data or "" for name in ("state", "urgency"))
    with database.reading(web.engine()) as session:
        told = gaps.report(
            session,
            snapshots.current(session, clock.now()),
            _moment(form, wrong),
            state=state,
            urgencies=(Urgency(urgency),) if urgency else tuple(Urgency),
        )
    return render_template("gaps.html", form=form, told=told)


def _form() -> GapsForm:
    form = GapsForm(request.args)
    states = sorted((state.name, code) for code, state in gazetteer.load().states.items())
    form.state.choices = options([("", "The whole country"), *((code, name) for name, code in states)])
    form.validate()
    for name, sentence in _FAULTS.items():
        form[name].errors = (sentence,) if form[name].errors else ()
    return form


def _moment(form: GapsForm, wrong: set[str]) -> datetime:
    told: datetime | None = None if "at" in wrong else form.at.data
    return told.replace(tzinfo=ZoneInfo(g.get("time_zone") or "UTC")) if told else clock.now()

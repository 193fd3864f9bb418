"""Recipients outside the directory: writing down who was called, and the call back that confirms it."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from flask import abort, flash, g, redirect, render_template, request, url_for
from sqlalchemy import Row
from sqlalchemy.orm import Session

from desk import acting, grounds, hand_on, reading, words
from desk.answers import Page
from desk.grounds import Condition
from desk.handing_forms import CallBackForm, OutsideForm
from directory import teams
from directory.guards import guard
from foundation import clock, database, web
from foundation.choosing import options
from routing import handling, handoffs, outside, permission, register
from routing.outside import Recipient
from routing.states import OPEN, Basis, Kind, Reason

_MEANING = (
    "You keep responsibility. Call the agency back on a number that you looked up: until then a clock runs."
)


@guard("referral.outside")
def outside_page(reference: str) -> Page:
    """Asks who was called."""
    now = clock.now()
    with database.reading(web.engine()) as session:
        local = now.astimezone(_zone(session))
        form = _form(session, called_on=local.date(), called_at=local.time())
        found = grounds.condition(session, Kind.EXTERNAL, handling.OUTSIDE, form.basis.data)
    return render_template("outside.html", form=form, condition=found, meaning=_MEANING)


@guard("referral.outside")
def hand_out(reference: str) -> Page:
    """Writes it down; the clock until the call back begins."""
    now = clock.now()
    with database.transaction(web.engine()) as session:
        form = _form(session)
        fits = form.validate()
        found = grounds.condition(session, Kind.EXTERNAL, handling.OUTSIDE, form.basis.data)
        grounds.check(session, form, found)
        called_at = _called_at(session, form)
        if called_at and called_at > now:
            form.called_at.errors = ("This is later than now.",)
        fits = fits and not (form.danger.errors or form.parts.errors or form.called_at.errors)
        if fits and called_at:
            _write_down(session, form, found, called_at, now)
    if not fits:
        return render_template("outside.html", form=form, condition=found, meaning=_MEANING), 400
    flash(f"It is on record that {form.agency.data} was told. Call them back, and record the answer here.")
    return redirect(url_for("desk.referral", reference=reference))


@guard("referral.outside")
def call_back_page(reference: str) -> Page:
    """Shows whom to call back, and asks what they said."""
    with database.reading(web.engine()) as session:
        row = _open_one(session, request.args.get("handoff", ""))
        form = CallBackForm(formdata=None, handoff=row.id)
        return render_template("call_back.html", form=form, recipient=register.outside(session, row.id))


@guard("referral.outside")
def call_back(reference: str) -> Page:
    """The agency confirmed, or said no."""
    form = CallBackForm()
    fits = form.validate()
    with database.transaction(web.engine()) as session:
        row = _open_one(session, form.handoff.data or "")
        recipient, actor, now = register.outside(session, row.id), acting.as_holder(), clock.now()
        if fits and form.result.data == "confirmed":
            outside.confirm(session, row.id, form.spoke_with.data or "", actor=actor, now=now)
        elif fits:
            outside.refuse(session, row.id, actor=actor, now=now)
    if not fits:
        return render_template("call_back.html", form=form, recipient=recipient), 400
    flash(_SAID[form.result.data or ""].format(agency=recipient.agency))
    return redirect(url_for("desk.referral", reference=reference))


_SAID = {
    "confirmed": "{agency} has it. Your team keeps the record and asks how it went.",
    "refused": "{agency} will not take it. Choose somebody else.",
}


def _form(session: Session, **preset: Any) -> OutsideForm:
    form = OutsideForm(**preset)
    form.parts.choices = options((part, words.PARTS[part]) for part in hand_on.disclosable(session))
    form.parts.data = form.parts.data or []
    return form


def _zone(session: Session) -> ZoneInfo:
    return ZoneInfo(teams.team(session, g.standing.holder).time_zone)


def _called_at(session: Session, form: OutsideForm) -> datetime | None:
    if form.called_on.data is None or form.called_at.data is None:
        return None
    return datetime.combine(form.called_on.data, form.called_at.data, _zone(session))


def _write_down(
    session: Session, form: OutsideForm, found: Condition | None, called_at: datetime, now: datetime
) -> None:
    actor = acting.as_holder()
    danger = grounds.seal(session, "override", form.danger.data, actor, now) if found else None
    proposal = handoffs.Offer(
        referral_id=g.referral.id,
        kind=Kind.EXTERNAL,
        from_team=g.standing.holder,
        to_team=None,
        reason=Reason.HANDED_ON,
        basis=Basis(form.basis.data),
        parts=tuple(form.parts.data or ()),
        ground_id=grounds.seal(session, "ground", form.threat.data, actor, now),
        override_id=danger,
        conditions_met=bool(form.conditions_met.data),
    )
    called = Recipient(form.agency.data or "", form.person.data or "", form.telephone.data or "", called_at)
    id = outside.hand_out(session, reading.keys(), proposal, called, actor=actor, now=now)
    if danger:
        permission.override(session, handoffs.handoff(session, id), danger, actor=actor, now=now)


def _open_one(session: Session, handoff_id: str) -> Row[Any]:
    """The open handoff outside of that id; 404 for any other, the race's sentence where it is answered."""
    found = [row for row in handoffs.of_referral(session, g.referral.id) if row.id == handoff_id]
    if not found or found[0].kind != Kind.EXTERNAL.value:
        abort(404)
    if found[0].state not in OPEN:
        raise handoffs.AlreadyAnswered(handoffs.answered_sentence(session, handoff_id))
    return found[0]

"""Documenting: notes, actions taken, and a place that was learned. Each form makes one record, however often sent."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from flask import flash, g, redirect, render_template, url_for
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from desk import acting, reading
from desk.forms import ActionForm, NoteForm, PlaceForm
from directory.guards import guard
from foundation import clock, database, web
from ledger.entries import Actor
from referrals import casework, moves
from referrals.facts import Relation, Urgency
from referrals.states import Move, State
from referrals.tables import casework as rows
from routing import placement, places, snapshots, timetable
from routing.places import Fault, Reason

Page = Response | str | tuple[str, int]
# In these an action sets the next due time; while an offer is out, the offer's deadline stays what is due.
_WORKED_ON = {State.HELD.value, State.AT_DESK.value}


@guard("referral.note")
def note_page(reference: str) -> Page:
    """An empty note."""
    return render_template("note.html", form=NoteForm())


@guard("referral.note")
def note(reference: str) -> Page:
    """Seals a note."""
    form = NoteForm()
    if not form.validate():
        return render_template("note.html", form=form), 400
    actor, id = acting.as_participant(), form.record_id(form.origin.data, form.words.data or "")

    def write(session: Session, now: datetime) -> None:
        casework.record(
            session,
            reading.keys(),
            g.referral.id,
            id=id,
            kind="note",
            part=form.origin.data,
            action=None,
            words=form.words.data or "",
            actor=actor,
            now=now,
        )

    return _once(reference, id, write, "The note is recorded.")


@guard("referral.act")
def action_page(reference: str) -> Page:
    """Asks what was done."""
    return render_template("action.html", form=ActionForm())


@guard("referral.act")
def action(reference: str) -> Page:
    """Seals what was done; done by the team that holds it, it also says when the next step is due."""
    form = ActionForm()
    if not form.validate():
        return render_template("action.html", form=form), 400
    actor, id = acting.as_participant(), form.record_id(form.action.data, form.words.data or "")

    def write(session: Session, now: datetime) -> None:
        casework.record(
            session,
            reading.keys(),
            g.referral.id,
            id=id,
            kind="action",
            action=form.action.data,
            words=form.words.data or "",
            actor=actor,
            now=now,
        )
        _set_next(session, actor, now)

    return _once(reference, id, write, "The action is recorded.")


@guard("referral.place")
def place_page(reference: str) -> Page:
    """Asks what was learned of the place."""
    return render_template("place.html", form=PlaceForm())


@guard("referral.place")
def place(reference: str) -> Page:
    """Puts the place into the facts; the referral is routed anew with it."""
    form = PlaceForm()
    with database.transaction(web.engine()) as session:
        moves.lock(session, g.referral.id)
        learned = form.validate() and _learn(session, form)
    if not learned:
        return render_template("place.html", form=form), 400
    flash("The place is recorded. The right team is being found with it.")
    return redirect(url_for("desk.referral", reference=reference))


def next_due(session: Session, team_id: str, now: datetime) -> datetime:
    """When the team is asked again after it did something."""
    return timetable.of(session, team_id).due(now, Urgency(g.referral.urgency), "next_action")


def _once(reference: str, id: str, write: Callable[[Session, datetime], None], done: str) -> Response:
    try:
        with database.transaction(web.engine()) as session:
            moves.lock(session, g.referral.id)
            write(session, clock.now())
        flash(done)
    except IntegrityError:
        # The form's key and its words name the row: a second press of the button meets the first one's record.
        if not _is_recorded(id):
            raise
        flash(f"{done} It was sent twice and recorded once.")
    return redirect(url_for("desk.referral", reference=reference))


def _is_recorded(id: str) -> bool:
    with database.reading(web.engine()) as session:
        found = session.execute(
            select(rows.c.id).where(rows.c.id == id, rows.c.referral_id == g.referral.id)
        ).one_or_none()
    return found is not None


def _set_next(session: Session, actor: Actor, now: datetime) -> None:
    current = moves.referral(session, g.referral.id)
    if actor.team_id == current.custodian_team_id and current.state in _WORKED_ON:
        moves.move(
            session,
            current.id,
            Move.WORK,
            now=now,
            actor=actor,
            due_at=next_due(session, current.custodian_team_id, now),
            due_reason="work",
        )


_FAULTS: dict[Reason, str] = {
    Reason.UNKNOWN_STATE: "There is no such state. Use its two letters, such as AZ.",
    Reason.ZIP_FORM: "A ZIP code has five digits.",
    Reason.UNKNOWN_ZIP: "This ZIP code is not in use.",
    Reason.ZIP_NOT_IN_STATE: "This ZIP code is not in that state.",
    Reason.PLACE_NOT_IN_STATE: "The state beside the town is another one than the state below.",
}


def _learn(session: Session, form: PlaceForm) -> bool:
    """Resolves what was typed. What fits nothing is a fault here: a desk can look again, a reporter could not."""
    typed = {name: form[name].data or "" for name in ("school", "place", "county", "state", "zip_code")}
    boundaries = snapshots.current(session, clock.now()).boundaries
    found = places.resolve(boundaries, relation=Relation(form.relation.data), **typed)
    for fault in found.faults:
        _show(form, fault)
    unknown = [piece for piece in found.evidence if not piece.areas]
    if not found.faults and (unknown or not found.evidence):
        form.form_errors.append(
            "We do not know that place. Check the spelling, or give the ZIP code."
            if unknown
            else "Fill in one field."
        )
    if form.errors:
        return False
    placement.learn_place(session, g.referral.id, found.evidence, actor=acting.as_holder(), now=clock.now())
    return True


def _show(form: PlaceForm, fault: Fault) -> None:
    form[fault.field].errors = (*form[fault.field].errors, _FAULTS[fault.reason])

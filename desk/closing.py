"""Closing: a disposition with its reason, and for urgent ones a second member's answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import abort, flash, g, redirect, render_template, request, url_for
from sqlalchemy import Row
from sqlalchemy.orm import Session

from desk import acting, reading
from desk.answers import Page
from desk.documenting import next_due
from desk.forms import CloseForm, ClosingForm
from directory import guards, members, teams
from directory.guards import guard
from foundation import clock, database, web
from referrals import casework, moves
from referrals.casework import DISPOSITIONS, SECOND_PERSON, Closing, Disposition
from referrals.facts import Urgency
from referrals.states import State
from routing import business_days, handoffs
from routing.states import DESK_WITHIN


@guard("referral.close")
def close_page(reference: str) -> Page:
    """Asks how it ends."""
    with database.reading(web.engine()) as session:
        return _close_page(CloseForm(), _still_out(session))


@guard("referral.close")
def close(reference: str) -> Page:
    """Closes it, or asks a second member to."""
    form = CloseForm()
    with database.transaction(web.engine()) as session:
        moves.lock(session, g.referral.id)
        out = _still_out(session)
        fits = form.validate() and not out
        state = _propose(session, form, clock.now()) if fits else None
    if state is None:
        return _close_page(form, out), 400
    flash(_SAID[state])
    return redirect(url_for("desk.referral", reference=reference))


@guard("referral.approve_closing")
def closing_page(reference: str) -> Page:
    """Shows the second member what is proposed, and why: a reading, so the password is asked and it is recorded."""
    if not guards.freshly_proved():
        return redirect(url_for("account.prove", next=request.path))
    with database.transaction(web.engine()) as session:
        return _closing_page(session, ClosingForm())


@guard("referral.approve_closing")
def answer_closing(reference: str) -> Page:
    """The second member's answer."""
    form, now = ClosingForm(), clock.now()
    if not form.validate():
        with database.transaction(web.engine()) as session:
            return _closing_page(session, form), 400
    actor = acting.as_participant()
    with database.transaction(web.engine()) as session:
        moves.lock(session, g.referral.id)
        state = casework.answer_closing(
            session,
            g.referral.id,
            approved=form.answer.data == "approve",
            actor=actor,
            due_at=next_due(session, str(actor.team_id), now),
            now=now,
        )
    flash(_SAID[state])
    return redirect(url_for("desk.referral", reference=reference))


_SAID = {
    State.CLOSED: "The referral is closed.",
    State.CLOSING: "A second member is asked to approve. Until then it stays open.",
    State.HELD: "It stays open. Your team goes on working on it.",
}


def _close_page(form: CloseForm, out: list[Row[Any]]) -> str:
    return render_template(
        "close.html", form=form, out=out, second=Urgency(g.referral.urgency) in SECOND_PERSON
    )


def _still_out(session: Session) -> list[Row[Any]]:
    """Offers that nobody answered: closing under them would leave people waiting for nothing."""
    return handoffs.open_offers(session, g.referral.id)


def _propose(session: Session, form: CloseForm, now: datetime) -> State:
    actor, urgency = acting.as_holder(), Urgency(g.referral.urgency)
    zone = teams.team(session, str(actor.team_id)).time_zone
    return casework.propose_closing(
        session,
        reading.keys(),
        g.referral.id,
        disposition=Disposition(form.disposition.data),
        reason=form.reason.data or "",
        actor=actor,
        due_at=business_days.due(now, DESK_WITHIN[urgency], urgency, zone),
        now=now,
    )


def _closing_page(session: Session, form: ClosingForm) -> str:
    pending: Closing | None = casework.open_closing(session, g.referral.id)
    if pending is None:
        abort(404)
    actor = acting.as_participant()
    reading.told(session, g.referral.id, actor, clock.now(), parts=(casework.NOTES,))
    entries = reading.documented(session, g.referral.id, actor)
    reasons = [entry.words for entry in entries or () if entry.kind == "closing"]
    return render_template(
        "closing.html",
        form=form,
        disposition=DISPOSITIONS[Disposition(pending.disposition)],
        by=members.names(session, [pending.proposed_by]).get(pending.proposed_by),
        reason=reasons[-1] if reasons else "",
    )

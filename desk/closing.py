"""Closing: a disposition with its reason, and for urgent ones a second member's answer."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from flask import abort, flash, g, redirect, render_template, request, url_for
from sqlalchemy import Row
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from desk import acting, reading
from desk.answers import Page
from desk.documenting import next_due
from desk.forms import CloseForm, ClosingForm
from directory import guards, members, teams
from directory.guards import guard
from foundation import clock, database, web
from ledger.entries import Actor
from referrals import casework, moves
from referrals.casework import DISPOSITIONS, SECOND_PERSON, Closing, Disposition
from referrals.facts import Urgency
from referrals.states import State
from routing import handoffs, telling, timetable
from routing.states import Kind


@guard("referral.close")
def close_page(reference: str) -> Page:
    """Asks how it ends."""
    with database.reading(web.engine()) as session:
        return _close_page(session, CloseForm(), _still_out(session))


@guard("referral.close")
def close(reference: str) -> Page:
    """Closes it, or asks a second member to."""
    form = CloseForm()
    with database.transaction(web.engine()) as session:
        moves.lock(session, g.referral.id)
        out = _still_out(session)
        fits = form.validate() and not any(map(_blocks, out))
        state = _propose(session, form, clock.now()) if fits else None
        if state is State.CLOSING:
            referral = moves.referral(session, g.referral.id)
            telling.tell_second_members(session, referral, guards.signed_in().member.id, clock.now())
        if state is None:
            return _close_page(session, form, out), 400
    return _said(reference, state)


@guard("referral.approve_closing")
def closing_page(reference: str) -> Page:
    """Shows the second member what is proposed, and why: a reading, so the password is asked and it is recorded."""
    if not guards.freshly_proved():
        return redirect(url_for("account.prove_page", next=request.path))
    with database.transaction(web.engine()) as session:
        return _closing_page(session, ClosingForm())


@guard("referral.approve_closing")
def answer_closing(reference: str) -> Page:
    """The second member's answer."""
    form, now = ClosingForm(), clock.now()
    if not form.validate():
        with database.transaction(web.engine()) as session:
            return _closing_page(session, form), 400
    actor = acting.as_second_person()
    with database.transaction(web.engine()) as session:
        moves.lock(session, g.referral.id)
        state = casework.answer_closing(
            session,
            g.referral.id,
            approved=form.answer.data == "approve",
            actor=actor,
            due_at=next_due(session, g.standing.holder, now),
            now=now,
        )
        _take_back(session, state, actor, now)
    return _said(reference, state)


@guard("referral.withdraw_closing")
def withdraw_closing(reference: str) -> Page:
    """The team that asked for the second member goes on working instead: a team of one may never find a second."""
    now = clock.now()
    with database.transaction(web.engine()) as session:
        moves.lock(session, g.referral.id)
        state = casework.withdraw_closing(
            session,
            g.referral.id,
            actor=acting.as_holder(),
            due_at=next_due(session, g.standing.holder, now),
            now=now,
        )
    return _said(reference, state)


_SAID = {
    State.CLOSED: "The referral is closed.",
    State.CLOSING: "{approver} is asked to approve. Until then it stays open.",
    State.HELD: "It stays open. {holder} goes on working on it.",
}


def _said(reference: str, state: State) -> Response:
    with database.reading(web.engine()) as session:
        holder, approver = teams.team(session, g.standing.holder).name, _desk_above(session)
        flash(_SAID[state].format(holder=holder, approver=approver or "A second member"))
    return redirect(url_for("desk.referral", reference=reference))


def _close_page(session: Session, form: CloseForm, out: list[Row[Any]]) -> str:
    return render_template(
        "close.html",
        form=form,
        blocking=[offer.as_then["to_team"] for offer in out if _blocks(offer)],
        ending=_ending(out),
        second=Urgency(g.referral.urgency) in SECOND_PERSON,
        desk_above=_desk_above(session),
        holder=teams.team(session, g.standing.holder).name,
    )


# What is not needed any more once it is closed, so that closing takes it back.
_ENDS: dict[Kind, str] = {
    Kind.SUPPORT: "{to_team} was asked to help",
    Kind.INFORM: "{to_team} was asked for a receipt",
    Kind.REQUEST: "{from_team} asked to be given it",
    Kind.PERMISSION: "{to_team} was asked whether it may go to {about}",
}


def _ending(out: list[Row[Any]]) -> list[str]:
    """Sentences, each about an offer that the closing takes back."""
    return [
        _ENDS[kind].format_map({"about": "another team", **row.as_then})
        for row in out
        if (kind := Kind(row.kind)) in _ENDS
    ]


def _desk_above(session: Session) -> str | None:
    """The team that must approve where nobody else of the holder's can; None where somebody can."""
    me, holder = guards.signed_in().member.id, g.standing.holder
    team, _ = telling.second_members(session, moves.referral(session, g.referral.id), me, clock.now())
    return str(teams.team(session, team).name) if team != holder else None


def _still_out(session: Session) -> list[Row[Any]]:
    """Offers that nobody answered: closing under them would leave people waiting for nothing."""
    return handoffs.open_offers(session, g.referral.id)


def _blocks(offer: Row[Any]) -> bool:
    """Whether somebody is about to take it or to work on it."""
    return Kind(offer.kind) not in _ENDS


def _take_back(session: Session, state: State, actor: Actor, now: datetime) -> None:
    """What nobody answered ends with the referral, and who was asked is told; what was acknowledged is completed."""
    if state is State.CLOSED:
        handoffs.close(session, g.referral.id, actor=actor, now=now)


def _propose(session: Session, form: CloseForm, now: datetime) -> State:
    actor, urgency = acting.as_holder(), Urgency(g.referral.urgency)
    state = casework.propose_closing(
        session,
        reading.keys(),
        g.referral.id,
        disposition=Disposition(form.disposition.data),
        reason=form.reason.data or "",
        actor=actor,
        due_at=timetable.desk_due(session, g.standing.holder, urgency, now),
        now=now,
    )
    _take_back(session, state, actor, now)
    return state


def _closing_page(session: Session, form: ClosingForm) -> str:
    pending: Closing | None = casework.open_closing(session, g.referral.id)
    if pending is None:
        abort(404)
    return render_template(
        "closing.html",
        form=form,
        disposition=DISPOSITIONS[Disposition(pending.disposition)],
        by=members.names(session, [pending.proposed_by]).get(pending.proposed_by),
        holder=teams.team(session, g.standing.holder),
        reason=_reason(session),
        ending=_ending(_still_out(session)),
    )


def _reason(session: Session) -> str | None:
    """Why it should be closed, in clear and on record as a reading; None where the notes are sealed to who asks."""
    actor = acting.as_second_person()
    entries = reading.documented(session, g.referral.id, actor)
    if entries is None:
        return None
    reading.told(session, g.referral.id, actor, clock.now(), parts=(casework.NOTES,))
    return [entry.words for entry in entries if entry.kind == "closing"][-1]

"""Records: how long a closed one is kept, holds, and its erasure by two people."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from flask import flash, g, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from sqlalchemy.orm import Session
from wtforms import RadioField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length

from desk import acting, reading
from desk.answers import Page
from directory import members
from directory.guards import guard, signed_in
from foundation import clock, database, web
from foundation.choosing import options
from referrals import casework, retention
from referrals.casework import DISPOSITIONS, Disposition
from routing import erasure

_PAGE = 50


class HoldForm(FlaskForm):  # type: ignore[misc]
    """Why a record must be kept."""

    words = TextAreaField(
        "Why must it be kept?",
        description="The court, the case, the letter. It is sealed like a note.",
        validators=[DataRequired("Say why it must be kept."), Length(max=100_000)],
    )


class AnswerForm(FlaskForm):  # type: ignore[misc]
    """The second person's answer to an erasure."""

    answer = RadioField(
        "Your answer",
        choices=options([("erase", "Erase it for good"), ("keep", "Keep it")]),
        validators=[InputRequired("Choose an answer.")],
    )


@guard("records.see")
def records_page() -> Page:
    """What my teams keep longer than its time; administrators see all, by reference alone."""
    member, after = signed_in().member, request.args.get("after", "")
    mine = None if member.administrator else member.team_ids
    with database.reading(web.engine()) as session:
        due = retention.due(session, clock.now(), mine, after=after, most=_PAGE + 1)
    return render_template(
        "records.html",
        due=due[:_PAGE],
        next_key=due[_PAGE - 1].reference if len(due) > _PAGE else None,
        endings={disposition.value: words for disposition, words in DISPOSITIONS.items()},
        readable=set(member.team_ids),
    )


@guard("referral.record")
def record_page(reference: str) -> Page:
    """How long this one is kept, and what can be done about it."""
    return _shown(HoldForm(formdata=None), AnswerForm(formdata=None))


@guard("referral.hold")
def hold(reference: str) -> Page:
    """Places a hold, with its reason as a sealed note."""
    form = HoldForm()
    if not form.validate():
        return _shown(form, AnswerForm(formdata=None)), 400

    def act(session: Session, now: datetime) -> None:
        actor = acting.as_holder()
        retention.place_hold(session, g.referral.id, actor=actor, now=now)
        casework.record(
            session, reading.keys(), g.referral.id, kind="hold", action=None, words=form.words.data or "",
            actor=actor, now=now,
        )  # fmt: skip

    return _done(reference, act, "It is kept until the hold is lifted.")


@guard("referral.hold")
def lift(reference: str, hold_id: str) -> Page:
    """Lifts a hold."""

    def act(session: Session, now: datetime) -> None:
        retention.lift_hold(session, g.referral.id, hold_id, actor=acting.as_holder(), now=now)

    return _done(reference, act, "The hold is lifted.")


@guard("referral.erase")
def ask(reference: str) -> Page:
    """Asks a second person to approve the erasure."""

    def act(session: Session, now: datetime) -> None:
        retention.ask(session, g.referral.id, actor=acting.as_holder(), now=now)

    return _done(reference, act, "A second person is asked. Until then nothing is erased.")


@guard("referral.answer_erasure")
def answer(reference: str) -> Page:
    """The second person's answer; approved, this reference leads nowhere any more."""
    form = AnswerForm()
    if not form.validate():
        return _shown(HoldForm(formdata=None), form), 400
    approved = form.answer.data == "erase"
    with database.transaction(web.engine()) as session:
        erasure.answer(
            session, g.referral.id, approved=approved, actor=acting.as_second_person(), now=clock.now()
        )
    if approved:
        flash(f"{reference} is erased. Its ledger entries stay and say nothing of it.")
        return redirect(url_for("desk.records"))
    flash("It is kept. Whoever asked can ask again.")
    return redirect(url_for("desk.record", reference=reference))


def _done(reference: str, act: Callable[[Session, datetime], None], said: str) -> Page:
    with database.transaction(web.engine()) as session:
        act(session, clock.now())
    flash(said)
    return redirect(url_for("desk.record", reference=reference))


def _shown(hold_form: HoldForm, form: AnswerForm) -> str:
    row: Any = g.referral
    with database.reading(web.engine()) as session:
        standing, waiting = retention.holds(session, row.id), retention.waiting(session, row.id)
        people = [entry.placed_by for entry in standing] + ([waiting.asked_by] if waiting else [])
        names = members.names(session, people)
    until = retention.kept_until(row)
    return render_template(
        "record.html",
        hold_form=hold_form,
        form=form,
        holds=standing,
        waiting=waiting,
        names=names,
        until=until,
        over=bool(until and until <= clock.now()),
        ending=DISPOSITIONS[Disposition(row.disposition)] if row.disposition else None,
        mine=waiting is not None and waiting.asked_by == signed_in().member.id,
    )

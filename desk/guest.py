"""Recipients without an account: making their link at the desk, and the pages that link and code lead to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import abort, flash, g, redirect, render_template, url_for
from flask_wtf import FlaskForm
from sqlalchemy import Row
from sqlalchemy.orm import Session
from wtforms import BooleanField, HiddenField, StringField
from wtforms.validators import DataRequired, InputRequired, Length

from desk import acting, files, places, reading, words
from desk.answers import Page
from directory import teams
from directory.guards import guard
from directory.permissions import PUBLIC
from foundation import clock, database, web
from referrals import attachments, moves
from referrals.facts import Facts
from referrals.opening import OpenedPart
from routing import disclosure, guests, handoffs, register, snapshots
from routing.guests import Guest, Invitation, NoEntry
from routing.states import OPEN, HandoffState, Kind


class CodeForm(FlaskForm):  # type: ignore[misc]
    """The code that came another way than the link."""

    code = StringField("Eight-digit code", validators=[DataRequired("Write the code."), Length(max=20)])


class PressForm(FlaskForm):  # type: ignore[misc]
    """One press, with the code that was typed before."""

    code = HiddenField(validators=[InputRequired(), Length(max=20)])


class TakeForm(PressForm):
    """Acknowledging, as the person whom the link is for."""

    is_me = BooleanField("", validators=[DataRequired("Say that you are the person whom this link is for.")])


@dataclass(frozen=True)
class Preview:
    """What somebody sees before they answer: no word of what was told."""

    reference: str
    urgency: str
    acts: list[str]
    place: str
    from_team: str
    telephone: str | None
    due_at: datetime | None
    time_zone: str
    person: str
    agency: str
    parts: list[str]
    opens_left: int
    answered: bool


@guard("referral.outside")
def link_page(reference: str, handoff_id: str) -> Page:
    """What a link is, whether one is alive, and a button that makes one."""
    return _link(handoff_id, None)


@guard("referral.outside")
def make_link(reference: str, handoff_id: str) -> Page:
    """Makes a link and its code, which are shown once."""
    with database.transaction(web.engine()) as session:
        _one(session, handoff_id)
        made = guests.invite(session, reading.keys(), handoff_id, actor=acting.as_holder(), now=clock.now())
    return _link(handoff_id, made)


@guard("referral.outside")
def end_link(reference: str, handoff_id: str) -> Page:
    """Ends the link at once."""
    with database.transaction(web.engine()) as session:
        row, now = _one(session, handoff_id), clock.now()
        if guests.end(session, handoff_id, now):
            register.write(session, row, "link_ended", acting.as_holder(), now)
    flash("The link leads nowhere any more.")
    return redirect(url_for("desk.guest_link", reference=reference, handoff_id=handoff_id))


@guard(PUBLIC)
def enter_page(token: str) -> Page:
    """Asks for the code. Following the link alone does nothing."""
    return render_template("guest_enter.html", form=CodeForm(), token=token)


@guard(PUBLIC)
def enter(token: str) -> Page:
    """Shows the preview to who has link and code."""
    form = CodeForm()
    if not form.validate():
        return render_template("guest_enter.html", form=form, token=token), 400
    return _entered(token, form)


@guard(PUBLIC)
def answer(token: str) -> Page:
    """The named person acknowledges."""
    form = TakeForm()
    with database.transaction(web.engine()) as session:
        guest = guests.enter(session, token, form.code.data or "", clock.now())
        if guest is not None and form.validate():
            guests.acknowledge(session, guest, clock.now())
    if guest is None:
        return _wrong(token)
    return _entered(token, form)


@guard(PUBLIC)
def decline(token: str) -> Page:
    """The named person says no."""
    form = PressForm()
    with database.transaction(web.engine()) as session:
        guest = guests.enter(session, token, form.code.data or "", clock.now())
        if guest is not None:
            guests.decline(session, guest, clock.now())
    if guest is None:
        return _wrong(token)
    return render_template("guest_done.html", sentence=None)


@guard(PUBLIC)
def read(token: str) -> Page:
    """What was disclosed, after the acknowledgement."""
    form, now, opened = PressForm(), clock.now(), list[OpenedPart]()
    with database.transaction(web.engine()) as session:
        guest = guests.enter(session, token, form.code.data or "", now)
        if guest is not None:
            deployment = web.settings().deployment
            opened = guests.read(session, deployment, guest, token, form.code.data or "", now)
    if guest is None:
        return _wrong(token)
    with database.reading(web.engine()) as session:
        preview = _preview(session, guest)
    again = PressForm(formdata=None, code=form.code.data)
    return render_template(
        "guest_read.html", preview=preview, opened=opened, labels=words.PARTS, form=again, token=token
    )


@guard(PUBLIC)
def take_file(token: str, number: int) -> Page:
    """One of the files as it was sent, for who has read what was disclosed."""
    form, now = PressForm(), clock.now()
    code = form.code.data or ""
    with database.transaction(web.engine()) as session:
        guest = guests.enter(session, token, code, now)
        if guest is not None:
            settings = web.settings()
            blobs = attachments.blobs_of(settings)
            found = guests.take_file(session, settings.deployment, blobs, guest, token, code, number, now)
            reference = moves.referral(session, guest.handoff.referral_id).reference
    if guest is None:
        return _wrong(token)
    return files.as_download(found, reference)


def no_entry(fault: NoEntry) -> tuple[str, int]:
    """The link is no use: one sentence, and nothing that tells whether there ever was one."""
    return render_template("guest_done.html", sentence=f"{fault}."), 404


def _entered(token: str, form: CodeForm | TakeForm) -> Page:
    with database.transaction(web.engine()) as session:
        guest = guests.enter(session, token, form.code.data or "", clock.now())
        preview = _preview(session, guest) if guest else None
    if preview is None:
        return _wrong(token)
    g.time_zone = preview.time_zone
    take = form if isinstance(form, TakeForm) else TakeForm(formdata=None, code=form.code.data)
    faulty = isinstance(form, TakeForm) and bool(form.errors)
    page = render_template("guest.html", preview=preview, form=take, token=token)
    return (page, 400) if faulty else page


def _wrong(token: str) -> Page:
    form = CodeForm(formdata=None)
    form.code.errors = ["That is not the code. After five wrong tries the link ends."]
    return render_template("guest_enter.html", form=form, token=token), 400


def _preview(session: Session, guest: Guest) -> Preview:
    row = register.handoff(session, guest.handoff.id)
    referral: Any = moves.referral(session, row.referral_id)
    facts = Facts.from_json(referral.facts)
    team = teams.team(session, row.from_team_id)
    link = guests.alive(session, row.id, clock.now())
    return Preview(
        reference=referral.reference,
        urgency=row.urgency,
        acts=words.acts(facts.behaviours),
        place=places.in_words(facts, snapshots.current(session, clock.now()).boundaries),
        from_team=team.name,
        telephone=team.telephone,
        due_at=row.due_at,
        person=guest.recipient.person,
        agency=guest.recipient.agency,
        parts=_parts(session, row),
        time_zone=team.time_zone,
        opens_left=link.opens_left if link else 0,
        answered=row.state == HandoffState.ACKNOWLEDGED.value,
    )


def _link(handoff_id: str, made: Invitation | None) -> str:
    with database.reading(web.engine()) as session:
        row = _one(session, handoff_id)
        recipient = register.outside(session, handoff_id)
        alive = guests.alive(session, handoff_id, clock.now())
        disclosed = _parts(session, row)
    address = made and web.settings().desk_url + url_for("desk.guest", token=made.token)
    return render_template(
        "guest_link.html",
        form=FlaskForm(),
        handoff=row,
        recipient=recipient,
        alive=alive,
        made=made,
        address=address,
        may_make=row.state in OPEN,
        disclosed=disclosed,
    )


def _parts(session: Session, row: Row[Any]) -> list[str]:
    """What goes with it, of what somebody without an account can be given."""
    going = [part for part in row.parts if part in guests.PARTS]
    return words.parts(going, disclosure.filled(session, row.referral_id))


def _one(session: Session, handoff_id: str) -> Row[Any]:
    found = [row for row in handoffs.of_referral(session, g.referral.id) if row.id == handoff_id]
    if not found or found[0].kind != Kind.EXTERNAL.value:
        abort(404)
    return found[0]

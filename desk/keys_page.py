"""Keys of the API: by which systems of offices forward, made and ended by an administrator, and on record."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import flash, redirect, render_template, url_for
from sqlalchemy import Row
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session
from wtforms import SelectField, SelectMultipleField, StringField
from wtforms.validators import DataRequired, InputRequired, Length, Regexp

from desk.answers import Page
from desk.forms import OnceForm
from directory import api_keys, guards
from directory.api_keys import NoSeat, Scope
from directory.guards import guard
from foundation import clock, database, web
from foundation.choosing import options
from ledger.entries import Actor

SCOPES = {
    Scope.FORWARD.value: "Forward threats",
    Scope.READ.value: "See who has them now",
    Scope.PERMIT.value: "Answer whether one may be passed on",
}
_LIVES = {"30": "30 days", "90": "90 days", "180": "180 days", "365": "A year", "730": "Two years"}


class KeyForm(OnceForm):
    """Whose key it is, what it is good for, and for how long."""

    seat = SelectField(
        "Office, and who answers for the key",
        description="What is done with the key is done in this member's name. It ends when they leave the office.",
        validators=[InputRequired("Choose who answers for it.")],
    )
    name = StringField(
        "Which system holds it?",
        description="Such as “case system”.",
        validators=[DataRequired("Name the system."), Length(max=60), Regexp(r"[^\x00-\x1f\x7f]*\Z")],
    )
    scopes = SelectMultipleField(
        "What is it good for?",
        choices=options(SCOPES.items()),
        default=[Scope.FORWARD.value, Scope.READ.value],
        validators=[InputRequired("Choose at least one.")],
    )
    days = SelectField("How long?", choices=options(_LIVES.items()), default="365")

    def offer(self, seats: list[Row[Any]]) -> None:
        """Lets one of these seats be chosen."""
        self.seat.choices = options(
            [
                ("", "Choose"),
                *((f"{one.team_id} {one.member_id}", f"{one.office}: {one.member}") for one in seats),
            ]
        )


@guard("keys.keep")
def keys_page() -> Page:
    """Every key, and the form for another; the password is asked before."""
    if not guards.freshly_proved():
        return _prove()
    with database.reading(web.engine()) as session:
        return _page(session, _form(session))


@guard("keys.keep")
def make_key() -> Page:
    """Makes a key and shows it, this once."""
    if not guards.freshly_proved():
        return _prove()
    with database.reading(web.engine()) as session:
        form = _form(session)
        if not form.validate():
            return _page(session, form), 400
    made, fault = "", ""
    try:
        with database.transaction(web.engine()) as session:
            made = _make(session, form)
    except IntegrityError:
        fault = "This key was made a moment ago, and shown then. If nobody kept it, end it and make another."
    except NoSeat:
        fault = "This member has left the office. Choose another."
    with database.reading(web.engine()) as session:
        if fault:
            return _page(session, form, fault=fault), 400
        return _page(session, _form(session, again=True), made=made)


@guard("keys.keep")
def end_key(key_id: str) -> Page:
    """Takes a key out of force at once."""
    if not guards.freshly_proved():
        return _prove()
    with database.transaction(web.engine()) as session:
        ended = api_keys.end(session, key_id, actor=_actor(), now=clock.now())
    flash("The key is ended. Nothing more is done with it." if ended else "That key was ended before.")
    return redirect(url_for("desk.keys"))


def stands(key: Row[Any], now: datetime) -> str:
    """Why a key is over, in a sentence; "" while it is in force."""
    if key.ended_at:
        return f"Ended on {key.ended_at:%Y-%m-%d}."
    if key.expires_at <= now:
        return f"Its time was over on {key.expires_at:%Y-%m-%d}."
    return "" if key.is_seated else "Over: its member has left the office."


def _make(session: Session, form: KeyForm) -> str:
    team_id, member_id = form.seat.data.split()
    _, key = api_keys.make(
        session,
        team_id=team_id,
        member_id=member_id,
        name=form.name.data or "",
        scopes={Scope(scope) for scope in form.scopes.data or ()},
        lives=timedelta(days=int(form.days.data)),
        actor=_actor(),
        now=clock.now(),
        # Pressed twice, it is one key.
        id=form.form_key.data,
    )
    return key


def _form(session: Session, *, again: bool = False) -> KeyForm:
    form = KeyForm(formdata=None) if again else KeyForm()
    form.offer(api_keys.seats(session))
    return form


def _page(session: Session, form: KeyForm, *, made: str = "", fault: str = "") -> str:
    now, keys = clock.now(), api_keys.all_keys(session)
    over = {key.id: said for key in keys if (said := stands(key, now))}
    return render_template(
        "keys.html",
        form=form,
        made=made,
        fault=fault,
        keys=[key for key in keys if key.id not in over],
        past=[key for key in keys if key.id in over],
        over=over,
        soon=now + api_keys.SOON,
        scopes=SCOPES,
    )


def _actor() -> Actor:
    return Actor(member_id=guards.signed_in().member.id)


def _prove() -> Page:
    return redirect(url_for("account.prove_page", next=url_for("desk.keys")))

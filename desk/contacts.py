"""My contacts: how I am reached, proved by a code that was sent there."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, render_template, url_for
from flask_wtf import FlaskForm
from sqlalchemy import Row
from wtforms import HiddenField, RadioField, StringField, TextAreaField
from wtforms.validators import DataRequired, InputRequired, Length

from desk.answers import Page
from directory import contacts
from directory.addresses import ContactFault, normal_address
from directory.contact_form import CHANNELS, REFUSED, AddForm, CodeForm, Way, stands
from directory.contacts import CONSENT_NOW, Proof
from directory.guards import guard, signed_in
from directory.members import Channel
from foundation import clock, database, web
from foundation.choosing import options
from notifications import lookup, mail_sealing, webhook
from notifications.mail_sealing import KeyFault
from notifications.webhook import UrlFault

_CONSENT = CONSENT_NOW["en"]
# Systems of agencies are told at the desk alone.
_CHANNELS = CHANNELS | {Channel.WEBHOOK.value: "Webhook of our own system"}


class DeskForm(AddForm):
    """At the desk an agency's own system may be added, and a number is looked up."""

    channel = RadioField(
        "How?", choices=options(_CHANNELS.items()), validators=[InputRequired("Choose how we reach you.")]
    )
    address = StringField(
        "Telephone number, e-mail address, or https:// address",
        validators=[DataRequired("Write the number or the address."), Length(max=254)],
    )
    # Of which the page has said already that no text reaches it: who insists is taken at their word.
    told_of = HiddenField()


class KeyForm(FlaskForm):  # type: ignore[misc]
    """The reader's own public key, or nothing."""

    key = TextAreaField(
        "Your PGP public key, or your S/MIME certificate",
        description="As text, from -----BEGIN to END-----. Leave it empty to have mail unsealed.",
    )


@guard("contacts.own")
def contacts_page() -> Page:
    """My contacts, and a form for another."""
    return _page(DeskForm(_CONSENT))


@guard("contacts.own")
def add() -> Page:
    """Takes a new contact and sends its code."""
    form = DeskForm(_CONSENT)
    if not form.validate():
        return _page(form), 400
    try:
        if form.channel.data == Channel.WEBHOOK.value:
            webhook.check_url(form.address.data or "", web.settings())
        if form.channel.data == Channel.SMS.value and _is_news_that_it_is_a_landline(form):
            return _page(form), 400
        with database.transaction(web.engine()) as session:
            now = clock.now()
            added = contacts.add(
                session,
                signed_in().member.id,
                Channel(form.channel.data),
                form.address.data or "",
                consent=form.consent.data or "",
                now=now,
            )
            contacts.ask_for_proof(session, added, now)
    except (ContactFault, UrlFault) as fault:
        form.address.errors = [str(fault)]
        return _page(form), 400
    return redirect(url_for("desk.contact", contact_id=added))


@guard("contacts.others")
def out_of_use_page() -> Page:
    """Whose contacts are not used any more, and why; not which they are."""
    with database.reading(web.engine()) as session:
        rows = contacts.out_of_use(session)
    now = clock.now()
    return render_template(
        "contacts_out_of_use.html", rows=[(row, stands(row, now)) for row in rows], names=_CHANNELS
    )


@guard("contacts.own")
def contact_page(contact_id: str) -> Page:
    """Asks for the code of one contact."""
    return _one(_mine(contact_id), CodeForm())


@guard("contacts.own")
def prove(contact_id: str) -> Page:
    """Takes the typed code."""
    form, mine = CodeForm(), _mine(contact_id)
    if form.validate():
        with database.transaction(web.engine()) as session:
            proof = contacts.prove(session, mine.id, form.code.data or "", clock.now())
        if proof is Proof.PROVED:
            flash(f"Thank you. Notices can reach you at {mine.address} from now on.")
            return redirect(url_for("desk.contacts"))
        form.code.errors = [REFUSED[proof]]
    return _one(mine, form), 400


@guard("contacts.own")
def set_key(contact_id: str) -> Page:
    """Has mail to one address sealed, or not any more."""
    form, mine = KeyForm(), _mine(contact_id)
    key: str | None = None
    if (form.key.data or "").strip():
        try:
            key = mail_sealing.check(form.key.data or "", clock.now())
        except KeyFault as fault:
            form.key.errors = [str(fault)]
            return _one(mine, CodeForm(formdata=None), form), 400
    with database.transaction(web.engine()) as session:
        contacts.set_mail_key(session, mine.id, key)
    flash("Mail to you is sealed from now on." if key else "Mail to you is not sealed.")
    return redirect(url_for("desk.contact", contact_id=mine.id))


@guard("contacts.own")
def send_code(contact_id: str) -> Page:
    """Sends a fresh code."""
    mine = _mine(contact_id)
    try:
        with database.transaction(web.engine()) as session:
            contacts.ask_for_proof(session, mine.id, clock.now())
    except ContactFault as fault:
        return _refused(mine, str(fault))
    return redirect(url_for("desk.contact", contact_id=mine.id))


@guard("contacts.own")
def remove(contact_id: str) -> Page:
    """Ends notices to one contact."""
    mine = _mine(contact_id)
    try:
        with database.transaction(web.engine()) as session:
            contacts.remove(session, mine.id, clock.now())
    except ContactFault as fault:
        return _refused(mine, str(fault))
    flash(f"Nothing is sent to {mine.address} any more.")
    return redirect(url_for("desk.contacts"))


_LANDLINE = (
    "That seems to be a landline, and no text reaches it. We can call it: send the form again as it now is. If it does"
    " take texts, choose text message again."
)


def _is_news_that_it_is_a_landline(form: DeskForm) -> bool:
    """Whether the number takes no texts, as far as is known, and nobody has been told so; then the form says it and
    proposes the call."""
    number = normal_address(Channel.SMS, form.address.data or "")
    if form.told_of.data == number or not lookup.is_landline(web.settings(), number):
        return False
    form.told_of.data, form.channel.data = number, Channel.VOICE.value
    form.address.errors = [_LANDLINE]
    return True


def _page(form: DeskForm) -> str:
    with database.reading(web.engine()) as session:
        rows = contacts.of_member(session, signed_in().member.id)
    now = clock.now()
    return render_template(
        "contacts.html", ways=[Way.of(row, now) for row in rows], form=form, names=_CHANNELS
    )


def _refused(mine: Row[Any], sentence: str) -> tuple[str, int]:
    form = CodeForm(formdata=None)
    form.code.errors = [sentence]
    return _one(mine, form), 400


def _one(row: Row[Any], form: CodeForm, key_form: KeyForm | None = None) -> str:
    key_form = key_form or KeyForm(formdata=None, key=row.mail_key or "")
    # What its receiver checks our signature with; people have none.
    secret = webhook.secret(web.settings(), row.id) if row.channel == Channel.WEBHOOK.value else None
    return render_template(
        "contact.html",
        way=Way.of(row, clock.now()),
        form=form,
        secret=secret,
        key_form=key_form if row.channel == Channel.EMAIL.value else None,
        names=_CHANNELS,
    )


def _mine(contact_id: str) -> Row[Any]:
    with database.reading(web.engine()) as session:
        row = contacts.one_of_member(session, signed_in().member.id, contact_id)
    if row is None:
        abort(404)
    return row

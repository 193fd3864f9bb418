"""My contacts at the portal, for members of offices: who works at the desk keeps theirs there."""

from __future__ import annotations

from typing import Any

from flask import abort, flash, redirect, render_template, url_for
from flask_babel import gettext
from sqlalchemy import Row
from werkzeug.wrappers import Response

from directory import contacts
from directory.addresses import ContactFault
from directory.contact_form import CHANNELS, REFUSED, AddForm, CodeForm, Way
from directory.contacts import CONSENT_NOW, Proof
from directory.guards import guard, signed_in
from directory.members import Channel
from foundation import clock, database, web
from intake.door import Page


@guard("portal.contacts")
def contacts_page() -> Page:
    """My contacts, and a form for another."""
    return _page(_form())


@guard("portal.contacts")
def add() -> Page | Response:
    """Takes a new contact and sends its code."""
    form = _form()
    if not form.validate():
        return _page(form, 400)
    channel, now = Channel(form.channel.data), clock.now()
    who, consent = signed_in().member.id, form.consent.data or ""
    try:
        with database.transaction(web.engine()) as session:
            added = contacts.add(session, who, channel, form.address.data or "", consent=consent, now=now)
            contacts.ask_for_proof(session, added, now)
    except ContactFault as fault:
        form.address.errors = [str(fault)]
        return _page(form, 400)
    return redirect(url_for("portal.contact", contact_id=added), 303)


@guard("portal.contacts")
def contact_page(contact_id: str) -> Page:
    """Asks for the code of one contact."""
    return _one(_mine(contact_id), CodeForm())


@guard("portal.contacts")
def prove(contact_id: str) -> Page | Response:
    """Takes the typed code."""
    form, mine = CodeForm(), _mine(contact_id)
    if form.validate():
        with database.transaction(web.engine()) as session:
            proof = contacts.prove(session, mine.id, form.code.data or "", clock.now())
        if proof is Proof.PROVED:
            flash(
                gettext("Thank you. Notices can reach you at %(address)s from now on.", address=mine.address)
            )
            return redirect(url_for("portal.contacts"), 303)
        form.code.errors = [REFUSED[proof]]
    return _one(mine, form, 400)


@guard("portal.contacts")
def send_code(contact_id: str) -> Page | Response:
    """Sends a fresh code."""
    mine = _mine(contact_id)
    try:
        with database.transaction(web.engine()) as session:
            contacts.ask_for_proof(session, mine.id, clock.now())
    except ContactFault as fault:
        return _refused(mine, fault)
    return redirect(url_for("portal.contact", contact_id=mine.id), 303)


@guard("portal.contacts")
def remove(contact_id: str) -> Page | Response:
    """Ends notices to one contact."""
    mine = _mine(contact_id)
    try:
        with database.transaction(web.engine()) as session:
            contacts.remove(session, mine.id, clock.now())
    except ContactFault as fault:
        return _refused(mine, fault)
    flash(gettext("Nothing is sent to %(address)s any more.", address=mine.address))
    return redirect(url_for("portal.contacts"), 303)


def _form() -> AddForm:
    return AddForm(CONSENT_NOW[signed_in().member.language])


def _page(form: AddForm, status: int = 200) -> Page:
    with database.reading(web.engine()) as session:
        rows, now = contacts.of_member(session, signed_in().member.id), clock.now()
    ways = [Way.of(row, now) for row in rows]
    return render_template("portal/contacts.html", ways=ways, form=form, names=CHANNELS), status


def _one(row: Row[Any], form: CodeForm, status: int = 200) -> Page:
    way = Way.of(row, clock.now())
    return render_template("portal/contact.html", way=way, form=form, names=CHANNELS), status


def _refused(mine: Row[Any], fault: ContactFault) -> Page:
    form = CodeForm(formdata=None)
    form.code.errors = [str(fault)]
    return _one(mine, form, 400)


def _mine(contact_id: str) -> Row[Any]:
    with database.reading(web.engine()) as session:
        row = contacts.one_of_member(session, signed_in().member.id, contact_id)
    if row is None:
        abort(404)
    return row

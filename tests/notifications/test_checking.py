"""Proving a contact over the wire: the code arrives at the telephone and in the mail, and nowhere else."""

from __future__ import annotations

import re
from dataclasses import replace
from email import message_from_bytes, policy

import pytest
from sqlalchemy import Engine, select

import worker
from directory import contacts
from directory.contacts import CONSENT_NOW, Proof
from directory.members import Channel
from directory.tables import contact_codes
from foundation import clock, database, outbox
from foundation.settings import Settings
from notifications import checking, webhook
from notifications.standin import Running
from notifications.tables import notices
from referrals.duty import Duty
from tests import builders
from tests.builders import Town, later
from tests.notifications.receiver import receiver


@pytest.fixture
def town(engine: Engine, wired: Settings) -> Town:
    """A town whose Twilio and mail server are the stand-in."""
    return builders.found(engine, wired)


def _asked(town: Town, channel: Channel, typed: str) -> str:
    with database.transaction(town.engine) as session:
        added = contacts.add(
            session, town.member_id("Ines"), channel, typed, consent=CONSENT_NOW["en"], now=clock.now()
        )
        contacts.ask_for_proof(session, added, clock.now())
    return added


def _deliver(town: Town) -> None:
    duty = Duty(town.engine, town.settings, town.keys)
    while outbox.drain(town.engine, worker.perform(duty), urgent=True):
        pass


@pytest.mark.parametrize(
    ("channel", "typed"), [(Channel.SMS, "+14805550001"), (Channel.EMAIL, "ines@home.example")]
)
def test_the_code_that_arrives_proves_the_contact(
    town: Town, phone: Running, channel: Channel, typed: str
) -> None:
    added = _asked(town, channel, typed)
    _deliver(town)
    arrived = _arrived(phone, channel, typed)
    code = re.search(r"\b\d{6}\b", arrived)
    assert code
    assert "/contacts" in arrived
    with database.transaction(town.engine) as session:
        assert contacts.prove(session, added, code[0], clock.now()) is Proof.PROVED


def test_a_dead_code_is_not_sent(town: Town) -> None:
    added = _asked(town, Channel.SMS, "+14805550001")
    with database.reading(town.engine) as session:
        code_id = session.execute(
            select(contact_codes.c.id).where(contact_codes.c.contact_id == added)
        ).scalar_one()
    with later(minutes=31):
        checking.send_code(Duty(town.engine, town.settings, town.keys), code_id)
    with database.reading(town.engine) as session:
        assert session.execute(select(notices.c.id)).first() is None


def _arrived(phone: Running, channel: Channel, address: str) -> str:
    store = phone.app.extensions["store"]
    if channel is Channel.SMS:
        return str(store.messages(to=address)[0]["body"])
    parsed = message_from_bytes(store.mails(address)[0]["raw"], policy=policy.default)
    body = parsed.get_body(("plain",))
    assert body is not None
    return str(body.get_content())


def test_the_code_that_a_webhook_is_called_with_proves_it(town: Town) -> None:
    local = replace(town, settings=replace(town.settings, demonstration=True))
    with receiver() as agency:
        added = _asked(local, Channel.WEBHOOK, agency.url)
        agency.shared = webhook.secret(local.settings, added)
        _deliver(local)
    ((_, call),) = agency.taken
    assert call["type"] == "notice.proof"
    with database.transaction(town.engine) as session:
        assert contacts.prove(session, added, call["data"]["code"], clock.now()) is Proof.PROVED

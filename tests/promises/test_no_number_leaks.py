"""Promise: a full telephone number is in the directory and at the provider, and nowhere else: in no log, no queue, no
address of ours, and in no row but the contact's; the text of a message is in no row at all."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import redis
from sqlalchemy import Engine

import worker
from desk.app import create_app
from directory import members
from directory.members import Channel
from foundation import clock, database, outbox, queue
from foundation.database import metadata
from foundation.settings import Settings
from notifications import sms, standin
from notifications.standin.servers import ACCOUNT_SID, AUTH_TOKEN
from notifications.standin.webhooks import signature
from referrals.duty import Duty
from referrals.facts import Urgency
from tests import builders
from tests.builders import Town
from tests.promises import canary
from tests.routing.acts import tip

INES, STRANGER = "+14805550130", "+14805559876"
# Telephones with which something goes wrong: faults are told of too. See notifications/standin/behaviours.py.
TROUBLED = ("+14805550010", "+14805550011", "+14805550013", "+14805550019")


@pytest.fixture
def wired(engine: Engine, settings: Settings, redis_url: str, tmp_path: Path) -> Iterator[Town]:
    """A town whose messages go to the stand-in, and whose bell is a real queue."""
    with standin.running(tmp_path / "standin", "http://127.0.0.1:9", pace=0.05) as phone:
        given = replace(
            settings,
            redis_url=redis_url,
            twilio_account_sid=ACCOUNT_SID,
            twilio_auth_token=AUTH_TOKEN,
            twilio_from="+15550100000",
            twilio_api_base=phone.base_url,
            canary_minutes=0,
        )
        yield builders.found(outbox.with_bell(engine, queue.Bell(given)), given)


def rows_but_contacts(town: Town) -> bytes:
    with database.reading(town.engine) as session:
        tables = [table for table in metadata.sorted_tables if table.name not in {"contacts", "teams"}]
        return b"\n".join(
            str(tuple(row)).encode() for table in tables for row in session.execute(table.select())
        )


def answer(town: Town, number: str) -> str:
    """A wrong code comes by text from that number."""
    form = {"From": number, "Body": "A 7H2K"}
    headers = {"X-Twilio-Signature": signature(AUTH_TOKEN, sms.inbound_url(town.settings), form)}
    client = create_app(town.settings, town.engine, town.keys).test_client()
    return client.post("/twilio/inbound", data=form, headers=headers).get_data(as_text=True)


def test_no_number_and_no_text_is_anywhere_else(
    wired: Town, redis_url: str, caplog: pytest.LogCaptureFixture, tmp_path: Path
) -> None:
    caplog.set_level(logging.DEBUG)
    with database.transaction(wired.engine) as session:
        for number in TROUBLED:
            members.add_contact(
                session, wired.member_id("Ines"), Channel.SMS, number, verified_at=clock.now()
            )
    tip(wired, Urgency.ELEVATED)
    valkey = redis.Redis.from_url(redis_url)
    rung = canary.in_queue(valkey)
    worker.sweep(Duty(wired.engine, wired.settings, wired.keys))
    for number in (INES, STRANGER):
        answer(wired, number)
    logged = "\n".join(f"{line.getMessage()} {line.args!r} {line.exc_text}" for line in caplog.records)
    # What the stand-in writes down stands for the provider's own memory.
    searched = {
        "the queue": rung + canary.in_queue(valkey),
        "a log": logged.encode(),
        "a row": rows_but_contacts(wired),
    }
    assert b"'accepted'" in searched["a row"]
    assert "code 39999" in logged
    for secret in (*(number[2:] for number in (INES, STRANGER, *TROUBLED)), "Reply A"):
        assert [place for place, text in searched.items() if secret.encode() in text] == [], secret

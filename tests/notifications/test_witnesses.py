"""A checkpoint is mailed to those who keep it: whole, once, and again where the server was away."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from foundation import clock
from foundation.settings import Settings
from ledger import checkpoint
from ledger.checkpoints import Signed
from notifications import witnesses
from notifications.mail import MailSender
from notifications.outcomes import Action, Outcome, OutcomeState
from notifications.witnesses import mail_checkpoint
from referrals.duty import Duty
from tests.ledger.logged import Log

Sent = list[tuple[str, str, str, str]]


@pytest.fixture
def signed(engine: Engine, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> tuple[Duty, Signed, Log]:
    settings = replace(settings, checkpoint_mail="ada@court.example,desk@partner.example")
    written = Log(engine, settings)
    written.now = clock.now()
    written.write("ab")
    made = written.sign()
    assert made is not None
    return Duty(engine, written.settings, None), made, written  # type: ignore[arg-type]  # it opens nothing


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> Sent:
    """What was handed to the mail server: address, subject, text, message id."""
    mails: Sent = []

    class Sender:
        def __init__(self, settings: Settings) -> None:
            pass

        def send(self, to: str, subject: str, text: str, html: str, *, message_id: str) -> Outcome:
            mails.append((to, subject, text, message_id))
            return Outcome(OutcomeState.ACCEPTED, provider_id=message_id)

    monkeypatch.setattr(witnesses, "MailSender", Sender)
    return mails


def test_the_note_arrives_whole(signed: tuple[Duty, Signed, Log], sent: Sent) -> None:
    duty, made, written = signed
    assert mail_checkpoint(duty, "1.1") is None
    ((to, subject, text, message_id),) = sent
    assert (to, subject, message_id) == (
        "desk@partner.example", "Checkpoint 1 of test.waypost.example", "checkpoint-1.1",
    )  # fmt: skip
    begin = text.index("test.waypost.example\n2\n")
    note = text[begin : text.index("It covers")].removesuffix("\n")
    assert checkpoint.read(note, [written.verifier]).root == made.root


@pytest.mark.parametrize("subject", ["1.2", "7.0"])
def test_who_is_no_witness_any_more_gets_nothing(
    signed: tuple[Duty, Signed, Log], sent: Sent, subject: str
) -> None:
    assert mail_checkpoint(signed[0], subject) is None
    assert sent == []


def test_a_server_that_is_away_is_tried_again_for_a_day(
    signed: tuple[Duty, Signed, Log], monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = Outcome(OutcomeState.FAILED_TRANSIENT, Action.RETRY, code="not_reached")
    monkeypatch.setattr(MailSender, "send", lambda *given, **named: refused)
    again = mail_checkpoint(signed[0], "1.0")
    assert again is not None
    assert again > clock.now()
    with clock.moved(timedelta(days=1, minutes=2)):
        assert mail_checkpoint(signed[0], "1.0") is None

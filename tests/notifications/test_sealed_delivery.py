"""A reader who gave a key is sent what only they can open; one whose key ended is still told."""

from __future__ import annotations

from collections.abc import Callable

import pysequoia
import pytest

from foundation.settings import Settings
from notifications.mail import MailSender
from notifications.outcomes import OutcomeState
from notifications.standin import Running

TEXT = "IMMINENT referral R-7K3M-Q2."
KEY = pysequoia.Tsk.generate("Ines <ines@tempe.example>")


@pytest.fixture
def arrived(wired: Settings, phone: Running) -> Callable[[str], bytes]:
    """What arrives of a mail sealed to that key."""

    def send(key: str) -> bytes:
        outcome = MailSender(wired).send(
            "ines@tempe.example", "[Waypost] A notice", TEXT, f"<p>{TEXT}</p>", message_id="n1", key=key
        )
        assert outcome.state is OutcomeState.ACCEPTED
        (mail,) = phone.app.extensions["store"].mails("ines@tempe.example")
        return bytes(mail["raw"])

    return send


def test_a_sealed_mail_holds_no_word_in_clear(arrived: Callable[[str], bytes]) -> None:
    raw = arrived(str(KEY.extract_certificate()))
    assert b"multipart/encrypted" in raw
    assert TEXT.encode() not in raw


def test_a_key_that_cannot_be_used_any_more_holds_no_notice_back(arrived: Callable[[str], bytes]) -> None:
    assert TEXT.encode() in arrived("-----BEGIN CERTIFICATE-----\nended\n-----END CERTIFICATE-----")

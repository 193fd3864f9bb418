"""Bounces: only a failure that came to an address of ours tells the next person, and it does so once."""

from __future__ import annotations

import mailbox
from collections.abc import Callable
from dataclasses import replace
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, Row, select, update

from directory.members import Channel
from directory.tables import contacts
from foundation import clock, database
from foundation.settings import Settings
from foundation.tables import outbox
from notifications import bounce_box, bounces, reactions
from notifications.bounces import Bounce
from notifications.mail import MailSender
from notifications.notices import Waiting, write
from notifications.outcomes import OutcomeState
from notifications.return_address import notice_of, return_address
from notifications.standin import Running
from notifications.tables import notices
from referrals.duty import Duty
from referrals.facts import Urgency
from tests import builders
from tests.builders import Town


@pytest.fixture
def town(engine: Engine, settings: Settings) -> Town:
    """A town whose bounces have an address."""
    return builders.found(engine, replace(settings, mail_bounces="bounces@waypost.example"))


@pytest.fixture
def sent(town: Town) -> str:
    """A notice to Ines by mail, which the server took; its id."""
    with database.transaction(town.engine) as session:
        now = clock.now()
        waiting = Waiting(
            "a handoff", "R-7K3M-Q2", Urgency.ELEVATED, town.team["tempe-police"], "America/Phoenix", now
        )
        write(
            session,
            waiting,
            [town.member_id("Ines")],
            "offer",
            now=now,
            channels=(Channel.EMAIL,),
            with_code=True,
        )
        session.execute(update(notices).values(state="accepted"))
        found: str = session.execute(select(notices.c.id)).scalar_one()
    return found


def _report(to: str, *, action: str = "failed", status: str = "5.1.1", header: str = "Delivered-To") -> bytes:
    report = "Reporting-MTA: dns; mx.example\n\n" + (
        f"Final-Recipient: rfc822; ines@tempe.example\nAction: {action}\nStatus: {status}\n"
    )
    return (
        f"{header}: {to}\nSubject: Undelivered Mail\nMIME-Version: 1.0\n"
        'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\n\n'
        f"--b\nContent-Type: text/plain\n\nSorry.\n\n--b\nContent-Type: message/delivery-status\n\n{report}\n--b--\n"
    ).encode()


def _row(town: Town) -> Row[Any]:
    with database.reading(town.engine) as session:
        return session.execute(select(notices).where(notices.c.code_until.is_not(None))).one()


def _next_asked(town: Town) -> int:
    with database.reading(town.engine) as session:
        owed = select(outbox.c.id).where(outbox.c.job == reactions.NEXT_CONTACT)
        return len(session.execute(owed).all())


def _is_disabled(town: Town) -> bool:
    with database.reading(town.engine) as session:
        mine = select(contacts.c.disabled_at).where(contacts.c.id == _row(town).contact_id)
        return session.execute(mine).scalar_one() is not None


@pytest.mark.parametrize(("status", "disabled"), [("5.1.1", True), ("5.2.1", True), ("5.7.1", False)])
def test_a_failure_tells_the_next_person_once(town: Town, sent: str, status: str, disabled: bool) -> None:
    raw = _report(return_address(town.settings, sent), status=status)
    assert bounces.take(town.engine, town.settings, raw) is Bounce.APPLIED
    assert bounces.take(town.engine, town.settings, raw) is Bounce.KNOWN
    assert (_row(town).state, _row(town).fault) == ("failed_permanent", f"bounced {status}")
    assert _next_asked(town) == 1
    assert _is_disabled(town) is disabled


def test_a_delay_a_holiday_and_a_letter_are_no_bounces(town: Town, sent: str) -> None:
    to = return_address(town.settings, sent)
    holiday = EmailMessage()
    holiday["To"], holiday["Auto-Submitted"] = to, "auto-replied"
    holiday.set_content("I am away until Monday.")
    for raw in (
        _report(to, action="delayed", status="4.4.1"),
        holiday.as_bytes(),
        b"hello",
        b"",
        b"\xff\x00",
    ):
        assert bounces.take(town.engine, town.settings, raw) is Bounce.NOT_ONE
    assert _row(town).state == "accepted"


@pytest.mark.parametrize("spoilt", ["0", "f"])
def test_nobody_else_can_declare_a_colleague_unreachable(town: Town, sent: str, spoilt: str) -> None:
    name, _, domain = return_address(town.settings, sent).partition("@")
    forged = f"{name[:-12]}{spoilt * 12}@{domain}"
    assert bounces.take(town.engine, town.settings, _report(forged)) is Bounce.NOT_ONE
    assert bounces.take(town.engine, town.settings, _report("bounces@waypost.example")) is Bounce.NOT_ONE


@pytest.mark.parametrize("header", ["X-Original-To", "Envelope-To", "To"])
def test_the_address_is_found_wherever_a_server_wrote_it(town: Town, sent: str, header: str) -> None:
    raw = _report(return_address(town.settings, sent).upper(), header=header)
    assert bounces.take(town.engine, town.settings, raw) is Bounce.APPLIED


def test_a_maildir_is_emptied_of_bounces_and_the_rest_is_left(town: Town, sent: str, tmp_path: Path) -> None:
    box = mailbox.Maildir(tmp_path / "bounces")
    box.add(_report(return_address(town.settings, sent)))
    box.add(b"Subject: a letter\n\nhello\n")
    duty = Duty(town.engine, replace(town.settings, mail_bounce_maildir=str(tmp_path / "bounces")), town.keys)
    assert bounces.read_mailbox(duty) == 2
    assert bounces.read_mailbox(duty) == 0
    assert [message["Subject"] for message in box] == ["a letter"]
    assert _row(town).state == "failed_permanent"


def test_a_mailbox_at_a_provider_is_read_as_well(
    town: Town, sent: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = [_report(return_address(town.settings, sent)), b"Subject: a letter\n\nhello\n"]
    taken = list[bool]()

    def read(_: Settings, take: Callable[[bytes], bool]) -> int:
        taken.extend(map(take, there))
        return len(there)

    monkeypatch.setattr(bounce_box, "read", read)
    settings = replace(town.settings, mail_bounce_imap_host="mail.example")
    assert bounces.read_mailbox(Duty(town.engine, settings, town.keys)) == 2
    assert (taken, _row(town).state) == ([True, False], "failed_permanent")


def test_without_a_maildir_there_is_nothing_to_read(duty: Duty) -> None:
    assert bounces.read_mailbox(duty) == 0


def test_a_mail_leaves_under_the_address_of_its_notice(wired: Settings, phone: Running) -> None:
    settings = replace(wired, mail_bounces="bounces@waypost.example")
    notice_id = "0123456789abcdef" * 2
    outcome = MailSender(settings).send(
        "ines@tempe.example", "subject", "text", "<p>text</p>", message_id=notice_id
    )
    assert outcome.state is OutcomeState.ACCEPTED
    (arrived,) = phone.app.extensions["store"].mails("ines@tempe.example")
    assert notice_of(settings, arrived["sender"]) == notice_id
    assert len(arrived["sender"].partition("@")[0]) <= 64

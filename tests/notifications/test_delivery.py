"""Delivery: the attempt before the call, the outcome after it, and nobody forgotten when a wire fails."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime
from typing import Any

import pytest
from sqlalchemy import Engine, Row, select, update

from directory.members import Channel
from directory.tables import contacts
from foundation import clock, database
from foundation.settings import Settings
from foundation.tables import outbox
from notifications import callbacks, delivery, sms
from notifications import notices as written
from notifications.notices import Waiting
from notifications.standin import Running
from notifications.tables import attempts, delivery_reports, notices
from referrals.duty import Duty
from referrals.facts import Urgency
from tests import builders
from tests.builders import Town, later


@pytest.fixture
def town(engine: Engine, wired: Settings) -> Town:
    """A town whose Twilio and mail server are the stand-in."""
    return builders.found(engine, wired)


def notice(town: Town, last: str = "0001", *, email: str = "") -> str:
    """A notice to Ines, whose number ends so; returns its id."""
    now = clock.now()
    channel = Channel.EMAIL if email else Channel.SMS
    address = email or f"+1480555{last}"
    waiting = Waiting(
        "a handoff", "R-7K3M-Q2", Urgency.ELEVATED, town.team["tempe-police"], "America/Phoenix", now
    )
    with database.transaction(town.engine) as session:
        mine = contacts.c.member_id == town.member_id("Ines"), contacts.c.channel == channel.value
        session.execute(update(contacts).where(*mine).values(address=address))
        people = [town.member_id("Ines")]
        written.write(session, waiting, people, "offer", now=now, channels=(channel,), with_code=True)
        found: str = session.execute(select(notices.c.id)).scalar_one()
    return found


def deliver(town: Town, notice_id: str, settings: Settings | None = None) -> datetime | None:
    return delivery.deliver(Duty(town.engine, settings or town.settings, town.keys), notice_id)


def row(town: Town) -> Row[Any]:
    with database.reading(town.engine) as session:
        return session.execute(select(notices)).one()


def tried(town: Town) -> list[tuple[str | None, bool]]:
    """Outcome of each attempt, and whether it has the provider's id, oldest first."""
    with database.reading(town.engine) as session:
        rows = session.execute(select(attempts).order_by(attempts.c.started_at)).all()
    return [(attempt.outcome, attempt.provider_id is not None) for attempt in rows]


def owed(town: Town, job: str = delivery.NEXT_CONTACT) -> int:
    with database.reading(town.engine) as session:
        return len(session.execute(select(outbox.c.id).where(outbox.c.job == job)).all())


def test_a_text_is_handed_over_once(town: Town, phone: Running) -> None:
    id = notice(town)
    assert deliver(town, id) is None
    assert deliver(town, id) is None
    assert (row(town).state, tried(town)) == ("accepted", [("accepted", True)])
    (message,) = phone.app.extensions["store"].messages(to="+14805550001")
    assert row(town).code in message["body"]


def test_a_mail_is_handed_over(town: Town, phone: Running) -> None:
    assert deliver(town, notice(town, email="ines@tempe.example")) is None
    assert row(town).state == "accepted"
    assert len(phone.app.extensions["store"].mails()) == 1


@pytest.mark.parametrize(("last", "column"), [("0010", "disabled_at"), ("0014", "opted_out_at")])
def test_a_refusal_for_good_marks_the_contact_and_asks_the_next(town: Town, last: str, column: str) -> None:
    assert deliver(town, notice(town, last)) is None
    assert (row(town).state, owed(town)) == ("failed_permanent", 1)
    with database.reading(town.engine) as session:
        query = select(contacts.c[column]).where(contacts.c.address == f"+1480555{last}")
        assert session.execute(query).scalar_one() is not None


def test_a_contact_that_was_disabled_meanwhile_asks_the_next(town: Town) -> None:
    id = notice(town)
    with database.transaction(town.engine) as session:
        session.execute(update(contacts).values(disabled_at=clock.now()))
    assert deliver(town, id) is None
    assert (row(town).state, owed(town), tried(town)) == ("failed_permanent", 1, [])


def test_too_many_requests_comes_again_when_twilio_says(town: Town) -> None:
    again = deliver(town, notice(town, "0011"))
    assert again is not None
    assert (again - clock.now()).total_seconds() == pytest.approx(2, abs=1)
    assert row(town).state == "failed_transient"


def test_what_is_put_off_for_ever_ends_and_asks_the_next(town: Town) -> None:
    id = notice(town, "0011")
    while deliver(town, id):
        assert len(tried(town)) < 20
    assert (row(town).state, owed(town)) == ("failed_permanent", 1)


def test_nobody_resends_while_the_outcome_is_unknown(town: Town) -> None:
    id = notice(town, "0013")
    again = deliver(town, id)
    assert again is not None
    assert row(town).state == "unknown"
    assert deliver(town, id) == again or deliver(town, id) is not None
    assert len(tried(town)) == 1


def test_what_the_provider_has_after_all_is_not_sent_again(town: Town, phone: Running) -> None:
    id = notice(town, "0013")
    deliver(town, id)
    with later(seconds=61):
        assert deliver(town, id) is None
    assert row(town).state == "accepted"
    assert tried(town) == [("accepted", True), ("asked", False)]
    assert len(phone.app.extensions["store"].messages(to="+14805550013")) == 1


def test_a_late_report_still_applies_to_the_attempt_that_was_asked_about(town: Town) -> None:
    id = notice(town, "0013")
    deliver(town, id)
    with later(seconds=61):
        deliver(town, id)
    report(town, "delivered")
    assert row(town).state == "delivered"


def test_what_the_provider_never_had_is_sent_again_with_the_same_code(town: Town) -> None:
    id = notice(town, "0012")
    deliver(town, id)
    code = row(town).code
    with later(seconds=61):
        assert deliver(town, id) is not None
    assert tried(town) == [("unknown", False), ("unknown", False)]
    assert row(town).code == code


def test_unknown_for_ever_ends_and_asks_the_next(town: Town) -> None:
    id = notice(town, "0012")
    for minutes in range(12):
        with later(minutes=2 * minutes):
            deliver(town, id)
    assert (row(town).state, owed(town), len(tried(town))) == ("failed_permanent", 1, 8)


def test_a_silent_provider_is_asked_again_and_nothing_is_sent_blindly(
    town: Town, phone: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    id = notice(town, "0013")
    deliver(town, id)
    for minutes in (2, 4):
        with later(minutes=minutes), monkeypatch.context() as patch:
            patch.setattr(sms.SmsSender, "find", silent)
            assert deliver(town, id) is not None
    with later(minutes=8):
        assert deliver(town, id) is None
    assert row(town).state == "accepted"
    assert len(phone.app.extensions["store"].messages(to="+14805550013")) == 1


def silent(*_: object) -> None:
    raise sms.ProviderSilent


def test_a_crash_after_the_attempt_was_written_is_an_unknown_outcome(town: Town) -> None:
    id = notice(town)
    with database.transaction(town.engine) as session:
        delivery._begin(session, id)
    assert deliver(town, id) is not None
    assert row(town).state == "unknown"
    with later(seconds=61):
        assert deliver(town, id) is None
    assert row(town).state == "accepted"


def test_no_transaction_is_open_during_the_call(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    def send(*_: object, **__: object) -> Any:
        with database.transaction(town.engine) as session:
            session.execute(update(contacts).values(disabled_reason=None))
        assert tried(town) == [(None, False)]
        raise ZeroDivisionError

    monkeypatch.setattr(sms.SmsSender, "send", send)
    with pytest.raises(ZeroDivisionError):
        deliver(town, notice(town))


@pytest.mark.parametrize("email", ["", "ines@tempe.example"])
def test_without_a_provider_nothing_goes_round_in_a_ring(town: Town, email: str) -> None:
    bare = replace(town.settings, twilio_account_sid="", smtp_host="")
    assert deliver(town, notice(town, email=email), bare) is None
    assert (row(town).state, row(town).fault, owed(town)) == ("failed_permanent", "no_provider", 0)


def test_what_was_answered_meanwhile_is_not_sent(town: Town) -> None:
    id = notice(town)
    with database.transaction(town.engine) as session:
        written.supersede(session, "a handoff")
    assert deliver(town, id) is None
    assert tried(town) == []


def report(town: Town, status: str, code: int | None = None) -> None:
    """Twilio's report on the first attempt, kept and applied."""
    duty, now = Duty(town.engine, town.settings, town.keys), clock.now()
    with database.transaction(town.engine) as session:
        first = session.execute(select(attempts).order_by(attempts.c.started_at)).first()
        assert first is not None
        kept = {"MessageSid": first.provider_id or "SM1", "MessageStatus": status}
        kept |= {"ErrorCode": str(code)} if code else {}
        id = clock.now().strftime("%H%M%S%f")
        session.execute(
            delivery_reports.insert().values(id=id, attempt_id=first.id, received_at=now, report=kept)
        )
    callbacks.apply_report(duty, id)
    callbacks.apply_report(duty, id)


@pytest.mark.parametrize(
    ("reports", "state", "next_ones"),
    [
        ([("sent", None), ("delivered", None)], "delivered", 0),
        ([("delivered", None), ("sent", None)], "delivered", 0),
        ([("sent", None), ("sent", None)], "sent", 0),
        ([("undelivered", 30003)], "failed_permanent", 1),
        ([("undelivered", 30003), ("undelivered", 30003)], "failed_permanent", 1),
        ([("undelivered", 30003), ("delivered", None)], "delivered", 1),
        ([("queued", None)], "accepted", 0),
    ],
)
def test_reports_only_raise(
    town: Town, reports: list[tuple[str, int | None]], state: str, next_ones: int
) -> None:
    deliver(town, notice(town, "0008"))
    for status, code in reports:
        report(town, status, code)
    assert (row(town).state, owed(town)) == (state, next_ones)


def test_a_report_before_the_answer_is_not_lowered_by_it(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    send = sms.SmsSender.send

    def early(self: sms.SmsSender, *given: Any, **named: Any) -> Any:
        outcome = send(self, *given, **named)
        report(town, "delivered")
        return replace(outcome, provider_id="SM1")

    monkeypatch.setattr(sms.SmsSender, "send", early)
    deliver(town, notice(town, "0008"))
    assert (row(town).state, tried(town)) == ("delivered", [("accepted", True)])

"""Delivery: the attempt before the call, the outcome after it, and nobody forgotten when a wire fails."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, select, update

from directory.members import Channel
from directory.tables import contacts
from foundation import clock, database
from foundation.settings import Settings
from notifications import delivery, sms, twilio_codes, twilio_wire
from notifications import notices as written
from notifications.notices import Waiting
from notifications.outcomes import Action
from notifications.standin import Running
from notifications.tables import attempts, notices
from referrals.facts import Urgency
from tests import builders
from tests.builders import Town, later
from tests.notifications.acts import (
    HOUR,
    deliver,
    due_in,
    forget_owed,
    notice,
    owed,
    report,
    row,
    row_of,
    tried,
)
from tests.notifications.mail_servers import certificate, tls_server


@pytest.fixture
def town(engine: Engine, wired: Settings) -> Town:
    """A town whose Twilio and mail server are the stand-in."""
    return builders.found(engine, wired)


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
    raise twilio_wire.ProviderSilent


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
    # Nobody was told, and somebody has to look.
    (fault,) = faults(town)
    assert (fault.code, fault.action) == ("no_provider", Action.CONFIGURATION)


def test_what_was_answered_meanwhile_is_not_sent(town: Town) -> None:
    id = notice(town)
    with database.transaction(town.engine) as session:
        written.supersede(session, "a handoff")
    assert deliver(town, id) is None
    assert tried(town) == []


@pytest.mark.parametrize(
    ("reports", "state", "next_ones"),
    [
        ([("sent", None), ("delivered", None)], "delivered", 0),
        ([("delivered", None), ("sent", None)], "delivered", 0),
        ([("sent", None), ("sent", None)], "sent", 0),
        ([("undelivered", 30007)], "failed_permanent", 1),
        ([("undelivered", 30003)], "failed_transient", 1),
        ([("undelivered", 30003), ("undelivered", 30003)], "failed_transient", 1),
        ([("undelivered", 30003), ("sent", None)], "failed_transient", 1),
        ([("undelivered", 30003), ("delivered", None)], "delivered", 1),
        ([("queued", None)], "accepted", 0),
    ],
)
def test_reports_only_raise(
    town: Town, reports: list[tuple[str, int | None]], state: str, next_ones: int
) -> None:
    id = notice(town, "0008")
    deliver(town, id)
    for status, code in reports:
        report(town, status, code)
    assert (row_of(town, id).state, owed(town)) == (state, next_ones)


def test_a_report_before_the_answer_is_not_lowered_by_it(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    send = sms.SmsSender.send

    def early(self: sms.SmsSender, *given: Any, **named: Any) -> Any:
        outcome = send(self, *given, **named)
        report(town, "delivered")
        return replace(outcome, provider_id="SM1")

    monkeypatch.setattr(sms.SmsSender, "send", early)
    deliver(town, notice(town, "0008"))
    assert (row(town).state, tried(town)) == ("delivered", [("accepted", True)])


@pytest.mark.parametrize(("code", "seconds"), [(30003, 300), (30008, 60)])
def test_a_telephone_that_is_off_is_tried_again_after_a_while(town: Town, code: int, seconds: int) -> None:
    id = notice(town, "0008")
    deliver(town, id)
    forget_owed(town)
    report(town, "undelivered", code)
    assert due_in(town, written.DELIVER) == pytest.approx(seconds, abs=5)
    assert deliver(town, id) is None
    assert tried(town) == [("failed_transient", True), ("accepted", True)]


@pytest.mark.parametrize(
    ("code", "waits", "asked"), [(30003, [300, 600], [1, 1, 1]), (30008, [60, 0], [0, 1])]
)
def test_a_telephone_that_stays_off_is_left_and_the_next_was_asked_once(
    town: Town, code: int, waits: list[int], asked: list[int]
) -> None:
    """30003 asks the next at once, and tries again after 5 and after 15 minutes; 30008 tries once, then asks and rings
    the telephone at once."""
    id = notice(town, "0008")
    waited, next_ones = [], []
    for _ in asked:
        deliver(town, id)
        forget_owed(town, written.DELIVER)
        report(town, "undelivered", code, newest=True)
        waited += [round(due_in(town, written.DELIVER), -1)] if owed(town, written.DELIVER) else []
        next_ones.append(owed(town))
    assert (row_of(town, id).state, waited, next_ones) == ("failed_permanent", waits, asked)


def test_what_was_answered_is_not_sent_again_when_its_failure_is_reported_late(town: Town) -> None:
    id = notice(town, "0008")
    deliver(town, id)
    with database.transaction(town.engine) as session:
        written.supersede(session, "a handoff")
    report(town, "undelivered", 30003)
    assert deliver(town, id) is None
    assert (row(town).state, len(tried(town))) == ("failed_permanent", 1)


def test_a_late_failure_of_an_older_try_leaves_the_newer_alone(town: Town) -> None:
    id = notice(town, "0012")
    deliver(town, id)
    with later(seconds=61):
        deliver(town, id)
        report(town, "undelivered", 30003)
    assert row(town).state == "unknown"


def test_an_early_failure_is_not_lowered_by_the_answer(town: Town, monkeypatch: pytest.MonkeyPatch) -> None:
    send = sms.SmsSender.send

    def early(self: sms.SmsSender, *given: Any, **named: Any) -> Any:
        outcome = send(self, *given, **named)
        report(town, "undelivered", 30003)
        return outcome

    monkeypatch.setattr(sms.SmsSender, "send", early)
    deliver(town, notice(town, "0008"))
    assert row(town).state == "failed_transient"


def test_a_message_of_another_notice_is_not_taken_for_a_lost_one(town: Town) -> None:
    with phone_without_codes(town) as (lost, other):
        deliver(town, lost)
        with later(seconds=61):
            assert deliver(town, other) is None
            deliver(town, lost)
    assert states(town) == {lost: "accepted", other: "accepted"}
    assert len({provider_id for provider_id in provider_ids(town) if provider_id}) == 2


def test_a_message_that_was_taken_for_anothers_goes_back_to_whose_it_is_and_the_other_is_asked_about(
    town: Town,
) -> None:
    with phone_without_codes(town) as (lost, other):
        # In the place of a question that found the lost one's text.
        deliver(town, other)
        (sid,) = filter(None, provider_ids(town))
        forget_owed(town)
        report(town, "delivered", sid=sid)
    assert states(town) == {lost: "delivered", other: "unknown"}
    assert tried(town) == [("accepted", True), ("unknown", False)]
    assert owed(town, written.DELIVER) == 1


@contextmanager
def phone_without_codes(town: Town) -> Iterator[tuple[str, str]]:
    """Two notices to one telephone on one reference, without codes; a process died in the midst of the first."""
    first, second = (plain(town, subject) for subject in ("one", "another"))
    with database.transaction(town.engine) as session:
        delivery._begin(session, first)
    yield first, second


def plain(town: Town, subject: str, team: str = "tempe-police", who: str = "Ines") -> str:
    now = clock.now()
    waiting = Waiting(subject, "R-7K3M-Q2", Urgency.ELEVATED, town.team[team], "America/Phoenix", now + HOUR)
    with database.transaction(town.engine) as session:
        written.write(session, waiting, [town.member_id(who)], "task", now=now, channels=(Channel.SMS,))
        found: str = session.execute(select(notices.c.id).where(notices.c.subject_id == subject)).scalar_one()
    return found


def states(town: Town) -> dict[str, str]:
    with database.reading(town.engine) as session:
        return {found.id: found.state for found in session.execute(select(notices))}


def provider_ids(town: Town) -> list[str | None]:
    with database.reading(town.engine) as session:
        return list(session.execute(select(attempts.c.provider_id)).scalars())


def both(town: Town, last: str, email: str) -> dict[str, str]:
    """Notices to Ines by text and by mail; their ids by channel."""
    now = clock.now()
    waiting = Waiting(
        "a handoff", "R-7K3M-Q2", Urgency.ELEVATED, town.team["tempe-police"], "UTC", now + HOUR
    )
    with database.transaction(town.engine) as session:
        for channel, address in ((Channel.SMS, f"+1480555{last}"), (Channel.EMAIL, email)):
            mine = contacts.c.member_id == town.member_id("Ines"), contacts.c.channel == channel.value
            session.execute(update(contacts).where(*mine).values(address=address))
        written.write(session, waiting, [town.member_id("Ines")], "offer", now=now, with_code=True)
        return {found.channel: found.id for found in session.execute(select(notices))}


def test_a_mail_that_fails_asks_the_next_person(town: Town) -> None:
    assert deliver(town, notice(town, email="nobody@tempe.example")) is None
    assert (row(town).state, owed(town)) == ("failed_permanent", 1)


def test_a_mail_that_asks_for_nothing_has_no_next_person(town: Town) -> None:
    id = notice(town, email="nobody@tempe.example")
    with database.transaction(town.engine) as session:
        session.execute(update(notices).values(template="task", code_until=None))
    deliver(town, id)
    assert (row(town).state, owed(town)) == ("failed_permanent", 0)


@pytest.mark.parametrize(
    ("last", "email", "next_ones"),
    [
        # The text speaks for the mail, not the mail for the text; and one person's failure asks once.
        ("0001", "nobody@tempe.example", 0),
        ("0010", "ines@tempe.example", 1),
        ("0010", "nobody@tempe.example", 1),
    ],
)
@pytest.mark.parametrize("order", [("sms", "email"), ("email", "sms")])
def test_the_next_person_is_asked_when_nothing_reached_the_first(
    town: Town, last: str, email: str, next_ones: int, order: tuple[str, str]
) -> None:
    ids = both(town, last, email)
    for channel in order:
        deliver(town, ids[channel])
    assert owed(town) == next_ones


def test_without_an_sms_provider_a_mail_that_fails_asks_the_next(town: Town) -> None:
    ids = both(town, "0001", "nobody@tempe.example")
    for channel in ("sms", "email"):
        deliver(town, ids[channel], replace(town.settings, twilio_account_sid=""))
    assert owed(town) == 1


@pytest.mark.parametrize("trouble", ["not_reached", "cut", "bad_certificate"])
def test_a_mail_server_in_trouble_leaves_a_notice_that_comes_again(
    town: Town, trouble: str, tmp_path: Path
) -> None:
    with in_trouble(trouble, tmp_path) as (port, security):
        broken = replace(town.settings, smtp_port=port, smtp_security=security)
        assert deliver(town, notice(town, email="ines@tempe.example"), broken) is not None
    assert (row(town).state, row(town).fault) == ("failed_transient", trouble)
    assert tried(town) == [("failed_transient", False)]


@contextmanager
def in_trouble(trouble: str, folder: Path) -> Iterator[tuple[int, str]]:
    if trouble == "bad_certificate":
        with tls_server("tls", certificate(folder)) as port:
            yield port, "tls"
        return
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        if trouble == "cut":
            server.listen()
            threading.Thread(target=lambda: server.accept()[0].close(), daemon=True).start()
        yield server.getsockname()[1], "none"


@pytest.mark.parametrize(
    ("wrong", "action", "code"),
    [({"twilio_auth_token": "wrong"}, Action.STOP_SENDER, "20003"), ({}, Action.ALARM, "99999")],
)
def test_a_provider_that_refuses_us_is_logged_and_found(
    town: Town, wrong: dict[str, str], action: Action, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    deliver(town, notice(town, "0008"), replace(town.settings, **wrong))  # type: ignore[arg-type]
    if not wrong:
        report(town, "failed", int(code))
    assert code in caplog.text
    assert "+1480" not in caplog.text
    (fault,) = faults(town)
    assert (fault.channel, fault.code, fault.action, fault.count) == (Channel.SMS, code, action, 1)


def test_a_reader_that_cannot_be_reached_is_no_fault_of_the_provider(town: Town) -> None:
    deliver(town, notice(town, "0010"))
    assert faults(town) == []


def faults(town: Town) -> list[written.ProviderFault]:
    with database.reading(town.engine) as session:
        return written.provider_faults(session, clock.now() - HOUR)


def test_a_number_that_is_blocked_twice_is_used_no_more(town: Town) -> None:
    usable = []
    for subject in ("one", "another"):
        deliver(town, plain(town, subject))
        report(town, "undelivered", 30004, newest=True)
        with database.reading(town.engine) as session:
            mine = contacts.c.member_id == town.member_id("Ines"), contacts.c.channel == "sms"
            usable.append(session.execute(select(contacts.c.disabled_at).where(*mine)).scalar_one() is None)
    assert usable == [True, False]


@pytest.mark.parametrize(
    ("team", "who", "address"),
    [("tempe-police", "Ines", "{0.desk_url}"), ("fbi-phoenix", "Frank", "{0.public_url}/portal")],
)
def test_each_reader_is_sent_to_their_own_door(
    town: Town, phone: Running, team: str, who: str, address: str
) -> None:
    deliver(town, plain(town, "one", team, who))
    (message,) = phone.app.extensions["store"].messages()
    assert message["body"].endswith(f" {address.format(town.settings)}")


def test_what_ran_out_before_it_left_leaves_the_word_to_the_later_notice(town: Town) -> None:
    old = notice(town)
    with later(hours=2):
        notice(town)
        assert deliver(town, old) is None
    with database.reading(town.engine) as session:
        assert session.execute(select(notices.c.state).where(notices.c.id == old)).scalar_one() == "expired"
    assert tried(town) == []


def test_what_ran_out_with_nothing_after_it_still_leaves(town: Town) -> None:
    id = notice(town)
    with later(hours=2):
        deliver(town, id)
    assert row(town).state == "accepted"


def test_who_is_put_off_for_a_minute_asks_the_next_once(town: Town) -> None:
    id, asked = notice(town, "0011"), []
    for seconds in (0, 30, 70, 75):
        with later(seconds=seconds):
            deliver(town, id)
        asked.append(owed(town))
    assert asked == [0, 0, 1, 1]


def test_a_text_that_is_refused_for_its_form_leaves_as_the_shortest(town: Town, phone: Running) -> None:
    id = notice(town, "0018")
    assert deliver(town, id) is not None
    assert deliver(town, id) is None
    (message,) = phone.app.extensions["store"].messages(to="+14805550018")
    assert message["body"] == f"[Waypost] R-7K3M-Q2 A {row(town).code} {town.settings.desk_url}"


def test_the_shortest_text_says_drill_too_and_leads_to_the_readers_own_door(
    town: Town, phone: Running
) -> None:
    id = plain(town, "one", "fbi-phoenix", "Frank")
    with database.transaction(town.engine) as session:
        session.execute(update(contacts).where(contacts.c.channel == "sms").values(address="+14805550018"))
        session.execute(update(notices).where(notices.c.id == id).values(mark="drill"))
    for _ in range(2):
        deliver(town, id)
    (message,) = phone.app.extensions["store"].messages(to="+14805550018")
    assert message["body"] == f"[DRILL] R-7K3M-Q2 {town.settings.public_url}/portal"


def test_whoever_lost_the_lease_does_not_speak_for_the_notice(
    town: Town, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A first process comes back with a refusal after a second one, behind its lease, has the text accepted."""
    id, send = notice(town), sms.SmsSender.send

    def slow(self: sms.SmsSender, *given: Any, **named: Any) -> Any:
        monkeypatch.setattr(sms.SmsSender, "send", send)
        with later(seconds=61):
            deliver(town, id)
        return twilio_codes.outcome_of(30007)

    monkeypatch.setattr(sms.SmsSender, "send", slow)
    deliver(town, id)
    assert (row(town).state, owed(town)) == ("accepted", 0)

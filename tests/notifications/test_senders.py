"""Our own standing with a provider: a refused account stops for all, heals by itself, and pages the administrators."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import Engine, select, update

from directory.tables import members
from foundation import clock, database
from foundation.settings import Settings
from foundation.tables import outbox
from notifications import senders
from notifications.outcomes import Action
from notifications.standin import Running
from referrals.duty import Duty
from tests import builders
from tests.builders import Town, later
from tests.notifications.acts import deliver, notice, owed, row_of, tried


@pytest.fixture
def town(engine: Engine, wired: Settings) -> Town:
    """A town whose administrator is Ada alone."""
    town = builders.found(engine, wired)
    with database.transaction(engine) as session:
        session.execute(update(members).values(administrator=members.c.email.like("ada@%")))
    return town


def refuse(town: Town) -> None:
    """Twilio does not believe our token any more."""
    deliver(town, notice(town), replace(town.settings, twilio_auth_token="another token"))


def test_a_refused_account_stops_the_sender_for_all_and_the_next_is_asked(town: Town, phone: Running) -> None:
    refuse(town)
    second = notice(town)
    assert deliver(town, second) is None
    assert len(tried(town)) == 1
    assert owed(town) == 2
    assert phone.app.extensions["store"].messages() == []


def test_a_stopped_sender_lets_one_through_after_a_while_and_heals_by_it(town: Town) -> None:
    refuse(town)
    with later(minutes=6):
        deliver(town, notice(town))
        deliver(town, notice(town))
    assert [outcome for outcome, _ in tried(town)] == ["failed_permanent", "accepted", "accepted"]


def test_the_administrators_are_mailed_once(town: Town, phone: Running) -> None:
    refuse(town)
    with later(minutes=6):
        deliver(town, notice(town), replace(town.settings, twilio_auth_token="another token"))
    assert owed(town, senders.PAGE) == 1
    run_pages(town)
    (mail,) = phone.app.test_client().get("/api/mail").get_json()
    assert (mail["to"].split("@")[0], "code 20003" in mail["subject"]) == ("ada", True)


def test_a_code_that_nobody_knows_pages_too_and_stops_nobody(town: Town) -> None:
    id = notice(town, "0019")
    deliver(town, id)
    assert (row_of(town, id).fault, owed(town, senders.PAGE), owed(town)) == ("39999", 1, 1)
    deliver(town, notice(town))
    assert tried(town)[-1] == ("accepted", True)


def run_pages(town: Town) -> None:
    """Does the pages that are owed."""
    with database.reading(town.engine) as session:
        ids = session.execute(select(outbox.c.subject_id).where(outbox.c.job == senders.PAGE)).scalars().all()
    for id in ids:
        senders.page(Duty(town.engine, town.settings, town.keys), id)


def test_a_mail_server_that_takes_our_password_again_is_used_for_all_again(town: Town) -> None:
    with database.transaction(town.engine) as session:
        senders.refused(session, "email", "535", Action.STOP_SENDER, clock.now())
    with later(minutes=6):
        for _ in range(2):
            deliver(town, notice(town, email="ines@tempe.example"))
    assert [outcome for outcome, _ in tried(town)] == ["accepted", "accepted"]

"""The status page says in a sentence when a provider refuses us."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from desk.app import create_app
from foundation import clock, database
from notifications import notices as written
from notifications.notices import Waiting
from notifications.tables import notices
from referrals.facts import Urgency
from tests import builders
from tests.builders import Town, later


def fail(town: Town, channel: str, fault: str, *, stored_as: str | None = None) -> None:
    """A notice to Ines on that channel failed so; `stored_as` if it was another channel's."""
    now = clock.now()
    waiting = Waiting("a handoff", "R-7K3M-Q2", Urgency.ELEVATED, town.team["tempe-police"], "UTC", now)
    with database.transaction(town.engine) as session:
        written.write(session, waiting, [town.member_id("Ines")], "offer", now=now)
        failed = update(notices).where(notices.c.channel == channel)
        session.execute(failed.values(state="failed_permanent", fault=fault, channel=stored_as or channel))


def status(town: Town) -> str:
    client = create_app(town.settings, town.engine, town.keys).test_client()
    builders.sign_in_at(client, "Ines")
    page: str = client.get("/status").get_data(as_text=True)
    return page


@pytest.mark.parametrize(
    ("channel", "fault", "sentence"),
    [
        ("sms", "20003", "The SMS provider refuses our account: code 20003."),
        ("sms", "21606", "The SMS provider refuses how it is set up here: code 21606."),
        ("sms", "99999", "The SMS provider gave a code that nobody foresaw: code 99999."),
        ("voice", "21215", "The provider of calls refuses how it is set up here: code 21215."),
        ("email", "535", "The mail server refuses our account: code 535."),
        ("email", "bad_certificate", "The mail server refuses how it is set up here: code bad certificate."),
    ],
)
def test_a_provider_that_refuses_us_is_said_in_words(
    town: Town, channel: str, fault: str, sentence: str
) -> None:
    fail(town, "sms" if channel == "voice" else channel, fault, stored_as=channel)
    assert sentence in status(town)


def test_an_address_that_failed_is_no_refusal_and_an_old_one_is_forgotten(town: Town) -> None:
    fail(town, "sms", "21211")
    # Nor is what an agency's own system answered.
    fail(town, "email", "404", stored_as="webhook")
    assert "Messages do not leave" not in status(town)
    fail(town, "sms", "20003")
    with later(hours=25):
        assert "Messages do not leave" not in status(town)

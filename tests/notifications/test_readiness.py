"""The readiness check: one test message, and how far it came in a sentence."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from directory.members import Channel
from foundation import clock, database
from notifications import readiness
from notifications.readiness import NotReady, Result
from notifications.tables import notices
from tests.builders import Town


def begin(town: Town, email: str = "ines@tempe-police.example", channel: Channel = Channel.SMS) -> str:
    with database.transaction(town.engine) as session:
        return readiness.begin(session, email, channel, clock.now())


def result(town: Town, notice_id: str, state: str, fault: str | None = None) -> Result:
    with database.transaction(town.engine) as session:
        session.execute(update(notices).where(notices.c.id == notice_id).values(state=state, fault=fault))
        return readiness.result(session, notice_id)


@pytest.mark.parametrize(
    ("state", "arrived", "over"),
    [
        ("due", False, False),
        ("accepted", False, False),
        ("delivered", True, True),
        ("failed_permanent", False, True),
    ],
)
def test_a_text_arrived_once_its_report_came_back(town: Town, state: str, arrived: bool, over: bool) -> None:
    found = result(town, begin(town), state)
    assert (found.arrived, found.over) == (arrived, over)


def test_a_mail_is_enough_when_it_was_taken(town: Town) -> None:
    assert result(town, begin(town, channel=Channel.EMAIL), "accepted").arrived


def test_the_providers_code_is_said(town: Town) -> None:
    assert result(town, begin(town), "failed_permanent", "30034").code == "30034"


@pytest.mark.parametrize("email", ["nobody@tempe.example", "ines@tempe-police.example"])
def test_who_cannot_be_written_to_is_said(town: Town, email: str) -> None:
    with pytest.raises(NotReady):
        begin(town, email, Channel.WEBHOOK)

"""Receipts back: the office that forwarded is told of each step, once, without a word of content."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import Engine, Row, select

import worker
from directory import webhooks
from directory.tables import teams
from foundation import clock, database, outbox
from foundation.settings import Settings
from notifications import reports, webhook
from notifications.notices import DELIVER
from referrals import moves
from referrals.duty import Duty
from referrals.facts import Urgency
from referrals.tables import reports as rows
from tests import builders
from tests.builders import WORDS, Town, later
from tests.intake.office import Office
from tests.notifications.receiver import Receiver, receiver
from tests.routing import acts
from tests.routing.acts import Case


@pytest.fixture
def town(engine: Engine, settings: Settings) -> Town:
    """A town that may call this machine."""
    return builders.found(engine, replace(settings, demonstration=True))


@pytest.fixture
def agency(town: Town) -> Iterator[Receiver]:
    """The system of DHS NTER, which forwards."""
    with receiver() as one, database.transaction(town.engine) as session:
        team = session.execute(select(teams).where(teams.c.id == town.team["dhs-nter"])).one()
        id = webhooks.add(session, team.organisation_id, one.url, clock.now())
        one.shared = webhook.secret(town.settings, id)
        session.commit()
        yield one


def _work(town: Town) -> None:
    """Everything that is owed but the notices: no provider is there."""
    perform = worker.perform(Duty(town.engine, town.settings, town.keys))

    def run(job: str, subject_id: str) -> datetime | None:
        return None if job == DELIVER else perform(job, subject_id)

    while outbox.drain(town.engine, run, urgent=True) + outbox.drain(town.engine, run, urgent=False):
        pass


def _forwarded(town: Town) -> Case:
    reference = Office(town, "Nadia").forward()
    with database.reading(town.engine) as session:
        row = moves.by_reference(session, reference)
        assert row is not None
    return Case(town, row.id)


def _kept(town: Town) -> list[Row[Any]]:
    with database.reading(town.engine) as session:
        return list(session.execute(select(rows).order_by(rows.c.at)))


def test_each_step_of_a_forward_is_told_once_and_without_content(town: Town, agency: Receiver) -> None:
    case = _forwarded(town)
    _work(town)
    case.acknowledge("Ines", "tempe-police")
    _work(town)
    assert [body["type"] for _, body in agency.taken] == [
        "referral.received", "referral.routed", "referral.acknowledged"
    ]  # fmt: skip
    last = agency.taken[-1][1]["data"]
    assert last["custodian"] == {"team": "Tempe Police", "organisation": "Tempe Police"}
    assert last["reference"] == case.row().reference
    assert set(last) == {"reference", "case_number", "custodian", "disposition"}
    assert WORDS not in str(agency.taken)


def test_a_receiver_that_was_away_is_told_later_under_the_same_id(town: Town, agency: Receiver) -> None:
    agency.answers = [503]
    _forwarded(town)
    _work(town)
    failed = next(row for row in _kept(town) if row.tries and not row.taken_at)
    assert failed.fault == "503"
    with later(minutes=1):
        _work(town)
    assert failed.id in {id for id, _ in agency.taken}
    assert len({id for id, _ in agency.taken}) == len(agency.taken)


def test_it_is_given_up_after_a_day_and_a_half_and_said_so(town: Town, agency: Receiver) -> None:
    agency.answers = [503] * 100
    _forwarded(town)
    for hours in (0, 0.1, 0.2, 1, 4, 10, 21, 36, 60):
        with later(hours=hours):
            _work(town)
    assert all(row.given_up_at and row.tries == 8 for row in _kept(town))
    with database.reading(town.engine) as session:
        assert reports.failing(session, clock.now() - timedelta(days=1))


def test_who_says_410_is_called_no_more(town: Town, agency: Receiver) -> None:
    agency.answers = [410]
    _forwarded(town)
    _work(town)
    assert agency.taken == []
    with database.reading(town.engine) as session:
        (hook,) = webhooks.all_webhooks(session)
    assert hook.ended_because


def test_a_public_tip_is_told_to_nobody(town: Town, agency: Receiver) -> None:
    acts.tip(town, urgency=Urgency.ROUTINE)
    _work(town)
    assert _kept(town) == []

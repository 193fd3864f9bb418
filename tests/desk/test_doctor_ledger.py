"""The doctor checks only what is new of what never changes, unless all is asked for; a still sequencer is named."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import Engine, delete, select, update

from foundation import clock, database, heartbeat
from foundation.settings import Settings
from ledger import checkpoint
from ledger.sequencer import Sequencer
from ledger.tables import ledger_checks
from referrals.tables import grants, referrals
from tests import builders
from tests.builders import Town
from tests.desk.test_setting_up import run
from tests.ledger.thief import forge, stolen


@pytest.fixture
def town(engine: Engine, settings: Settings, database_url: str, tmp_path: Path) -> Town:
    key = checkpoint.new_key(settings.deployment)
    return builders.found(engine, replace(settings, database_url=database_url, ledger_key=key))


def doctor(town: Town, *options: str) -> list[str]:
    with database.transaction(town.engine) as session:
        heartbeat.beat(session, "clock", clock.now())
    return [
        line
        for line in run(town.settings, "doctor", *options).output.splitlines()
        if line.startswith("ledger")
    ]


def sizes_checked(town: Town) -> list[int]:
    with database.reading(town.engine) as session:
        return list(session.execute(select(ledger_checks.c.size).order_by(ledger_checks.c.id)).scalars())


def test_each_visit_goes_on_where_the_last_one_ended(town: Town) -> None:
    sequencer = Sequencer(town.engine, town.settings)
    builders.file_tip(town)
    sequencer.round(clock.now())
    assert doctor(town) == []
    first = sizes_checked(town)
    assert doctor(town) == []
    assert sizes_checked(town) == first
    builders.file_tip(town, form_key="another form's key, 128 bits and more")
    sequencer.round(clock.now())
    assert doctor(town) == []
    assert sizes_checked(town)[:-1] == first
    assert sizes_checked(town)[-1] > first[-1]


def test_what_is_broken_is_named_and_not_remembered_as_sound(town: Town) -> None:
    builders.file_tip(town)
    filed = builders.file_tip(town, form_key="another form's key, 128 bits and more")
    Sequencer(town.engine, town.settings).round(clock.now())
    with stolen(town.engine) as db:
        forge(db, filed.id, 1, facts={})
    (said,) = doctor(town)
    assert said.startswith(f"ledger: entry 1 of stream {filed.id}")
    assert sizes_checked(town) == []


def test_a_sequencer_that_stands_still_is_named(town: Town) -> None:
    builders.file_tip(town)
    assert doctor(town) == []
    with clock.moved(timedelta(minutes=11)):
        (said,) = doctor(town)
    assert said.startswith("ledger: no checkpoint covers what happened since")
    with clock.moved(timedelta(minutes=11)):
        Sequencer(town.engine, town.settings).round(clock.now())
        assert doctor(town) == []


def test_the_whole_ledger_is_checked_again_on_request(town: Town) -> None:
    filed = builders.file_tip(town)
    Sequencer(town.engine, town.settings).round(clock.now())
    assert doctor(town) == []
    with stolen(town.engine) as db:
        forge(db, filed.id, 1, facts={})
    assert doctor(town) == []
    (said,) = doctor(town, "--whole")
    assert said.startswith(f"ledger: entry 1 of stream {filed.id}")


def test_a_record_that_ended_long_ago_is_looked_at_on_request(town: Town) -> None:
    filed = builders.file_tip(town)
    ended = clock.now() - timedelta(days=3)
    with database.transaction(town.engine) as session:
        session.execute(delete(grants).where(grants.c.referral_id == filed.id))
        session.execute(
            update(referrals)
            .where(referrals.c.id == filed.id)
            .values(state="closed", due_at=None, closed_at=ended, disposition="managed")
        )
    sentence = f"{filed.reference}: it has sealed words that no grant opens"
    assert sentence not in run(town.settings, "doctor").output
    assert sentence in run(town.settings, "doctor", "--whole").output

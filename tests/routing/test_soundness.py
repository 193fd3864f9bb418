"""The doctor's queries: each broken promise is found and named."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import delete, select, update

from foundation import clock, database, heartbeat
from foundation.tables import heartbeats
from ledger.tables import ledger_heads
from referrals.tables import grants, referrals
from routing.tables import handoffs
from tests.builders import Town, later
from tests.routing.acts import faults, tip


def test_a_sound_town_has_no_faults(town: Town) -> None:
    tip(town).acknowledge("Ines", "tempe-police")
    assert faults(town) == []


BREAKS: list[tuple[Any, str]] = [
    (
        lambda team: update(referrals).values(custodian_team_id=team["mesa-police"]),
        "its custodian is not the team",
    ),
    (lambda team: delete(grants), "no grant opens"),
    (lambda team: delete(ledger_heads), "in no ledger"),
    (lambda team: update(referrals).values(due_at=clock.now() - timedelta(minutes=2)), "nobody was told"),
    (lambda team: update(handoffs).values(state="declined"), "can still open what it declined"),
    (lambda team: update(handoffs).values(state="offered", due_at=None), "an open offer has no due time"),
]


@pytest.mark.parametrize(("breaks", "sentence"), BREAKS)
def test_a_broken_promise_is_named_with_its_reference(town: Town, breaks: Any, sentence: str) -> None:
    case = tip(town)
    case.acknowledge("Ines", "tempe-police")
    with database.transaction(town.engine) as session:
        session.execute(breaks(town.team))
    assert any(sentence in fault and case.row().reference in fault for fault in faults(town))


def test_a_clock_that_stopped_is_named(town: Town) -> None:
    from routing import soundness

    with database.transaction(town.engine) as session:
        assert soundness.faults(session, clock.now()) == ["the clock has never run"]
        heartbeat.beat(session, "clock", clock.now())
        assert soundness.faults(session, clock.now()) == []
        assert len(session.execute(select(heartbeats)).all()) == 1
        with later(minutes=2):
            assert "the clock last ran at" in soundness.faults(session, clock.now())[0]

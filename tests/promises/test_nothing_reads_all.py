"""Promise: no page of the desk and no round of the clock reads through all that ever was. What they ask, an index
answers, on a million referrals as on one."""

from __future__ import annotations

from dataclasses import replace

import pytest

import worker
from foundation import clock, database
from foundation.settings import Settings
from ledger import checkpoint
from ledger.sequencer import Sequencer
from referrals.duty import Duty
from referrals.facts import Urgency
from routing import signs
from tests import builders, plans, servers
from tests.builders import Town, later
from tests.desk.sitting import Desk


@pytest.fixture
def desk(_migrated_database: str, settings: Settings) -> Desk:
    """A desk on PostgreSQL, which says how it would find what is asked; two referrals are held, one is offered."""
    url = _migrated_database
    servers.empty(url)
    engine = database.make_engine(url)
    key = checkpoint.new_key(settings.deployment)
    return Desk(builders.found(engine, replace(settings, database_url=url, ledger_key=key)))


def test_pages_and_rounds_find_by_an_index(desk: Desk) -> None:
    with plans.watched(desk.town.engine) as seen:
        _live(desk)
        _look(desk)
        _rounds(desk.town)
    found = plans.whole_reads(desk.town.engine, seen)
    assert not found, "\n\n".join(found)


def _live(desk: Desk) -> None:
    """Everything a referral goes through, in short."""
    reference = desk.held()
    desk.ask(reference, "consult", "mesa-police")
    desk.seat("Olu").send(f"/referrals/{reference}", to="/acknowledge")
    desk.seat("Ines").send(f"/referrals/{reference}/close", {"disposition": "managed", "reason": "Done."})
    desk.seat("Tomas").send(f"/referrals/{reference}/closing", {"answer": "approve"})
    desk.tip(urgency=Urgency.IMMINENT, form_key="another form's key, 128 bits and more")


def _look(desk: Desk) -> None:
    reference = desk.held(form_key="a third form's key, 128 bits and more")
    for page in ("/", f"/referrals/{reference}", f"/referrals/{reference}/timeline", "/records"):
        desk.seat("Ines").look(page)
    for page in ("/", "/status", "/teams"):
        desk.seat("Rita").look(page)


def _rounds(town: Town) -> None:
    duty = Duty(town.engine, town.settings, town.keys)
    with later(hours=5):
        worker.sweep(duty)
        for keep in worker.UPKEEP:
            keep(duty)
        Sequencer(town.engine, town.settings).round(clock.now())
        with database.reading(town.engine) as session:
            list(signs.readings(session, town.settings, clock.now()))

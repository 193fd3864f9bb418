"""While new rules come into force, one process still decides by the old ones: both decisions stand."""

from __future__ import annotations

import multiprocessing
from typing import Any
from unittest import mock

from foundation import clock, database
from referrals.duty import Duty
from referrals.facts import Evidence, PlaceKind, Relation
from routing import demonstration, jobs, replay, snapshots
from routing.decision import decide
from tests import builders
from tests.builders import Town
from tests.routing.acts import Case, faults

TEMPE = (Evidence(PlaceKind.PLACE, Relation.TARGET, ("place:0473000",)),)


def _route_slowly(url: str, town: Town, referral_id: str, holds: Any, goes_on: Any) -> None:
    """In a process of its own: it has its snapshot, and decides only when it is told to."""

    def waits(*given: Any, **more: Any) -> Any:
        holds.set()
        assert goes_on.wait(60)
        return decide(*given, **more)

    with mock.patch("routing.jobs.decide", waits):
        jobs.route_referral(Duty(database.make_engine(url), town.settings, town.keys), referral_id)


def test_two_processes_with_different_snapshots_are_harmless(town: Town, database_url: str) -> None:
    before, after = (
        Case(
            town, builders.file_tip(town, evidence=TEMPE, form_key=f"{when} the change, 128 bits and more").id
        )
        for when in ("before", "after")
    )
    context = multiprocessing.get_context("fork")
    holds, goes_on = context.Event(), context.Event()
    town.engine.dispose()
    slow = context.Process(target=_route_slowly, args=(database_url, town, before.id, holds, goes_on))
    slow.start()
    assert holds.wait(60)
    if town.engine.dialect.name == "sqlite":
        # It has one writer: there the publication waits for the decision.
        goes_on.set()
    _publish_without_tempe(town)
    after.route()
    goes_on.set()
    slow.join(60)
    assert slow.exitcode == 0
    assert (before.offers(), after.offers()) == ({"tempe-police": "offered"}, {"maricopa-county": "offered"})
    assert faults(town) == []
    with database.reading(town.engine) as session:
        rows = [row for case in (before, after) for row in replay.of_referral(session, case.id)]
        assert len({row.rules_id for row in rows}) == 2
        assert [replay.replay(session, row).digest for row in rows] == [row.digest for row in rows]


def _publish_without_tempe(town: Town) -> None:
    rules = demonstration.rules(town.team)
    rules["rules"] = [rule for rule in rules["rules"] if rule["id"] != "tempe-police"]
    with database.transaction(town.engine) as session:
        snapshots.publish(session, areas=demonstration.areas(), rules=rules, source="test", now=clock.now())

"""Promise: whatever processes answer one offer at the same moment, exactly one of them wins."""

from __future__ import annotations

import multiprocessing
from dataclasses import replace
from typing import Any

import pytest

from foundation import clock, database
from foundation.settings import Settings
from ledger.entries import Actor
from referrals.grants import Keys
from referrals.keyring import HeldKeys
from routing import handoffs
from routing.handoffs import AlreadyAnswered
from routing.states import Decline
from tests.builders import Town
from tests.routing.acts import Case, faults, tip

# Who does what; two of them are the same act, as when a button is pressed on two telephones.
ACTS = ("acknowledge", "recall", "lapse", "decline", "acknowledge again")
ROUNDS = 3


def _act(
    name: str, url: str, deployment: str, ring: HeldKeys, offer: str, who: Actor, gate: Any, said: Any
) -> None:
    """One act in a process of its own, from one moment on; puts its name if it won."""
    engine = database.make_engine(url)
    gate.wait()
    try:
        with database.transaction(engine) as session:
            _do(session, name, Keys(ring, deployment), offer, who)
        said.put((name, "won"))
    except AlreadyAnswered:
        said.put((name, "lost"))
    except BaseException as fault:
        said.put((name, repr(fault)))


def _do(session: Any, name: str, keys: Keys, offer: str, who: Actor) -> None:
    now = clock.now()
    if name.startswith("acknowledge"):
        handoffs.acknowledge(session, keys, offer, actor=who, via="desk", now=now)
    elif name == "recall":
        handoffs.recall(session, offer, actor=who, now=now)
    elif name == "lapse":
        handoffs.lapse(session, offer, now)
    else:
        handoffs.decline(session, offer, reason=Decline.OTHER, actor=who, via="desk", now=now)


def race(town: Town, offer: str) -> dict[str, str]:
    """What became of each act."""
    context = multiprocessing.get_context("fork")
    gate, said = context.Barrier(len(ACTS)), context.Queue()
    who = {"recall": town.actor("Ada"), "acknowledge again": town.actor("Tomas")}
    given = (town.settings.deployment, town.ring, offer)
    processes = [
        context.Process(
            target=_act,
            args=(name, town.settings.database_url, *given, who.get(name, town.actor("Ines")), gate, said),
        )
        for name in ACTS
    ]
    town.engine.dispose()
    for process in processes:
        process.start()
    became = dict(said.get(timeout=60) for _ in processes)
    for process in processes:
        process.join(60)
    return became


@pytest.fixture
def processes_town(town: Town, database_url: str) -> Town:
    """The town with the address of its database, which another process needs."""
    settings: Settings = replace(town.settings, database_url=database_url)
    return replace(town, settings=settings)


def test_five_processes_answer_one_offer_and_one_wins(processes_town: Town) -> None:
    town = processes_town
    for round in range(ROUNDS):
        case: Case = tip(town, form=f"round {round}, a form's own key")
        became = race(town, case.offer_to("tempe-police"))
        assert sorted(became.values()) == ["lost"] * (len(ACTS) - 1) + ["won"], became
        winner = next(name for name, end in became.items() if end == "won")
        taken = winner.startswith("acknowledge")
        assert (case.holder == "tempe-police") is taken
        ends = {"recall": "recalled", "lapse": "lapsed", "decline": "declined"}
        assert case.offers()["tempe-police"] == ends.get(winner, "acknowledged")
        assert [kind for kind in case.kinds() if kind == f"handoff_{case.offers()['tempe-police']}"] == [
            f"handoff_{case.offers()['tempe-police']}"
        ]
    assert faults(town) == []

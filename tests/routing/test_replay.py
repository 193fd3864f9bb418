"""Old decisions made again: the digest is the same, whatever was published since."""

from __future__ import annotations

from typing import Any

from click.testing import Result
from flask import Flask
from sqlalchemy import Row, update

from foundation import clock, database
from ledger.verification import entries_of
from referrals.facts import Urgency
from routing import jobs, replay, snapshots
from routing.commands import routing
from routing.decision import Decision
from routing.tables import decisions
from tests.builders import Town, later
from tests.routing.acts import EITHER, MESA, NEVADA, TEMPE, Case, run_jobs, tip


def publish_nothing(town: Town) -> None:
    """A newer rule set in which nobody leads anywhere."""
    with database.transaction(town.engine) as session:
        rules = {"root_team": town.team["root-desk"], "rules": []}
        snapshots.publish(session, areas=[], rules=rules, source="test", now=clock.now())


def made(case: Case) -> list[tuple[Row[Any], Decision]]:
    with database.reading(case.town.engine) as session:
        return [(row, replay.replay(session, row)) for row in replay.of_referral(session, case.id)]


def test_a_decision_made_again_after_a_newer_publication_has_the_same_digest(town: Town) -> None:
    cases = [tip(town, Urgency.IMMINENT, place, form=str(place)) for place in (TEMPE, EITHER, NEVADA)]
    with later(hours=1):
        publish_nothing(town)
    for case in cases:
        ((row, again),) = made(case)
        assert again.digest == row.digest
        assert again == Decision.from_json(row.explanation)


def test_a_decision_without_whoever_declined_or_was_out_of_reach_is_made_again(town: Town) -> None:
    case = tip(town, Urgency.ELEVATED)
    case.decline("Ines", "tempe-police")
    with later(minutes=1):
        run_jobs(town)
        publish_nothing(town)
    first, second = made(case)
    assert [again.digest for _, again in (first, second)] == [row.digest for row, _ in (first, second)]
    assert dict(second[1].excluded) == {town.team["tempe-police"]: "declined"}


def test_a_decision_that_was_tampered_with_is_told_apart(town: Town) -> None:
    case = tip(town, Urgency.ELEVATED, MESA)
    ((row, _),) = made(case)
    facts = {**row.explanation["facts"], "urgency": "routine"}
    with database.transaction(town.engine) as session:
        session.execute(update(decisions).values(explanation={**row.explanation, "facts": facts}))
    ((row, again),) = made(case)
    assert again.digest != row.digest


def test_each_digest_stands_in_the_ledger(town: Town) -> None:
    case = tip(town)
    with database.reading(town.engine) as session:
        (entry,) = [entry for entry in entries_of(session, case.id) if entry["kind"] == "decided"]
        row = jobs.latest(session, case.id)
    assert row is not None
    assert entry["facts"]["decision"] == row.digest


def replayed(case: Case) -> Result:
    """What the command says of a case."""
    app = Flask("asked")
    app.extensions["engine"] = case.town.engine
    app.cli.add_command(routing)
    return app.test_cli_runner().invoke(args=["routing", "replay", case.row().reference])


def test_the_command_says_that_the_digest_is_the_same(town: Town) -> None:
    case = tip(town)
    publish_nothing(town)
    said = replayed(case)
    assert (said.exit_code, said.output.splitlines()[-1]) == (0, "1 made again.")
    assert "the same" in said.output


def test_the_command_fails_where_a_digest_is_another(town: Town) -> None:
    case = tip(town)
    with database.transaction(town.engine) as session:
        session.execute(update(decisions).values(digest="0" * 64))
    assert (replayed(case).exit_code, "DIFFERENT" in replayed(case).output) == (1, True)

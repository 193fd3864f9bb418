"""`flask routing explain` answers from the command line."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import Engine

from foundation import clock, database
from routing import demonstration, snapshots
from routing.commands import routing
from tests.routing.test_rules import SLUGS

Run = Callable[..., Result]


@pytest.fixture
def run(engine: Engine, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.setattr(snapshots, "_current", None)
    rules = demonstration.rules({slug: slug for slug in SLUGS})
    with database.transaction(engine) as session:
        snapshots.publish(
            session, areas=demonstration.areas(), rules=rules, source="demonstration", now=clock.now()
        )
    app = Flask("asked")
    app.extensions["engine"] = engine
    app.cli.add_command(routing)
    return lambda *words: app.test_cli_runner().invoke(args=["routing", *words])


@pytest.mark.parametrize(
    ("words", "team"),
    [
        (("--zip", "85281"), "tempe-police"),
        (("--place", "Tempe, AZ"), "tempe-police"),
        (("--county", "Maricopa", "--state", "AZ"), "maricopa-county"),
        (("--county", "Apache", "--state", "AZ"), "az-stamp"),
        (("--county", "04013"), "maricopa-county"),
        (("--state", "NV"), "nv-hub"),
        (("--point", "33.40,-111.93"), "tempe-police"),
        (("--school", "Saguaro Bend"), "saguaro-bend-school"),
    ],
)
def test_each_kind_of_place_is_explained(run: Run, words: tuple[str, ...], team: str) -> None:
    answer = run("explain", *words)
    assert answer.exit_code == 0, answer.output
    assert f"- {team} leads because" in answer.output


def test_a_team_that_nobody_can_reach_is_passed_over_here_too(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("routing.jobs.unreachable", lambda session, urgency: {"tempe-police": "unverified"})
    answer = run("explain", "--zip", "85281")
    assert "- maricopa-county leads because" in answer.output
    assert "tempe-police (Tempe) was passed over: no contact there is verified." in answer.output


def test_json_is_the_whole_decision(run: Run) -> None:
    answer = json.loads(run("explain", "--state", "WY", "--urgency", "imminent", "--json").output)
    assert (answer["status"], answer["offered_at_once"]) == ("no_coverage", ["root-desk"])


def test_the_moment_can_be_given(run: Run) -> None:
    said = [run("explain", "--zip", "85281", "--at", "2026-01-07 12:00", "--json").output for _ in range(2)]
    assert said[0] == said[1]
    assert json.loads(said[0])["as_of"] == "2026-01-07T12:00:00+00:00"


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--zip", "99999"), "No such ZIP"),
        (("--zip", "85281", "--state", "NV"), "does not lie in that state"),
        (("--point", "-111.93,33.40"), "latitude comes first"),
        (("--point", "here"), "33.42,-111.94"),
        (("--county", "Atlantis"), "No county is called so"),
        (("--county", "04999"), "No county is called so"),
        (("--originator", "nobody"), "no team has that slug"),
    ],
)
def test_what_cannot_be_read_is_said_at_the_option(run: Run, words: tuple[str, ...], told: str) -> None:
    answer = run("explain", *words)
    assert answer.exit_code == 2
    assert told in answer.output
    assert words[0] in answer.output


def test_areas_says_where_the_map_comes_from(run: Run) -> None:
    answer = run("areas").output
    assert "3233 counties" in answer
    assert "HUD-USPS ZIP to county crosswalk, 2025 Q4" in answer

"""Keys of the API: who gets in with one, until when, and what is on record of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import select, update

from desk.commands import register_commands
from directory import api_keys
from directory.api_keys import NoSeat, Scope
from directory.tables import api_keys as rows
from directory.tables import members, memberships
from foundation import clock, database
from intake import api_door
from ledger.entries import Actor
from ledger.tables import ledger_entries
from tests.builders import Town
from tests.intake.office import Office
from tests.intake.system import LEAST, REFERRALS, System

PERMIT = f"{REFERRALS}/R-7K3M-Q2/permissions/x"


@pytest.fixture
def system(town: Town) -> System:
    return System(town)


def test_no_route_but_the_document_answers_without_a_key(system: System) -> None:
    stranger = Office(system.town, "Frank", system.app).client  # signed in, with a cookie and no key
    rules = [rule for rule in system.app.url_map.iter_rules() if rule.endpoint.startswith("api.")]
    without = {
        rule.endpoint: stranger.open(rule.rule, method=_method(rule.methods)).status_code for rule in rules
    }
    assert {endpoint for endpoint, status in without.items() if status != 401} == {"api.document"}
    assert len(without) == 6


def _method(methods: set[str] | None) -> str:
    return "POST" if "POST" in (methods or ()) else "GET"


def test_a_route_that_names_no_action_lets_nobody_in(system: System) -> None:
    with pytest.raises(ValueError, match="no scope"):
        api_door.by_key("desk.enter")


def test_a_wrong_key_is_told_how_to_show_one(system: System) -> None:
    for shown in ("", "Bearer", "Bearer x", "Basic Zm9vOmJhcg==", "Bearer waypost_key_é"):
        answer = system.ask("GET", REFERRALS, headers={"Authorization": shown})
        assert answer.status_code == 401, shown
        assert answer.headers["WWW-Authenticate"].startswith("Bearer")


def test_the_api_sets_and_reads_no_cookie_and_asks_for_no_form_token(system: System) -> None:
    answer = system.send()
    assert answer.status_code == 201
    assert "Set-Cookie" not in answer.headers
    without_key = Office(system.town, "Frank", system.app).client.post(REFERRALS, json=LEAST)
    assert without_key.status_code == 401


def test_a_key_is_good_for_its_scopes_only(town: Town) -> None:
    app = System(town).app
    asked = (("POST", REFERRALS), ("GET", REFERRALS), ("POST", PERMIT))
    for scope, good in (
        (Scope.FORWARD, [400, 403, 403]),
        (Scope.READ, [403, 200, 403]),
        (Scope.PERMIT, [403, 403, 404]),
    ):
        system = System(town, scopes=[scope], app=app)
        assert [system.ask(*each, json={}).status_code for each in asked] == good


def _ended(system: System) -> None:
    with database.transaction(system.town.engine) as session:
        api_keys.end(session, system.key_id, actor=Actor(part="administrator"), now=clock.now())


def _left(system: System) -> None:
    with database.transaction(system.town.engine) as session:
        session.execute(
            update(members).where(members.c.id == system.town.member_id("Frank")).values(active=False)
        )


def _moved(system: System) -> None:
    frank = memberships.c.member_id == system.town.member_id("Frank")
    with database.transaction(system.town.engine) as session:
        session.execute(update(memberships).where(frank).values(team_id=system.town.team["dhs-nter"]))


@pytest.mark.parametrize("what", [_ended, _left, _moved])
def test_a_key_ends_with_an_administrators_word_and_with_its_members_seat(
    system: System, what: Callable[[System], None]
) -> None:
    assert system.ask("GET", REFERRALS).status_code == 200
    what(system)
    assert system.ask("GET", REFERRALS).status_code == 401


def test_a_key_is_over_when_its_time_is(system: System) -> None:
    said = system.ask("GET", REFERRALS).headers["Waypost-Key-Expires"]
    assert said == f"{clock.now() + timedelta(days=30):%Y-%m-%d}"
    with clock.moved(timedelta(days=31)):
        assert system.ask("GET", REFERRALS).status_code == 401


def test_nobody_answers_for_a_key_who_could_not_forward_by_hand(town: Town) -> None:
    for member, team in (("Ines", "tempe-police"), ("Ines", "fbi-phoenix"), ("Frank", "dhs-nter")):
        with database.transaction(town.engine) as session, pytest.raises(NoSeat):
            api_keys.make(
                session, team_id=town.team[team], member_id=town.member_id(member), name="x", scopes=[Scope.READ],
                lives=timedelta(days=1), actor=Actor(part="administrator"), now=clock.now(),
            )  # fmt: skip


def test_the_secret_is_stored_nowhere_and_the_last_use_is(system: System) -> None:
    system.ask("GET", REFERRALS)
    with database.reading(system.town.engine) as session:
        row = session.execute(select(rows)).one()
        made = session.execute(
            select(ledger_entries.c.body).where(ledger_entries.c.kind == "api_key_made")
        ).scalar_one()
    assert row.used_at
    for stored in (str(row), made):
        assert system.key not in stored
        assert system.key.removeprefix(api_keys.PREFIX) not in stored
    assert system.key_id in made


def test_too_many_forwards_are_told_how_long_to_wait(town: Town) -> None:
    system = System(replace(town, settings=replace(town.settings, forwards_per_hour=2)))
    answers = [system.send() for _ in range(3)]
    assert [answer.status_code for answer in answers] == [201, 201, 429]
    assert 0 < int(answers[2].headers["Retry-After"]) <= 3600
    assert system.ask("GET", REFERRALS).status_code == 200


def test_guessing_is_slowed_and_a_right_key_is_not(system: System) -> None:
    wrong = {"Authorization": "Bearer waypost_key_guessed"}
    statuses = [system.ask("GET", REFERRALS, headers=wrong).status_code for _ in range(21)]
    assert (statuses[0], statuses[-1]) == (401, 429)
    assert system.ask("GET", REFERRALS).status_code == 200


def test_commands_make_name_and_end_a_key(system: System) -> None:
    register_commands(system.app)
    run = system.app.test_cli_runner().invoke
    given = ["fbi-phoenix", "--member", "frank@fbi-phoenix.example", "--name", "cases", "--scope", "read"]
    made = run(args=["directory", "api-key", "add", *given])
    assert made.exit_code == 0, made.output
    key_id, key = made.output.split()[1].rstrip(","), made.output.split()[-1]
    system.key = key
    assert system.ask("GET", REFERRALS).status_code == 200
    listed = run(args=["directory", "api-key", "list"]).output
    assert "last used" in next(line for line in listed.splitlines() if line.startswith(key_id))
    assert key not in listed
    _left(system)
    assert "its member has left the office" in run(args=["directory", "api-key", "list"]).output
    assert system.ask("GET", REFERRALS).status_code == 401
    assert run(args=["directory", "api-key", "end", key_id]).exit_code == 0
    assert "over since" in run(args=["directory", "api-key", "list"]).output
    assert run(args=["directory", "api-key", "end", key_id]).exit_code != 0

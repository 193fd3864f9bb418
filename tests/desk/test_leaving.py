"""Commands for departures."""

from __future__ import annotations

from typing import Any

import pytest

from desk import leaving
from tests.desk.sitting import Desk


def run(desk: Desk, *arguments: str, status: int = 0) -> str:
    answer = desk.app.test_cli_runner().invoke(args=["directory", *arguments])
    assert answer.exit_code == status, answer.output
    return answer.output


@pytest.fixture(autouse=True)
def _keys(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> Any:
    monkeypatch.setattr(leaving, "_keys", lambda: desk.town.keys)
    from desk.commands import register_commands

    if "directory" not in desk.app.cli.commands:
        register_commands(desk.app)


def test_a_team_that_leaves_says_what_moved(desk: Desk) -> None:
    reference = desk.held()
    assert f"{reference} went on to another team." in run(desk, "team-leaves", "tempe-police")
    assert desk.row(reference).custodian_team_id == desk.town.team["az-stamp"]
    assert "Nothing hangs." in run(desk, "hanging")


def test_a_member_who_leaves_can_sign_in_no_more(desk: Desk) -> None:
    assert "0 moved" in run(desk, "member-leaves", "ines@tempe-police.example")
    assert "no active member" in run(desk, "member-leaves", "ines@tempe-police.example", status=1)


def test_the_last_resort_cannot_leave(desk: Desk) -> None:
    assert "cannot leave" in run(desk, "team-leaves", "root-desk", status=1)

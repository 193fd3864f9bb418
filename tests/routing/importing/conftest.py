"""A command line on a town, and what is in force there."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from click.testing import Result
from flask import Flask

from foundation import database
from routing import drafts, snapshots
from routing.importing import commands
from routing.importing.commands import importing
from routing.snapshots import Snapshot
from tests.builders import Town

Run = Callable[..., Result]


def drafted(town: Town, said: str) -> Snapshot:
    """What the draft that the command named would put in force."""
    name = said.rpartition("Draft ")[2].partition(" ")[0]
    with database.reading(town.engine) as session:
        _, after = drafts.before_and_after(session, drafts.read(session, name))
    return after


def draft_count(town: Town) -> int:
    """How many drafts there are."""
    with database.reading(town.engine) as session:
        return len(drafts.listed(session))


@pytest.fixture(autouse=True)
def _nothing_remembered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(snapshots, "_current", None)


@pytest.fixture
def run(town: Town, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs `import …` on the town's database, with the town's keys."""
    # Unlocking a file of keys is slow on purpose.
    monkeypatch.setattr(commands, "keyring_of", lambda settings: town.ring)
    app = Flask("importing")
    app.extensions["engine"] = town.engine
    app.extensions["settings"] = town.settings
    app.cli.add_command(importing)
    return lambda *words: app.test_cli_runner().invoke(args=["import", *map(str, words)])

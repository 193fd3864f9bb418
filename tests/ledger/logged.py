"""A ledger with a log: entries, a sequencer with a key of its own, and the scripts that outsiders check with."""

from __future__ import annotations

import importlib
import sys
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import ModuleType

from sqlalchemy import Engine

from foundation import database
from foundation.settings import Settings
from ledger import checkpoint, checkpoints, entries
from ledger.checkpoint import Signer, Verifier
from ledger.checkpoints import Signed
from ledger.entries import Actor
from ledger.sequencer import Sequencer

NOON = datetime(2026, 11, 24, 12, tzinfo=UTC)
SCRIPTS = Path(__file__).parents[2] / "docs" / "verify"


def script(name: str) -> ModuleType:
    """A script for outsiders as a module, with those beside it in reach."""
    if str(SCRIPTS) not in sys.path:
        sys.path.append(str(SCRIPTS))
    return importlib.import_module(name)


class Log:
    """A ledger under one engine, and who signs it."""

    def __init__(self, engine: Engine, settings: Settings) -> None:
        self.engine, self.now = engine, NOON
        self.settings = replace(settings, ledger_key=checkpoint.new_key(settings.deployment))
        self.sequencer = Sequencer(engine, self.settings)

    @property
    def verifier(self) -> Verifier:
        """The public half of the key, as an outsider holds it."""
        return Signer.read(self.settings.ledger_key.split()[0]).verifier

    def write(self, streams: str) -> None:
        """An entry for each letter, to the stream of that letter."""
        for stream in streams:
            with database.transaction(self.engine) as session:
                entries.append(
                    session,
                    stream,
                    kind="noted",
                    at=self.now,
                    actor=Actor(part="test"),
                    facts={"handoff": "h"},
                )

    def sign(self) -> Signed | None:
        """A round of the sequencer a minute later; the newest checkpoint."""
        self.now += timedelta(minutes=1)
        self.sequencer.round(self.now)
        with database.reading(self.engine) as session:
            return checkpoints.latest(session)

    def restart(self, *, ledger_key: str | None = None, checkpoint_mail: str = "") -> None:
        """A sequencer that remembers nothing, as after a restart of the clock; with other keys or witnesses."""
        key = self.settings.ledger_key if ledger_key is None else ledger_key
        self.settings = replace(self.settings, ledger_key=key, checkpoint_mail=checkpoint_mail)
        self.sequencer = Sequencer(self.engine, self.settings)

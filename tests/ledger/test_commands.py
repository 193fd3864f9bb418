"""`flask --app wsgi ledger …`: a verdict that a script can trust, and keys that nobody else can read."""

from __future__ import annotations

import stat
from dataclasses import replace
from pathlib import Path

import pytest
from click.testing import Result
from flask import Flask
from sqlalchemy import Engine, delete, insert, select

from foundation.settings import Settings
from ledger import checkpoint
from ledger.checkpoint import Signer
from ledger.commands import ledger
from ledger.tables import ledger_checkpoints
from tests.ledger.logged import Log
from tests.ledger.thief import forge, grow_again, remove, stolen


@pytest.fixture
def written(engine: Engine, settings: Settings, database_url: str) -> Log:
    written = Log(engine, replace(settings, database_url=database_url))
    written.write("abab")
    written.sign()
    return written


def run(written: Log, *args: str) -> Result:
    app = Flask("waypost")
    app.extensions |= {"settings": written.settings, "engine": written.engine}
    app.cli.add_command(ledger)
    with app.app_context():
        return app.test_cli_runner().invoke(args=["ledger", *args])


def test_a_sound_ledger_is_intact_by_a_key_and_a_checkpoint_of_one_s_own(
    written: Log, tmp_path: Path
) -> None:
    kept = tmp_path / "kept.txt"
    kept.write_text(run(written, "checkpoint").output)
    written.write("a")
    said = run(written, "verify", "--key", str(written.verifier), "--kept", str(kept))
    assert said.exit_code == 0, said.output
    assert said.output.splitlines() == [
        "6 entries in 3 streams; 4 in the log, 2 not yet.",
        "1 checkpoints fit it, and 1 kept elsewhere.",
        "The ledger is intact.",
    ]


def test_a_broken_one_is_named_and_fails(written: Log) -> None:
    with stolen(written.engine) as db:
        forge(db, "b", 1, facts={})
    said = run(written, "verify")
    assert said.exit_code == 1
    assert "BROKEN: entry 1 of stream b" in said.output
    assert "give --key" in said.output


def test_a_kept_checkpoint_shows_what_nothing_inside_shows(written: Log, tmp_path: Path) -> None:
    kept = tmp_path / "kept.txt"
    kept.write_text(run(written, "checkpoint").output)
    with stolen(written.engine) as db:
        remove(db, "a")
        db.execute(delete(ledger_checkpoints))
        grow_again(db)
    assert run(written, "verify").exit_code == 0
    said = run(written, "verify", "--key", str(written.verifier), "--kept", str(kept))
    assert said.exit_code == 1
    assert "BROKEN: a kept checkpoint: it covers 4 entries, and the log has 3" in said.output


def test_a_kept_checkpoint_of_somebody_else_proves_nothing(written: Log, tmp_path: Path) -> None:
    stranger = Signer.read(checkpoint.new_key("other.example"))
    (tmp_path / "kept.txt").write_text(checkpoint.write("other.example", 1, bytes(32), [stranger]))
    said = run(written, "verify", "--kept", str(tmp_path / "kept.txt"))
    assert said.exit_code == 1
    assert "no known key signed this checkpoint" in said.output


def test_a_key_file_is_made_rotated_and_reduced(written: Log, tmp_path: Path) -> None:
    file = tmp_path / "ledger.key"
    first = run(written, "key", "new", str(file)).output.split()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [str(Signer.read(line).verifier) for line in file.read_text().split()] == first
    both = run(written, "key", "rotate", str(file)).output.split()
    assert both[1:] == first
    assert run(written, "key", "retire", str(file)).output.split() == both[:1]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert checkpoint.signers(file.read_text())[0].verifier.name == written.settings.deployment


def test_a_key_is_never_written_over_another(written: Log, tmp_path: Path) -> None:
    file = tmp_path / "ledger.key"
    run(written, "key", "new", str(file))
    before = file.read_text()
    said = run(written, "key", "new", str(file))
    assert said.exit_code == 1
    assert file.read_text() == before


def test_public_keys_are_listed(written: Log) -> None:
    assert run(written, "key", "list").output.split() == [str(written.verifier)]


def test_a_checkpoint_over_another_ledger_s_root_is_noticed(written: Log) -> None:
    """A thief's process that signs with the true key what is not in the log."""
    signer = Signer.read(written.settings.ledger_key)
    with stolen(written.engine) as db:
        row = db.execute(select(ledger_checkpoints)).one()
        db.execute(delete(ledger_checkpoints))
        note = checkpoint.write(written.settings.deployment, row.size, bytes(32), [signer])
        db.execute(insert(ledger_checkpoints), dict(row._mapping) | {"note": note})
    assert "BROKEN: checkpoint 1: the 4 entries of the log are not those" in run(written, "verify").output

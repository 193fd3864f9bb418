"""`flask --app wsgi ledger …`: verifying, and the keys that sign checkpoints."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup

from foundation import database
from foundation.settings import Settings
from ledger import checkpoint, checkpoints
from ledger.audit import audit
from ledger.checkpoint import BadKey, BadNote, Signer, Verifier

ledger = AppGroup("ledger", help="What happened, and its proof.")
key = AppGroup("key", help="The keys that sign checkpoints. Their file is for the clock process alone.")
ledger.add_command(key)

_FILE = click.argument("file", type=click.Path(path_type=Path, dir_okay=False))


def _engine() -> Any:
    return current_app.extensions["engine"]


def _deployment() -> str:
    settings: Settings = current_app.extensions["settings"]
    return settings.deployment


@ledger.command("verify")
@click.option(
    "--key", "keys", multiple=True, help="A public key of the log that you keep apart from the database."
)
@click.option(
    "--kept", "kept", multiple=True, type=click.File(encoding="utf-8"), help="A checkpoint kept elsewhere."
)
def verify(keys: tuple[str, ...], kept: tuple[Any, ...]) -> None:
    """Recompute the whole ledger, every link, the tree and every checkpoint, and name the first broken entry."""
    try:
        with database.steady(_engine()) as session:
            audited = audit(session, [Verifier.read(each) for each in keys], [note.read() for note in kept])
    except (BadKey, BadNote) as fault:
        raise click.ClickException(f"{fault}.") from None
    if not keys:
        click.echo(
            "Signatures are checked by the keys in the database itself; give --key to trust a copy of your own."
        )
    if not audited.intact:
        click.echo(f"BROKEN: {audited.broken}\n{audited.entries} entries before it are sound.")
        sys.exit(1)
    click.echo(
        f"{audited.entries} entries in {audited.streams} streams; {audited.size} in the log, {audited.waiting} not yet."
    )
    click.echo(f"{audited.signed} checkpoints fit it, and {audited.kept} kept elsewhere.")
    click.echo("The ledger is intact.")


@ledger.command("checkpoint")
def show_checkpoint() -> None:
    """Print the newest checkpoint, to be kept elsewhere."""
    with database.reading(_engine()) as session:
        signed = checkpoints.latest(session)
    if signed is None:
        raise click.ClickException(
            "There is no checkpoint yet: the clock signs one a minute, with LEDGER_KEY."
        )
    click.echo(signed.note, nl=False)


@key.command("new")
@_FILE
def new_key(file: Path) -> None:
    """Make the first key in a new FILE and print its public half, to be given to those who check."""
    _write(file, [_made()], os.O_EXCL)
    click.echo(_public(file)[0])


@key.command("rotate")
@_FILE
def rotate_key(file: Path) -> None:
    """Add a new key to FILE. Until the old one is retired each checkpoint carries both signatures."""
    _write(file, [_made(), *_lines(file)])
    click.echo("\n".join(_public(file)))


@key.command("retire")
@_FILE
def retire_keys(file: Path) -> None:
    """Leave only the newest key in FILE. The public halves of the others stay published."""
    _write(file, _lines(file)[:1])
    click.echo("\n".join(_public(file)))


@key.command("list")
def list_keys() -> None:
    """Print the public keys that ever signed a checkpoint here, the newest first."""
    with database.reading(_engine()) as session:
        for verifier in checkpoints.verifiers(session):
            click.echo(str(verifier))


def _made() -> str:
    try:
        return checkpoint.new_key(_deployment())
    except BadKey as fault:
        raise click.ClickException(f"DEPLOYMENT cannot name a key: {fault}.") from None


def _lines(file: Path) -> list[str]:
    try:
        return file.read_text(encoding="utf-8").split()
    except OSError as fault:
        raise click.ClickException(f"{file} cannot be read: {fault.strerror}.") from None


def _public(file: Path) -> list[str]:
    try:
        return [str(Signer.read(line).verifier) for line in _lines(file)]
    except BadKey as fault:
        raise click.ClickException(f"{file}: {fault}.") from None


def _write(file: Path, lines: list[str], flag: int = 0) -> None:
    """Whole or not at all: a clock that starts meanwhile must not find half a key."""
    fresh = file if flag else file.with_name(file.name + ".new")
    try:
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | (flag or os.O_TRUNC), 0o600)
    except OSError as fault:
        raise click.ClickException(f"{file} cannot be written: {fault.strerror}.") from None
    with open(descriptor, "w", encoding="utf-8") as opened:
        opened.write("\n".join(lines) + "\n")
    if fresh != file:
        fresh.replace(file)

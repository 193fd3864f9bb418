"""`flask --app wsgi doctor`: every promise looked at, and what is wrong named. In seconds, however long it ran."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import datetime, timedelta

import click
from flask import current_app
from sqlalchemy import Engine, inspect

from directory import reach, teams
from foundation import database, outbox
from foundation.settings import Settings
from ledger import audit, checkpoints
from notifications import notices
from referrals import attachments, shelf
from referrals import soundness as record
from routing import soundness as custody

# The clock signs a checkpoint a minute.
_UNSIGNED_FOR = timedelta(minutes=10)
_DAY = timedelta(days=1)


@click.command()
@click.option(
    "--whole",
    is_flag=True,
    help="All records, and the ledger from its first entry on; not only what is open or came since the last visit.",
)
def doctor(whole: bool) -> None:
    """Check every promise: one custodian, one due time, a living clock, an intact ledger. Names what is wrong."""
    engine: Engine = current_app.extensions["engine"]
    if not inspect(engine).has_table("referrals"):
        raise click.ClickException("The database is empty. Set it up first: flask --app wsgi setup.")
    found = list(faults(engine, current_app.extensions["settings"], whole=whole))
    for fault in found:
        click.echo(fault)
    if found:
        sys.exit(1)
    click.echo("All promises hold.")


def faults(engine: Engine, settings: Settings, *, whole: bool = False) -> Iterator[str]:
    """A sentence for each thing that is wrong. `whole`: records that ended long ago are looked at too, and the ledger
    not only from where the last visit ended."""
    with database.reading(engine) as session:
        now = database.now(session)
        yield from record.faults(session, now, whole=whole)
        yield from custody.faults(session, now)
        for job, fault in outbox.failing(session):
            yield f"the job {job} fails again and again: {fault}"
        for refusal in notices.provider_faults(session, now - _DAY):
            yield f"notices by {refusal.channel} do not leave: {refusal.code.replace('_', ' ')}"
        unreachable = reach.unreachable(session, by_telephone=False)
        for team in teams.names(session, unreachable).values():
            yield f"{team}: nobody on its ladder can be reached"
    yield from _of_the_ledger(engine, now, whole=whole)
    yield from _of_files(engine, settings, now)


def _of_the_ledger(engine: Engine, now: datetime, *, whole: bool) -> Iterator[str]:
    with database.steady(engine) as session:
        audited = audit.audit(session, since=0 if whole else audit.checked(session))
        waiting = checkpoints.waiting_since(session)
    with database.transaction(engine) as session:
        audit.remember(session, audited, now)
    if audited.broken:
        yield f"ledger: {audited.broken}"
    if waiting and waiting < now - _UNSIGNED_FOR:
        yield (
            f"ledger: no checkpoint covers what happened since {waiting:%Y-%m-%d %H:%M} UTC; the clock signs them, "
            "with LEDGER_KEY"
        )


def _of_files(engine: Engine, settings: Settings, now: datetime) -> Iterator[str]:
    """All sealed files by size, and some read through, others at each visit."""
    with database.reading(engine) as session:
        looked = shelf.look(session, attachments.blobs_of(settings), now)
    with database.transaction(engine) as session:
        shelf.remember(session, looked, now)
    yield from looked.faults

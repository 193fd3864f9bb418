"""`flask --app wsgi mail …`: what a mail server's pipe calls; `flask --app wsgi ready`: does a message arrive?"""

from __future__ import annotations

import sys
import time

import click
from flask import current_app
from flask.cli import AppGroup

from directory.members import Channel
from foundation import clock, database
from notifications import bounces, readiness
from notifications.readiness import NotReady

# Networks report within seconds; what takes longer is worth a look.
_PATIENCE_SECONDS, _LOOK_SECONDS = 120.0, 1.0

mail = AppGroup("mail", help="Mail that comes back.")


@mail.command()
def bounce() -> None:
    """Reads one returned mail from standard input and marks the notice that did not arrive."""
    found = current_app.extensions
    taken = bounces.take(found["engine"], found["settings"], sys.stdin.buffer.read())
    click.echo(f"{taken.value}.")


@click.command()
@click.argument("email")
@click.option(
    "--channel", type=click.Choice([Channel.SMS.value, Channel.EMAIL.value]), default=Channel.SMS.value
)
@click.option("--wait", type=float, default=_PATIENCE_SECONDS, help="Seconds to wait for the report.")
def ready(email: str, channel: str, wait: float) -> None:
    """Send one test message to a member, and wait until the provider reports that it arrived."""
    engine, ends = current_app.extensions["engine"], time.monotonic() + wait
    try:
        with database.transaction(engine) as session:
            notice_id = readiness.begin(session, email, Channel(channel), clock.now())
    except NotReady as fault:
        raise click.ClickException(str(fault)) from None
    while True:
        with database.reading(engine) as session:
            result = readiness.result(session, notice_id)
        if result.over or time.monotonic() > ends:
            break
        time.sleep(_LOOK_SECONDS)
    click.echo(result.words + (f" Code {result.code}." if result.code else ""))
    sys.exit(0 if result.arrived else 1)

"""`flask --app wsgi mail …`: what a mail server's pipe calls."""

from __future__ import annotations

import sys

import click
from flask import current_app
from flask.cli import AppGroup

from notifications import bounces

mail = AppGroup("mail", help="Mail that comes back.")


@mail.command()
def bounce() -> None:
    """Reads one returned mail from standard input and marks the notice that did not arrive."""
    found = current_app.extensions
    taken = bounces.take(found["engine"], found["settings"], sys.stdin.buffer.read())
    click.echo(f"{taken.value}.")

"""Commands for departures: who leaves, and what hangs where nobody is left."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import click
from flask import current_app
from flask.cli import with_appcontext
from sqlalchemy import Row
from sqlalchemy.orm import Session

from directory import members, teams
from foundation import clock, database
from foundation.settings import Settings
from ledger.entries import Actor
from referrals.grants import Keys
from referrals.keyring import NoKeyring, keyring_of
from referrals.moves import NotNow
from routing import departures

_ACTOR = Actor(part="administrator")


def _keys() -> Keys:
    settings: Settings = current_app.extensions["settings"]
    try:
        return Keys(keyring_of(settings), settings.deployment)
    except NoKeyring as fault:
        raise click.ClickException(str(fault)) from None


def _engine() -> Any:
    return current_app.extensions["engine"]


@click.command("member-leaves")
@click.argument("email")
@with_appcontext
def member_leaves(email: str) -> None:
    """Let a member leave: no sign-in, no calls; what only they could do goes on to others."""
    _leave(email, members.by_email, departures.member_leaves, "There is no active member with that address.")


@click.command("team-leaves")
@click.argument("slug")
@with_appcontext
def team_leaves(slug: str) -> None:
    """Let a team leave: what it holds or was asked goes to the next above, and no rule asks it again."""
    _leave(slug, teams.team_by_slug, departures.team_leaves, "There is no such team.")


def _leave(
    typed: str,
    find: Callable[[Session, str], Row[Any] | None],
    leaves: Callable[..., list[str]],
    unknown: str,
) -> None:
    with database.transaction(_engine()) as session:
        row = find(session, typed)
        if row is None:
            raise click.ClickException(unknown)
        try:
            moved = leaves(session, _keys(), row.id, actor=_ACTOR, now=clock.now())
        except NotNow as fault:
            raise click.ClickException(str(fault)) from None
    for reference in moved:
        click.echo(f"{reference} went on to another team.")
    click.echo(f"Done; {len(moved)} moved.")


@click.command("hanging")
@with_appcontext
def hanging() -> None:
    """Name what waits for teams in which nobody is left."""
    with database.reading(_engine()) as session:
        found = departures.hanging(session)
        names = teams.names(session, {entry.team_id for entry in found})
    for entry in found:
        click.echo(f"{entry.reference}: {names[entry.team_id]} {'holds it' if entry.holds else 'is asked'}")
    click.echo("Nothing else hangs." if found else "Nothing hangs.")


COMMANDS = (member_leaves, team_leaves, hanging)

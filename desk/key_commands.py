"""`flask --app wsgi directory api-key …`: keys by which offices' own systems forward."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy import Row

from directory import api_keys, members, teams
from directory.api_keys import NoSeat, Scope
from foundation import clock, database
from ledger.entries import Actor

_ACTOR = Actor(part="administrator")
_SCOPES = click.Choice([scope.value for scope in Scope])
api_key = AppGroup("api-key", help="Keys of the API: each of one office, for some time, in a member's name.")


@api_key.command()
@click.argument("office")
@click.option("--member", required=True, help="Address of the member who answers for what is done with it.")
@click.option("--name", required=True, help="Which system holds it, such as “case system”.")
@click.option(
    "--scope", "scopes", type=_SCOPES, multiple=True, default=("forward", "read"), show_default=True
)
@click.option(
    "--days", type=click.IntRange(1, 730), default=365, show_default=True, help="How long it lives."
)
def add(office: str, member: str, name: str, scopes: tuple[str, ...], days: int) -> None:
    """Make a key of OFFICE (its slug) and print it, once. With scope `permit` it also answers whether a forward may be
    passed on."""
    with database.transaction(current_app.extensions["engine"]) as session:
        team, person = teams.team_by_slug(session, office), members.by_email(session, member)
        if team is None or person is None:
            raise click.ClickException("There is no such office, or no active member of that address.")
        try:
            id, key = api_keys.make(
                session,
                team_id=team.id,
                member_id=person.id,
                name=name[:60],
                scopes={Scope(scope) for scope in scopes},
                lives=timedelta(days=days),
                actor=_ACTOR,
                now=clock.now(),
            )
        except NoSeat as fault:
            raise click.ClickException(f"{fault}.") from None
    click.echo(
        f"Key {id}, good for {', '.join(scopes)}, for {days} days. Nobody is shown it again:\n\n  {key}\n"
    )


@api_key.command("list")
def list_all() -> None:
    """Name all keys, ended ones included, and when each was last used."""
    with database.reading(current_app.extensions["engine"]) as session:
        rows, now = api_keys.all_keys(session), clock.now()
    for row in rows:
        stands = _stands(row, now)
        used = f"last used {row.used_at:%Y-%m-%d %H:%M} UTC" if row.used_at else "never used"
        click.echo(f"{row.id}  {row.office}  {row.email}  {row.name}  {row.scopes}  {stands}, {used}")


@api_key.command()
@click.argument("key_id")
def end(key_id: str) -> None:
    """Take a key out of force at once."""
    with database.transaction(current_app.extensions["engine"]) as session:
        ended = api_keys.end(session, key_id, actor=_ACTOR, now=clock.now())
    if not ended:
        raise click.BadParameter("no key in force has that id", param_hint="KEY_ID")
    click.echo("Nothing more is done with that key.")


def _stands(row: Row[Any], now: datetime) -> str:
    over = row.ended_at or (row.expires_at if row.expires_at <= now else None)
    if over:
        return f"over since {over:%Y-%m-%d}"
    return f"until {row.expires_at:%Y-%m-%d}" if row.is_seated else "over: its member has left the office"

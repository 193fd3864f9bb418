"""`flask --app wsgi directory webhook …`: where an office's own system is told what became of its forwards."""

from __future__ import annotations

import click
from flask import current_app
from sqlalchemy import select

from directory import webhooks
from directory.tables import organisations
from foundation import clock, database
from notifications import webhook as wire
from notifications.webhook import UrlFault


@click.group()
def webhook() -> None:
    """Webhooks of offices: signed, and without content."""


@webhook.command()
@click.argument("organisation")
@click.argument("url")
def add(organisation: str, url: str) -> None:
    """Tell the system at URL what happens to the forwards of ORGANISATION (its slug). Prints the secret."""
    settings = current_app.extensions["settings"]
    try:
        checked = wire.check_url(url, settings)
    except UrlFault as fault:
        raise click.BadParameter(str(fault), param_hint="URL") from fault
    with database.transaction(current_app.extensions["engine"]) as session:
        known = session.execute(
            select(organisations.c.id).where(organisations.c.slug == organisation)
        ).scalar()
        if known is None:
            raise click.BadParameter("no organisation has that slug", param_hint="ORGANISATION")
        id = webhooks.add(session, known, checked, clock.now())
    click.echo(f"Webhook {id}. Its secret, for the receiver alone: {wire.secret(settings, id)}")


@webhook.command("list")
def list_all() -> None:
    """Name all webhooks, ended ones included."""
    with database.reading(current_app.extensions["engine"]) as session:
        rows = webhooks.all_webhooks(session)
        names = {row.id: row.slug for row in session.execute(select(organisations))}
    for row in rows:
        stands = f"ended: {row.ended_because}" if row.ended_at else "in force"
        click.echo(f"{row.id}  {names[row.organisation_id]}  {row.url}  {stands}")


@webhook.command()
@click.argument("webhook_id")
def end(webhook_id: str) -> None:
    """Send nothing more to a webhook."""
    with database.transaction(current_app.extensions["engine"]) as session:
        ended = webhooks.end(session, webhook_id, "ended by an administrator", clock.now())
    if not ended:
        raise click.BadParameter("no webhook in force has that id", param_hint="WEBHOOK_ID")
    click.echo("Nothing more is sent there.")

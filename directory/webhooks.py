"""Webhooks of organisations: where their own systems are told what became of what they forwarded."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any

from sqlalchemy import Row, insert, select, update
from sqlalchemy.orm import Session

from directory.tables import webhooks
from foundation import database
from foundation.identifiers import new_id


def add(session: Session, organisation_id: str, url: str, now: datetime) -> str:
    """A new webhook; returns its id. Who calls has checked the address."""
    id = new_id()
    session.execute(insert(webhooks).values(id=id, organisation_id=organisation_id, url=url, added_at=now))
    return id


def end(session: Session, webhook_id: str, because: str, now: datetime) -> bool:
    """Nothing more is sent there; whether it was in force."""
    alive = update(webhooks).where(webhooks.c.id == webhook_id, webhooks.c.ended_at.is_(None))
    return database.changed(session, alive.values(ended_at=now, ended_because=because)) > 0


def of_organisation(session: Session, organisation_id: str) -> list[Row[Any]]:
    """Those in force, the oldest first."""
    query = select(webhooks).where(
        webhooks.c.organisation_id == organisation_id, webhooks.c.ended_at.is_(None)
    )
    return list(session.execute(query.order_by(webhooks.c.added_at, webhooks.c.id)))


def all_webhooks(session: Session, webhook_ids: Iterable[str] | None = None) -> list[Row[Any]]:
    """All of the deployment, ended ones included, or some by id."""
    query = select(webhooks).order_by(webhooks.c.added_at, webhooks.c.id)
    if webhook_ids is not None:
        query = query.where(webhooks.c.id.in_(list(webhook_ids)))
    return list(session.execute(query))

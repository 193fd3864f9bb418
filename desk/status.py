"""Status: when each part last lived, what waits, what could not be delivered to my teams."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from flask import render_template
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from desk.answers import Page
from directory import permissions
from directory.guards import guard, signed_in
from directory.members import Channel
from foundation import clock, database, outbox, web
from foundation.tables import heartbeats
from notifications import notices as told
from notifications.notices import ProviderFault
from notifications.outcomes import Action
from notifications.states import NoticeState
from notifications.tables import notices

# Each part says that it lives every few seconds; after a minute of silence it does not.
_SILENT_AFTER = timedelta(seconds=60)
_NOT_DELIVERED = {
    NoticeState.FAILED_PERMANENT.value: "could not be delivered",
    NoticeState.UNKNOWN.value: "may or may not have been sent: the provider did not answer",
    NoticeState.FAILED_TRANSIENT.value: "failed for now and are tried again",
}

_PROVIDERS = {Channel.SMS: "SMS provider", Channel.EMAIL: "mail server"}
_REFUSALS = {
    Action.STOP_SENDER: "The {provider} refuses our account: code {code}.",
    Action.CONFIGURATION: "The {provider} refuses how it is set up here: code {code}.",
    Action.SHORTEN: "The {provider} refuses the form of a message of ours: code {code}.",
    Action.ALARM: "The {provider} gave a code that nobody foresaw: code {code}.",
}


@dataclass(frozen=True)
class Part:
    """A long-running part of the service."""

    name: str
    last: datetime | None
    silent: bool


@guard("status.see")
def status_page() -> Page:
    """How the service is, as far as it is this member's."""
    member, now = signed_in().member, clock.now()
    with database.reading(web.engine()) as session:
        return render_template(
            "status.html",
            parts_alive=parts(session, now),
            refusals=refusals(session, now),
            undelivered=_undelivered(session, member.team_ids, now),
            # How much waits in all says something about others' referrals.
            waiting=outbox.waiting(session) if permissions.allowed(member, "routing.explain") else None,
        )


def parts(session: Session, now: datetime) -> list[Part]:
    """Every part that ever said that it lives, the clock first and always."""
    beats = {row.part: row.beat_at for row in session.execute(select(heartbeats).order_by(heartbeats.c.part))}
    return [_part(name, beats.get(name), now) for name in dict.fromkeys(("clock", *beats))]


def refusals(session: Session, now: datetime) -> list[str]:
    """Why providers refused us in the last day, each in a sentence; no number and no name is in it."""
    return [_sentence(fault) for fault in told.provider_faults(session, now - timedelta(days=1))]


def _sentence(fault: ProviderFault) -> str:
    return _REFUSALS[fault.action].format(
        provider=_PROVIDERS[fault.channel], code=fault.code.replace("_", " ")
    )


def _part(name: str, last: datetime | None, now: datetime) -> Part:
    return Part(name, last, last is None or now - last > _SILENT_AFTER)


def _undelivered(session: Session, team_ids: Sequence[str], now: datetime) -> list[tuple[str, int]]:
    """Notices to these teams of the last day that did not arrive, by what became of them."""
    rows = session.execute(
        select(notices.c.state, func.count())
        .where(
            notices.c.team_id.in_(team_ids),
            notices.c.state.in_(_NOT_DELIVERED),
            notices.c.created_at > now - timedelta(days=1),
        )
        .group_by(notices.c.state)
        .order_by(notices.c.state)
    )
    return [(_NOT_DELIVERED[state], count) for state, count in rows]

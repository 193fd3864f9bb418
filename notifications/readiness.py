"""Trying the whole way to one person: a test message leaves by the running workers, and its report is waited for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, select
from sqlalchemy.orm import Session

from directory import members, teams
from directory.members import Channel
from foundation.identifiers import new_id
from notifications import notices
from notifications.notices import Waiting
from notifications.states import NoticeState
from notifications.tables import notices as rows
from notifications.words import Template
from referrals.facts import Urgency

_GOOD_FOR = timedelta(minutes=10)
# Mail has no report of its delivery: taken is all that is ever known.
_ENOUGH = {Channel.SMS: NoticeState.DELIVERED, Channel.EMAIL: NoticeState.ACCEPTED}
_SENTENCES = {
    NoticeState.DUE: "Nothing has sent it. Are the queue processes or the clock running?",
    NoticeState.CALLING: "It is being sent, and the provider has not answered yet.",
    NoticeState.ACCEPTED: "The provider took it, but no report came back. Does DESK_URL lead here from outside?",
    NoticeState.SENT: "It left for the network, which has not said that it arrived.",
    NoticeState.DELIVERED: "It arrived, and its report came back.",
    NoticeState.UNKNOWN: "The provider did not answer clearly; it is asked again.",
    NoticeState.FAILED_TRANSIENT: "It failed for now and is tried again.",
    NoticeState.FAILED_PERMANENT: "It could not be delivered.",
    NoticeState.HELD: "It waits for a digest.",
    NoticeState.EXPIRED: "It ran out before it arrived.",
    NoticeState.SUPERSEDED: "It was withdrawn.",
}


class NotReady(Exception):
    """No test can be sent; the message says why."""


@dataclass(frozen=True)
class Result:
    """How far the test came: in a sentence, with the provider's code if it failed; whether that is far enough."""

    words: str
    code: str | None
    arrived: bool
    over: bool


def begin(session: Session, email: str, channel: Channel, now: datetime) -> str:
    """Owes one test message to that member's verified contact; returns the notice's id. Raises NotReady."""
    person = members.by_email(session, email)
    if person is None:
        raise NotReady("There is no active member with that address.")
    member = members.member(session, person.id)
    team = teams.team(session, member.team_ids[0]) if member.team_ids else teams.root_desk(session)
    waiting = Waiting(new_id(), "", Urgency.ELEVATED, team.id, team.time_zone, now + _GOOD_FOR, mark=None)
    if not notices.write(session, waiting, [member.id], Template.TEST.value, now=now, channels=(channel,)):
        raise NotReady(f"{member.name} has no contact of that kind that was proved and is in use.")
    mine = select(rows.c.id).where(rows.c.subject_id == waiting.subject_id).order_by(rows.c.id)
    return str(session.execute(mine).scalars().first())


def result(session: Session, notice_id: str) -> Result:
    """How far it has come by now."""
    row: Row[Any] = session.execute(select(rows).where(rows.c.id == notice_id)).one()
    state = NoticeState(row.state)
    arrived = state in (NoticeState.DELIVERED, _ENOUGH[Channel(row.channel)])
    words = "The mail server took it." if arrived and state is NoticeState.ACCEPTED else _SENTENCES[state]
    return Result(words, row.fault, arrived, over=arrived or state is NoticeState.FAILED_PERMANENT)

"""Who has handed something over and hears nothing asks: reports of the provider may be lost on the way.

Two minutes after the provider took a message, its state is fetched, and again as long as it is on its way. What is
found is kept and applied as a report is.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, insert, select
from sqlalchemy.orm import Session

from directory.members import Channel
from foundation import clock, database, outbox
from foundation.identifiers import new_id
from notifications.channels import sms_sender
from notifications.states import NoticeState
from notifications.tables import attempts, delivery_reports, notices
from notifications.twilio_wire import ProviderSilent
from referrals.duty import Duty
from referrals.facts import Urgency

LOOK = "notifications.silence.look"
APPLY = "notifications.callbacks.apply_report"
_SILENT_FOR = timedelta(seconds=120)
# A telephone that was off for so long is the escalation's matter.
_GIVEN_UP_AFTER = timedelta(hours=1)
_UNDER_WAY = {NoticeState.ACCEPTED.value, NoticeState.SENT.value}


def look_later(session: Session, notice: Row[Any], attempt_id: str, now: datetime) -> None:
    """Owes a look at what became of that attempt, for the case that no report comes."""
    urgent = notice.urgency != Urgency.ROUTINE.value
    outbox.post(session, LOOK, attempt_id, now=now, urgent=urgent, due_at=now + _SILENT_FOR)


def look(duty: Duty, attempt_id: str) -> datetime | None:
    """Fetches what the provider knows, unless it was reported; comes again while the message is on its way."""
    with database.reading(duty.engine) as session:
        row = session.execute(
            select(
                attempts.c.started_at,
                attempts.c.provider_id,
                attempts.c.outcome,
                notices.c.channel,
                notices.c.state,
                notices.c.urgency,
            )
            .join(notices, notices.c.id == attempts.c.notice_id)
            .where(attempts.c.id == attempt_id)
        ).one()
    now = clock.now()
    silent = row.state in _UNDER_WAY and row.outcome == "accepted" and row.provider_id
    if not silent or row.started_at < now - _GIVEN_UP_AFTER:
        return None
    sender = sms_sender(duty.settings)
    fetch = sender.fetch_call if row.channel == Channel.VOICE.value else sender.fetch
    try:
        report = fetch(row.provider_id)
    except ProviderSilent:
        return now + _SILENT_FOR
    with database.transaction(duty.engine) as session:
        id = new_id()
        values = {"id": id, "attempt_id": attempt_id, "received_at": now, "report": report}
        session.execute(insert(delivery_reports).values(**values))
        outbox.post(session, APPLY, id, now=now, urgent=row.urgency != Urgency.ROUTINE.value)
    return now + _SILENT_FOR

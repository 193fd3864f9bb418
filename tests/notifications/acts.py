"""What tests of delivery do and look at: one notice to Ines, its attempts, the provider's reports, and what is owed."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, delete, select, true, update

from directory.members import Channel
from directory.tables import contacts
from foundation import clock, database
from foundation.settings import Settings
from foundation.tables import outbox
from notifications import callbacks, delivery, reactions
from notifications import notices as written
from notifications.notices import Waiting
from notifications.tables import attempts, delivery_reports, notices
from referrals.duty import Duty
from referrals.facts import Urgency
from tests.builders import Town

HOUR = timedelta(hours=1)


def notice(town: Town, last: str = "0001", *, email: str = "", urgency: Urgency = Urgency.ELEVATED) -> str:
    """A notice to Ines, whose number ends so; returns its id."""
    now = clock.now()
    channel = Channel.EMAIL if email else Channel.SMS
    address = email or f"+1480555{last}"
    waiting = Waiting(
        "a handoff", "R-7K3M-Q2", urgency, town.team["tempe-police"], "America/Phoenix", now + HOUR
    )
    with database.transaction(town.engine) as session:
        mine = contacts.c.member_id == town.member_id("Ines"), contacts.c.channel == channel.value
        session.execute(update(contacts).where(*mine).values(address=address))
        people = [town.member_id("Ines")]
        written.write(session, waiting, people, "offer", now=now, channels=(channel,), with_code=True)
        newest = select(notices.c.id).order_by(notices.c.created_at.desc()).limit(1)
        found: str = session.execute(newest).scalar_one()
    return found


def deliver(town: Town, notice_id: str, settings: Settings | None = None) -> datetime | None:
    return delivery.deliver(Duty(town.engine, settings or town.settings, town.keys), notice_id)


def row(town: Town) -> Row[Any]:
    """The newest notice of a referral."""
    of_referrals = select(notices).where(notices.c.reference != "")
    with database.reading(town.engine) as session:
        return session.execute(of_referrals.order_by(notices.c.created_at.desc()).limit(1)).one()


def row_of(town: Town, id: str) -> Row[Any]:
    """That notice."""
    with database.reading(town.engine) as session:
        return session.execute(select(notices).where(notices.c.id == id)).one()


def tried(town: Town) -> list[tuple[str | None, bool]]:
    """Outcome of each attempt, and whether it has the provider's id, oldest first."""
    with database.reading(town.engine) as session:
        rows = session.execute(select(attempts).order_by(attempts.c.started_at)).all()
    return [(attempt.outcome, attempt.provider_id is not None) for attempt in rows]


def owed(town: Town, job: str = reactions.NEXT_CONTACT) -> int:
    with database.reading(town.engine) as session:
        return len(session.execute(select(outbox.c.id).where(outbox.c.job == job)).all())


def report(
    town: Town,
    status: str,
    code: int | None = None,
    *,
    newest: bool = False,
    call: bool = False,
    sid: str = "",
) -> None:
    """Twilio's report on the first attempt, or the newest, under its own id or another; kept and applied."""
    duty, now = Duty(town.engine, town.settings, town.keys), clock.now()
    with database.transaction(town.engine) as session:
        order = attempts.c.started_at.desc() if newest else attempts.c.started_at
        first = session.execute(select(attempts).order_by(order)).first()
        assert first is not None
        what = "Call" if call else "Message"
        kept = {f"{what}Sid": sid or first.provider_id or "SM1", f"{what}Status": status}
        kept |= {"ErrorCode": str(code)} if code else {}
        id = clock.now().strftime("%H%M%S%f")
        session.execute(
            delivery_reports.insert().values(id=id, attempt_id=first.id, received_at=now, report=kept)
        )
    callbacks.apply_report(duty, id)
    callbacks.apply_report(duty, id)


def forget_owed(town: Town, *jobs: str) -> None:
    """Nothing is owed any more, or none of these jobs."""
    with database.transaction(town.engine) as session:
        session.execute(delete(outbox).where(outbox.c.job.in_(jobs) if jobs else true()))


def due_in(town: Town, job: str) -> float:
    """After how many seconds the one such job is due."""
    with database.reading(town.engine) as session:
        due_at: datetime = session.execute(select(outbox.c.due_at).where(outbox.c.job == job)).scalar_one()
    return (due_at - clock.now()).total_seconds()

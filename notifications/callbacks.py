"""What the provider reports of a message: stored as it came, answered, and applied afterwards.

Reports come early, late, twice and in any order. Each is kept; a report may only raise a notice's rank.
"""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, abort, request
from sqlalchemy import insert, select, update
from sqlalchemy.orm import Session

from directory.guards import guard
from directory.permissions import PUBLIC
from foundation import clock, database, outbox, web
from foundation.identifiers import new_id
from notifications import delivery, sms, twilio_codes
from notifications.outcomes import Action
from notifications.states import REPORTED, NoticeState, lower
from notifications.tables import attempts, delivery_reports, notices
from referrals.duty import Duty

APPLY = "notifications.callbacks.apply_report"
# What of a report is kept: never the number, never a text.
_KEPT = ("MessageSid", "MessageStatus", "ErrorCode")

callbacks = Blueprint("callbacks", __name__)


@callbacks.post("/twilio/status/<attempt_id>")
@guard(PUBLIC)
def receive_report(attempt_id: str) -> tuple[str, int]:
    """Keeps a signed report of that attempt. 2xx only after the commit, so that the provider repeats it otherwise."""
    settings = web.settings()
    signature = request.headers.get("X-Twilio-Signature", "")
    # The address is ours from the settings, never the request's: a Host header proves nothing.
    if not sms.signature_is_valid(settings, sms.status_url(settings, attempt_id), request.form, signature):
        abort(403)
    with database.transaction(web.engine()) as session:
        if not _keep(session, attempt_id, clock.now()):
            abort(404)
    return "", 204


def apply_report(duty: Duty, report_id: str) -> None:
    """Applies a kept report to its notice, once."""
    with database.transaction(duty.engine) as session:
        row = session.execute(
            select(delivery_reports, attempts.c.notice_id)
            .join(attempts, attempts.c.id == delivery_reports.c.attempt_id)
            .where(delivery_reports.c.id == report_id, delivery_reports.c.applied_at.is_(None))
        ).one_or_none()
        if row is None:
            return
        now = clock.now()
        session.execute(
            update(delivery_reports).where(delivery_reports.c.id == report_id).values(applied_at=now)
        )
        _apply(session, row.notice_id, row.attempt_id, row.report, now)


def _keep(session: Session, attempt_id: str, now: datetime) -> bool:
    known = session.execute(
        select(notices.c.urgency)
        .join(attempts, attempts.c.notice_id == notices.c.id)
        .where(attempts.c.id == attempt_id)
    ).one_or_none()
    if known is None:
        return False
    id, report = new_id(), {name: request.form[name] for name in _KEPT if name in request.form}
    session.execute(
        insert(delivery_reports).values(id=id, attempt_id=attempt_id, received_at=now, report=report)
    )
    outbox.post(session, APPLY, id, now=now, urgent=known.urgency != "routine")
    return True


def _apply(session: Session, notice_id: str, attempt_id: str, report: dict[str, str], now: datetime) -> None:
    reported = REPORTED.get(report.get("MessageStatus", ""))
    if reported is None:
        return
    # A report answers the question that a crash or a time-out left open.
    session.execute(
        update(attempts)
        .where(attempts.c.id == attempt_id, attempts.c.provider_id.is_(None))
        .values(provider_id=report.get("MessageSid"), outcome="accepted", settled_at=now)
    )
    code = report.get("ErrorCode") or None
    raised = session.execute(
        update(notices)
        .where(notices.c.id == notice_id, notices.c.state.in_(lower(reported)))
        .values(state=reported.value, fault=code)
    )
    if raised.rowcount and reported is NoticeState.FAILED_PERMANENT:  # type: ignore[attr-defined]
        notice = session.execute(select(notices).where(notices.c.id == notice_id)).one()
        action = twilio_codes.outcome_of(int(code)).action if code else Action.NEXT_CONTACT
        delivery.react(session, notice, action, code, now, failed=True)

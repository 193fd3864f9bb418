"""What the provider reports of a message: stored as it came, answered, and applied afterwards.

Reports come early, late, twice and in any order. Each is kept; a report may only raise a notice's rank.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from flask import Blueprint, abort, request
from sqlalchemy import Row, insert, select, update
from sqlalchemy.orm import Session

from directory.guards import guard
from directory.permissions import PUBLIC
from foundation import clock, database, outbox, web
from foundation.identifiers import new_id
from notifications import attempts as tries
from notifications import sms, twilio_codes
from notifications.notices import DELIVER
from notifications.outcomes import Outcome, OutcomeState
from notifications.reactions import react
from notifications.silence import APPLY
from notifications.states import REPORTED, NoticeState, lower
from notifications.tables import attempts, delivery_reports, notices
from referrals.duty import Duty

# What of a report is kept: never the number, never a text.
_KEPT = ("MessageSid", "MessageStatus", "ErrorCode", "CallSid", "CallStatus")

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
    status = report.get("MessageStatus") or report.get("CallStatus", "")
    reported = REPORTED.get(status)
    if reported is None:
        return
    # A report answers the question that a crash or a time-out left open.
    provider_id = report.get("MessageSid") or report.get("CallSid")
    if provider_id and (other := tries.disown(session, provider_id, attempt_id)) not in (None, notice_id):
        _ask_again(session, str(other), now)
    tries.settle(session, attempt_id, now, outcome=OutcomeState.ACCEPTED.value, provider_id=provider_id)
    if reported is NoticeState.FAILED_PERMANENT:
        _fail(session, notice_id, attempt_id, _outcome(report), now)
    elif reported is NoticeState.DELIVERED or not tries.has_failed(session, attempt_id):
        _raise(session, notice_id, reported, reported, None)


def _ask_again(session: Session, notice_id: str, now: datetime) -> None:
    """What this notice was thought to be was another's: unless reports have said more, it is asked about once more."""
    mistaken = notices.c.id == notice_id, notices.c.state == NoticeState.ACCEPTED.value
    if database.changed(session, update(notices).where(*mistaken).values(state=NoticeState.UNKNOWN.value)):
        urgency = session.execute(select(notices.c.urgency).where(notices.c.id == notice_id)).scalar_one()
        outbox.post(session, DELIVER, notice_id, now=now, urgent=urgency != "routine")


def _outcome(report: dict[str, str]) -> Outcome:
    if "MessageStatus" not in report:
        return twilio_codes.outcome_of_call(report["CallStatus"])
    code = report.get("ErrorCode")
    return twilio_codes.outcome_of_report(report["MessageStatus"], int(code) if code else None)


def _fail(session: Session, notice_id: str, attempt_id: str, outcome: Outcome, now: datetime) -> None:
    """The attempt came to nothing. What may work later is owed again; each failure is reacted to once."""
    outcome = twilio_codes.repeated(outcome, tries.failures(session, notice_id, outcome.code) + 1)
    # A failure without a code has none to show.
    code = str(outcome.code) if outcome.code else None
    if not tries.fail(session, attempt_id, outcome.state, code):
        return
    notice = session.execute(select(notices).where(notices.c.id == notice_id)).one()
    transient = outcome.state is OutcomeState.FAILED_TRANSIENT
    if transient and tries.has_later(session, notice_id, attempt_id):
        # A newer attempt is under way and speaks for the notice.
        return
    state = NoticeState(outcome.state.value)
    if transient and not _is_worth_it(session, notice, now):
        state = NoticeState.FAILED_PERMANENT
    if not _raise(session, notice_id, NoticeState.FAILED_PERMANENT, state, code):
        return
    if state is NoticeState.FAILED_TRANSIENT:
        due_at = now + timedelta(seconds=outcome.retry_after_s or 0)
        outbox.post(session, DELIVER, notice_id, now=now, urgent=notice.urgency != "routine", due_at=due_at)
    react(session, notice, outcome.action, code, now, failed=state is NoticeState.FAILED_PERMANENT)


def _raise(
    session: Session, notice_id: str, rank: NoticeState, state: NoticeState, fault: str | None
) -> bool:
    """Sets the state of a notice that stands below that rank; whether it did."""
    raised = database.changed(
        session,
        update(notices)
        .where(notices.c.id == notice_id, notices.c.state.in_(lower(rank)))
        .values(state=state.value, fault=fault),
    )
    return raised > 0


def _is_worth_it(session: Session, notice: Row[Any], now: datetime) -> bool:
    """Attempts are left, and it is still due: what was answered or ran out is not sent again."""
    return notice.deadline_at > now and tries.are_left(session, notice.id)

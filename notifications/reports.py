"""Telling an originator's own system what happened to its forward, by signed webhook, until it has taken it."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Row, select, update

from directory import webhooks as hooks
from directory.tables import organisations, teams, webhooks
from foundation import clock, database
from notifications import webhook
from notifications.outcomes import Action, OutcomeState
from referrals.duty import Duty
from referrals.tables import referrals, reports

# When to come again after the first, second, … try that failed; a day and a half in all, then it is given up. The
# portal has said it all along.
_PAUSES = tuple(timedelta(minutes=minutes) for minutes in (0.5, 5, 30, 2 * 60, 5 * 60, 10 * 60, 14 * 60))


def send(duty: Duty, report_id: str) -> datetime | None:
    """Sends one report; returns when to come again, or None when nothing is left to do."""
    with database.reading(duty.engine) as session:
        report = session.execute(_whole().where(reports.c.id == report_id)).one()
    if report.taken_at or report.given_up_at or report.ended_at:
        return None
    now = clock.now()
    outcome = webhook.send(
        duty.settings,
        report.url,
        _body(report),
        webhook_id=report.webhook_id,
        message_id=report.id,
        now=now,
    )
    again = None
    values: dict[str, Any] = {"tries": report.tries + 1, "fault": None}
    if outcome.state is OutcomeState.ACCEPTED:
        values["taken_at"] = now
    else:
        values["fault"] = str(outcome.code)
        # A wrong address may be mended meanwhile, so that what is permanent is tried again as well.
        again = _next(report.tries, now)
        if again is None or outcome.action is Action.DISABLE_CONTACT:
            values["given_up_at"], again = now, None
    with database.transaction(duty.engine) as session:
        session.execute(update(reports).where(reports.c.id == report_id).values(values))
        if outcome.action is Action.DISABLE_CONTACT:
            # 410: the receiver says that it is gone for good.
            hooks.end(session, report.webhook_id, "the receiver said 410 Gone", now)
    return again


def failing(session: Any, since: datetime) -> list[Row[Any]]:
    """Webhooks with reports that were not taken lately, with how many and the last fault; for the status page."""
    query = _whole().where(reports.c.taken_at.is_(None), reports.c.fault.is_not(None), reports.c.at >= since)
    return list(session.execute(query.order_by(reports.c.at.desc()).limit(50)))


def _next(tries: int, now: datetime) -> datetime | None:
    return now + _PAUSES[tries] if tries < len(_PAUSES) else None


def _body(report: Row[Any]) -> dict[str, Any]:
    """Standard Webhooks' form: type, timestamp, data. Documented in docs/api.md."""
    holder = {"team": report.team_name, "organisation": report.organisation_name}
    return {
        "type": f"referral.{report.event}",
        "timestamp": report.at.isoformat(),
        "data": {
            "reference": report.reference,
            "case_number": report.originator_case_number,
            "custodian": holder,
            "disposition": report.disposition,
        },
    }


def _whole() -> Any:
    return (
        select(
            reports,
            webhooks.c.url,
            webhooks.c.ended_at,
            referrals.c.reference,
            referrals.c.originator_case_number,
            teams.c.name.label("team_name"),
            organisations.c.name.label("organisation_name"),
        )
        .join(webhooks, webhooks.c.id == reports.c.webhook_id)
        .join(referrals, referrals.c.id == reports.c.referral_id)
        .join(teams, teams.c.id == reports.c.team_id)
        .join(organisations, organisations.c.id == teams.c.organisation_id)
    )

"""What the API tells an office of its forwards: the portal's custody, in JSON. Nobody's words, notes or names."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from flask import url_for
from sqlalchemy import Row
from sqlalchemy.orm import Session

from foundation import web
from intake import custody
from intake.forwards import Forwarded
from intake.permissions import Asked
from referrals.attachments import Kept
from referrals.states import State
from routing.boundaries import Boundaries
from routing.states import OPEN, TAKEN, HandoffState

Told = dict[str, Any]

# In the words of the webhooks. `custodian` and `asked` beside it say whose turn it is.
STATUS = {
    State.FILED: "received",
    State.OFFERED: "routed",
    State.AT_DESK: "routed",
    State.HELD: "acknowledged",
    State.CLOSING: "acknowledged",
    State.CLOSED: "closed",
}


def filed(forwarded: Forwarded, office: str, files: Sequence[Kept]) -> Told:
    """What stands for ever about a forward that was just taken: the receipt to file."""
    return {
        "reference": forwarded.reference,
        "address": address(forwarded.reference),
        "status": STATUS[State.FILED],
        "custodian": {"team": office, "since": moment(forwarded.filed_at)},
        "receipt": {
            "deployment": web.settings().deployment,
            "reference": forwarded.reference,
            "case_number": forwarded.case_number or None,
            "filed_at": moment(forwarded.filed_at),
            "attachments": [{"name": file.name, "bytes": file.size, "sha256": file.sha256} for file in files],
        },
    }


def summary(forwarded: Forwarded, boundaries: Boundaries) -> Told:
    """One line of the list: what it is and who has it now."""
    return {
        "reference": forwarded.reference,
        "address": address(forwarded.reference),
        "case_number": forwarded.case_number or None,
        "urgency": forwarded.urgency.value,
        "handling": forwarded.handling_code,
        "behaviours": list(forwarded.facts.behaviours),
        "place": custody.place(forwarded.facts, boundaries) or None,
        "filed_at": moment(forwarded.filed_at),
        "status": STATUS[forwarded.state],
        "custodian": {"team": forwarded.custodian, "since": moment(forwarded.since)},
        "asked": [row.as_then["to_team"] for row in forwarded.asked],
        "due": _due(forwarded),
        "disposition": forwarded.disposition,
    }


def whole(session: Session, forwarded: Forwarded, boundaries: Boundaries, asked: Sequence[Asked]) -> Told:
    """A forward with the chain of its custody, and what the office is asked about it."""
    return summary(forwarded, boundaries) | {
        "route": custody.route(session, forwarded, boundaries) or None,
        "offers": [_offer(row) for row in forwarded.transfers],
        "custody": [
            {"at": moment(step.at), "sentence": step.sentence} for step in custody.line_by_line(forwarded)
        ],
        "permissions": [permission(each) for each in asked if each.reference == forwarded.reference],
    }


def permission(asked: Asked) -> Told:
    """A question that waits for the office: may it be passed on to that team?"""
    return {
        "id": asked.id,
        "reference": asked.reference,
        "address": _absolute("api.permit", reference=asked.reference, permission=asked.id),
        "case_number": asked.case_number or None,
        "urgency": asked.urgency,
        "asked_by": asked.by,
        "about": asked.about,
        "answer_by": moment(asked.due_at),
    }


def address(reference: str) -> str:
    """Where a forward is looked at."""
    return _absolute("api.see", reference=reference)


def moment(at: datetime) -> str:
    """RFC 3339, in UTC."""
    return at.isoformat().replace("+00:00", "Z")


def _absolute(endpoint: str, **values: Any) -> str:
    # By the settings, not by the request: a proxy or a caller may name the host as it likes.
    return web.settings().public_url + url_for(endpoint, **values)


def _due(forwarded: Forwarded) -> Told | None:
    if forwarded.due_at is None:
        return None
    return {"at": moment(forwarded.due_at), "what": custody.due_words(forwarded)}


def _offer(row: Row[Any]) -> Told:
    state = HandoffState.ACKNOWLEDGED.value if row.state in TAKEN else row.state
    return {
        "to": row.as_then["to_team"],
        "state": state,
        "offered_at": moment(row.offered_at),
        "opened_at": moment(row.opened_at) if row.opened_at else None,
        "answer_by": moment(row.due_at) if row.state in OPEN and row.due_at else None,
        "answered_at": moment(row.answered_at) if row.answered_at else None,
        "reason": row.decline_reason,
    }

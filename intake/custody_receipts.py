"""Custody receipts for the office that forwarded: one file for each offer of custody, proved offline by anybody.

That one was taken is itself an entry of the ledger. No file holds a word of what was told, or anybody's name.
"""

from __future__ import annotations

import hashlib
from typing import Any

from flask import abort, g, make_response
from flask_babel import gettext, lazy_gettext
from sqlalchemy import Row
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from directory import guards
from directory.guards import guard
from foundation import clock, database, web
from intake import forwards
from intake.forwards import Forwarded
from ledger import entries, receipts, verification
from ledger.entries import Actor
from routing.states import DECLINES, Decline

# Kind of entry → what the office reads beside it.
_SENTENCES = {
    "offered": lazy_gettext("Offered to %(team)s."),
    "handoff_offer_opened": lazy_gettext("%(team)s opened the offer."),
    "handoff_escalated": lazy_gettext("%(team)s had not answered, so more people were told."),
    "custody_moved": lazy_gettext("Custody moved to %(team)s."),
    "handoff_acknowledged": lazy_gettext("%(team)s acknowledged and has custody from here on."),
    "handoff_declined": lazy_gettext("%(team)s declined: %(reason)s."),
    "handoff_lapsed": lazy_gettext("%(team)s did not answer in time."),
    "handoff_recalled": lazy_gettext("The offer to %(team)s was taken back."),
}
_OTHER = lazy_gettext("Another step of this offer.")


@guard("portal.receipt")
def receipt(reference: str, handoff: str) -> Response:
    """The receipt of one offer of custody, as a JSON file."""
    member = guards.signed_in().member
    with database.transaction(web.engine()) as session:
        forwarded = forwards.one(session, member.organisation_id, reference)
        row = next((row for row in forwarded.transfers if row.id == handoff), None)
        if row is None:
            # Whom a custodian consults is not for the originator, and has no receipt here.
            abort(404)
        text = _file(session, forwarded, row)
        _record(session, forwarded, row, text)
    response = make_response(text)
    response.mimetype = "application/json"
    response.headers["Content-Disposition"] = f'attachment; filename="{reference}-receipt-{handoff[:8]}.json"'
    return response


def _file(session: Session, forwarded: Forwarded, row: Row[Any]) -> str:
    told = _sentences(session, forwarded.id, row)
    return receipts.as_file(
        session,
        receipts.receipt(session, forwarded.id, told),
        what="custody receipt",
        reference=forwarded.reference,
        deployment=web.settings().deployment,
        by=guards.signed_in().member.name,
        at=clock.now(),
        handoff={
            "id": row.id,
            "kind": row.kind,
            "from_team": row.as_then["from_team"],
            "to_team": row.as_then["to_team"],
            "state": row.state,
        },
    )


def _sentences(session: Session, referral_id: str, row: Row[Any]) -> dict[int, str]:
    """What to read beside each entry about that offer, by its position."""
    about = set(receipts.of_handoff(session, referral_id, row.id))
    reason = gettext(DECLINES[Decline(row.decline_reason)]) if row.decline_reason else ""
    said = {"team": row.as_then["to_team"], "reason": reason}
    return {
        entry["position"]: str(_SENTENCES.get(entry["kind"], _OTHER)) % said
        for entry in verification.entries_of(session, referral_id)
        if entry["position"] in about
    }


def _record(session: Session, forwarded: Forwarded, row: Row[Any], text: str) -> None:
    """That it was taken, and its digest, as at the desk."""
    offices = [office.id for office in g.offices]
    mine = forwarded.facts.originator if forwarded.facts.originator in offices else offices[0]
    entries.append(
        session,
        forwarded.id,
        kind="receipt_exported",
        at=clock.now(),
        actor=Actor(member_id=guards.signed_in().member.id, team_id=mine),
        facts={
            "entries": len(receipts.of_handoff(session, forwarded.id, row.id)),
            "sha256": hashlib.sha256(text.encode()).hexdigest(),
            "handoff": row.id,
        },
    )

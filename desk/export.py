"""Taking the record along: a referral's timeline as a document or a file, and custody receipts of its handoffs.

Each copy that leaves is itself an entry of the ledger. None of them holds a word of what was told.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Any

from flask import abort, g, make_response, render_template
from sqlalchemy import Row
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from desk import acting, files, timeline, words
from desk.answers import Page
from desk.timeline import Moment
from directory import teams
from directory.guards import guard, signed_in
from foundation import clock, database, web
from ledger import checkpoints, entries, receipts, verification
from ledger.entries import Actor
from referrals.states import State
from routing import handoffs
from routing.states import HandoffState


@dataclass(frozen=True)
class Given:
    """A handoff of which a receipt can be taken."""

    id: str
    kind: str
    from_team: str
    to_team: str
    state: str


@guard("referral.export")
def document(reference: str) -> Page:
    """The timeline as a document to print and read aloud, with the proofs at its end."""
    with database.transaction(web.engine()) as session:
        listed = files.fingerprints(session)
        told = timeline.moments(session, g.referral.id)
        page = render_template(
            "timeline_document.html",
            files=listed,
            row=g.referral,
            state=words.STATES[State(g.referral.state)],
            holder=teams.team(session, g.standing.holder).name,
            by=signed_in().member.name,
            deployment=web.settings().deployment,
            moments=told,
            places=timeline.places(session, g.referral.id),
            receipt=_receipt(session, told),
            keys=[str(each) for each in checkpoints.verifiers(session)],
            verdict=verification.verify(session, g.referral.id),
        )
        _record(session, "timeline_exported", acting.as_participant(), told, page, form="page")
    return page


@guard("referral.export")
def file(reference: str) -> Page:
    """The same as a JSON file, each entry with its proof; with the files' fingerprints where what was told is open."""
    with database.transaction(web.engine()) as session:
        listed = files.fingerprints(session)
        told = timeline.moments(session, g.referral.id)
        exported = _file(session, "timeline", told, **({"files": listed} if listed else {}))
        _record(session, "timeline_exported", acting.as_participant(), told, exported, form="json")
    return _download(exported, f"{reference}-timeline.json")


@guard("referral.receipt")
def receipts_page(reference: str) -> Page:
    """The handoffs between whose two sides the member's team was, to take a receipt of each."""
    with database.reading(web.engine()) as session:
        given = [_given(row) for row in handoffs.of_referral(session, g.referral.id) if _is_ours(row)]
    return render_template("receipts.html", row=g.referral, given=given)


@guard("referral.receipt")
def receipt(reference: str, handoff: str) -> Page:
    """The custody receipt of one handoff, as a JSON file."""
    with database.transaction(web.engine()) as session:
        row = _ours(session, handoff)
        positions = receipts.of_handoff(session, g.referral.id, row.id)
        told = [
            moment
            for moment in timeline.moments(session, g.referral.id)
            if set(moment.positions) & set(positions)
        ]
        exported = _file(session, "custody receipt", told, handoff=vars(_given(row)))
        _record(session, "receipt_exported", _for(row), told, exported, handoff=row.id)
    return _download(exported, f"{reference}-receipt-{handoff[:8]}.json")


def _receipt(session: Session, told: list[Moment]) -> dict[str, Any]:
    return receipts.receipt(session, g.referral.id, timeline.sentences(told))


def _file(session: Session, what: str, told: list[Moment], **more: Any) -> str:
    return receipts.as_file(
        session,
        _receipt(session, told),
        what=what,
        reference=g.referral.reference,
        deployment=web.settings().deployment,
        by=signed_in().member.name,
        at=clock.now(),
        **more,
    )


def _record(session: Session, kind: str, actor: Actor, told: list[Moment], copy: str, **facts: str) -> None:
    """That a copy was taken, and its digest: whoever holds it can be told whether it is this one."""
    entries.append(
        session,
        g.referral.id,
        kind=kind,
        at=clock.now(),
        actor=actor,
        facts={
            "entries": sum(len(moment.positions) for moment in told),
            "sha256": hashlib.sha256(copy.encode()).hexdigest(),
            **facts,
        },
    )


def _ours(session: Session, handoff_id: str) -> Row[Any]:
    """A handoff of this referral that one of the member's teams gave or got; any other does not exist."""
    rows = [row for row in handoffs.of_referral(session, g.referral.id) if row.id == handoff_id]
    if not rows or not _is_ours(rows[0]):
        abort(404)
    return rows[0]


def _is_ours(row: Row[Any]) -> bool:
    """Who takes part in the referral keeps every receipt; who was asked or asked only its own."""
    mine = acting.my_teams()
    return bool(mine & {row.from_team_id, row.to_team_id, g.standing.holder, *g.standing.joined})


def _for(row: Row[Any]) -> Actor:
    mine = acting.my_teams()
    sides = (row.from_team_id, row.to_team_id, g.standing.holder, *sorted(g.standing.joined))
    return Actor(member_id=signed_in().member.id, team_id=next(team for team in sides if team in mine))


def _given(row: Row[Any]) -> Given:
    return Given(
        id=row.id,
        kind=row.kind,
        from_team=row.as_then["from_team"],
        to_team=row.as_then["to_team"],
        state=words.HANDOFF_STATES[HandoffState(row.state)],
    )


def _download(text: str, name: str) -> Response:
    response = make_response(text)
    response.mimetype = "application/json"
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return response

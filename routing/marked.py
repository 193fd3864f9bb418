"""Referrals that no person sent: the canary's and drills'. They go the whole way, and no count holds them."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from directory import teams
from foundation import database
from foundation.identifiers import new_id
from foundation.settings import Settings
from ledger.entries import Actor
from referrals import content, filing, moves
from referrals.duty import Duty
from referrals.facts import Facts, Urgency
from referrals.filing import Filed, Filing, Mark, Source
from referrals.moves import NotNow
from referrals.states import Move, State
from routing import ending
from routing.register import AlreadyAnswered, open_offers
from routing.states import KINDS, Basis, Kind, Reason


def file(
    session: Session, settings: Settings, mark: Mark, urgency: Urgency, words: str, now: datetime
) -> Filed:
    """Files it as the public door files a tip: sealed, held by the root desk, owed to routing."""
    sealed = filing.seal(
        content.documents({"what_happened": words}),
        deployment=settings.deployment,
        to=filing.routing_recipient(session),
    )
    record = Filing(
        source=Source.PUBLIC,
        facts=Facts(urgency),
        language="en",
        submission_digest=f"{mark.value} {new_id()}",
        custodian_team_id=teams.root_desk(session).id,
        mark=mark,
    )
    return filing.file_referral(session, record, sealed, now)


def proposal(referral: Row[Any], to_team: str, decision_id: str | None) -> dict[str, Any]:
    """What is offered: all of it, to that team alone, whatever the rules say of a place that it does not have."""
    return {
        "referral_id": referral.id,
        "kind": Kind.TRANSFER,
        "from_team": referral.custodian_team_id,
        "to_team": to_team,
        "reason": Reason.ROUTED,
        "basis": Basis.INTAKE_ROUTING,
        "parts": KINDS[Kind.TRANSFER].parts,
        "decision_id": decision_id,
    }


def close_all(duty: Duty, referral_ids: Sequence[str], *, actor: Actor, now: datetime) -> None:
    """Ends each in a transaction of its own; where somebody acts on one meanwhile, it is ended the next time."""
    for id in referral_ids:
        try:
            with database.transaction(duty.engine) as session:
                close(session, id, actor=actor, now=now)
        except (AlreadyAnswered, NotNow):
            continue


def close(session: Session, referral_id: str, *, actor: Actor, now: datetime) -> None:
    """Ends it wherever it stands, without a second person and without a disposition; a closed one stays as it is."""
    if moves.lock(session, referral_id).state == State.CLOSED.value:
        return
    offers = open_offers(session, referral_id)
    ending.close(session, referral_id, actor=actor, now=now)
    for row in offers[:1]:
        ending.back_to_desk(session, row, actor, "recalled", now)
    if moves.referral(session, referral_id).state in {State.FILED.value, State.OFFERED.value}:
        moves.move(
            session, referral_id, Move.WAIT_AT_DESK, now=now, actor=actor, due_at=now, due_reason="route"
        )
    moves.move(session, referral_id, Move.CLOSE, now=now, actor=actor, due_at=None, due_reason=None)

"""Handoffs: offering, opening, acknowledging, declining, recalling, returning. Custody moves by these acts only.

Each function is called inside a transaction of the edge and writes state, custody, grants, notices and ledger
together. Races are won by compare-and-set: one caller changes the row, the others get `AlreadyAnswered`.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from ledger.entries import Actor
from notifications import notices
from referrals import grants, moves
from referrals.grants import Keys
from referrals.moves import NotNow
from routing import custody, disclosure, recusals, register, telling
from routing.custody import give_back
from routing.ending import close, complete, decline, lapse, recall
from routing.offers import Offer, offer
from routing.register import AlreadyAnswered, answered_sentence, handoff, of_referral, open_offers
from routing.states import KINDS, Act, Kind

__all__ = [
    "AlreadyAnswered",
    "Offer",
    "acknowledge",
    "answered_sentence",
    "close",
    "complete",
    "decline",
    "give_back",
    "handoff",
    "lapse",
    "mark_opened",
    "of_referral",
    "offer",
    "open_offers",
    "recall",
]


def mark_opened(session: Session, handoff_id: str, actor: Actor, now: datetime) -> None:
    """A named person of the team looked. It silences "nobody has seen it" and stops no clock."""
    if register.change(session, handoff_id, Act.LOOK, opened_at=now, opened_by=actor.member_id):
        register.write(session, handoff(session, handoff_id), "offer_opened", actor, now)


def acknowledge(
    session: Session, keys: Keys, handoff_id: str, *, actor: Actor, via: str, now: datetime
) -> Row[Any]:
    """A named member takes it; returns the handoff's row. `via` is `desk` or `sms`.

    For a transfer custody moves, other open transfers are withdrawn and the routing key's grant is dropped; for all
    kinds the agreed parts are granted. Raises AlreadyAnswered, and NotNow for a member who stepped aside.
    """
    found = handoff(session, handoff_id)
    moves.lock(session, found.referral_id)
    _refuse_recused(session, found, actor)
    moves_custody = KINDS[Kind(found.kind)].moves_custody
    if moves_custody:
        # First, since at most one transfer of a referral is acknowledged at any moment; undone if we lose.
        custody.pass_on_the_one_before(session, found, actor, now)
    row = register.answer(session, handoff_id, Act.ACKNOWLEDGE, actor, via, now)
    if moves_custody:
        custody.take_over(session, keys, row, actor, now)
    disclosure.disclose(session, keys, row, reason="acknowledged", made_by=str(actor.member_id), now=now)
    if moves_custody:
        grants.drop_routing(session, row.referral_id)
        custody.begin_overlap(session, row, now)
    register.write(session, row, "acknowledged", actor, now, via=via)
    notices.supersede(session, handoff_id)
    telling.tell_sender(session, row, "acknowledged", now)
    return row


def _refuse_recused(session: Session, row: Row[Any], actor: Actor) -> None:
    if actor.member_id in recusals.members(session, row.referral_id):
        raise NotNow("you stepped aside from this referral")

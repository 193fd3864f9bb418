"""Moving a referral: the one function that changes its state, its custodian and its due time, with the ledger entry."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import Row, select, update
from sqlalchemy.orm import Session

from foundation import database
from ledger import entries
from ledger.entries import Actor
from referrals import reporting
from referrals.states import MOVES, Move, State
from referrals.tables import referrals


class NotNow(Exception):
    """The referral is in a state from which this move does not lead, or somebody else moved it first."""


def referral(session: Session, referral_id: str) -> Row[Any]:
    """The referral's row. Raises NoResultFound."""
    return session.execute(select(referrals).where(referrals.c.id == referral_id)).one()


def lock(session: Session, referral_id: str) -> Row[Any]:
    """The referral's row, which nobody else changes until this transaction ends. Raises NoResultFound.

    Whoever changes a referral or what hangs on it locks it first: locks taken in one order never wait in a ring.
    """
    return session.execute(select(referrals).where(referrals.c.id == referral_id).with_for_update()).one()


def by_reference(session: Session, reference: str) -> Row[Any] | None:
    """The referral of a reference such as `R-7K3M-Q2`, or None."""
    return session.execute(select(referrals).where(referrals.c.reference == reference)).one_or_none()


def move(
    session: Session,
    referral_id: str,
    step: Move,
    *,
    now: datetime,
    actor: Actor,
    due_at: datetime | None,
    due_reason: str | None,
    custodian: str | None = None,
    expected_custodian: str | None = None,
    facts: Mapping[str, Any] | None = None,
    **columns: Any,
) -> State:
    """Makes one move of the table, by compare-and-set, and writes its ledger entry; returns the new state.

    `custodian` gives custody to that team, `expected_custodian` must still hold it. `due_at` is the referral's one
    due time from now on (None only for a closing move). Raises NotNow.
    """
    current = lock(session, referral_id)
    target = MOVES[step].get(State(current.state))
    holder = expected_custodian or current.custodian_team_id
    if target is None:
        raise NotNow(f"a referral that is {current.state} cannot be {step.value}")
    changed = database.changed(
        session,
        update(referrals)
        .where(
            referrals.c.id == referral_id,
            referrals.c.state == current.state,
            referrals.c.custodian_team_id == holder,
        )
        .values(
            state=target.value,
            custodian_team_id=custodian or holder,
            due_at=due_at,
            due_reason=due_reason,
            remind_at=_half_way(current, step, due_at, due_reason, now),
            closed_at=now if target is State.CLOSED else None,
            **columns,
        ),
    )
    if changed != 1:
        raise NotNow("somebody else moved this referral first")
    recorded = {
        "from": current.state,
        "to": target.value,
        "custodian": custodian or holder,
        "due": due_at.isoformat() if due_at else None,
        "due_reason": due_reason,
    }
    entries.append(
        session, referral_id, kind=step.value, at=now, actor=actor, facts=recorded | dict(facts or {})
    )
    if event := reporting.OF_MOVE.get(step):
        reporting.owe(session, referral_id, event, now)
    return target


# Nobody is reminded of these by the referral: an offer has a reminder of its own, and routing needs none.
_NO_REMINDER = frozenset({"answer", "route"})


def _half_way(
    current: Row[Any], step: Move, due_at: datetime | None, due_reason: str | None, now: datetime
) -> datetime | None:
    """When the custodian is reminded of a clock that this move starts; a clock that runs on keeps its time."""
    if due_at is None or due_reason in _NO_REMINDER or step is Move.REMIND:
        return None
    if due_at == current.due_at and due_reason == current.due_reason:
        at: datetime | None = current.remind_at
        return at
    return now + (due_at - now) / 2


def set_due(session: Session, referral_id: str, due_at: datetime) -> None:
    """Follows the due time of an open offer, whose own ledger entry the caller writes."""
    session.execute(update(referrals).where(referrals.c.id == referral_id).values(due_at=due_at))


def reminded(session: Session, referral_id: str) -> None:
    """The custodian was reminded; once is enough until the clock starts anew."""
    session.execute(update(referrals).where(referrals.c.id == referral_id).values(remind_at=None))

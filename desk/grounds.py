"""On which ground something is disclosed, and what the originator's handling code asks for before that."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from flask import g
from sqlalchemy.orm import Session

from desk import reading
from directory import teams
from ledger.entries import Actor
from referrals import casework
from routing import disclosure, handling, permission
from routing.disclosure import NotDisclosable
from routing.handling import Handling
from routing.states import OPEN, Basis, HandoffState, Kind

_SEALED_UNDER = {"need": "need"}


@dataclass(frozen=True)
class Condition:
    """Why it may not go there yet. `asked` is the newest request for permission, in words; `may_ask`: there is an
    office to ask, and it is not being asked already. `stated`: the conditions stand in the words (H3)."""

    code: str
    about: str
    asked: str
    due_at: datetime | None
    may_ask: bool
    stated: bool


def condition(session: Session, kind: Kind, about: str, typed_basis: str | None) -> Condition | None:
    """What the handling code asks for; None where it allows it. Before a ground is chosen, any might be."""
    bases = [Basis(typed_basis)] if typed_basis in set(Basis) else list(Basis)
    if not any(handling.forbids(session, g.referral, kind, about, basis) for basis in bases):
        return None
    if typed_basis not in set(Basis) and g.referral.handling_code == Handling.NOT_AS_EVIDENCE.value:
        return None
    row, office = permission.newest(session, g.referral.id, about), permission.originator(session, g.referral)
    is_open = bool(row) and row is not None and row.state in OPEN
    name = teams.team(session, office).name if office else "The originator"
    return Condition(
        code=g.referral.handling_code,
        about=about,
        asked=_ASKED[HandoffState(row.state)].format(office=name) if row else "",
        due_at=row.due_at if row else None,
        may_ask=office is not None and not is_open,
        stated=g.referral.handling_code == Handling.AS_STATED.value,
    )


_ASKED = {
    HandoffState.OFFERED: "{office} was asked and has not looked yet.",
    HandoffState.OPENED: "{office} was asked and has not answered yet.",
    HandoffState.DECLINED: "{office} was asked and said no.",
    HandoffState.LAPSED: "{office} was asked and did not answer in time.",
    HandoffState.RECALLED: "{office} was asked, and the request was taken back.",
    HandoffState.COMPLETED: "{office} allowed it before.",
}


def check(session: Session, form: Any, found: Condition | None) -> None:
    """Puts a fault at the form's `parts` where one of them needs another ground, and at its `danger` where the
    handling code forbids it and nothing overrides that."""
    if form.basis.data in set(Basis):
        try:
            disclosure.refuse_blocked(session, g.referral.id, form.parts.data or (), Basis(form.basis.data))
        except NotDisclosable as fault:
            form.parts.errors = (f"{fault}.",)
    if found is None or (form.danger.data or "").strip():
        return
    if found.stated and form.conditions_met.data:
        return
    form.danger.errors = ("Ask the originator first, or say why imminent danger leaves no time to ask.",)


def seal(session: Session, kind: str, words: str | None, actor: Actor, now: datetime) -> str | None:
    """Seals the words that a handoff rests on; None where none were typed. Raises CannotOpen."""
    if not (words or "").strip():
        return None
    return casework.record(
        session,
        reading.keys(),
        g.referral.id,
        kind=kind,
        part=_SEALED_UNDER.get(kind, casework.NOTES),
        action=None,
        words=words or "",
        actor=actor,
        now=now,
    )

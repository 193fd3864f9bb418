"""An office's own forwards: who has each now, who is asked, what is due. Codes and times only; nothing is opened."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, and_, or_, select
from sqlalchemy.orm import Session

from directory.members import Member
from directory.tables import teams
from directory.teams import TeamKind
from referrals.facts import Facts, Urgency
from referrals.states import State
from referrals.tables import referrals
from routing.states import OPEN, HandoffState, Kind
from routing.tables import handoffs

PAGE = 20
_TAKEN = {HandoffState.ACKNOWLEDGED.value, HandoffState.PASSED_ON.value, HandoffState.COMPLETED.value}


@dataclass(frozen=True)
class Forwarded:
    """One forward as its office sees it. `transfers` are its handoffs of custody, oldest first."""

    id: str
    reference: str
    case_number: str
    handling_code: str
    urgency: Urgency
    facts: Facts
    state: State
    custodian: str
    custodian_id: str
    filed_at: datetime
    due_at: datetime | None
    due_reason: str | None
    closed_at: datetime | None
    disposition: str | None
    transfers: tuple[Row[Any], ...]

    @property
    def asked(self) -> list[Row[Any]]:
        """The offers of custody that nobody answered yet."""
        return [row for row in self.transfers if row.state in OPEN]

    @property
    def since(self) -> datetime:
        """Since when the custodian has it."""
        taken = [row for row in self.transfers if row.state in _TAKEN and row.to_team_id == self.custodian_id]
        return max((row.answered_at for row in taken), default=self.filed_at)


@dataclass(frozen=True)
class Page:
    """Some forwards, newest first; `next_key` asks for those after them, None at the end."""

    forwards: list[Forwarded]
    next_key: str | None


def page_of(session: Session, organisation_id: str, after: str | None = None, size: int = PAGE) -> Page:
    """The forwards of an organisation, newest first, from behind the one whose reference is `after`.

    A reference that is not one of theirs starts at the beginning.
    """
    query = _of(organisation_id).order_by(referrals.c.filed_at.desc(), referrals.c.id.desc()).limit(size + 1)
    last = _position(session, organisation_id, after) if after else None
    if last is not None:
        same_moment = and_(referrals.c.filed_at == last.filed_at, referrals.c.id < last.id)
        query = query.where(or_(referrals.c.filed_at < last.filed_at, same_moment))
    rows = session.execute(query).all()
    shown = rows[:size]
    return Page(_forwarded(session, shown), shown[-1].reference if len(rows) > size else None)


def one(session: Session, organisation_id: str, reference: str) -> Forwarded:
    """One forward of an organisation. Raises NoResultFound for anybody else's."""
    row = session.execute(_of(organisation_id).where(referrals.c.reference == reference)).one()
    return _forwarded(session, [row])[0]


def is_theirs(session: Session, organisation_id: str, reference: str) -> bool:
    """Whether an organisation forwarded what has that reference, though it may be erased by now."""
    return _position(session, organisation_id, reference) is not None


def offices_of(session: Session, member: Member) -> Sequence[Row[Any]]:
    """The offices for which a member may forward, by name."""
    query = select(teams).where(teams.c.id.in_(member.team_ids), teams.c.kind == TeamKind.OFFICE.value)
    return session.execute(query.order_by(teams.c.name)).all()


def _of(organisation_id: str) -> Any:
    return (
        select(referrals, teams.c.name.label("custodian"))
        .join(teams, teams.c.id == referrals.c.custodian_team_id)
        .where(
            referrals.c.originator_organisation_id == organisation_id,
            # What was erased does not exist any more, for anybody.
            referrals.c.erased_at.is_(None),
        )
    )


def _position(session: Session, organisation_id: str, reference: str) -> Any:
    query = select(referrals.c.filed_at, referrals.c.id).where(
        referrals.c.reference == reference, referrals.c.originator_organisation_id == organisation_id
    )
    return session.execute(query).one_or_none()


def _forwarded(session: Session, rows: Sequence[Row[Any]]) -> list[Forwarded]:
    transfers = _transfers(session, [row.id for row in rows])
    return [
        Forwarded(
            id=row.id,
            reference=row.reference,
            case_number=row.originator_case_number or "",
            handling_code=row.handling_code,
            urgency=Urgency(row.urgency),
            facts=Facts.from_json(row.facts),
            state=State(row.state),
            custodian=row.custodian,
            custodian_id=row.custodian_team_id,
            filed_at=row.filed_at,
            due_at=row.due_at,
            due_reason=row.due_reason,
            closed_at=row.closed_at,
            disposition=row.disposition,
            transfers=tuple(transfers[row.id]),
        )
        for row in rows
    ]


def _transfers(session: Session, referral_ids: Iterable[str]) -> dict[str, list[Row[Any]]]:
    """Offers of custody only: whom a custodian consults is not for the originator."""
    query = select(handoffs).where(
        handoffs.c.referral_id.in_(list(referral_ids)), handoffs.c.kind == Kind.TRANSFER.value
    )
    found: dict[str, list[Row[Any]]] = defaultdict(list)
    for row in session.execute(query.order_by(handoffs.c.offered_at, handoffs.c.id)):
        found[row.referral_id].append(row)
    return found

"""The board: what waits for my teams, most urgent and oldest first, a page at a time."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row, Select, case, func, literal, or_, select, tuple_, union
from sqlalchemy.orm import Session

from desk import lateness, places, words
from directory import teams
from foundation import clock
from foundation.database import UTCDateTime
from notifications.tables import notices
from referrals.facts import Facts, Urgency
from referrals.filing import Mark
from referrals.states import State
from referrals.tables import referrals
from routing import snapshots
from routing.boundaries import Boundaries
from routing.calls import EMERGENCY
from routing.states import OPEN, HandoffState, Kind
from routing.tables import calls, handoffs

PAGE = 25
_AT_WORK = tuple(state.value for state in State if state not in (State.CLOSED, State.OFFERED))
_RANK = case(
    {urgency.value: rank for rank, urgency in enumerate(Urgency)},
    value=referrals.c.urgency,
    else_=len(Urgency),
)
_REFERRAL = [
    referrals.c[name]
    for name in ("reference", "urgency", "facts", "filed_at", "state", "custodian_team_id", "due_reason")
]


@dataclass(frozen=True)
class Line:
    """One referral on the board. `who` is the other side: who asks, who holds it, or who was asked."""

    reference: str
    urgency: Urgency
    place: str
    acts: list[str]
    filed_at: datetime
    due_at: datetime | None
    due_for: str
    who: str
    kind: str | None


@dataclass(frozen=True)
class Page:
    """Some lines of a group, how many there are in all, and the key of the next page (None: these are the last)."""

    lines: list[Line]
    count: int
    more: str | None


def to_answer(session: Session, team_ids: Sequence[str], urgency: Urgency | None, after: str | None) -> Page:
    """Offers to these teams that nobody answered yet."""
    query = _offers(handoffs.c.to_team_id.in_(team_ids))
    return _page(session, query, (handoffs.c.offered_at, handoffs.c.id), urgency, after, _asks)


def drills(session: Session, team_ids: Sequence[str], urgency: Urgency | None, after: str | None) -> Page:
    """Drills in which these teams are asked."""
    query, order = _offers(handoffs.c.to_team_id.in_(team_ids)), (handoffs.c.offered_at, handoffs.c.id)
    return _page(session, query, order, urgency, after, _asks, mark=Mark.DRILL.value)


def ours(session: Session, team_ids: Sequence[str], urgency: Urgency | None, after: str | None) -> Page:
    """What these teams hold and did not offer to others, and what they help with."""
    helps = select(handoffs.c.referral_id).where(
        handoffs.c.to_team_id.in_(team_ids),
        handoffs.c.kind.in_((Kind.CONSULT.value, Kind.SUPPORT.value)),
        handoffs.c.state == HandoffState.ACKNOWLEDGED.value,
    )
    query = select(
        *_REFERRAL,
        referrals.c.due_at,
        referrals.c.custodian_team_id.label("other_team_id"),
        literal(None).label("kind"),
    ).where(referrals.c.state != State.CLOSED.value, referrals.c.id.in_(union(_held_by(team_ids), helps)))
    return _page(session, query, (referrals.c.filed_at, referrals.c.id), urgency, after, _holds)


def waiting(session: Session, team_ids: Sequence[str], urgency: Urgency | None, after: str | None) -> Page:
    """Offers that these teams made, or that were made for them, and that nobody answered yet."""
    query = _offers(handoffs.c.from_team_id.in_(team_ids), other="to_team_id")
    return _page(session, query, (handoffs.c.offered_at, handoffs.c.id), urgency, after, _was_asked)


def late_below(session: Session, team_ids: Sequence[str], urgency: Urgency | None, after: str | None) -> Page:
    """What is late at teams for which one of these is the hub: somebody there has to be called."""
    below, now = lateness.below(session, team_ids), clock.now()
    asked = select(handoffs).where(
        handoffs.c.state.in_(OPEN),
        handoffs.c.kind == Kind.TRANSFER.value,
        handoffs.c.to_team_id.in_(below),
        handoffs.c.from_team_id.not_in(team_ids),
        # The step is taken when its time has passed, and sets the next time.
        or_(handoffs.c.step > 0, handoffs.c.due_at <= now),
    )
    unanswered = (
        asked.where(handoffs.c.referral_id == referrals.c.id)
        .order_by(handoffs.c.offered_at, handoffs.c.id)
        .limit(1)
        .correlate(referrals)
    )
    receiver = unanswered.with_only_columns(handoffs.c.to_team_id).scalar_subquery()
    # While it is offered, what is due is the receiver's answer.
    late = _held_by(below).where(referrals.c.due_at <= now)
    reminded = (
        _held_by(below)
        .join(notices, notices.c.subject_id == referrals.c.id)
        .where(
            notices.c.team_id.in_(team_ids),
            # A reminder is about the due time that it names; when that was met, it is about nothing.
            notices.c.deadline_at == referrals.c.due_at,
            notices.c.deadline_at > now,
        )
    )
    found = union(late, reminded, asked.with_only_columns(handoffs.c.referral_id))
    query = select(
        *_REFERRAL,
        func.coalesce(
            unanswered.with_only_columns(handoffs.c.due_at).scalar_subquery(),
            referrals.c.due_at,
            type_=UTCDateTime,
        ).label("due_at"),
        func.coalesce(receiver, referrals.c.custodian_team_id).label("other_team_id"),
        literal(None).label("kind"),
    ).where(referrals.c.state != State.CLOSED.value, referrals.c.id.in_(found))
    return _page(session, query, (referrals.c.filed_at, referrals.c.id), urgency, after, _call)


def to_call(session: Session, team_ids: Sequence[str], urgency: Urgency | None, after: str | None) -> Page:
    """Telephone calls that these teams must make; nothing but a person's record ends one."""
    query = (
        select(
            *_REFERRAL,
            calls.c.due_at,
            calls.c.team_id.label("other_team_id"),
            literal(None).label("kind"),
            calls.c.whom,
            handoffs.c.as_then,
        )
        .join(calls, calls.c.referral_id == referrals.c.id)
        .join(handoffs, handoffs.c.id == calls.c.handoff_id)
        .where(calls.c.team_id.in_(team_ids), calls.c.done_at.is_(None))
    )
    return _page(session, query, (calls.c.made_at, calls.c.id), urgency, after, _calls)


GROUPS: dict[str, Callable[[Session, Sequence[str], Urgency | None, str | None], Page]] = {
    "call": to_call,
    "answer": to_answer,
    "ours": ours,
    "waiting": waiting,
    "late": late_below,
    "drill": drills,
}


def _held_by(team_ids: Sequence[str]) -> Select[str]:
    """Ids of what these teams hold, open and offered to nobody. Conditions that are joined by *or* would be asked of
    each referral that ever was; so each search is its own, and what they find is put together."""
    return select(referrals.c.id).where(
        referrals.c.custodian_team_id.in_(team_ids), referrals.c.state.in_(_AT_WORK)
    )


def _offers(mine: Any, other: str = "from_team_id") -> Select[Any]:
    return (
        select(
            *_REFERRAL,
            handoffs.c.due_at,
            handoffs.c[other].label("other_team_id"),
            handoffs.c.kind,
            handoffs.c.as_then,
        )
        .join(handoffs, handoffs.c.referral_id == referrals.c.id)
        .where(handoffs.c.state.in_(OPEN), mine)
    )


def _page(
    session: Session,
    query: Select[Any],
    order: tuple[Any, Any],
    urgency: Urgency | None,
    after: str | None,
    who: Callable[[Row[Any], str], str],
    mark: str | None = None,
) -> Page:
    # Drills stand apart, and canaries nowhere, so that the counts are of what is real.
    query = query.where(referrals.c.mark.is_not_distinct_from(mark))
    if urgency is not None:
        query = query.where(referrals.c.urgency == urgency.value)
    count = session.execute(select(func.count()).select_from(query.subquery())).scalar_one()
    keyed = query.add_columns(_RANK.label("rank"), order[0].label("at"), order[1].label("key")).order_by(
        _RANK, *order
    )
    if key := _key(after):
        rank, at, id = key
        keyed = keyed.where(
            tuple_(_RANK, *order) > tuple_(literal(rank), literal(at, UTCDateTime), literal(id))
        )
    rows = session.execute(keyed.limit(PAGE + 1)).all()
    more = _written(rows[PAGE - 1]) if len(rows) > PAGE else None
    return Page(_lines(session, rows[:PAGE], who), count, more)


def _lines(session: Session, rows: Sequence[Row[Any]], who: Callable[[Row[Any], str], str]) -> list[Line]:
    if not rows:
        return []
    names = teams.names(session, {row.other_team_id for row in rows})
    boundaries = snapshots.current(session, clock.now()).boundaries
    return [_line(row, who(row, _other(row, names)), boundaries) for row in rows]


def _other(row: Row[Any], names: dict[str, str]) -> str:
    """The other side's name; of an agency outside the directory, as it was written down."""
    return names[row.other_team_id] if row.other_team_id else str(row.as_then["to_team"])


def _line(row: Row[Any], who: str, boundaries: Boundaries) -> Line:
    facts = Facts.from_json(row.facts)
    return Line(
        reference=row.reference,
        urgency=Urgency(row.urgency),
        place=places.in_words(facts, boundaries),
        acts=words.acts(facts.behaviours),
        filed_at=row.filed_at,
        due_at=row.due_at,
        due_for=words.DUE.get(row.due_reason, ""),
        who=who,
        kind=row.kind,
    )


def _asks(row: Row[Any], name: str) -> str:
    return f"{name} asks you"


def _holds(row: Row[Any], name: str) -> str:
    return f"{name} holds it"


def _was_asked(row: Row[Any], name: str) -> str:
    return f"{name} was asked"


def _calls(row: Row[Any], name: str) -> str:
    whom = "the 911 centre of the place" if row.whom == EMERGENCY else row.as_then["to_team"]
    return f"Call {whom}"


def _call(row: Row[Any], name: str) -> str:
    return f"Call {name}"


def _written(row: Row[Any]) -> str:
    return f"{row.rank}~{row.at.isoformat()}~{row.key}"


def _key(written: str | None) -> tuple[int, datetime, str] | None:
    """The key of the last line that was shown; None for none and for one that somebody made up."""
    try:
        rank, at, id = (written or "").split("~")
        moment = datetime.fromisoformat(at)
        return (int(rank), moment, id) if moment.tzinfo else None
    except ValueError:
        return None

"""The attempts of a notice: written before each call, settled after it, and asked about when nobody knows."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Row, bindparam, exists, func, insert, select, update
from sqlalchemy.orm import Session

from directory.tables import contacts
from foundation import database
from foundation.identifiers import new_id
from notifications.outcomes import OutcomeState
from notifications.tables import attempts, notices

# The attempt asked the provider about the one before it and sent nothing.
ASKED = "asked"
# A notice that the provider puts off is not tried for ever: escalation has long moved on.
_MOST = 8
_FAILED = tuple(
    state.value for state in OutcomeState if state not in (OutcomeState.ACCEPTED, OutcomeState.UNKNOWN)
)

# What every notice asks is made once, since making a statement costs as much as sending it.
_BEGIN = insert(attempts)
_SETTLE = (
    update(attempts)
    .where(attempts.c.id == bindparam("attempt_id"), attempts.c.provider_id.is_(None))
    .values(
        settled_at=bindparam("at"),
        outcome=bindparam("became"),
        provider_id=bindparam("known_as"),
        code=bindparam("fault"),
    )
)
_earlier = attempts.alias("earlier")
_LATER = select(
    exists().where(
        attempts.c.notice_id == bindparam("notice_id"),
        attempts.c.started_at
        > select(_earlier.c.started_at).where(_earlier.c.id == bindparam("attempt_id")).scalar_subquery(),
        attempts.c.outcome.is_distinct_from(ASKED),
    )
)


def begin(session: Session, notice_id: str, words: str, now: datetime) -> str:
    """Writes down that this notice is about to be sent in that version of the words; returns the attempt's id."""
    id = new_id()
    session.execute(_BEGIN, {"id": id, "notice_id": notice_id, "started_at": now, "words": words})
    return id


def settle(
    session: Session,
    attempt_id: str,
    now: datetime,
    *,
    outcome: str,
    provider_id: str | None = None,
    code: str | None = None,
) -> bool:
    """Whether it was news: a report that came first has settled the attempt already, and knows more."""
    became = {"attempt_id": attempt_id, "at": now, "became": outcome, "known_as": provider_id, "fault": code}
    return database.changed(session, _SETTLE, became) > 0


def disown(session: Session, provider_id: str, attempt_id: str) -> str | None:
    """The provider says that this id is that attempt's. Another that took it for its own, when it asked about an
    unknown outcome, is unknown again; returns whose notice that was, if there was one."""
    guessed = attempts.c.provider_id == provider_id, attempts.c.id != attempt_id
    other = session.execute(select(attempts.c.id, attempts.c.notice_id).where(*guessed)).one_or_none()
    if other is None:
        return None
    unknown = {"provider_id": None, "outcome": OutcomeState.UNKNOWN.value}
    session.execute(update(attempts).where(attempts.c.id == other.id).values(unknown))
    return str(other.notice_id)


def fail(session: Session, attempt_id: str, state: OutcomeState, code: str | None) -> bool:
    """The provider says of an attempt that it took that it came to nothing; whether that was news."""
    not_yet = attempts.c.id == attempt_id, func.coalesce(attempts.c.outcome, "").not_in(_FAILED)
    failed = update(attempts).where(*not_yet).values(outcome=state.value, code=code)
    return database.changed(session, failed) > 0


def has_failed(session: Session, attempt_id: str) -> bool:
    """Whether it is known to have come to nothing; a late "sent" says nothing against it."""
    query = select(attempts.c.id).where(attempts.c.id == attempt_id, attempts.c.outcome.in_(_FAILED))
    return session.execute(query).first() is not None


def unclear(session: Session, notice_id: str) -> list[Row[Any]]:
    """The attempts of which nobody knows what became, oldest first; none once the last one is clear."""
    sent = attempts.c.outcome.is_distinct_from(ASKED)
    rows = session.execute(
        select(attempts).where(attempts.c.notice_id == notice_id, sent).order_by(attempts.c.started_at)
    ).all()
    return _unclear_at_the_end(rows)


def _unclear_at_the_end(rows: Sequence[Row[Any]]) -> list[Row[Any]]:
    found: list[Row[Any]] = []
    for row in rows:
        found = [*found, row] if row.outcome in (None, OutcomeState.UNKNOWN.value) else []
    return found


def claimed(session: Session, address: str) -> frozenset[str]:
    """The provider's ids of the messages to that address that belong to an attempt."""
    query = (
        select(attempts.c.provider_id)
        .join(notices, notices.c.id == attempts.c.notice_id)
        .join(contacts, contacts.c.id == notices.c.contact_id)
        .where(contacts.c.address == address, attempts.c.provider_id.is_not(None))
    )
    return frozenset(session.execute(query).scalars())


def failures(session: Session, notice_id: str, code: int | str | None) -> int:
    """How many attempts of that notice have failed with that code."""
    if code is None:
        return 0
    query = select(func.count()).where(attempts.c.notice_id == notice_id, attempts.c.code == str(code))
    return int(session.execute(query).scalar_one())


def has_later(session: Session, notice_id: str, attempt_id: str) -> bool:
    """Whether a newer attempt to send that notice was begun."""
    asked = {"notice_id": notice_id, "attempt_id": attempt_id}
    return bool(session.execute(_LATER, asked).scalar_one())


def are_left(session: Session, notice_id: str) -> bool:
    """Whether the notice may be tried once more."""
    tries = select(func.count()).where(attempts.c.notice_id == notice_id)
    return int(session.execute(tries).scalar_one()) < _MOST


def was_settled(session: Session, notice_id: str, since: datetime, until: datetime) -> bool:
    """Whether an attempt of that notice came to an end from `since` on and before `until`."""
    within = attempts.c.settled_at >= since, attempts.c.settled_at < until
    query = select(exists().where(attempts.c.notice_id == notice_id, *within))
    return bool(session.execute(query).scalar_one())

"""The states of a notice, ranked: what the provider says may only raise a notice, never lower it."""

from __future__ import annotations

from enum import StrEnum


class NoticeState(StrEnum):
    """Where a notice stands. "Delivered" is not read, and read is not acknowledged."""

    DUE = "due"
    # Routine, and its reader had enough for now or sleeps: a digest will tell of it.
    HELD = "held"
    CALLING = "calling"
    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    UNKNOWN = "unknown"
    FAILED_TRANSIENT = "failed_transient"
    FAILED_PERMANENT = "failed_permanent"
    # It ran out before it arrived; a later notice of the same matter speaks instead.
    EXPIRED = "expired"
    SUPERSEDED = "superseded"


# Nothing left for the provider yet, or nobody knows whether it did.
OPEN_NOTICES = (
    NoticeState.DUE.value,
    NoticeState.HELD.value,
    NoticeState.FAILED_TRANSIENT.value,
    NoticeState.UNKNOWN.value,
)

RANK: dict[NoticeState, int] = {
    NoticeState.DUE: 0,
    NoticeState.HELD: 0,
    NoticeState.FAILED_TRANSIENT: 0,
    NoticeState.CALLING: 1,
    NoticeState.UNKNOWN: 2,
    NoticeState.ACCEPTED: 3,
    NoticeState.SENT: 4,
    NoticeState.FAILED_PERMANENT: 5,
    NoticeState.EXPIRED: 5,
    NoticeState.DELIVERED: 6,
    NoticeState.SUPERSEDED: 7,
}

# Twilio's MessageStatus or CallStatus → ours; statuses that say nothing new are absent.
REPORTED: dict[str, NoticeState] = {
    "sent": NoticeState.SENT,
    "delivered": NoticeState.DELIVERED,
    "read": NoticeState.DELIVERED,
    "undelivered": NoticeState.FAILED_PERMANENT,
    "failed": NoticeState.FAILED_PERMANENT,
    # Of calls: somebody, or a machine, picked up; it came to its end; nobody did.
    "in-progress": NoticeState.SENT,
    "completed": NoticeState.DELIVERED,
    "busy": NoticeState.FAILED_PERMANENT,
    "no-answer": NoticeState.FAILED_PERMANENT,
    "canceled": NoticeState.FAILED_PERMANENT,
}


def lower(than: NoticeState) -> tuple[str, ...]:
    """The states that a report of `than` may replace."""
    return tuple(state.value for state, rank in RANK.items() if rank < RANK[than])

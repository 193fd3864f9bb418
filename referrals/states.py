"""The states of a referral and the moves between them, as tables."""

from __future__ import annotations

from enum import StrEnum


class State(StrEnum):
    """Where a referral stands."""

    FILED = "filed"
    OFFERED = "offered"
    AT_DESK = "at_desk"
    HELD = "held"
    CLOSING = "closing"
    CLOSED = "closed"


class Move(StrEnum):
    """What can happen to a referral; also the kind of its ledger entry."""

    OFFER = "offered"
    # For help, advice or attention: who holds it, and what is due, stays as it is.
    ASK = "asked"
    WAIT_AT_DESK = "waits_at_desk"
    ACKNOWLEDGE = "custody_moved"
    # Back to who had it before, or up to the desk above: nobody has to acknowledge what must not be ownerless.
    RETURN = "custody_returned"
    REMIND = "due_again"
    WORK = "worked_on"
    PROPOSE_CLOSING = "closing_proposed"
    REFUSE_CLOSING = "closing_refused"
    WITHDRAW_CLOSING = "closing_withdrawn"
    CLOSE = "closed"


_OPEN = (State.FILED, State.OFFERED, State.AT_DESK, State.HELD, State.CLOSING)

# Move → from which state to which. A pair that is not here cannot happen.
MOVES: dict[Move, dict[State, State]] = {
    # An offer made by a team that holds it changes nothing about who holds it.
    Move.OFFER: {
        State.FILED: State.OFFERED,
        State.AT_DESK: State.OFFERED,
        State.OFFERED: State.OFFERED,
        State.HELD: State.HELD,
    },
    Move.ASK: {state: state for state in (State.FILED, State.OFFERED, State.AT_DESK, State.HELD)},
    Move.WAIT_AT_DESK: {
        State.FILED: State.AT_DESK,
        State.OFFERED: State.AT_DESK,
        State.AT_DESK: State.AT_DESK,
    },
    Move.ACKNOWLEDGE: {
        State.FILED: State.HELD,
        State.OFFERED: State.HELD,
        State.AT_DESK: State.HELD,
        State.HELD: State.HELD,
    },
    Move.RETURN: {
        State.AT_DESK: State.AT_DESK,
        State.OFFERED: State.AT_DESK,
        State.HELD: State.AT_DESK,
        State.CLOSING: State.AT_DESK,
    },
    Move.REMIND: {state: state for state in _OPEN},
    Move.WORK: {State.AT_DESK: State.AT_DESK, State.OFFERED: State.OFFERED, State.HELD: State.HELD},
    Move.PROPOSE_CLOSING: {State.HELD: State.CLOSING, State.AT_DESK: State.CLOSING},
    Move.REFUSE_CLOSING: {State.CLOSING: State.HELD},
    Move.WITHDRAW_CLOSING: {State.CLOSING: State.HELD},
    Move.CLOSE: {State.HELD: State.CLOSED, State.AT_DESK: State.CLOSED, State.CLOSING: State.CLOSED},
}

# What the reporter reads. Never a person's or a team's name.
REPORTER_STATUS: dict[State, str] = {
    State.FILED: "received",
    State.OFFERED: "being passed to a team",
    State.AT_DESK: "being passed to a team",
    State.HELD: "a team has it",
    State.CLOSING: "a team has it",
    State.CLOSED: "closed",
}

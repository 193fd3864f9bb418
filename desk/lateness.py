"""Who is late below a hub: whom to call, since when, and for what."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from directory import teams
from directory.teams import TeamKind
from ledger import verification
from referrals.facts import Urgency
from referrals.states import Move, State
from routing import handoffs, timetable
from routing.states import Kind

# What is due → what to ask of the team that holds it, to end "Call Tempe Police; ask them …".
_ASK_HOLDER: dict[str, str] = {
    "first_action": "to take a first action",
    "work": "to take the next action",
    "location_needed": "what they learned of the place",
    "confirm_location": "which place is meant",
    "outside": "how it went at the agency outside",
    "approve_closing": "to find a second member for the closing",
}
_ASK_ANY_HOLDER = "to choose a team"
_ASK_RECEIVER = "to acknowledge"
# Entries after which another thing is due: what was late before them is not what is late now.
_NEW_DUE = frozenset(
    {
        "filed",
        Move.OFFER.value,
        Move.WAIT_AT_DESK.value,
        Move.ACKNOWLEDGE.value,
        Move.RETURN.value,
        Move.WORK.value,
        Move.PROPOSE_CLOSING.value,
        Move.REFUSE_CLOSING.value,
        Move.WITHDRAW_CLOSING.value,
    }
)


@dataclass(frozen=True)
class Call:
    """The team to call for a referral. `late_since` is None while it is still in time, until `due_at`."""

    team: str
    telephone: str | None
    ask: str
    late_since: datetime | None
    due_at: datetime

    @property
    def words(self) -> str:
        """The one next action."""
        return f"Call {self.team}; ask them {self.ask}" if self.late_since else f"Wait for {self.team}"


def call(session: Session, row: Row[Any], hub_ids: Collection[str], now: datetime) -> Call:
    """Whom the people of these hubs call: the team that was asked to take it (one below them first), else who holds
    it. While nobody took it, what is due is never the custodian's."""
    asked = handoffs.open_offers(session, row.id, Kind.TRANSFER)
    ours = [offer for offer in asked if teams.hub_above(session, offer.to_team_id).id in hub_ids]
    offers = ours or (asked if row.state == State.OFFERED.value else [])
    if offers:
        offer = min(offers, key=lambda one: (one.offered_at, one.id))
        return _call_receiver(session, offer, now)
    holder = teams.team(session, row.custodian_team_id)
    ask = _ASK_HOLDER.get(row.due_reason, _ASK_ANY_HOLDER)
    return Call(holder.name, holder.telephone, ask, _late_since(session, row, now), row.due_at)


def below(session: Session, team_ids: Collection[str]) -> list[str]:
    """Ids of the teams for which one of these is the nearest hub: `directory.teams.hub_above`, read backwards."""
    every = {team.id: team for team in teams.all_teams(session)}
    re_routing = {TeamKind.HUB.value, TeamKind.ROOT.value}
    mine = {id for id in team_ids if id in every and every[id].kind in re_routing}
    if not mine:
        return []
    root: str = next(id for id, team in every.items() if team.kind == TeamKind.ROOT.value)

    def hub(id: str) -> str:
        seen, above = {id}, every[id].parent_id
        while above and above not in seen:
            if every[above].kind in re_routing:
                return str(above)
            seen.add(above)
            above = every[above].parent_id
        return root

    return [id for id in every if id not in team_ids and hub(id) in mine]


def _call_receiver(session: Session, offer: Row[Any], now: datetime) -> Call:
    team, urgency = teams.team(session, offer.to_team_id), Urgency(offer.urgency)
    clocks = timetable.of(session, offer.to_team_id)
    first_due = clocks.step_due(offer.offered_at, Kind(offer.kind), urgency, 1)
    late_since = first_due if first_due <= now else None
    return Call(team.name, team.telephone, _ASK_RECEIVER, late_since, offer.due_at)


def _late_since(session: Session, row: Row[Any], now: datetime) -> datetime | None:
    """The due time that was missed first. Each reminder sets a new one, and its entry says what was missed."""
    since: datetime | None = row.due_at if row.due_at <= now else None
    for entry in reversed(verification.entries_of(session, row.id)):
        if entry["kind"] == Move.REMIND.value:
            since = datetime.fromisoformat(entry["facts"]["late_since"])
        elif entry["kind"] in _NEW_DUE:
            break
    return since

"""Who is called for each of my teams, in which order, and whether they can be reached."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass

from flask import render_template
from sqlalchemy.orm import Session

from desk.answers import Page
from directory import members, teams
from directory.guards import guard, signed_in
from foundation import database, web

_CHANNELS = {"sms": "text message", "email": "e-mail"}


@dataclass(frozen=True)
class OnLadder:
    """One step of a ladder. `reached_by` is empty where no verified contact is left."""

    name: str
    discipline: str
    supervisor: bool
    reached_by: list[str]


@dataclass(frozen=True)
class Called:
    """A team with its ladder, in the order in which its people are called."""

    name: str
    above: str | None
    ladder: list[OnLadder]

    @property
    def reachable(self) -> bool:
        """Whether anybody can be reached at all."""
        return any(step.reached_by for step in self.ladder)


@guard("directory.see")
def teams_page() -> Page:
    """The ladders of the member's own teams."""
    with database.reading(web.engine()) as session:
        called = [_called(session, team_id) for team_id in signed_in().member.team_ids]
    return render_template("teams.html", teams=called)


def _called(session: Session, team_id: str) -> Called:
    team, ladder = teams.team(session, team_id), members.ladder(session, team_id)
    reached: dict[str, list[str]] = defaultdict(list)
    for contact in members.reachable_contacts(session, ladder):
        reached[contact.member_id].append(_CHANNELS[contact.channel])
    seats = {row.id: row for row in members.roster(session) if row.team_id == team_id}
    above = teams.ancestors(session, team_id)
    return Called(
        name=team.name,
        above=above[0].name if above else None,
        ladder=[
            OnLadder(seats[id].name, seats[id].discipline, bool(seats[id].supervisor), reached[id])
            for id in ladder
            if id in seats
        ],
    )

"""On call: who of my teams is called now and next, whether they can be reached, and when nobody has the duty."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import islice

from flask import render_template
from sqlalchemy.orm import Session

from desk.answers import Page
from directory import members, schedules, teams
from directory.guards import guard, signed_in
from directory.on_call import Turn
from foundation import clock, database, web

_CHANNELS = {
    "sms": "text message",
    "email": "e-mail",
    "webhook": "their own system",
    "voice": "telephone call",
}
# Four turns are a month of weeks; nobody plans an evening by more.
_TURNS = 4


@dataclass(frozen=True)
class OnLadder:
    """One step of a ladder. `reached_by` is empty where no verified contact is left."""

    name: str
    discipline: str
    supervisor: bool
    reached_by: list[str]
    on_duty: bool


@dataclass(frozen=True)
class ComingTurn:
    """A turn of the duty, with names; nobody's where the fallback is called."""

    begins: datetime
    ends: datetime
    names: list[str]


@dataclass(frozen=True)
class Called:
    """A team with its ladder, in the order in which its people are called now, and what comes next."""

    slug: str
    name: str
    above: str | None
    ladder: list[OnLadder]
    turns: list[ComingTurn]
    holes: list[str]
    may_change: bool

    @property
    def reachable(self) -> bool:
        """Whether anybody can be reached at all."""
        return any(step.reached_by for step in self.ladder)


@guard("directory.see")
def teams_page() -> Page:
    """The ladders of the member's own teams."""
    now = clock.now()
    with database.reading(web.engine()) as session:
        called = [_called(session, team_id, now) for team_id in signed_in().member.team_ids]
    return render_template("teams.html", teams=called)


def may_change(team_id: str) -> bool:
    """Whether the signed-in member plans for that team: its supervisors and the administrators do."""
    member = signed_in().member
    return member.administrator or team_id in member.supervised


def _called(session: Session, team_id: str, now: datetime) -> Called:
    team, ladder = teams.team(session, team_id), schedules.ladder(session, team_id, now)
    plan = schedules.plan(session, team_id, now).schedule
    reached: dict[str, list[str]] = defaultdict(list)
    for contact in members.reachable_contacts(session, ladder):
        reached[contact.member_id].append(_CHANNELS[contact.channel])
    seats = {row.id: row for row in members.roster(session) if row.team_id == team_id}
    above, on_duty = teams.ancestors(session, team_id), set(plan.on_duty(now))
    turns = plan.turns(now, now + timedelta(days=60)) if plan.rotations else ()
    holes = schedules.holes(session, team_id, now)
    return Called(
        slug=team.slug,
        name=team.name,
        above=above[0].name if above else None,
        ladder=[
            OnLadder(
                seats[id].name, seats[id].discipline, bool(seats[id].supervisor), reached[id], id in on_duty
            )
            for id in ladder
            if id in seats
        ],
        turns=[_named(session, turn) for turn in islice(turns, _TURNS)],
        holes=[schedules.hole_in_words(session, hole, plan.zone) for hole in holes[:_TURNS]]
        if plan.rotations
        else [],
        may_change=may_change(team_id),
    )


def _named(session: Session, turn: Turn) -> ComingTurn:
    known = members.names(session, turn.members)
    return ComingTurn(turn.begins, turn.ends, [known[id] for id in turn.members])

"""In whose name a member acts on the referral of this request: as which of their teams."""

from __future__ import annotations

from collections.abc import Iterable

from flask import abort, g

from directory import guards
from ledger.entries import Actor


def as_holder() -> Actor:
    """The member in the team that has custody; behind a guard that asks for it."""
    return _first((g.standing.holder,))


def as_participant() -> Actor:
    """The member in the team that has custody, else in one that acknowledged a handoff."""
    return _first((g.standing.holder, *sorted(g.standing.joined)))


def as_second_person() -> Actor:
    """The member in the team in whose name they answer a closing: holding, joined, or the hub above."""
    return _first((g.standing.holder, *sorted(g.standing.joined), *sorted(g.standing.above)))


def as_party() -> Actor:
    """The member in the team that is nearest to the referral: holding, joined, asked, informed, asking, above."""
    return _first(
        (
            g.standing.holder,
            *sorted(g.standing.joined),
            *sorted(g.standing.asked),
            *sorted(g.standing.informed),
            *sorted(g.standing.asking),
            *sorted(g.standing.above),
        )
    )


def as_once() -> Actor:
    """The member in a team that was asked, or asked somebody, at any time."""
    return _first(sorted(g.standing.once | g.standing.above | g.standing.joined))


def as_member() -> Actor:
    """The member in the first of their teams, where it is about no referral."""
    member = guards.signed_in().member
    return Actor(member_id=member.id, team_id=next(iter(member.team_ids), None))


def my_teams() -> frozenset[str]:
    """Ids of the signed-in member's teams."""
    return frozenset(guards.signed_in().member.team_ids)


def _first(teams: Iterable[str | None]) -> Actor:
    mine = my_teams()
    team = next((id for id in teams if id in mine), None)
    if team is None:
        abort(404)
    return Actor(member_id=guards.signed_in().member.id, team_id=team)

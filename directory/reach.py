"""Teams that nobody could tell now, each with the reason."""

from __future__ import annotations

from enum import StrEnum
from typing import Any

from sqlalchemy import Row, and_, case, func, select
from sqlalchemy.orm import Session

from directory import tables as of
from directory.members import Channel


class Silence(StrEnum):
    """Why nobody of a team can be reached: a closed list, from the farthest to the nearest."""

    NO_CONTACT = "no_contact"
    UNVERIFIED = "unverified"
    OPTED_OUT = "opted_out"
    DISABLED = "disabled"
    NO_TELEPHONE = "no_telephone"


def unreachable(session: Session, *, by_telephone: bool) -> dict[str, str]:
    """Why, by team id, of every team that nobody could tell now. `by_telephone`: what cannot wait for a mail.

    At every hour the whole ladder is called: first who has the duty, then everybody else. So a team is out of reach
    only where nobody on its ladder has a contact that serves.
    """
    return {row.team_id: why for row in session.execute(_counted()) if (why := _why(row, by_telephone))}


def _counted() -> Any:
    """One row a team: how many contacts on its ladder there are, and how many of them pass each test."""
    has = of.contacts.c
    verified = has.verified_at.is_not(None)
    in_use = and_(verified, has.opted_out_at.is_(None))
    usable = and_(in_use, has.disabled_at.is_(None))
    tests = {
        "known": has.id.is_not(None),
        "verified": verified,
        "in_use": in_use,
        "usable": usable,
        "by_telephone": and_(usable, has.channel != Channel.EMAIL.value),
    }
    people = and_(of.members.c.id == of.ladder_steps.c.member_id, of.members.c.active)
    return (
        select(
            of.teams.c.id.label("team_id"),
            *(func.sum(case((test, 1), else_=0)).label(name) for name, test in tests.items()),
        )
        .select_from(of.teams)
        .outerjoin(of.ladder_steps, of.ladder_steps.c.team_id == of.teams.c.id)
        .outerjoin(of.members, people)
        .outerjoin(of.contacts, has.member_id == of.members.c.id)
        .group_by(of.teams.c.id)
    )


def _why(row: Row[Any], by_telephone: bool) -> str:
    tests = [
        (row.known, Silence.NO_CONTACT),
        (row.verified, Silence.UNVERIFIED),
        (row.in_use, Silence.OPTED_OUT),
        (row.usable, Silence.DISABLED),
        (row.by_telephone or not by_telephone, Silence.NO_TELEPHONE),
    ]
    return next((why.value for passed, why in tests if not passed), "")

"""Members: the named people who answer, with their teams, contacts and ladders."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, delete, func, insert, select, update
from sqlalchemy.orm import Session

from directory.tables import contacts, ladder_steps, members, memberships, organisations, teams
from directory.teams import TeamKind
from foundation import database
from foundation.identifiers import new_id


class Channel(StrEnum):
    """How a contact is reached."""

    SMS = "sms"
    EMAIL = "email"
    # An agency's own system, which calls its people by its own means.
    WEBHOOK = "webhook"
    # A telephone that rings: a text's number where texts are not enough, or one that takes none.
    VOICE = "voice"
    # Answers canaries by itself.
    ROBOT = "robot"


@dataclass(frozen=True)
class Member:
    """Who is signed in: the person, the office, the teams they sit in."""

    id: str
    name: str
    email: str
    language: str
    organisation_id: str
    administrator: bool
    team_ids: tuple[str, ...]
    # Kinds of those teams: an office's member may forward, a hub's member may re-route.
    team_kinds: frozenset[TeamKind]
    # Ids of the teams among them for which the member plans the turns.
    supervised: frozenset[str] = frozenset()


def member(session: Session, member_id: str) -> Member:
    """The member with their teams. Raises NoResultFound."""
    person = session.execute(select(members).where(members.c.id == member_id)).one()
    seats = session.execute(
        select(memberships.c.team_id, memberships.c.supervisor, teams.c.kind)
        .join(teams, teams.c.id == memberships.c.team_id)
        .where(memberships.c.member_id == member_id)
        .order_by(teams.c.name)
    ).all()
    return Member(
        id=person.id,
        name=person.name,
        email=person.email,
        language=person.language,
        organisation_id=person.organisation_id,
        administrator=person.administrator,
        team_ids=tuple(seat.team_id for seat in seats),
        team_kinds=frozenset(TeamKind(seat.kind) for seat in seats),
        supervised=frozenset(seat.team_id for seat in seats if seat.supervisor),
    )


def by_email(session: Session, email: str) -> Row[Any] | None:
    """The active member's row of that address, in any case, or None."""
    query = select(members).where(members.c.email == email.strip().lower(), members.c.active)
    return session.execute(query).one_or_none()


def add_member(
    session: Session,
    *,
    organisation_id: str,
    email: str,
    name: str,
    password_hash: str,
    totp_secret: str,
    language: str = "en",
    administrator: bool = False,
) -> str:
    """A new member; returns the id. Password and secret come from `directory.sign_in`."""
    id = new_id()
    session.execute(
        insert(members).values(
            id=id,
            organisation_id=organisation_id,
            email=email.strip().lower(),
            name=name,
            language=language,
            password_hash=password_hash,
            totp_secret=totp_secret,
            administrator=administrator,
        )
    )
    return id


def join_team(
    session: Session, member_id: str, team_id: str, *, discipline: str, supervisor: bool = False
) -> None:
    """Gives a member a seat in a team and the last step of its ladder."""
    session.execute(
        insert(memberships).values(
            member_id=member_id, team_id=team_id, discipline=discipline, supervisor=supervisor
        )
    )
    steps = select(func.count()).where(ladder_steps.c.team_id == team_id)
    last = session.execute(steps).scalar_one()
    session.execute(insert(ladder_steps).values(team_id=team_id, step=last, member_id=member_id))


def ladder(session: Session, team_id: str) -> list[str]:
    """Member ids of a team in the order in which they are called."""
    rows = session.execute(
        select(ladder_steps.c.member_id)
        .join(members, members.c.id == ladder_steps.c.member_id)
        .where(ladder_steps.c.team_id == team_id, members.c.active)
        .order_by(ladder_steps.c.step)
    )
    return list(rows.scalars())


def leave(session: Session, member_id: str) -> None:
    """The member can neither sign in nor be called any more; what they did stays under their name."""
    session.execute(update(members).where(members.c.id == member_id).values(active=False))


def empty_ladder(session: Session, team_id: str) -> None:
    """Nobody of the team is called any more, so that it is out of reach for every rule."""
    session.execute(delete(ladder_steps).where(ladder_steps.c.team_id == team_id))


def supervisors(session: Session, team_id: str) -> list[str]:
    """Member ids of a team's supervisors."""
    rows = session.execute(
        select(memberships.c.member_id).where(memberships.c.team_id == team_id, memberships.c.supervisor)
    )
    return list(rows.scalars())


def administrators(session: Session) -> list[str]:
    """Member ids of the administrators who are here."""
    rows = session.execute(
        select(members.c.id).where(members.c.administrator, members.c.active).order_by(members.c.email)
    )
    return list(rows.scalars())


def add_contact(
    session: Session, member_id: str, channel: Channel, address: str, *, verified_at: datetime | None = None
) -> str:
    """A way to reach a member: an E.164 number or a mail address; returns its id."""
    id = new_id()
    session.execute(
        insert(contacts).values(
            id=id, member_id=member_id, channel=channel.value, address=address, verified_at=verified_at
        )
    )
    return id


def _usable() -> tuple[Any, ...]:
    return (
        contacts.c.verified_at.is_not(None),
        contacts.c.opted_out_at.is_(None),
        contacts.c.disabled_at.is_(None),
    )


def reachable_contacts(session: Session, member_ids: Sequence[str]) -> list[Row[Any]]:
    """Verified contacts of these members that are neither opted out nor disabled, SMS before e-mail."""
    query = (
        select(contacts, members.c.language, members.c.quiet_from, members.c.quiet_until)
        .join(members, members.c.id == contacts.c.member_id)
        .where(contacts.c.member_id.in_(member_ids), members.c.active, *_usable())
        .order_by(contacts.c.channel.desc(), contacts.c.id)
    )
    return list(session.execute(query))


def contacts_at(session: Session, channel: Channel, address: str) -> list[Row[Any]]:
    """Contacts of active members with that address, verified or not, each with its member's language."""
    query = (
        select(contacts, members.c.language)
        .join(members, members.c.id == contacts.c.member_id)
        .where(contacts.c.channel == channel.value, contacts.c.address == address, members.c.active)
    )
    return list(session.execute(query))


def disable_contact(session: Session, contact_id: str, *, reason: str, now: datetime) -> bool:
    """No more notices to that contact until somebody mends it; False where that was so already."""
    in_use = contacts.c.id == contact_id, contacts.c.disabled_at.is_(None)
    ended = update(contacts).where(*in_use).values(disabled_at=now, disabled_reason=reason)
    return database.changed(session, ended) > 0


def opt_out(session: Session, address: str, now: datetime | None) -> None:
    """STOP (a time) or START (None) from a telephone number."""
    session.execute(
        update(contacts)
        .where(contacts.c.channel == Channel.SMS.value, contacts.c.address == address)
        .values(opted_out_at=now)
    )


def roster(session: Session) -> list[Row[Any]]:
    """Every active member with office and team, for the administrator."""
    query = (
        select(
            members.c.id,
            members.c.name,
            members.c.email,
            organisations.c.name.label("organisation"),
            teams.c.name.label("team"),
            teams.c.id.label("team_id"),
            memberships.c.discipline,
            memberships.c.supervisor,
        )
        .join(organisations, organisations.c.id == members.c.organisation_id)
        .outerjoin(memberships, memberships.c.member_id == members.c.id)
        .outerjoin(teams, teams.c.id == memberships.c.team_id)
        .where(members.c.active, teams.c.kind.is_distinct_from(TeamKind.ROBOT.value))
        .order_by(organisations.c.name, teams.c.name, members.c.name)
    )
    return list(session.execute(query))


def quiet_hours(session: Session, member_id: str) -> tuple[str | None, str | None]:
    """From when to when what is routine waits, as `21:00` on the team's clock; two None: never."""
    row = session.execute(
        select(members.c.quiet_from, members.c.quiet_until).where(members.c.id == member_id)
    ).one()
    return row.quiet_from, row.quiet_until


def set_quiet_hours(session: Session, member_id: str, begins: str | None, ends: str | None) -> None:
    """Sets both, or with None neither."""
    session.execute(
        update(members).where(members.c.id == member_id).values(quiet_from=begins, quiet_until=ends)
    )


def set_calendar(session: Session, member_id: str, digest: str) -> None:
    """Puts the address of a member's calendar in force, by the digest of its secret part."""
    session.execute(update(members).where(members.c.id == member_id).values(calendar_digest=digest))


def by_calendar(session: Session, digest: str) -> str | None:
    """The id of the active member with that calendar, or None."""
    query = select(members.c.id).where(members.c.calendar_digest == digest, members.c.active)
    return session.execute(query).scalar_one_or_none()


def names(session: Session, member_ids: Sequence[str]) -> dict[str, str]:
    """The names of some members by id."""
    wanted = {id for id in member_ids if id}
    return {
        id: name
        for id, name in session.execute(select(members.c.id, members.c.name).where(members.c.id.in_(wanted)))
    }

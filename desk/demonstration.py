"""The demonstration directory: invented people and numbers around real places. Refuses to load where anybody is real.

The story is Tempe's: an FBI office tells the state's programme, which tells the city police, who bring in the
school's officer and a support team. Around it stand a state that has a hub only and states with nothing.
"""

from __future__ import annotations

import base64
import hashlib
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import select
from sqlalchemy.orm import Session

from directory import members, sign_in, teams
from directory.members import Channel
from directory.tables import organisations
from directory.teams import TeamKind
from foundation.identifiers import new_id
from foundation.settings import Settings
from referrals import attachments, filing
from referrals.content import documents
from referrals.facts import Evidence, Facts, PlaceKind, Relation, Urgency
from referrals.filing import Filing, Source
from referrals.founding import NewTeam, found_team
from referrals.keyring import Keyring
from routing import demonstration as coverage
from routing import snapshots

# One well-known password for everybody; that is why this may never load beside real people.
PASSWORD = "waypost demonstration"


_EXAMPLE = "Someone in our group chat wrote that Friday will be different. I made a picture of it before it was gone."


class NotHere(Exception):
    """A real Twilio account, a real mail server or a public address is configured."""


@dataclass(frozen=True)
class _Team:
    slug: str
    name: str
    kind: TeamKind
    parent: str | None
    organisation_kind: str
    time_zone: str = "America/Phoenix"
    state: str | None = "04"
    telephone: str | None = None


@dataclass(frozen=True)
class _Person:
    name: str
    team: str
    discipline: str
    number: str
    supervisor: bool = False
    administrator: bool = False

    @property
    def email(self) -> str:
        return f"{self.name.split()[0].lower()}@{self.team}.example"


_TEAMS = (
    _Team("root-desk", "National desk", TeamKind.ROOT, None, "programme", "America/New_York", None),
    _Team("az-stamp", "AZ-STAMP", TeamKind.HUB, "root-desk", "programme"),
    _Team("maricopa-county", "Maricopa County team", TeamKind.LOCAL, "az-stamp", "county"),
    _Team("pima-county", "Pima County team", TeamKind.LOCAL, "az-stamp", "county"),
    _Team("tempe-police", "Tempe Police", TeamKind.LOCAL, "az-stamp", "police", telephone="+1 480 555 0139"),
    _Team("mesa-police", "Mesa Police", TeamKind.LOCAL, "az-stamp", "police"),
    _Team("saguaro-bend-school", "Saguaro Bend High School team", TeamKind.LOCAL, "tempe-police", "school"),
    _Team("lincoln-high-mesa", "Lincoln High School team, Mesa", TeamKind.LOCAL, "mesa-police", "school"),
    _Team("lincoln-high-tucson", "Lincoln High School team, Tucson", TeamKind.LOCAL, "pima-county", "school"),
    _Team("tempe-care-7", "CARE 7", TeamKind.SUPPORT, "tempe-police", "support"),
    _Team("nv-hub", "Nevada hub", TeamKind.HUB, "root-desk", "programme", "America/Los_Angeles", "32"),
    _Team("utah-hub", "Utah hub", TeamKind.HUB, "root-desk", "programme", "America/Denver", "49"),
    _Team("fbi-phoenix", "FBI Phoenix", TeamKind.OFFICE, "root-desk", "federal"),
    _Team("dhs-nter", "DHS NTER", TeamKind.OFFICE, "root-desk", "federal", "America/New_York", None),
)

# Numbers of the range 555-0100 to 0199 belong to nobody.
_PEOPLE = (
    _Person("Rita Moss", "root-desk", "duty officer", "+12025550110", supervisor=True, administrator=True),
    _Person("Rob Lind", "root-desk", "duty officer", "+12025550111"),
    _Person("Ada Ruiz", "az-stamp", "duty officer", "+16025550120", supervisor=True),
    _Person("Amir Cole", "az-stamp", "duty officer", "+16025550121"),
    _Person("Ines Vega", "tempe-police", "detective", "+14805550130"),
    _Person("Tomas Reed", "tempe-police", "detective", "+14805550131", supervisor=True),
    _Person("Olu Bako", "mesa-police", "detective", "+14805550140", supervisor=True),
    _Person("Mara Quinn", "maricopa-county", "deputy", "+14805550150", supervisor=True),
    _Person("Petra Noss", "pima-county", "deputy", "+15205550160", supervisor=True),
    _Person("Sol Ibarra", "saguaro-bend-school", "school resource officer", "+14805550170", supervisor=True),
    _Person("Leah Stone", "lincoln-high-mesa", "school psychologist", "+14805550180", supervisor=True),
    _Person("Lars Holm", "lincoln-high-tucson", "school psychologist", "+15205550181", supervisor=True),
    _Person("Cora Dean", "tempe-care-7", "counsellor", "+14805550190", supervisor=True),
    _Person("Neva Park", "nv-hub", "duty officer", "+17755550100", supervisor=True),
    _Person("Uma Hale", "utah-hub", "duty officer", "+18015550102", supervisor=True),
    _Person("Frank Ames", "fbi-phoenix", "special agent", "+16025550103", supervisor=True),
    _Person("Nadia Orr", "dhs-nter", "analyst", "+12025550104", supervisor=True),
)


@dataclass(frozen=True)
class Persona:
    """A member of the demonstration as the start screen shows it."""

    name: str
    email: str
    team: str
    number: str
    totp_secret: str


def cast() -> list[Persona]:
    """Everybody, with the secret from which their six-digit codes follow."""
    named = {team.slug: team.name for team in _TEAMS}
    return [
        Persona(person.name, person.email, named[person.team], person.number, _secret(person.email))
        for person in _PEOPLE
    ]


def is_loaded(session: Session) -> bool:
    """Whether the directory has anybody in it."""
    return session.execute(select(organisations.c.id).limit(1)).first() is not None


def load(
    session: Session, ring: Keyring, settings: Settings, now: datetime, password_hash: str | None = None
) -> dict[str, str]:
    """Fills an empty directory and publishes its coverage; returns team ids by slug. Raises NotHere.

    `password_hash` spares tests the slow hash of the well-known password.
    """
    if settings.is_live:
        raise NotHere(
            "Demonstration data has well-known passwords. It does not load where a real Twilio account, a real "
            "mail server or a public address is configured."
        )
    team_ids: dict[str, str] = {}
    for team in _TEAMS:
        new = NewTeam(
            slug=team.slug,
            name=team.name,
            kind=team.kind,
            parent_id=team_ids[team.parent] if team.parent else None,
            time_zone=team.time_zone,
            state=team.state,
            telephone=team.telephone,
            organisation_kind=team.organisation_kind,
        )
        team_ids[team.slug] = found_team(session, ring, settings.sealing_suite, new, now)
    hashed = password_hash or sign_in.hash_password(PASSWORD)
    for person in _PEOPLE:
        _add_person(session, person, team_ids[person.team], hashed, now)
    snapshots.publish(
        session,
        areas=coverage.areas(),
        rules=coverage.rules(team_ids),
        source="demonstration",
        now=now,
    )
    return team_ids


def file_example(session: Session, settings: Settings, now: datetime) -> str:
    """Files one invented tip about Tempe, with a screenshot, as the public door does; returns its reference."""
    to = filing.routing_recipient(session)
    screenshot = attachments.receive(
        attachments.blobs_of(settings),
        "group chat.png",
        [(Path(__file__).parent / "demonstration-chat.png").read_bytes()],
        deployment=settings.deployment,
        most=settings.attachment_max_bytes,
        now=now,
    )
    told = documents({"what_happened": _EXAMPLE, "how_known": "I am in the group."})
    sealed = filing.seal(told, deployment=settings.deployment, to=to, files=[screenshot])
    facts = Facts(
        Urgency.ELEVATED,
        ("threat_communicated", "leakage"),
        evidence=(Evidence(PlaceKind.PLACE, Relation.TARGET, ("place:0473000",)),),
    )
    record = Filing(
        Source.PUBLIC, facts, "en", submission_digest=new_id() + new_id(), custodian_team_id=to.team_id
    )
    return filing.file_referral(session, record, sealed, now).reference


def _add_person(session: Session, person: _Person, team_id: str, hashed: str, now: datetime) -> None:
    member_id = members.add_member(
        session,
        organisation_id=teams.team(session, team_id).organisation_id,
        email=person.email,
        name=person.name,
        password_hash=hashed,
        totp_secret=_secret(person.email),
        administrator=person.administrator,
    )
    members.join_team(session, member_id, team_id, discipline=person.discipline, supervisor=person.supervisor)
    members.add_contact(session, member_id, Channel.SMS, person.number, verified_at=now)
    members.add_contact(session, member_id, Channel.EMAIL, person.email, verified_at=now)


def _secret(email: str) -> str:
    """The same secret at each start, so that an authenticator app that learned it keeps working."""
    return base64.b32encode(hashlib.sha256(email.encode()).digest()[:20]).decode()

"""Builders with good defaults, and the fixed cast: Rosa reports; Ines and Tomas sit in Tempe's team; Olu in Mesa's;
Ada runs Arizona's hub; Frank forwards for FBI Phoenix; Rita sits at the national desk."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache
from typing import Any

import pyotp
from sqlalchemy import Engine, select

from desk import demonstration
from desk.demonstration import PASSWORD
from directory import sign_in
from directory.tables import members, teams
from foundation import clock, database
from foundation.settings import Settings
from ledger.entries import Actor
from referrals import attachments, content, filing
from referrals.attachments import Kept
from referrals.facts import Evidence, Facts, PlaceKind, Relation, Urgency
from referrals.filing import Filed, Filing, Source
from referrals.grants import Keys
from referrals.keyring import HeldKeys
from referrals.receipts import receipt_for, submission_digest
from tests import keeping

WORDS = "He said he will bring a knife to school on Friday."


@cache
def _hash() -> str:
    return sign_in.hash_password(PASSWORD)


@dataclass
class Town:
    """A migrated database with the demonstration directory, its keys, and short ways to what tests need."""

    engine: Engine
    settings: Settings
    ring: HeldKeys = field(default_factory=HeldKeys)
    team: dict[str, str] = field(default_factory=dict)

    @property
    def keys(self) -> Keys:
        """The unlocked keys of the whole deployment."""
        return Keys(self.ring, self.settings.deployment)

    def member_id(self, first_name: str) -> str:
        """The id of a member of the cast by first name, in any case."""
        with database.reading(self.engine) as session:
            query = select(members.c.id).where(members.c.email.like(f"{first_name.lower()}@%"))
            found: str = session.execute(query).scalar_one()
        return found

    def actor(self, first_name: str) -> Actor:
        """The member as an actor, in their own team."""
        with database.reading(self.engine) as session:
            row = session.execute(
                select(members.c.id, teams.c.id.label("team_id"))
                .join(teams, teams.c.organisation_id == members.c.organisation_id)
                .where(members.c.email.like(f"{first_name.lower()}@%"))
            ).one()
        return Actor(member_id=row.id, team_id=row.team_id)


# What the next test only copies, with its keys and teams: by database, deployment and suite.
_LOADED: dict[tuple[str, str, str], tuple[keeping.Copy, HeldKeys, dict[str, str]]] = {}


def found(engine: Engine, settings: Settings) -> Town:
    """Loads the demonstration directory into an empty migrated database."""
    # One database of PostgreSQL keeps its rows beside it; all of SQLite share them.
    where = "sqlite" if engine.dialect.name == "sqlite" else str(engine.url)
    kind = (where, settings.deployment, settings.sealing_suite)
    if kind in _LOADED and not settings.is_live:
        copy, ring, team = _LOADED[kind]
        copy(engine)
        return Town(engine, settings, ring.copy(), dict(team))
    town = Town(engine, settings)
    with database.transaction(engine) as session:
        town.team = demonstration.load(session, town.ring, settings, clock.now(), password_hash=_hash())
    _LOADED[kind] = (keeping.keep(engine), town.ring.copy(), dict(town.team))
    return town


def file_tip(
    town: Town,
    *,
    words: str = WORDS,
    urgency: Urgency = Urgency.ELEVATED,
    evidence: tuple[Evidence, ...] = (Evidence(PlaceKind.PLACE, Relation.TARGET, ("place:0473000",)),),
    form_key: str = "a form's own key, 128 bits and more",
    files: Sequence[tuple[str, bytes]] = (),
    **told: str,
) -> Filed:
    """Files a tip by Rosa as the public door does, past the form; `files` are names and bytes."""
    facts = Facts(urgency, ("threat_communicated",), evidence=evidence)
    with database.reading(town.engine) as session:
        recipient = filing.routing_recipient(session)
    sealed = filing.seal(
        content.documents({"what_happened": words, **told}),
        deployment=town.settings.deployment,
        to=recipient,
        files=[receive(town, name, sent) for name, sent in files],
    )
    receipt = receipt_for(form_key, town.settings.secret_key)
    record = Filing(
        source=Source.PUBLIC,
        facts=facts,
        language="en",
        submission_digest=submission_digest(form_key, town.settings.secret_key),
        custodian_team_id=recipient.team_id,
        receipt_lookup=receipt.lookup(town.settings.secret_key),
        reporter_public_key=receipt.public_key(),
    )
    with database.transaction(town.engine) as session:
        return filing.file_referral(session, record, sealed, clock.now())


def receive(town: Town, name: str, sent: bytes) -> Kept:
    """A file, sealed and stored as a door does it."""
    return attachments.receive(
        attachments.blobs_of(town.settings),
        name,
        [sent],
        deployment=town.settings.deployment,
        most=town.settings.attachment_max_bytes,
        now=clock.now(),
    )


def sign_in_at(client: Any, first_name: str) -> None:
    """Signs a member of the cast in at a Flask test client, through the sign-in page."""
    persona = next(person for person in demonstration.cast() if person.name.split()[0] == first_name)
    page = client.get("/sign-in").get_data(as_text=True)
    answer = client.post(
        "/sign-in",
        data={
            "email": persona.email,
            "password": PASSWORD,
            "code": fresh_code(persona.totp_secret),
            "csrf_token": csrf_token(page),
        },
    )
    assert answer.status_code == 302, answer.get_data(as_text=True)


def csrf_token(page: str) -> str:
    """The form token of a page."""
    marker = 'name="csrf_token"'
    tag = page[page.rindex("<", 0, page.index(marker)) : page.index(">", page.index(marker))]
    return tag.split('value="')[1].split('"')[0]


def fresh_code(secret: str) -> str:
    """The current six digits."""
    return pyotp.TOTP(secret).at(clock.now())


def later(**amount: float) -> Any:
    """A context in which so much more time has passed: `with later(minutes=16): …`."""
    return clock.moved(timedelta(**amount))

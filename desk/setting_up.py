"""Making a deployment out of nothing: keyring, root desk, first administrator; then members."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, Row
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

from desk import demonstration
from directory import members, sign_in, teams
from directory.members import Channel
from directory.teams import TeamKind
from foundation import database
from foundation.settings import Settings
from ledger import entries
from ledger.entries import DEPLOYMENT, Actor
from referrals.founding import NewTeam, found_team
from referrals.keyring import FileKeyring
from routing import snapshots

ROOT = "root-desk"


class AlreadySetUp(Exception):
    """The directory has people in it; setting up again would make a second root."""


@dataclass(frozen=True)
class Founding:
    """What `setup` asks for."""

    name: str
    time_zone: str
    admin_name: str
    admin_email: str
    admin_number: str
    admin_password: str


@dataclass(frozen=True)
class NewMember:
    """A person with their contacts; `number` in E.164."""

    name: str
    email: str
    number: str | None
    password: str
    discipline: str
    supervisor: bool
    language: str = "en"
    administrator: bool = False


@dataclass(frozen=True)
class Credentials:
    """What is shown to a new member once and stored nowhere else in this form."""

    totp_secret: str
    totp_address: str
    recovery_codes: list[str]
    recovery: str = ""


def set_up(engine: Engine, settings: Settings, founding: Founding, now: datetime) -> Credentials:
    """Migrates, makes the keyring, the root desk, the first administrator and an empty set of rules.

    Raises AlreadySetUp, FileExistsError (a keyring is there), WeakPassword.
    """
    database.migrate(engine)
    with database.reading(engine) as session:
        if demonstration.is_loaded(session):
            raise AlreadySetUp("This deployment is set up already; its directory has people in it.")
    # Checked before the keyring is made, so that a weak password leaves nothing behind.
    sign_in.hash_password(founding.admin_password)
    ring, recovery = _new_ring(settings)
    try:
        return _found(engine, settings, founding, ring, recovery, now)
    except BaseException:
        # Its recovery copy was shown to nobody; the next try must not stop at it.
        Path(settings.keyring_file).unlink(missing_ok=True)
        raise


def _found(
    engine: Engine, settings: Settings, founding: Founding, ring: FileKeyring, recovery: str, now: datetime
) -> Credentials:
    with database.transaction(engine) as session:
        team = NewTeam(ROOT, founding.name, TeamKind.ROOT, None, founding.time_zone)
        root = found_team(session, ring, settings.sealing_suite, team, now)
        person = NewMember(
            founding.admin_name,
            founding.admin_email,
            founding.admin_number,
            founding.admin_password,
            "administrator",
            supervisor=True,
            administrator=True,
        )
        made = add_member(session, settings, person, teams.team(session, root), now)
        # Without any rule every referral is the root desk's: nothing is lost before the first rule is written.
        snapshots.publish(session, areas=[], rules={"root_team": root, "rules": []}, source="setup", now=now)
        entries.append(
            session, DEPLOYMENT, kind="set_up", at=now, actor=Actor(part="setup"), facts={"root_team": root}
        )
    return Credentials(made.totp_secret, made.totp_address, made.recovery_codes, recovery)


def add_member(
    session: Session, settings: Settings, person: NewMember, team: Row[Any], now: datetime
) -> Credentials:
    """Adds a member to a team with verified contacts. Raises WeakPassword, IntegrityError."""
    secret = sign_in.new_totp_secret()
    id = members.add_member(
        session,
        organisation_id=team.organisation_id,
        email=person.email,
        name=person.name,
        password_hash=sign_in.hash_password(person.password),
        totp_secret=secret,
        language=person.language,
        administrator=person.administrator,
    )
    members.join_team(session, id, team.id, discipline=person.discipline, supervisor=person.supervisor)
    members.add_contact(session, id, Channel.EMAIL, person.email, verified_at=now)
    if person.number:
        members.add_contact(session, id, Channel.SMS, person.number, verified_at=now)
    return Credentials(
        secret,
        sign_in.totp_address(secret, person.email, settings.deployment),
        sign_in.new_recovery_codes(session, id),
    )


def publish(session: Session, given: Mapping[str, Any], source: str, now: datetime) -> None:
    """Puts rules that name teams by slug in force at once, on record. Raises RuleFault, AreaFault, NoResultFound.

    Without `areas` those in force stay.
    """
    rules_id = snapshots.store_rules(session, with_team_ids(session, given["rules"]), source, now)
    if "areas" in given:
        areas_id = snapshots.store_areas(session, given["areas"], source, now)
    else:
        areas_id = snapshots.current(session, now).areas_id
    snapshots.put_in_force(session, rules_id, areas_id, now)
    facts = {"rules": rules_id, "areas": areas_id, "without": "dry run and second person"}
    by = Actor(part="command")
    entries.append(session, DEPLOYMENT, kind="rules_published", at=now, actor=by, facts=facts)


def with_team_ids(session: Session, rules: Mapping[str, Any]) -> dict[str, Any]:
    """Rules that name teams by slug, with ids instead. Raises NoResultFound for a slug nobody has."""

    def id_of(slug: str) -> str:
        row = teams.team_by_slug(session, slug)
        if row is None:
            raise NoResultFound(f"there is no team {slug}")
        return str(row.id)

    return {
        **rules,
        "root_team": teams.root_desk(session).id,
        "state_hubs": {state: id_of(slug) for state, slug in rules.get("state_hubs", {}).items()},
        "rules": [_with_ids(rule, id_of) for rule in rules.get("rules", ())],
    }


def _with_ids(rule: Mapping[str, Any], id_of: Any) -> dict[str, Any]:
    changed = {**rule, "team": id_of(rule["team"])}
    if "originators" in rule:
        changed["originators"] = [id_of(slug) for slug in rule["originators"]]
    return changed


def _new_ring(settings: Settings) -> tuple[FileKeyring, str]:
    return FileKeyring.create(Path(settings.keyring_file), settings.keyring_passphrase)

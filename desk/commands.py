"""`flask --app wsgi …`: setting up, checking, and keeping the directory of a deployment."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import click
import phonenumbers
from flask import Flask, current_app
from flask.cli import AppGroup
from sqlalchemy.exc import DataError, IntegrityError, NoResultFound
from sqlalchemy.orm import Session

from desk import demonstration, leaving, setting_up
from desk.demonstration import NotHere
from desk.doctor import doctor
from desk.key_commands import api_key
from desk.setting_up import AlreadySetUp
from desk.webhook_commands import webhook
from directory import members, teams
from directory.sign_in import WeakPassword
from directory.teams import TeamKind
from foundation import clock, database
from foundation.settings import Settings
from ledger.commands import ledger
from notifications.commands import mail, ready
from referrals.founding import NewTeam, found_team
from referrals.keyring import FileKeyring, NoKeyring, keyring_of
from referrals.sealing import CannotOpen
from routing import snapshots
from routing.areas import AreaFault
from routing.commands import routing
from routing.rule_commands import tell_gaps, try_draft
from routing.rules import RuleFault

directory = AppGroup("directory", help="Organisations, teams and members.")
directory.add_command(webhook)
directory.add_command(api_key)
keyring = AppGroup("keyring", help="The private halves of the teams' keys.")
for _command in (try_draft, tell_gaps):
    routing.add_command(_command)


for _leaving in leaving.COMMANDS:
    directory.add_command(_leaving)


def register_commands(app: Flask) -> None:
    """Gives an app every command of Waypost."""
    for command in (migrate, setup, demonstrate, doctor, directory, ledger, keyring, mail, ready, routing):
        app.cli.add_command(command)


def _settings() -> Settings:
    settings: Settings = current_app.extensions["settings"]
    return settings


def _engine() -> Any:
    return current_app.extensions["engine"]


def _ring() -> FileKeyring:
    try:
        return keyring_of(_settings())
    except NoKeyring as fault:
        raise click.ClickException(str(fault)) from None


def _zone(context: click.Context, option: click.Parameter, typed: str) -> str:
    """An IANA time zone: a wrong one would stop every clock of its team."""
    if typed not in available_timezones():
        raise click.BadParameter(f"{typed} is no time zone such as America/Phoenix")
    return typed


@click.command()
def migrate() -> None:
    """Bring the database to this version."""
    database.migrate(_engine())
    click.echo("The database is at this version.")


@click.command()
@click.option("--name", prompt="Name of the programme that runs this deployment")
@click.option("--admin-name", prompt="The first administrator's name")
@click.option("--admin-email", prompt="Their e-mail address")
@click.option("--admin-phone", prompt="Their mobile number, such as +1 480 555 0123")
@click.option("--time-zone", prompt=True, default="America/Phoenix", callback=_zone)
@click.password_option("--admin-password", help="At least 15 characters. Better typed than given here.")
def setup(
    name: str, admin_name: str, admin_email: str, admin_phone: str, time_zone: str, admin_password: str
) -> None:
    """Make the keyring, the root desk and the first administrator of an empty deployment."""
    if not _settings().keyring_file:
        raise click.ClickException("KEYRING_FILE is not set: the keyring needs a place.")
    try:
        made = setting_up.set_up(
            _engine(),
            _settings(),
            setting_up.Founding(
                name, time_zone, admin_name, admin_email, _number(admin_phone), admin_password
            ),
            clock.now(),
        )
    except (AlreadySetUp, WeakPassword, FileExistsError) as fault:
        raise click.ClickException(str(fault)) from None
    click.echo(
        f"\nRecovery copy of the keyring. Print it, lock it away, and keep no other copy:\n\n  {made.recovery}\n"
    )
    click.echo(f"Authenticator secret of {admin_email}: {made.totp_secret}\n  {made.totp_address}\n")
    click.echo("Recovery codes, each good once:\n  " + "\n  ".join(made.recovery_codes))


@click.command("load-demonstration")
def demonstrate() -> None:
    """Load the demonstration directory; refused where real people could be reached."""
    try:
        with database.transaction(_engine()) as session:
            if demonstration.is_loaded(session):
                raise click.ClickException("The directory has people in it already.")
            demonstration.load(session, _ring(), _settings(), clock.now())
    except NotHere as fault:
        raise click.ClickException(str(fault)) from None
    click.echo("The demonstration directory is loaded.")


@directory.command("add-team")
@click.argument("slug")
@click.option("--name", required=True)
@click.option(
    "--kind", type=click.Choice([kind.value for kind in TeamKind if kind is not TeamKind.ROOT]), required=True
)
@click.option("--parent", required=True, help="Slug of the team that silence climbs to.")
@click.option("--time-zone", default="America/Phoenix", show_default=True, callback=_zone)
@click.option("--state", help="FIPS code of its state, such as 04.")
def add_team(slug: str, name: str, kind: str, parent: str, time_zone: str, state: str | None) -> None:
    """Add an organisation with one team, and make the team's key."""
    ring = _ring()
    with database.transaction(_engine()) as session:
        above = teams.team_by_slug(session, parent)
        if above is None:
            raise click.ClickException(f"There is no team {parent}.")
        try:
            found_team(
                session,
                ring,
                _settings().sealing_suite,
                NewTeam(slug, name, TeamKind(kind), above.id, time_zone, state),
                clock.now(),
            )
        except IntegrityError:
            raise click.ClickException(f"There is a team {slug} already.") from None
    click.echo(
        f"Team {slug} is there. Add its members, then a rule: flask --app wsgi directory add-member --help"
    )


@directory.command("add-member")
@click.argument("email")
@click.option("--name", required=True)
@click.option("--team", required=True, help="Slug of the team.")
@click.option("--discipline", required=True, help='Such as "school resource officer".')
@click.option("--phone", help="Mobile number for text messages.")
@click.option("--supervisor", is_flag=True)
@click.option("--language", type=click.Choice(["en", "es"]), default="en", show_default=True)
@click.password_option()
def add_member(
    email: str,
    name: str,
    team: str,
    discipline: str,
    phone: str | None,
    supervisor: bool,
    language: str,
    password: str,
) -> None:
    """Add a member to a team, at the end of its ladder. Their contacts count as verified by whoever runs this."""
    number = _number(phone) if phone else None
    with database.transaction(_engine()) as session:
        row = teams.team_by_slug(session, team)
        if row is None:
            raise click.ClickException(f"There is no team {team}.")
        try:
            made = setting_up.add_member(
                session,
                _settings(),
                setting_up.NewMember(name, email, number, password, discipline, supervisor, language),
                row,
                clock.now(),
            )
        except WeakPassword as fault:
            raise click.ClickException(str(fault)) from None
        except IntegrityError:
            raise click.ClickException(f"There is a member {email} already.") from None
        except DataError:
            raise click.ClickException("A name, an address or the discipline is too long.") from None
    click.echo(f"{email} is there. Authenticator secret: {made.totp_secret}\n  {made.totp_address}")
    click.echo("Recovery codes, each good once:\n  " + "\n  ".join(made.recovery_codes))


@directory.command("list")
def list_teams() -> None:
    """Show every team, its id, what is above it and who is on its ladder."""
    with database.reading(_engine()) as session:
        for row in teams.all_teams(session):
            people = members.names(session, members.ladder(session, row.id)).values()
            click.echo(f"{row.slug:<24} {row.kind:<8} {row.id}  {row.name}: {', '.join(people) or 'nobody'}")


@routing.command("publish")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--replace", is_flag=True, help="Although rules are in force: without a dry run or a second person."
)
def publish(file: Path, replace: bool) -> None:
    """Put the first areas and rules in force, from a JSON file ({"areas": […], "rules": {…}}); teams are named by slug.

    Later changes go by a draft: `routing import rules`, or *Rules* at the desk. Areas that are in force stay where the
    file names none.
    """
    try:
        given = json.loads(file.read_text())
        with database.transaction(_engine()) as session:
            if not replace and _rules_in_force(session):
                raise click.ClickException(
                    "Rules are in force. Change them by a draft (`routing import rules`, or Rules at the desk), "
                    "which is tried and approved first; `--replace` goes without both, on record."
                )
            setting_up.publish(session, given, file.name, clock.now())
    except (ValueError, KeyError, NoResultFound, RuleFault, AreaFault) as fault:
        raise click.ClickException(f"Nothing was published: {fault}.") from None
    click.echo("The rules are in force.")


def _rules_in_force(session: Session) -> bool:
    try:
        return bool(snapshots.current(session, clock.now()).rules.rules)
    except snapshots.SnapshotFault:
        return False


@keyring.command("recover")
@click.option("--recovery", prompt="Recovery copy", hide_input=True)
@click.password_option("--new-passphrase", prompt="New passphrase")
def recover(recovery: str, new_passphrase: str) -> None:
    """Give the keyring a new passphrase with its printed recovery copy."""
    if not _settings().keyring_file:
        raise click.ClickException("KEYRING_FILE is not set: which keyring is meant?")
    try:
        FileKeyring.recover(Path(_settings().keyring_file), recovery, new_passphrase)
    except (CannotOpen, ValueError, OSError) as fault:
        raise click.ClickException(f"The keyring stays as it was: {fault}.") from None
    click.echo(
        "The keyring has its new passphrase. Set KEYRING_PASSPHRASE and start the desk and the workers again."
    )


def _number(typed: str) -> str:
    """A telephone number in E.164."""
    try:
        number = phonenumbers.parse(typed, "US")
    except phonenumbers.NumberParseException:
        raise click.ClickException(f"{typed} is no telephone number.") from None
    if not phonenumbers.is_possible_number(number):
        raise click.ClickException(f"{typed} is no telephone number.")
    return phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)

"""`flask --app wsgi routing import …`: files of other people become drafts, teams and contacts."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar

import click
from flask import current_app
from flask.cli import AppGroup
from sqlalchemy.orm import Session

from foundation import clock, database
from ledger import entries
from ledger.entries import DEPLOYMENT, Actor
from referrals.keyring import NoKeyring, keyring_of
from routing.areas import AreaFault
from routing.importing import areas_file, contacts_csv, drafting, previews, teams_csv
from routing.importing.apart import OF_A_COMMAND
from routing.importing.changes import Changes
from routing.importing.drafting import Overtaken
from routing.importing.mapping import LAYERS, MappingFault, mapping_named
from routing.importing.previews import Source
from routing.importing.report import Report, reported
from routing.importing.rows import Opened, ReadingFault
from routing.importing.spool import Spool
from routing.rules import RuleFault
from routing.snapshots import Snapshot, SnapshotFault

importing = AppGroup("import", help="Areas, rules, teams and contacts from files: all of a file or nothing.")

_BY = Actor(part="import")
# So many faults are shown on the screen.
_SHOWN = 20
# What is wrong with a file, a mapping, the settings, or what the draft would be as a whole.
_FAULTS = (ReadingFault, MappingFault, SnapshotFault, Overtaken, AreaFault, RuleFault, NoKeyring)
Command = TypeVar("Command", bound=Callable[..., Any])


def _about_a_file(command: Command) -> Command:
    """What every import asks."""
    options = (
        click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path)),
        click.option("--preview", is_flag=True, help="Only say what would change."),
        click.option(
            "--report", "report_to", type=click.Path(path_type=Path), help="Write every fault to this CSV."
        ),
        click.option(
            "--leave-out-faulty", is_flag=True, help="Import the good rows although others are faulty."
        ),
        click.option("--encoding", default="", help="Of a table's or a shapefile's text, if not UTF-8."),
    )
    for option in reversed(options):
        command = option(command)
    return command


@importing.command("areas")
@_about_a_file
@click.option(
    "--as", "layer", type=click.Choice(LAYERS), help="What the areas are, if the mapping does not say it."
)
@click.option("--mapping", "named", required=True, help="The name of a ready mapping, or a TOML file.")
@click.option("--inside", default="", help="The layer or shapefile to read, if the file holds several.")
@click.option(
    "--end-missing", is_flag=True, help="The file is complete: areas of its kind that it lacks end."
)
def areas(
    file: Path,
    preview: bool,
    report_to: Path | None,
    leave_out_faulty: bool,
    encoding: str,
    layer: str | None,
    named: str,
    inside: str,
    end_missing: bool,
) -> None:
    """Draft a boundary set with the areas of a GeoJSON, GeoPackage, zipped shapefile or CSV."""
    with _sentences(), Spool() as spool, reported(report_to) as report:
        mapping, now = mapping_named(named), clock.now()
        layer, base = mapping.for_layer(layer or ""), _in_force()
        changes = previews.areas(
            Source(file, OF_A_COMMAND, inside, encoding),
            mapping,
            layer,
            base=base,
            today=now.date(),
            spool=spool,
            report=report,
            progress=_bar,
        )
        click.echo("\n".join(areas_file.first_areas(spool, base.boundaries)))
        _tell("Areas", changes, report, ends=end_missing)
        _tell_rules(previews.rules_left(base, changes) if end_missing else ())
        if not _goes_on(changes, report, preview, leave_out_faulty, ends=end_missing):
            return
        with database.transaction(_engine()) as session, _bar("Writing", len(spool)) as tick:
            draft = drafting.draft_areas(
                session,
                spool,
                mapping,
                changes,
                base=base,
                end_missing=end_missing,
                source=file.name,
                by=_BY,
                now=now,
                tick=tick,
            )
    _tell_draft(draft)


@importing.command("rules")
@_about_a_file
@click.option("--whole", is_flag=True, help="The file holds all rules: those that it lacks end.")
def rules(
    file: Path, preview: bool, report_to: Path | None, leave_out_faulty: bool, encoding: str, whole: bool
) -> None:
    """Draft a rule set with the coverage rules of a CSV."""
    with _sentences(), reported(report_to) as report:
        base, now = _in_force(), clock.now()
        with database.reading(_engine()) as session:
            known = teams_csv.known_teams(session)
        drafted, changes = previews.rules(
            Source(file, OF_A_COMMAND, encoding=encoding),
            base=base,
            teams={slug: team.id for slug, team in known.items()},
            whole=whole,
            today=now.date(),
            report=report,
            progress=_bar,
        )
        names = {one.id: one.team.name for one in known.values()}
        click.echo("\n".join(previews.first_rules(drafted, changes, base, names)))
        _tell("Rules", changes, report, ends=whole)
        if not _goes_on(changes, report, preview, leave_out_faulty, ends=whole):
            return
        with database.transaction(_engine()) as session:
            draft = drafting.draft_rules(session, drafted, base=base, source=file.name, by=_BY, now=now)
    _tell_draft(draft)


@importing.command("teams")
@_about_a_file
def teams(file: Path, preview: bool, report_to: Path | None, leave_out_faulty: bool, encoding: str) -> None:
    """Add the teams of a CSV, with their keys, and change those that are known."""
    with _sentences(), reported(report_to) as report:
        settings = current_app.extensions["settings"]
        with database.reading(_engine()) as session:
            known = teams_csv.known_teams(session)
        with _reading(file, encoding) as opened:
            found = teams_csv.read_teams(opened, report, known)
        changes = teams_csv.changes(found, known)
        _tell("Teams", changes, report)
        if not _goes_on(changes, report, preview, leave_out_faulty):
            return
        ring = keyring_of(settings)
        with database.transaction(_engine()) as session:
            teams_csv.write_teams(
                session, found, known, ring=ring, suite=settings.sealing_suite, now=clock.now()
            )
            _record(session, "teams_imported", {"new": len(changes.new), "changed": len(changes.changed)})
    click.echo("The teams are in the directory.")


@importing.command("contacts")
@_about_a_file
def contacts(
    file: Path, preview: bool, report_to: Path | None, leave_out_faulty: bool, encoding: str
) -> None:
    """Add the contacts of a CSV to members. Each is written to only after its owner proved it."""
    with _sentences(), reported(report_to) as report:
        with database.reading(_engine()) as session:
            people, known = contacts_csv.known_members(session), contacts_csv.known_contacts(session)
        with _reading(file, encoding) as opened:
            found = contacts_csv.read_contacts(opened, report, people)
        changes = contacts_csv.changes(found, known)
        _tell("Contacts", changes, report)
        if not _goes_on(changes, report, preview, leave_out_faulty):
            return
        with database.transaction(_engine()) as session:
            contacts_csv.write_contacts(session, found, known)
            _record(session, "contacts_imported", {"new": len(changes.new)})
    click.echo("The contacts are there, unverified: each owner proves theirs at the desk.")


@contextmanager
def _sentences() -> Iterator[None]:
    """Faults of a file, a mapping or the settings, as one line without a traceback."""
    try:
        yield
    except _FAULTS as fault:
        raise click.ClickException(f"{fault}\nNothing was imported.") from None


@contextmanager
def _reading(file: Path, encoding: str) -> Iterator[Opened]:
    """A sheet with a progress bar over its rows."""
    with (
        Source(file, OF_A_COMMAND, encoding=encoding).open() as opened,
        click.progressbar(opened.rows, length=opened.count, label="Reading") as rows,
    ):
        yield Opened(opened.columns, opened.count, rows)


@contextmanager
def _bar(label: str, count: int) -> Iterator[Callable[[int], Any]]:
    with click.progressbar(length=count, label=label) as bar:
        yield bar.update


def _tell(what: str, changes: Changes, report: Report, *, ends: bool = False) -> None:
    """What would become of it, and what is wrong."""
    click.echo(changes.sentence(what, ends=ends))
    for kind, rows, found, count in (
        ("was mended", report.mended_rows, report.notes, report.all_notes),
        ("is faulty", report.faulty_rows, report.faults, report.all_faults),
    ):
        if rows:
            click.echo(f"{rows:,} {'row' if rows == 1 else 'rows'} of which something {kind}:")
            click.echo("\n".join(f"  {fault}" for fault in found[:_SHOWN]))
        if count > _SHOWN:
            click.echo(f"  … and {count - _SHOWN:,} more; --report writes all of them to a file.")


def _tell_rules(left: tuple[str, ...]) -> None:
    if left:
        click.echo(
            f"{len(left)} {'rule stands' if len(left) == 1 else 'rules stand'} on areas that end. ", nl=False
        )
        click.echo("Until each ends or moves in the same draft, it cannot be published:")
        click.echo("\n".join(f"  {rule}" for rule in left[:_SHOWN]))
    if len(left) > _SHOWN:
        click.echo(f"  … and {len(left) - _SHOWN} more.")


def _tell_draft(draft: str) -> None:
    click.echo(
        f"Draft {draft} is there. Nothing of it is in force before a second person approves it at the desk."
    )


def _goes_on(
    changes: Changes, report: Report, preview: bool, leave_out_faulty: bool, *, ends: bool = False
) -> bool:
    if preview:
        click.echo("This was a preview: nothing was imported.")
        return False
    if report.faulty_rows and not leave_out_faulty:
        raise click.ClickException(
            "Nothing was imported. Mend the faulty rows, or leave them out with --leave-out-faulty."
        )
    if not changes.any(ends=ends):
        click.echo("Nothing would change: nothing was imported.")
        return False
    return True


def _record(session: Session, kind: str, facts: dict[str, Any]) -> None:
    entries.append(session, DEPLOYMENT, kind=kind, at=clock.now(), actor=_BY, facts=facts)


def _in_force() -> Snapshot:
    with database.reading(_engine()) as session:
        return drafting.in_force(session)


def _engine() -> Any:
    return current_app.extensions["engine"]

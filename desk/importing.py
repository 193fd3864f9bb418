"""Importing at the desk: a file is sent, looked at with all its faults, and only then becomes a draft."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from sqlalchemy import Row
from sqlalchemy.orm import Session

from desk.answers import Page
from desk.importing_forms import DraftForm, UploadForm
from directory.guards import guard, signed_in
from foundation import clock, database, web
from ledger.entries import Actor
from routing.areas import AreaFault
from routing.importing import areas_file, drafting, previews, teams_csv, uploads
from routing.importing.apart import OF_A_PAGE
from routing.importing.changes import Changes
from routing.importing.drafting import Overtaken
from routing.importing.mapping import AreaMapping, MappingFault
from routing.importing.previews import Source
from routing.importing.report import Report
from routing.importing.rows import ReadingFault
from routing.importing.spool import Spool
from routing.rules import RuleFault
from routing.snapshots import Snapshot

RULES = "rules"
_FAULTS = (ReadingFault, MappingFault, AreaFault, RuleFault, Overtaken)


@dataclass
class Look:
    """What a kept file would do. `draft` writes it, in a transaction of its caller, and returns the draft's id."""

    base: Snapshot
    changes: Changes
    report: Report
    first: list[str]
    draft: Callable[[Session, Actor], str]
    what: str = "Areas"

    @property
    def rules_left(self) -> tuple[str, ...]:
        """Rules in force on areas that the file lacks."""
        return previews.rules_left(self.base, self.changes)


@guard("rules.draft")
def import_page() -> Page:
    """Asks for a file and what it holds."""
    return render_template("import.html", form=UploadForm())


@guard("rules.draft")
def send_import() -> Page:
    """Keeps the file and goes on to the look at it."""
    # Before anything reads the form: only this page takes large files.
    request.max_content_length = uploads.LARGEST + 1024**2
    form = UploadForm()
    if not form.validate():
        return render_template("import.html", form=form), 400
    with database.transaction(web.engine()) as session:
        upload_id = uploads.keep(
            session,
            member_id=signed_in().member.id,
            file_name=form.file.data.filename,
            holds=form.holds.data,
            mapping=form.mapping_text(),
            content=form.file.data.read(),
            now=clock.now(),
        )
    return redirect(url_for("desk.import_look", upload=upload_id))


@guard("rules.draft")
def look_page(upload: str) -> Page:
    """What the file would change, and what is wrong with it."""
    kept = _kept(upload)
    try:
        with _looked(kept, whole=False) as look:
            form = DraftForm(base=_base(look.base))
            return render_template("import_look.html", upload=kept, look=look, form=form, fault="")
    except _FAULTS as fault:
        return _refused(kept, fault)


@guard("rules.draft")
def make_draft(upload: str) -> Page:
    """Makes the draft of what was looked at; only of that."""
    kept, form = _kept(upload), DraftForm()
    try:
        with _looked(kept, whole=bool(form.whole.data)) as look:
            form.check(look.report, look.changes, _base(look.base))
            if not form.validate():
                page = render_template("import_look.html", upload=kept, look=look, form=form, fault="")
                return page, 400
            with database.transaction(web.engine()) as session:
                draft = look.draft(session, Actor(member_id=signed_in().member.id))
                uploads.drop(session, upload)
    except _FAULTS as fault:
        return _refused(kept, fault)
    flash("The draft is made. Nothing of it is in force yet.")
    return redirect(url_for("desk.draft", draft_id=draft))


def _kept(upload: str) -> Row[Any]:
    with database.reading(web.engine()) as session:
        kept = uploads.kept(session, upload, signed_in().member.id)
    if kept is None:
        abort(404)
    return kept


def _refused(kept: Row[Any], fault: Exception) -> Page:
    page = render_template("import_look.html", upload=kept, look=None, form=None, fault=f"{fault}.")
    return page, 400


def _base(snapshot: Snapshot) -> str:
    return f"{snapshot.rules_id} {snapshot.areas_id}"


@contextmanager
def _looked(kept: Row[Any], *, whole: bool) -> Iterator[Look]:
    """Reads the file. `whole`: it is complete, so what it lacks ends."""
    with uploads.as_file(kept) as path:
        source = Source(path, OF_A_PAGE)
        yield from (_rules(kept, source, whole) if kept.holds == RULES else _areas(kept, source, whole))


def _areas(kept: Row[Any], source: Source, whole: bool) -> Iterator[Look]:
    mapping, report, now = AreaMapping.from_toml(kept.mapping), Report(), clock.now()
    with database.reading(web.engine()) as session:
        base = drafting.in_force(session)
    with Spool() as spool:
        changes = previews.areas(
            source,
            mapping,
            mapping.for_layer(kept.holds),
            base=base,
            today=now.date(),
            spool=spool,
            report=report,
            progress=_silent,
        )

        def draft(session: Session, by: Actor) -> str:
            return drafting.draft_areas(
                session,
                spool,
                mapping,
                changes,
                base=base,
                end_missing=whole,
                source=kept.file_name,
                by=by,
                now=now,
                tick=_ignore,
            )

        yield Look(base, changes, report, areas_file.first_areas(spool, base.boundaries), draft)


def _rules(kept: Row[Any], source: Source, whole: bool) -> Iterator[Look]:
    report, now = Report(), clock.now()
    with database.reading(web.engine()) as session:
        base = drafting.in_force(session)
        known = teams_csv.known_teams(session)
    slugs = {slug: team.id for slug, team in known.items()}
    after, changes = previews.rules(
        source, base=base, teams=slugs, whole=whole, today=now.date(), report=report, progress=_silent
    )
    first = previews.first_rules(after, changes, base, {one.id: one.team.name for one in known.values()})

    def draft(session: Session, by: Actor) -> str:
        return drafting.draft_rules(session, after, base=base, source=kept.file_name, by=by, now=now)

    yield Look(base, changes, report, first, draft, what="Rules")


def _ignore(rows: int) -> None:
    """Nobody watches."""


@contextmanager
def _silent(label: str, count: int) -> Iterator[Callable[[int], Any]]:
    yield _ignore

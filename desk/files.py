"""Files that came along: each looked at on purpose, as a picture made anew, or taken as it was sent. On record."""

from __future__ import annotations

from typing import Any

from flask import abort, g, redirect, render_template, url_for
from sqlalchemy.orm import Session
from werkzeug.wrappers import Response

from desk import previews, reading
from desk.answers import Page
from directory.guards import guard
from foundation import clock, database, web
from ledger.entries import Actor
from referrals import attachments, opening
from referrals.attachments import File
from referrals.kinds import KINDS
from referrals.opening import OpenedFile

# Where a browser shows it after all, it shows nothing: no script, no form, no origin.
SANDBOX = "sandbox; default-src 'none'"


@guard("referral.open")
def file_page(reference: str, number: int) -> Page:
    """One file: its name as text, its fingerprint, and the picture where one can be made."""
    if not reading.is_open(g.referral.id, clock.now()):
        return redirect(url_for("desk.referral", reference=reference))
    with database.transaction(web.engine()) as session:
        files = _listed(session)
    if not 0 < number <= len(files):
        abort(404)
    file = files[number - 1]
    return render_template("file.html", row=g.referral, file=file, kind=KINDS[file.kind], number=number)


@guard("referral.open")
def picture(reference: str, number: int) -> Page:
    """A fresh picture of a file, made by a process without keys; 415 where none can be made."""
    found = _open(number, "picture")
    made = None
    if KINDS[found.file.kind].can_be_shown:
        made = previews.redraw(b"".join(found.pieces()))
    if made is None:
        abort(415)
    return Response(made, mimetype="image/jpeg")


@guard("referral.open")
def original(reference: str, number: int) -> Page:
    """The file as it was sent, byte for byte, to be kept and never shown."""
    return as_download(_open(number, "original"), reference)


def fingerprints(session: Session) -> list[dict[str, Any]] | None:
    """What a copy of the record says of its files: number, kind, size and SHA-256, and no name. It is in the ledger.
    None where what was told is not open, or no file was disclosed."""
    if not reading.is_open(g.referral.id, clock.now()):
        return None
    listed = [
        {"number": number, "kind": KINDS[file.kind].words, "size": file.size, "sha256": file.sha256}
        for number, file in enumerate(_listed(session), start=1)
    ]
    return listed or None


def as_download(found: OpenedFile, reference: str) -> Response:
    """An answer that no browser shows. Its name is ours: theirs may be made to deceive."""
    name = f"{reference}-file-{found.position}.{KINDS[found.file.kind].extension}"
    response = Response(found.pieces(), mimetype="application/octet-stream")
    response.content_length = found.file.size
    response.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    response.headers["Content-Security-Policy"] = SANDBOX
    return response


def _open(number: int, form: str) -> OpenedFile:
    now = clock.now()
    if not reading.is_open(g.referral.id, now):
        abort(403)
    with database.transaction(web.engine()) as session:
        reader = _reader(session)
        return opening.open_file(
            session,
            reading.keys(),
            attachments.blobs_of(web.settings()),
            g.referral.id,
            number,
            team_id=str(reader.team_id),
            form=form,
            actor=reader,
            now=now,
        )


def _listed(session: Session) -> tuple[File, ...]:
    parts = reading.told(session, g.referral.id, _reader(session), clock.now(), [attachments.PART])
    return parts[0].files if parts else ()


def _reader(session: Session) -> Actor:
    reader = reading.reader(session, g.referral.id)
    if reader is None:
        abort(404)
    return reader

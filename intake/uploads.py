"""Files that come along with a form: sealed while they arrive, counted against the limits, dropped if not filed.

Werkzeug would write every upload of some size to a temporary file in clear before a view runs; here its file stream
is one that seals. Only two forms and the API take files; whatever is sent to another page is swallowed.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Any, cast

from flask import Flask, Request, g, request
from flask_babel import gettext

from foundation import clock, web
from referrals import attachments
from referrals.attachments import Fault, Incoming, Kept

log = logging.getLogger(__name__)

_FOR_MEMBERS = "portal.send_forward"
_TAKE_FILES = {"public.send_tip", _FOR_MEMBERS, "api.forward"}
# So much more than is taken is still read, so that a film that is too long costs nobody the words beside it.
_READ_TIMES = 5


@dataclass(frozen=True)
class Refusal:
    """A file that was not taken, by its name as it was sent, and the sentence for it."""

    name: str
    sentence: str


class Uploads:
    """The files of one request. `most` of them are taken at most."""

    def __init__(self, most: int) -> None:
        settings = web.settings()
        self._most, self._each = most, settings.attachment_max_bytes
        self._left = settings.attachments_max_bytes
        self._blobs, self._deployment = attachments.blobs_of(settings), settings.deployment
        self._arrived: list[Incoming] = []
        self._are_filed = False

    def begin(self, name: str) -> IO[bytes]:
        """The stream that the next file is written to."""
        self._left -= self._arrived[-1].size if self._arrived else 0
        most = min(self._each, self._left) if len(self._arrived) < self._most else 0
        self._arrived.append(Incoming(self._blobs, self._deployment, name, max(most, 0), clock.now()))
        return cast(IO[bytes], _Stream(self._arrived[-1]))

    @property
    def chosen(self) -> list[Incoming]:
        """What somebody chose; a file field that was left empty sends one without name and bytes."""
        return [incoming for incoming in self._arrived if incoming.name or incoming.size]

    @property
    def refusals(self) -> list[Refusal]:
        """A sentence for each file that was not taken."""
        if len(self.chosen) > self._most:
            most = f"{self._most:,}"
            return [Refusal("", gettext("These are too many files. Choose at most %(most)s.", most=most))]
        return [Refusal(each.name, _sentence(each.fault)) for each in self.chosen if each.fault]

    @property
    def have_no_room(self) -> bool:
        """Whether a file was refused for a fault of ours: then none can be taken for now."""
        return any(each.fault is Fault.NO_ROOM for each in self.chosen)

    def taken(self) -> list[Kept]:
        """The files, to be filed at once: from here on they are dropped only if `intake.filed` says so."""
        self._are_filed = True
        return [each.kept for each in self.chosen if each.kept]

    def drop(self) -> None:
        """Forgets whatever was not filed."""
        for incoming in [] if self._are_filed else self._arrived:
            incoming.drop()


class FormRequest(Request):
    """A request whose files are sealed while they are read."""

    def _get_file_stream(
        self,
        total_content_length: int | None,
        content_type: str | None,
        filename: str | None = None,
        content_length: int | None = None,
    ) -> IO[bytes]:
        if "uploads" not in g:
            # The guard has looked by now: nothing is sealed for whoever is not signed in.
            is_theirs = request.endpoint == _FOR_MEMBERS and "signed_in" in g
            g.uploads = Uploads(web.settings().attachments_most if is_theirs else 0)
        stream: IO[bytes] = g.uploads.begin(filename or "")
        return stream


def install(app: Flask) -> None:
    """Makes the app take files where a form asks for them."""
    app.request_class = FormRequest
    app.url_value_preprocessor(_expect)
    app.teardown_request(_drop)
    app.jinja_env.globals["file_limits"] = limits


def received() -> list[Kept]:
    """The files of this request, about to be filed; none of a form that brings none."""
    uploads: Uploads | None = g.get("uploads")
    return uploads.taken() if uploads else []


def refused() -> bool:
    """Whether a file of this request was not taken."""
    uploads: Uploads | None = g.get("uploads")
    return bool(uploads and uploads.refusals)


def status() -> int:
    """The status of a page that refuses files: 503 where that is our fault."""
    return 503 if g.uploads.have_no_room else 400


@dataclass(frozen=True)
class Limits:
    """What a form may bring, in words for its page."""

    most: int
    each: str
    together: str


def limits() -> Limits:
    """The limits of the settings."""
    settings = web.settings()
    return Limits(
        settings.attachments_most,
        _megabytes(settings.attachment_max_bytes),
        _megabytes(settings.attachments_max_bytes),
    )


def fingerprints(files: Sequence[Kept]) -> list[dict[str, Any]]:
    """What a receipt shows of the files: number, size and SHA-256. No name: it is sealed."""
    return [
        {"number": number, "size": f"{file.size:,}", "sha256": file.sha256}
        for number, file in enumerate(files, start=1)
    ]


class _Stream:
    """An incoming file as Werkzeug writes it: `seek` comes after its last byte."""

    def __init__(self, incoming: Incoming) -> None:
        self._incoming = incoming
        self.write = incoming.write

    def seek(self, _position: int) -> int:
        self._incoming.finish()
        return 0

    def close(self) -> None:
        """What was kept stays; `Uploads.drop` forgets what is not wanted."""


def _expect(endpoint: str | None, _values: dict[str, Any] | None) -> None:
    if endpoint in _TAKE_FILES and request.mimetype == "multipart/form-data":
        settings = web.settings()
        request.max_content_length = _READ_TIMES * settings.attachments_max_bytes + 4 * settings.max_tip_bytes
        if endpoint != _FOR_MEMBERS:
            g.uploads = Uploads(settings.attachments_most)


def _drop(_fault: BaseException | None) -> None:
    uploads: Uploads | None = g.get("uploads")
    if uploads:
        try:
            uploads.drop()
        except OSError as fault:
            # The clock sweeps it up later.
            log.error("a file that was not filed could not be removed: %s", type(fault).__name__)


def _sentence(fault: Fault | None) -> str:
    allowed = limits()
    sentences = {
        Fault.EMPTY: gettext("There is nothing in this file."),
        Fault.TOO_LARGE: gettext(
            "This file is too large. One file may have %(each)s MB, all together %(together)s MB.",
            each=allowed.each,
            together=allowed.together,
        ),
        Fault.UNKNOWN_KIND: gettext(
            "We cannot take this kind of file. We take pictures, PDF, plain text, sound and video."
        ),
        Fault.NO_ROOM: gettext(
            "We cannot keep files right now. Send your words without them. The files can follow later."
        ),
    }
    return str(sentences[fault]) if fault else ""


def _megabytes(size: int) -> str:
    return f"{size / 1_000_000:,.0f}" if size >= 1_000_000 else f"{size / 1_000_000:.3f}"

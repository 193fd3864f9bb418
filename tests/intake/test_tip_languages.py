"""Spanish: every sentence of the public door has one, and what runs is what was written."""

from __future__ import annotations

from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po

ROOT = Path(__file__).parents[2]
_SPANISH = ROOT / "intake/translations/es/LC_MESSAGES"
_ROOMS = ("intake", "foundation", "directory", "referrals")
_METHODS = [("**.py", "python"), ("**/templates/**.html", "jinja2")]
# The words of an act are its third argument.
_KEYWORDS = {"_": None, "gettext": None, "lazy_gettext": None, "Behaviour": (3,)}


def _sentences() -> set[str]:
    found = (extract_from_dir(ROOT / room, method_map=_METHODS, keywords=_KEYWORDS) for room in _ROOMS)
    return {str(message[2]) for room in found for message in room}


def _written() -> Catalog:
    with (_SPANISH / "messages.po").open("rb") as catalog:
        return read_po(catalog, locale="es")


def test_every_sentence_is_said_in_spanish() -> None:
    spanish = {str(message.id) for message in _written() if message.string}
    assert not _sentences() - spanish


def test_placeholders_are_the_same_in_both() -> None:
    assert not [message.id for message in _written() if message.id and message.check()]


def test_what_is_read_at_run_time_is_what_was_written() -> None:
    with (_SPANISH / "messages.mo").open("rb") as compiled:
        read = {message.id: message.string for message in read_mo(compiled) if message.id}
    assert read == {message.id: message.string for message in _written() if message.id}

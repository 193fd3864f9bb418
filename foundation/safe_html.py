"""Somebody's words on a page: every character visible, none of them markup."""

from __future__ import annotations

import unicodedata
from itertools import groupby

import bleach
from markupsafe import Markup, escape

# Controls, bidirectional overrides, zero-width and other invisible characters could hide or reorder words.
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
# Letters and signs that are drawn as nothing.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
# bleach 6.4.0 is the last release; this is its only importer, so that nh3 can replace it in one line.
_ALLOWED = {"br", "span"}


def shown(text: str) -> Markup:
    """The text as HTML: escaped, hidden characters as tokens like `[U+202E]` (`[U+200B ×3]` for three in a row), line
    ends as <br>."""
    lines = text.replace("\r\n", "\n").replace("\r", "\n").replace("\t", "    ").split("\n")
    html = "<br>".join(_visible(line) for line in lines)
    return Markup(bleach.clean(html, tags=_ALLOWED, attributes={"span": ["class"]}, strip=False))


def _visible(line: str) -> str:
    if line.isprintable() and _BLANK.isdisjoint(line):
        return str(escape(line))
    return "".join(_piece(character, len(list(run))) for character, run in groupby(line))


def _piece(character: str, times: int) -> str:
    if unicodedata.category(character) not in _INVISIBLE and character not in _BLANK:
        return str(escape(character)) * times
    # One token for all of them: many thousands would cost the page, and whoever opens it, minutes.
    counted = f" ×{times}" if times > 1 else ""
    return f'<span class="token">[U+{ord(character):04X}{counted}]</span>'

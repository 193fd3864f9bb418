"""Somebody's words on a page: every character visible, none of them markup."""

from __future__ import annotations

import unicodedata

import bleach
from markupsafe import Markup, escape

# Controls, bidirectional overrides, zero-width and other invisible characters could hide or reorder words.
_INVISIBLE = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
# Letters and signs that are drawn as nothing.
_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u2800\u3164\uffa0")
# bleach 6.4.0 is the last release; this is its only importer, so that nh3 can replace it in one line.
_ALLOWED = {"br", "span"}


def shown(text: str) -> Markup:
    """The text as HTML: escaped, hidden characters as tokens like `[U+202E]`, line ends as <br>."""
    pieces = [_visible(character) for character in text.replace("\r\n", "\n").replace("\r", "\n")]
    html = "".join(pieces)
    return Markup(bleach.clean(html, tags=_ALLOWED, attributes={"span": ["class"]}, strip=False))


def _visible(character: str) -> str:
    if character == "\n":
        return "<br>"
    if character == "\t":
        return "    "
    if unicodedata.category(character) in _INVISIBLE or character in _BLANK:
        return f'<span class="token">[U+{ord(character):04X}]</span>'
    return str(escape(character))

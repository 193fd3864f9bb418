"""Pages that differ from one reader to the next in a few words only: put together once, then filled."""

from __future__ import annotations

import re
import secrets
from collections.abc import Mapping, Sequence

from flask import current_app, g, render_template, request
from flask_wtf.csrf import generate_csrf
from markupsafe import escape

from foundation.web import asked_language, choose_language

# Stands in a mould where a reader's word goes. Nobody outside can know it, and escaping leaves it as it is.
_MARK = f"hole{secrets.token_hex(16)}n"

# What a hole takes: a word, or as many words as the page expects there.
Words = Mapping[str, str | Sequence[str]]


def filled(template: str, words: Words) -> str:
    """The page with `words` (escaped) and this reader's form token in their places.

    The template is given the names of `words` and the request's language, and must ask for nothing else that
    changes: no word of the reader's in a condition, nothing of the address.
    """
    moulds: dict[tuple[object, ...], list[str]] = current_app.extensions.setdefault("moulds", {})
    shape = tuple((name, None if isinstance(word, str) else len(word)) for name, word in words.items())
    address = (request.method, request.endpoint, request.script_root)
    key = (template, shape, address, choose_language(), asked_language())
    # Two threads may make the same one at once; either is right.
    if key not in moulds:
        moulds[key] = _mould(template, words)
    pieces, flat = moulds[key], [*_flat(words), _token()]
    # Pieces and numbers of holes take turns.
    return "".join(escape(flat[int(piece)]) if turn % 2 else piece for turn, piece in enumerate(pieces))


def _token() -> str:
    """The form token of this reader; the one that this request brought, where it was found good a moment ago."""
    brought: str = request.form.get("csrf_token", "") if g.get("csrf_valid") else ""
    return brought or generate_csrf()


def _mould(template: str, words: Words) -> list[str]:
    marks = iter(f"{_MARK}{number}n" for number in range(len(_flat(words)) + 1))
    holes = {
        name: next(marks) if isinstance(word, str) else [next(marks) for _ in word]
        for name, word in words.items()
    }
    token = next(marks)
    page = render_template(template, **holes, csrf_token=lambda: token)
    return re.split(rf"{_MARK}(\d+)n", page)


def _flat(words: Words) -> list[str]:
    return [word for some in words.values() for word in ([some] if isinstance(some, str) else some)]

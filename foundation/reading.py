"""What a form sent must be text before anything reads it: half a character stored is not what somebody wrote."""

from __future__ import annotations

import re
from urllib.parse import unquote_to_bytes

from flask import abort, current_app, g, request

# Stands on a page for what no page can hold.
LOST = "\N{REPLACEMENT CHARACTER}"
_UNREADABLE = re.compile("[\x00\ud800-\udfff]")
_FORM = "application/x-www-form-urlencoded"


def showable(words: str) -> str:
    """The words as a page can hold them: what no page can hold becomes LOST."""
    return _UNREADABLE.sub(LOST, words)


def is_text(sent: bytes) -> bool:
    """Whether the body of a form is UTF-8 throughout. Names and values are parted by ASCII, so all of them are text
    where the whole is."""
    try:
        unquote_to_bytes(sent.decode()).decode()
    except UnicodeDecodeError:
        return False
    return True


def refuse_what_is_no_text() -> None:
    """Answers 400 to a form whose bytes are no text, and at the desk to one that holds NUL; the error page keeps the
    words. A door that marks such a place at its field has said so in `g.unreadable`."""
    if request.mimetype != _FORM or "unreadable" in g:
        return
    at_the_desk = current_app.extensions["door"] == "desk"
    if not is_text(request.get_data()) or (
        at_the_desk and any("\0" in each for each in request.form.values())
    ):
        abort(400)

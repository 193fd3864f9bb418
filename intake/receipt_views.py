"""The receipt, shown after the commit and never before, and where a tip stands."""

from __future__ import annotations

import hmac
from collections.abc import Sequence

from flask import current_app, g, render_template
from flask_babel import gettext

from directory.guards import guard
from directory.permissions import PUBLIC
from foundation import database, web
from foundation.mould import filled
from foundation.reading import showable
from intake import reasons, uploads
from intake.door import Page, public, too_many
from intake.limits import Limits
from intake.wording import STATUS_STEPS, status_steps
from referrals import filing
from referrals.attachments import Kept
from referrals.receipts import LENGTH, Receipt, receipt_for, submission_digest, typed_receipt
from referrals.states import REPORTER_STATUS, State

# As long as eight of the longest words with much between them; longer is no receipt.
_MOST_TYPED = 500


def is_filed(submission: str) -> bool:
    """Whether that submission is a stored record."""
    with database.reading(web.engine()) as session:
        digest = submission_digest(submission, web.settings().secret_key)
        return filing.filed_before(session, digest) is not None


@public.post("/receipt/check")
@guard(PUBLIC)
def check_receipt() -> Page:
    """Asks for two of the words, while all eight can still be read again."""
    submission = g.answers.get("receipt_key", "")
    if not is_filed(submission):
        return ask_for_words(
            400, gettext("We could not find that receipt. If you have your eight words, type them.")
        )
    if "step" not in g.answers:
        # Another language was asked for.
        return receipt_page(submission)
    words = receipt_for(submission, web.settings().secret_key).words
    wanted = [words[place] for place in _asked(submission)]
    if not hmac.compare_digest(" ".join(wanted).encode(), " ".join(_typed_two()).lower().encode()):
        return receipt_page(
            submission, 400, gettext("Those are not the two words. Look at the list and try again.")
        )
    return render_template("saved.html"), 200


def _typed_two() -> list[str]:
    """What was typed for the two words, as a page can hold it."""
    answers = g.get("answers", {})
    return [showable(answers.get(name, "").strip()[:_MOST_TYPED]) for name in ("code_first", "code_second")]


def _asked(submission: str) -> tuple[int, int]:
    """Which two words are asked for: one of each half, the same ones each time."""
    half, number = LENGTH // 2, int(submission[:8], 16)
    return number % half, half + number // half % half


@public.get("/status")
@guard(PUBLIC)
def status_page() -> Page:
    """Asks for the eight words."""
    return ask_for_words()


@public.post("/status")
@guard(PUBLIC)
def show_status() -> Page:
    """Where the tip stands, in the words for reporters. A wrong receipt costs the same and is told one sentence."""
    limits: Limits = current_app.extensions["limits"]
    if not limits.allows_words():
        return ask_for_words(429, too_many())
    if not g.answers.get("code_words", "").strip():
        return ask_for_words(400, gettext("Type your eight words."))
    receipt = typed_receipt(g.answers.get("code_words", "")[:_MOST_TYPED]) or Receipt(("",) * LENGTH)
    with database.reading(web.engine()) as session:
        lookup = receipt.lookup(web.settings().secret_key)
        found, why = filing.by_receipt(session, lookup), reasons.why_there(session, lookup)
    if found is None:
        limits.count_wrong_words()
        return ask_for_words(
            400, gettext("We know no receipt with these words. Check the order and the spelling.")
        )
    here = STATUS_STEPS.index(REPORTER_STATUS[State(found.state)])
    return render_template(
        "standing.html", steps=status_steps(), here=here, received=found.filed_at, why=why
    ), 200


def receipt_page(submission: str, code: int = 200, fault: str = "", files: Sequence[Kept] = ()) -> Page:
    """The eight words of a stored tip, the fingerprints of its files, and the question for two of the words."""
    told = {
        "words": receipt_for(submission, web.settings().secret_key).words,
        "receipt_key": submission,
        "asked": [str(place + 1) for place in _asked(submission)],
        "status_address": f"{web.settings().public_url}/status",
    }
    if fault or files:
        page = render_template(
            "receipt.html", **told, fault=fault, typed=_typed_two(), files=uploads.fingerprints(files)
        )
        return page, code
    return filled("receipt.html", told), code


def ask_for_words(code: int = 200, fault: str = "") -> Page:
    """The form for the eight words, with what was typed."""
    return render_template(
        "status.html", fault=fault, typed=showable(g.get("answers", {}).get("code_words", ""))
    ), code

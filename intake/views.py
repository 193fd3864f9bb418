"""The public door's first pages: start and tip. Nothing of a request is stored but what the tip says."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence

from flask import current_app, g, render_template, request
from flask_babel import gettext
from flask_wtf.csrf import CSRFError
from sqlalchemy.exc import DBAPIError, NoResultFound
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import RequestEntityTooLarge, ServiceUnavailable

from directory.guards import guard
from directory.permissions import PUBLIC
from foundation import web
from intake import uploads
from intake.door import Page, public, too_many
from intake.filed import file_once
from intake.receipt_views import ask_for_words, is_filed, receipt_page
from intake.tip import Tip
from intake.tip_form import TipForm, faults, form_key
from intake.wording import summary
from referrals import attachments, filing
from referrals.attachments import Kept
from referrals.content import documents
from referrals.facts import Evidence
from referrals.filing import Filing, Source
from referrals.receipts import receipt_for, submission_digest
from routing.boundaries import Boundaries

log = logging.getLogger(__name__)


@guard(PUBLIC)
def start() -> str:
    """What this is, two ways to a person at once, and one button."""
    return render_template("start.html")


@public.get("/tip")
@guard(PUBLIC)
def tip_page() -> Page:
    """The empty form."""
    return _form_page(TipForm())


@public.post("/tip")
@guard(PUBLIC)
def send_tip() -> Page:
    """One step of the form: check it, change it, send it, or read it in the other language."""
    step = _STEPS.get(g.answers.get("step", ""))
    return step() if step else _same_page()


def _check() -> Page:
    form = TipForm(g.answers)
    if not form.is_sound(_places()):
        return _form_page(form, 400)
    if not current_app.extensions["limits"].allows_check(sum(map(len, g.answers.values()))):
        return _form_page(form, 429, too_many())
    return _check_page(form)


def _change() -> Page:
    return _form_page(TipForm(g.answers))


def _send() -> Page:
    """Files what was typed, which needs none of the form's fields; those are made where they are shown again."""
    tip = Tip.from_answers(g.answers)
    located = tip.located(_places())
    if faults(tip, located):
        return _check()
    if uploads.refused():
        return _same_page(uploads.status())
    if not current_app.extensions["limits"].allows_tip():
        return _same_page(429, too_many())
    files = uploads.received()
    return receipt_page(_file(tip, located.evidence, files), files=files)


_STEPS: dict[str, Callable[[], Page]] = {"check": _check, "change": _change, "send": _send}


def _file(tip: Tip, evidence: tuple[Evidence, ...], files: Sequence[Kept]) -> str:
    """Seals and stores the tip; returns its submission once it is committed, by this press or an earlier one."""
    key = form_key(g.answers) + attachments.fingerprint(files)
    submission, secret = tip.submission(key), web.settings().secret_key
    receipt = receipt_for(submission, secret)
    recipient = current_app.extensions["routing_key"]()
    sealed = filing.seal(
        documents(tip.told()), deployment=web.settings().deployment, to=recipient, files=files
    )
    record = Filing(
        source=Source.PUBLIC,
        facts=tip.facts(evidence),
        language=web.choose_language(),
        submission_digest=submission_digest(submission, secret),
        custodian_team_id=recipient.team_id,
        receipt_lookup=receipt.lookup(secret),
        reporter_public_key=receipt.public_key(),
    )
    file_once(record, sealed)
    return submission


def _places() -> Boundaries:
    known: Boundaries = current_app.extensions["known_places"]()
    return known


def _form_page(form: TipForm, code: int = 200, sentence: str = "") -> Page:
    form.make_showable()
    return render_template("tip.html", form=form, sentence=sentence), code


def _check_page(form: TipForm, code: int = 200, sentence: str = "") -> Page:
    form.make_showable()
    return render_template("check.html", form=form, parts_told=summary(form), sentence=sentence), code


def _same_page(code: int = 200, sentence: str = "") -> Page:
    """The page from which the form came, with every word, in the language now asked for."""
    page = _check_page if g.answers.get("page") == "check" else _form_page
    return page(TipForm(g.answers), code, sentence)


@public.errorhandler(CSRFError)
def _no_token(_fault: CSRFError) -> Page:
    return _again(
        gettext(
            "Your words are still here. The page was open for long, or cookies are off. Press the button again."
        ),
        400,
    )


@public.errorhandler(RequestEntityTooLarge)
def _too_large(_fault: RequestEntityTooLarge) -> Page:
    # What was not read cannot be shown again; the browser still has it.
    g.answers = MultiDict()
    if "uploads" in g:
        return _again(
            gettext(
                "Those files were too large. Go back in your browser: your words are there. Choose fewer or smaller "
                "files."
            ),
            413,
        )
    return _again(
        gettext(
            "That was too long for one tip, and nothing was sent. Try your browser’s Back button to get your words "
            "back, then send a part of them."
        ),
        413,
    )


@public.errorhandler(NoResultFound)
@public.errorhandler(DBAPIError)
@public.errorhandler(PoolTimeout)
@public.errorhandler(OSError)
def _not_stored(fault: Exception) -> Page:
    log.error("the public door could not reach its store: %s", type(fault).__name__)
    return _again(
        gettext(
            "We cannot confirm that your tip arrived. Your words are still here. Wait a minute and press the button "
            "again: it will count once. If someone is in danger now, do not wait. Call 911."
        ),
        503,
    )


def _again(sentence: str, code: int) -> Page:
    """The page on which the button was pressed, with what was typed and a sentence; never a receipt."""
    if request.endpoint == "public.send_tip":
        return _same_page(code, sentence)
    if request.endpoint in {"public.show_status", "public.status_page"}:
        return ask_for_words(code, sentence)
    if code != 503 and is_filed(submission := g.answers.get("receipt_key", "")):
        return receipt_page(submission, code, sentence)
    raise ServiceUnavailable

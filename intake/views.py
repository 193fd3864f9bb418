"""The public door's pages: start, tip, receipt, status. Nothing of a request is stored but what the tip says."""

from __future__ import annotations

import hmac
import logging
from collections.abc import Callable
from typing import Any
from urllib.parse import parse_qsl

from flask import Blueprint, Flask, abort, current_app, g, render_template, request
from flask.blueprints import BlueprintSetupState
from flask_babel import get_locale, gettext
from flask_wtf.csrf import CSRFError
from sqlalchemy import Engine
from sqlalchemy.exc import DBAPIError, IntegrityError, NoResultFound
from sqlalchemy.exc import TimeoutError as PoolTimeout
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import RequestEntityTooLarge, ServiceUnavailable

from directory.guards import guard
from directory.permissions import PUBLIC
from foundation import clock, database, web
from foundation.settings import Settings
from intake.limits import Limits
from intake.place import KnownPlaces
from intake.recipient import RoutingKey
from intake.tip_form import TipForm, showable
from intake.wording import STATUS_STEPS, status_steps, summary
from referrals import filing
from referrals.content import documents
from referrals.filing import Filing, Source
from referrals.receipts import LENGTH, Receipt, receipt_for, submission_digest, typed_receipt
from referrals.states import REPORTER_STATUS, State

log = logging.getLogger(__name__)
public = Blueprint("public", __name__)

Page = tuple[str, int]
_PAGES = {"home", "public.tip_page", "public.status_page"}
# As long as eight of the longest words with much between them; longer is no receipt.
_MOST_TYPED = 500


def install(app: Flask, engine: Engine, settings: Settings) -> None:
    """Gives the app what these pages need: the key to seal to, the map, the limits."""
    app.extensions["routing_key"] = RoutingKey(engine)
    app.extensions["known_places"] = KnownPlaces(engine)
    app.extensions["limits"] = Limits(web.limiter(app), settings)


@guard(PUBLIC)
def start() -> str:
    """What this is, two ways to a person at once, and one button."""
    return render_template("start.html")


@public.record_once
def _add_start(state: BlueprintSetupState) -> None:
    # Both doors call their first page `home`, so that shared pages can lead there.
    state.app.add_url_rule("/", "home", start)


@public.app_url_defaults
def _keep_language(endpoint: str, values: dict[str, Any]) -> None:
    if endpoint in _PAGES and request and (asked := web.asked_language()):
        values.setdefault("language", asked)


@public.url_value_preprocessor
def _read_answers(_endpoint: str | None, _values: dict[str, Any] | None) -> None:
    """Reads the form once, before anything else does. No word of it is written to a file on the way."""
    if request.method != "POST":
        return
    if request.mimetype.startswith("multipart/"):
        # Our forms send none, and large parts of one would be spooled to disk in clear.
        abort(400)
    sent = request.get_data()
    g.answers = request.form
    g.unreadable = not _is_text(sent)
    if g.unreadable:
        pairs = parse_qsl(sent.decode(errors="replace"), keep_blank_values=True, errors="replace")
        g.answers = MultiDict(pairs)


def _is_text(sent: bytes) -> bool:
    try:
        parse_qsl(sent.decode(), keep_blank_values=True, errors="strict")
    except UnicodeDecodeError:
        return False
    return True


@public.get("/tip")
@guard(PUBLIC)
def tip_page() -> Page:
    """The empty form."""
    return _form_page(TipForm())


@public.post("/tip")
@guard(PUBLIC)
def send_tip() -> Page:
    """One step of the form: check it, change it, send it, or read it in the other language."""
    form = TipForm(g.answers)
    step = _STEPS.get(request.form.get("step", ""))
    return step(form) if step else _same_page(form)


def _check(form: TipForm) -> Page:
    if not form.is_sound(current_app.extensions["known_places"]()):
        return _form_page(form, 400)
    return _check_page(form)


def _change(form: TipForm) -> Page:
    return _form_page(form)


def _send(form: TipForm) -> Page:
    if not form.is_sound(current_app.extensions["known_places"]()):
        return _form_page(form, 400)
    if not current_app.extensions["limits"].allows_tip():
        return _same_page(form, 429, _too_many())
    return _receipt_page(_file(form))


_STEPS: dict[str, Callable[[TipForm], Page]] = {"check": _check, "change": _change, "send": _send}


def _file(form: TipForm) -> str:
    """Seals and stores the tip; returns its submission once it is committed, by this press or an earlier one."""
    tip, secret = form.tip(), web.settings().secret_key
    submission = tip.submission(str(form.form_key.data))
    receipt = receipt_for(submission, secret)
    recipient = current_app.extensions["routing_key"]()
    sealed = filing.seal(documents(tip.told()), deployment=web.settings().deployment, to=recipient)
    record = Filing(
        source=Source.PUBLIC,
        facts=tip.facts(form.evidence),
        language=str(get_locale()),
        submission_digest=submission_digest(submission, secret),
        custodian_team_id=recipient.team_id,
        receipt_lookup=receipt.lookup(secret),
        reporter_public_key=receipt.public_key(),
    )
    try:
        with database.transaction(web.engine()) as session:
            filing.file_referral(session, record, sealed, clock.now())
    except IntegrityError:
        # A second press of the button. Anything else that the database refuses is no receipt.
        if not _is_filed(submission):
            raise
    return submission


def _is_filed(submission: str) -> bool:
    with database.reading(web.engine()) as session:
        digest = submission_digest(submission, web.settings().secret_key)
        return filing.filed_before(session, digest) is not None


@public.post("/receipt/check")
@guard(PUBLIC)
def check_receipt() -> Page:
    """Asks for two of the words, while all eight can still be read again."""
    submission = g.answers.get("receipt_key", "")
    if not _is_filed(submission):
        return _status_page(
            400, gettext("We could not find that receipt. If you have your eight words, type them.")
        )
    words = receipt_for(submission, web.settings().secret_key).words
    wanted = [words[place] for place in _asked(submission)]
    typed = [g.answers.get(name, "").strip().lower() for name in ("code_first", "code_second")]
    if not hmac.compare_digest(" ".join(wanted).encode(), showable(" ".join(typed)).encode()):
        return _receipt_page(
            submission, 400, gettext("Those are not the two words. Look at the list and try again.")
        )
    return render_template("saved.html"), 200


def _asked(submission: str) -> tuple[int, int]:
    """Which two words are asked for: one of each half, the same ones each time."""
    half, number = LENGTH // 2, int(submission[:8], 16)
    return number % half, half + number // half % half


@public.get("/status")
@guard(PUBLIC)
def status_page() -> Page:
    """Asks for the eight words."""
    return _status_page()


@public.post("/status")
@guard(PUBLIC)
def show_status() -> Page:
    """Where the tip stands, in the words for reporters. A wrong receipt costs the same and is told one sentence."""
    limits: Limits = current_app.extensions["limits"]
    if not limits.allows_words():
        return _status_page(429, _too_many())
    receipt = typed_receipt(g.answers.get("code_words", "")[:_MOST_TYPED]) or Receipt(("",) * LENGTH)
    with database.reading(web.engine()) as session:
        found = filing.by_receipt(session, receipt.lookup(web.settings().secret_key))
    if found is None:
        limits.count_wrong_words()
        return _status_page(
            400, gettext("We know no receipt with these words. Check the order and the spelling.")
        )
    here = STATUS_STEPS.index(REPORTER_STATUS[State(found.state)])
    return render_template("standing.html", steps=status_steps(), here=here, received=found.filed_at), 200


def _form_page(form: TipForm, code: int = 200, sentence: str = "") -> Page:
    form.make_showable()
    return render_template("tip.html", form=form, sentence=sentence), code


def _check_page(form: TipForm, code: int = 200, sentence: str = "") -> Page:
    form.make_showable()
    return render_template("check.html", form=form, parts_told=summary(form), sentence=sentence), code


def _same_page(form: TipForm, code: int = 200, sentence: str = "") -> Page:
    """The page from which the form came, with every word, in the language now asked for."""
    page = _check_page if g.answers.get("page") == "check" else _form_page
    return page(form, code, sentence)


def _receipt_page(submission: str, code: int = 200, fault: str = "") -> Page:
    words = receipt_for(submission, web.settings().secret_key).words
    page = render_template(
        "receipt.html",
        words=words,
        receipt_key=submission,
        asked=_asked(submission),
        fault=fault,
        status_address=f"{web.settings().public_url}/status",
    )
    return page, code


def _status_page(code: int = 200, fault: str = "") -> Page:
    return render_template(
        "status.html", fault=fault, typed=showable(g.get("answers", {}).get("code_words", ""))
    ), code


def _too_many() -> str:
    sentence: str = gettext(
        "Too many tries from your network in a short time. Your words are still here. Wait a little, then try again."
    )
    return sentence


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
    return _again(
        gettext(
            "That was too long for one tip. Go back in your browser: your words are there. Send a part of them."
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
        return _same_page(TipForm(g.answers), code, sentence)
    if request.endpoint in {"public.show_status", "public.status_page"}:
        return _status_page(code, sentence)
    if code != 503 and _is_filed(submission := g.answers.get("receipt_key", "")):
        return _receipt_page(submission, code, sentence)
    raise ServiceUnavailable

"""A hardened Flask application: what both doors have in common before they have a single page."""

from __future__ import annotations

import errno
import logging
import re
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from typing import Any

from flask import Flask, Response, current_app, g, render_template, request, url_for
from flask_babel import Babel, get_locale, get_translations, gettext
from flask_wtf import CSRFProtect
from jinja2 import StrictUndefined
from sqlalchemy import Engine, text
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.orm import Session
from werkzeug.exceptions import HTTPException, InternalServerError, ServiceUnavailable
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.wrappers import Response as BaseResponse

from foundation import clock, database
from foundation.reading import refuse_what_is_no_text, showable
from foundation.safe_html import shown
from foundation.settings import Settings

log = logging.getLogger(__name__)

LANGUAGES = {"en": "English", "es": "Español"}

# Fields whose values are proofs or keys, by their names; a ZIP code is none.
_NOT_WORDS = "csrf|password|(?<!zip_)code|key|token"

# No inline code, nothing from elsewhere, no frames, no address of ours told to other sites.
HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; font-src 'self'; "
        "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cross-Origin-Opener-Policy": "same-origin",
    # A shared computer's history must not show a typed tip or an opened referral.
    "Cache-Control": "no-store",
}


def make_app(import_name: str, door: str, settings: Settings, engine: Engine) -> Flask:
    """An app with settings, database, languages, form tokens, headers and error pages; `door` names its cookies."""
    app = Flask(import_name)
    secure = (settings.desk_url if door == "desk" else settings.public_url).startswith("https")
    app.config.update(
        SECRET_KEY=settings.secret_key,
        # With the prefix browsers refuse one that another host of the same domain planted.
        SESSION_COOKIE_NAME=f"{'__Host-' if secure else ''}waypost_{door}",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_COOKIE_SECURE=secure,
        # A form that lay open over night must still be accepted.
        WTF_CSRF_TIME_LIMIT=None,
        # Our forms bring their own sentences; WTForms would read its catalogue from disk for every form.
        WTF_I18N_ENABLED=False,
        # Percent encoding makes three bytes of one; a little is left for the fields' names.
        MAX_CONTENT_LENGTH=4 * settings.max_tip_bytes,
        MAX_FORM_MEMORY_SIZE=4 * settings.max_tip_bytes,
        MAX_FORM_PARTS=400,
        BABEL_TRANSLATION_DIRECTORIES="translations",
        SEND_FILE_MAX_AGE_DEFAULT=timedelta(hours=1),
    )
    app.extensions["settings"], app.extensions["engine"], app.extensions["door"] = settings, engine, door
    # Below these addresses no page answers a fault, but a function of the HTTPException.
    app.extensions["refusals"] = {}
    app.jinja_env.undefined = StrictUndefined
    app.jinja_env.globals.update(
        languages=LANGUAGES, door=door, now=clock.now, language_addresses=language_addresses
    )
    app.jinja_env.filters["shown"] = shown
    # The layout, the look and the small scripts of both doors live on the floor.
    app.static_folder = f"{__file__.rpartition('/')[0]}/static"
    app.jinja_loader = _templates(app)
    # A door that knows the reader's zone says so in `g`; else times are in UTC, with its name.
    Babel(app, locale_selector=choose_language, timezone_selector=lambda: g.get("time_zone"))
    _speak_quickly(app)
    app.before_request(refuse_what_is_no_text)
    CSRFProtect(app)
    app.after_request(_harden(secure))
    app.context_processor(lambda: {"language": str(get_locale() or "en")})
    app.register_error_handler(HTTPException, refuse)
    app.register_error_handler(DBAPIError, _no_database)
    app.register_error_handler(PoolTimeout, _no_database)
    app.register_error_handler(OSError, _no_disk)
    app.register_error_handler(Exception, _broken)
    app.add_url_rule("/healthz", "healthz", healthz)
    app.add_url_rule("/readyz", "readyz", readyz)
    if settings.trusted_proxies:
        proxied = ProxyFix(app.wsgi_app, settings.trusted_proxies, settings.trusted_proxies)
        app.wsgi_app = proxied  # type: ignore[method-assign]  # Flask's documented way
    return app


def engine() -> Engine:
    """The running app's database."""
    found: Engine = current_app.extensions["engine"]
    return found


def settings() -> Settings:
    """The running app's settings."""
    found: Settings = current_app.extensions["settings"]
    return found


def choose_language() -> str:
    """The language asked for in the address or kept in the form, else the browser's, else English. The desk speaks
    English only."""
    if current_app.extensions["door"] == "desk":
        return "en"
    asked = asked_language()
    if asked:
        return asked
    kept: str | None = g.get("language")
    return kept or request.accept_languages.best_match(LANGUAGES) or "en"


def asked_language() -> str:
    """The language that the address or the form names; "" where it names none that we have."""
    try:
        asked = request.args.get("language") or request.form.get("language", "")
    except HTTPException:
        # The form is too large to read, and the page that says so needs a language too.
        asked = request.args.get("language", "")
    return asked if asked in LANGUAGES else ""


def healthz() -> str:
    """This process answers."""
    return "ok\n"


def readyz() -> tuple[str, int]:
    """This process can do its work: it reaches its database, and finds there what its door needs."""
    missing: Callable[[Session], str] | None = current_app.extensions.get("missing")
    try:
        with database.reading(engine()) as session:
            session.execute(text("SELECT 1"))
            lacks = missing(session) if missing else ""
    except (DBAPIError, PoolTimeout):
        return "no database\n", 503
    return (f"{lacks}\n", 503) if lacks else ("ok\n", 200)


# Both are for machines and tell nothing; the guards' test reads this mark.
for _view in (healthz, readyz):
    vars(_view)["guard"] = "public"


def refuse(fault: HTTPException) -> Response | BaseResponse:
    """The error page: a plain sentence, the ways out, and the words that were typed, to copy. A member keeps the
    frame of the door (its template `member.html`) and is led home; everybody else is shown the two telephones.
    Addresses for machines (`refusals`) have another answer."""
    if isinstance(fault.response, BaseResponse):
        return fault.response
    for prefix, answer in current_app.extensions["refusals"].items():
        if request.path.startswith(prefix):
            other: Response = answer(fault)
            return other
    frames = ["member.html", "layout.html"] if g.get("signed_in") else ["layout.html"]
    page = render_template(
        "error.html",
        frame=current_app.jinja_env.select_template(frames),
        code=fault.code or 500,
        sentence=_sentence(fault.code),
        kept=_kept_words(),
    )
    response = current_app.make_response((page, fault.code or 500))
    return response


def _sentence(code: int | None) -> str:
    sentences = {
        400: gettext("We could not read that form. Your words are below. Please go back and send it again."),
        403: gettext("You are not allowed to do this."),
        404: gettext("There is no such page, or it is not yours to see."),
        405: gettext("This page cannot be used in that way."),
        409: gettext("Somebody else was first. Go back and look again."),
        413: gettext("That is too much for one form. Shorten it, or send it in two parts."),
        429: gettext(
            "Too many tries in a short time. Wait a few minutes. If someone is in danger now, call 911."
        ),
        503: gettext(
            "We cannot take this down right now, and nothing was sent. Your words are below: copy them, then try "
            "again in a minute. If someone is in danger now, call 911."
        ),
    }
    sentence: str = sentences.get(
        code or 500,
        gettext("Something broke on our side, and nothing was sent. Your words are below. Try again."),
    )
    return sentence


def _kept_words() -> list[str]:
    """What was typed into long fields, so that an error never costs somebody their words. Passwords are not."""
    try:
        fields = request.form.items(multi=True)
    except HTTPException:
        return []
    return [showable(words) for name, words in fields if len(words) > 1 and not re.search(_NOT_WORDS, name)]


def _no_database(fault: DBAPIError | PoolTimeout) -> Response | BaseResponse:
    log.error("the database did not answer: %s", type(fault).__name__)
    return refuse(ServiceUnavailable())


def _no_disk(fault: OSError) -> Response | BaseResponse:
    log.error("the system refused: %s", errno.errorcode.get(fault.errno or 0, type(fault).__name__))
    return refuse(ServiceUnavailable())


def _broken(fault: Exception) -> Response | BaseResponse:
    # Where, not what: the exception's text could hold somebody's words.
    log.error(
        "a page broke: %s",
        type(fault).__name__,
        exc_info=(RuntimeError, RuntimeError("hidden"), fault.__traceback__),
    )
    if current_app.testing and current_app.config.get("PROPAGATE_EXCEPTIONS"):
        raise fault
    return refuse(InternalServerError())


def _harden(secure: bool) -> Callable[[Response], Response]:
    headers = HEADERS | (
        {"Strict-Transport-Security": "max-age=31536000; includeSubDomains"} if secure else {}
    )

    def add(response: Response) -> Response:
        for name, value in headers.items():
            # But for files, and for what a view gives to everybody.
            if name == "Cache-Control" and (request.endpoint == "static" or response.cache_control.public):
                continue
            # A view may be stricter: a file that somebody sent is given no rights at all.
            if name == "Content-Security-Policy" and name in response.headers:
                continue
            response.headers[name] = value
        return response

    return add


def _speak_quickly(app: Flask) -> None:
    """The same words from the same catalogues, which Flask-Babel would look up again for each sentence."""

    def catalogue() -> Any:
        if "catalogue" not in g:
            g.catalogue = get_translations()
        return g.catalogue

    def one(words: str) -> str:
        return str(catalogue().ugettext(words))

    def many(single: str, plural: str, number: int) -> str:
        return str(catalogue().ungettext(single, plural, number))

    app.jinja_env.install_gettext_callables(one, many, newstyle=True)  # type: ignore[attr-defined]
    pieces: defaultdict[tuple[str, str], dict[str, str]] = defaultdict(dict)

    def same_for_all(name: str, caller: Callable[[], str]) -> str:
        """A piece of a page that holds nothing of the request but its language: put together once for each."""
        if "pieces" not in g:
            g.pieces = pieces[str(get_locale()), request.script_root]
        if name not in g.pieces:
            g.pieces[name] = caller()
        piece: str = g.pieces[name]
        return piece

    app.jinja_env.globals["same_for_all"] = same_for_all


def _templates(app: Flask) -> Any:
    from jinja2 import ChoiceLoader, PackageLoader

    return ChoiceLoader(
        [PackageLoader(app.import_name), PackageLoader("directory"), PackageLoader("foundation")]
    )


def language_addresses() -> dict[str, str]:
    """This page's address in each language, for the switch; none at the desk."""
    if current_app.extensions["door"] == "desk":
        return {}
    endpoint = request.endpoint if request.method == "GET" and request.endpoint else None
    if endpoint is None:
        return {}
    return {code: url_for(endpoint, **(request.view_args or {}), language=code) for code in LANGUAGES}

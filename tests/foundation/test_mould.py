"""A page put together once and filled for each reader."""

from __future__ import annotations

import pytest
from flask import Flask, render_template
from flask_babel import Babel
from flask_wtf.csrf import CSRFProtect, generate_csrf
from jinja2 import DictLoader

from foundation.mould import Words, filled
from foundation.web import choose_language

_PAGE = "{{ _('Main') }}: {{ name }}, {{ letters|join('-') }}, {{ csrf_token() }}, {{ name }}"


@pytest.fixture
def app() -> Flask:
    app = Flask(__name__)
    app.secret_key = "known"
    app.jinja_loader = DictLoader({"page": _PAGE})
    app.jinja_env.autoescape = True
    app.extensions["door"] = "intake"
    Babel(app, locale_selector=choose_language)
    CSRFProtect(app)
    return app


def _read(app: Flask, words: Words) -> tuple[str, str]:
    with app.test_request_context("/"):
        return filled("page", words), render_template("page", **words)


@pytest.mark.parametrize("name", ["Rosa", "", "<b>&'\"", "hole0n", "\\1{{ 7 }}"])
def test_each_reader_gets_what_the_template_would_have_made(app: Flask, name: str) -> None:
    for words in ({"name": "Ines", "letters": ["a", "b"]}, {"name": name, "letters": ["<", "ñ"]}):
        page, rendered = _read(app, words)
        assert page == rendered


def test_a_form_token_is_its_readers_own(app: Flask) -> None:
    with app.test_request_context("/"):
        first, mine = filled("page", {"name": "Rosa", "letters": []}), generate_csrf()
    with app.test_request_context("/"):
        second = filled("page", {"name": "Rosa", "letters": []})
    assert mine in first
    assert mine not in second


def test_more_or_fewer_words_have_a_mould_of_their_own(app: Flask) -> None:
    for letters in (["a", "b"], ["a"], []):
        page, rendered = _read(app, {"name": "Rosa", "letters": letters})
        assert page == rendered

"""The words of notices: one part each, and never more than the placeholders."""

from __future__ import annotations

from datetime import UTC, datetime
from itertools import product

import pytest

from notifications import gsm7, replies, words
from notifications.replies import Reply, Verb, parse_reply, reply_text
from notifications.words import Template, deadline_words, mail_text, sms_text
from referrals.facts import Urgency

LANGUAGES = ("en", "es")
# The longest of each: a desk's address of 40 characters, a deadline on another day.
ADDRESS = "https://desk.waypost.somestate.gov:8443/"
LONGEST = {"reference": "R-7K3M-Q2", "deadline": "11/25 14:25", "address": ADDRESS}
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("template", "language", "urgency", "code"), list(product(Template, LANGUAGES, Urgency, ("7H2K", None)))
)
def test_every_text_is_one_part_in_the_networks_alphabet(
    template: str, language: str, urgency: str, code: str | None
) -> None:
    text = sms_text(template, language, urgency=urgency, code=code, **LONGEST)
    assert gsm7.is_gsm7(text)
    assert gsm7.segments(text) == 1, gsm7.length(text)


@pytest.mark.parametrize(("reply", "language"), list(product(Reply, LANGUAGES)))
def test_every_reply_is_one_part_in_the_networks_alphabet(reply: Reply, language: str) -> None:
    text = reply_text(reply, language, reference="R-7K3M-Q2", address=ADDRESS)
    assert gsm7.is_gsm7(text)
    assert gsm7.segments(text) == 1, gsm7.length(text)


def test_an_offer_says_how_to_answer() -> None:
    text = sms_text(
        "offer",
        "en",
        reference="R-7K3M-Q2",
        urgency="imminent",
        deadline="14:25",
        address="https://w.example",
        code="7H2K",
    )
    assert text == (
        "[Waypost] IMMINENT referral R-7K3M-Q2. Answer by 14:25."
        " Reply A 7H2K to take it, D 7H2K to decline, or sign in: https://w.example"
    )


@pytest.mark.parametrize("template", ["withdrawn", "acknowledged", "task"])
def test_what_cannot_be_answered_offers_no_code(template: str) -> None:
    assert "7H2K" not in sms_text(template, "en", urgency="routine", code="7H2K", **LONGEST)


@pytest.mark.parametrize(("template", "language"), list(product(Template, LANGUAGES)))
def test_text_and_html_of_a_mail_say_the_same(template: str, language: str) -> None:
    subject, text, html = mail_text(template, language, urgency="elevated", **LONGEST)
    matter = text.split("\n")[0]
    assert subject == f"[Waypost] {matter}".rstrip(".")
    assert matter in html
    assert f'href="{ADDRESS}"' in html


def test_a_template_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="gossip"):
        sms_text("gossip", "en", urgency="routine", **LONGEST)


def test_the_deadline_is_on_the_readers_own_clock() -> None:
    at = datetime(2026, 11, 24, 21, 25, tzinfo=UTC)
    assert deadline_words(at, "America/Phoenix", "en", now=NOON) == "14:25"


@pytest.mark.parametrize(("language", "said"), [("en", "11/25 14:25"), ("es", "25/11 14:25")])
def test_a_deadline_on_another_day_names_the_day(language: str, said: str) -> None:
    at = datetime(2026, 11, 25, 21, 25, tzinfo=UTC)
    assert deadline_words(at, "America/Phoenix", language, now=NOON) == said


@pytest.mark.parametrize(("text", "parts"), [("a" * 160, 1), ("a" * 161, 2), ("€" * 80, 1), ("€" * 81, 2)])
def test_the_networks_alphabet_has_room_for_160(text: str, parts: int) -> None:
    assert gsm7.segments(text) == parts


@pytest.mark.parametrize(
    ("text", "parts"), [("–" * 70, 1), ("–" * 71, 2), ("á" + "a" * 69, 1), ("😀" * 36, 2)]
)
def test_one_other_letter_halves_the_room(text: str, parts: int) -> None:
    assert gsm7.segments(text) == parts


@pytest.mark.parametrize(
    "typed", ["A 7H2K", "a 7h2k", "A7H2K", " a-7h2k. ", "A: 7H 2K", "“A 7H2K”", "Ａ７Ｈ２Ｋ"]
)
def test_an_answer_is_understood_however_it_is_typed(typed: str) -> None:
    assert parse_reply(typed) == (Verb.TAKE, "7H2K")


@pytest.mark.parametrize(("typed", "code"), [("D OI2K", "012K"), ("d lo00", "1000")])
def test_letters_that_look_alike_are_one(typed: str, code: str) -> None:
    assert parse_reply(typed) == (Verb.DECLINE, code)


@pytest.mark.parametrize(
    ("typed", "verb"),
    [
        ("h", Verb.HELP),
        ("Help!", Verb.HELP),
        ("stop", Verb.STOP),
        ("Unsubscribe", Verb.STOP),
        ("START", Verb.START),
        ("yes.", Verb.START),
    ],
)
def test_the_words_that_stand_alone(typed: str, verb: Verb) -> None:
    assert parse_reply(typed) == (verb, "")


@pytest.mark.parametrize(
    "typed",
    ["", "A", "A 7H2", "A 7H2K9", "B 7H2K", "please stop", "A nice day", "A UUUU", "\x00", "A 7H2K D 7H2K"],
)
def test_other_talk_is_no_answer(typed: str) -> None:
    assert parse_reply(typed) is None


def test_spanish_has_a_word_for_everything_english_has() -> None:
    for table in (words._URGENCIES, words._MATTERS, replies._REPLIES):
        assert set(table["en"]) == set(table["es"])

"""The words of notices: one part each, and never more than the placeholders."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import UTC, datetime
from hashlib import sha256
from itertools import product
from typing import Any

import pytest

from notifications import gsm7, replies, voice, words
from notifications.replies import Reply, Verb, parse_reply, reply_text
from notifications.words import Asked, Template, deadline_words, mail_text, sms_text
from referrals.facts import Urgency
from routing.states import Kind

LANGUAGES = ("en", "es")
# The longest of each: a desk's address of 40 characters, a deadline on another day.
ADDRESS = "https://desk.waypost.somestate.gov:8443/"
LONGEST: dict[str, Any] = {"reference": "R-7K3M-Q2", "deadline": "11/25 14:25 AKDT", "address": ADDRESS}
# Of a call, by language.
_SPOKEN: tuple[Mapping[str, Any], ...] = (
    voice._GREETING, voice._DRILL, voice._URGENCIES, voice._MATTER, voice._KEYS, voice._AGAIN, voice._PROOF
)  # fmt: skip
NOON = datetime(2026, 11, 24, 12, 0, tzinfo=UTC)


@pytest.mark.parametrize(("template", "asked", "drill"), list(product(Template, Asked, (False, True))))
def test_every_text_is_one_part_in_the_networks_alphabet(template: str, asked: str, drill: bool) -> None:
    for language, urgency, code in product(LANGUAGES, Urgency, ("7H2K", None)):
        text = sms_text(template, language, urgency=urgency, code=code, asked=asked, drill=drill, **LONGEST)
        assert gsm7.is_gsm7(text)
        assert gsm7.segments(text) == 1, f"{gsm7.length(text)}: {text}"
        assert "11/25 14:25" in text or "{deadline}" not in words._MATTERS[language][Template(template)]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("template", "way", "code"),
    [
        ("proof", "contacts", "482913"),
        ("contact_ended", "contacts", None),
        ("their_contact_ended", "contacts/out-of-use", None),
        ("key_ends", "keys", None),
        ("offer", "portal", None),
    ],
)
def test_what_leads_to_a_page_of_its_own_is_one_part_too(
    template: str, way: str, code: str | None, language: str
) -> None:
    longest = LONGEST | {"address": f"{ADDRESS}{way}"}
    text = sms_text(template, language, urgency="imminent", code=code, drill=True, **longest)
    assert gsm7.segments(text) == 1, f"{gsm7.length(text)}: {text}"


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
        deadline="14:25 MST",
        address="https://w.example",
        code="7H2K",
    )
    assert text == (
        "[Waypost] IMMINENT referral R-7K3M-Q2. Answer by 14:25 MST."
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


def test_the_zone_goes_before_a_second_part_would_be_needed() -> None:
    short = sms_text(
        "offer", "en", urgency="imminent", code="7H2K", **(LONGEST | {"address": "https://w.us"})
    )
    long = sms_text("offer", "en", urgency="imminent", code="7H2K", **LONGEST)
    assert "11/25 14:25 AKDT." in short
    assert "11/25 14:25. " in long


@pytest.mark.parametrize("kind", ["consult", "support", "inform", "request"])
def test_only_a_transfer_is_taken(kind: str) -> None:
    for template, language in product(("offer", "reminder", "escalated"), LANGUAGES):
        text = sms_text(template, language, urgency="imminent", code="7H2K", asked=kind, **LONGEST)
        assert not {"take", "acepta", "aceptar", "Act"} & set(
            text.replace("(", " ").replace(")", " ").split()
        )


def test_who_is_only_informed_is_not_asked_to_decline() -> None:
    text = sms_text("offer", "en", urgency="imminent", code="7H2K", asked="inform", **LONGEST)
    assert "A 7H2K" in text
    assert "D 7H2K" not in text


def test_each_kind_that_a_team_is_asked_has_words() -> None:
    assert {Asked(kind.value) for kind in Kind if kind is not Kind.EXTERNAL} == set(Asked)


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_drill_says_so_first_on_every_channel(language: str) -> None:
    given: dict[str, Any] = {"urgency": "imminent", "code": "7H2K", "drill": True, **LONGEST}
    subject, text, html = mail_text("offer", language, **given)
    assert sms_text("offer", language, **given).startswith("[DRILL] ")
    assert (subject.startswith("[DRILL] "), text.startswith("DRILL. "), "DRILL. " in html) == (True,) * 3


def test_templates_have_only_the_allowed_placeholders() -> None:
    said = (
        words._MATTERS,
        words._MATTERS_ASKED,
        words._ANSWERED_BY_CODE,
        words._WAYS_ASKED,
        words._BY_SIGN_IN,
    )
    assert set(re.findall(r"\{(\w+)\}", repr(said))) == {
        "reference", "urgency", "deadline", "code", "address",
    }  # fmt: skip


def test_a_changed_word_is_a_new_version() -> None:
    said = {
        language: [
            *(str(table[language]) for table in _SPOKEN),
            *(
                sms_text(template, language, urgency=urgency, code="7H2K", asked=asked, **LONGEST)
                + "".join(mail_text(template, language, urgency=urgency, code="7H2K", asked=asked, **LONGEST))
                for template, urgency, asked in product(Template, Urgency, Asked)
            ),
        ]
        for language in LANGUAGES
    }
    digests = {
        language: sha256("\n".join(texts).encode()).hexdigest()[:12] for language, texts in said.items()
    }
    assert (words.VERSIONS, digests) == (
        {"en": "en-4", "es": "es-4"},
        {"en": "4e3f40efb026", "es": "a0145f8d21c2"},
    )


def test_a_template_that_does_not_exist_is_refused() -> None:
    with pytest.raises(ValueError, match="gossip"):
        sms_text("gossip", "en", urgency="routine", **LONGEST)


def test_the_deadline_is_on_the_readers_own_clock() -> None:
    at = datetime(2026, 11, 24, 21, 25, tzinfo=UTC)
    assert deadline_words(at, "America/Phoenix", "en", now=NOON) == "14:25 MST"


@pytest.mark.parametrize(("language", "said"), [("en", "11/25 14:25 MST"), ("es", "25/11 14:25 MST")])
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


@pytest.mark.parametrize("typed", ["A", "a!", "A 7H2", "A 7H2K9", "A UUUU"])
def test_an_answer_whose_code_is_mistyped_is_still_one(typed: str) -> None:
    assert parse_reply(typed) == (Verb.TAKE, "")


@pytest.mark.parametrize(
    "typed",
    ["", "B 7H2K", "please stop", "A nice day", "\x00", "A 7H2K D 7H2K"],
)
def test_other_talk_is_no_answer(typed: str) -> None:
    assert parse_reply(typed) is None


def test_spanish_has_a_word_for_everything_english_has() -> None:
    for table in (words._URGENCIES, words._MATTERS, replies._REPLIES):
        assert set(table["en"]) == set(table["es"])


@pytest.mark.parametrize(("language", "said"), [("en", "Answer here"), ("es", "Conteste en")])
def test_a_mail_that_can_be_answered_leads_to_the_button(language: str, said: str) -> None:
    _, text, html = mail_text("offer", language, urgency="elevated", by_button=True, **LONGEST)
    assert said in text
    assert said in html

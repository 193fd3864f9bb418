"""Somebody's words on a page: all of them visible, none of them markup."""

from __future__ import annotations

import html
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.safe_html import shown


@pytest.mark.parametrize(
    "words",
    [
        "<script>alert(1)</script>",
        "<!-- bring the rifle -->",
        '<img src=x onerror="alert(1)">',
        "<br onclick=x>",
        '<span class="token">[U+202E]</span>',
        "javascript:alert(1) &lt;b&gt; &amp; &nbsp;",
    ],
)
def test_markup_is_shown_and_does_nothing(words: str) -> None:
    page = shown(words)
    assert "<" not in page
    assert html.unescape(page) == words


@pytest.mark.parametrize(
    "character",
    ["\u202e", "\u200b", "\ufeff", "\u0000", "\u00ad", "\U000e0041", "\u3164", "\ud800", "\u2028"],
)
def test_a_hidden_character_is_shown_as_a_token(character: str) -> None:
    page = shown(f"a{character}b")
    assert page == f'a<span class="token">[U+{ord(character):04X}]</span>b'


def test_the_same_hidden_character_many_times_is_one_token() -> None:
    assert shown("a" + "\u200b" * 20_000 + "b") == 'a<span class="token">[U+200B ×20000]</span>b'
    assert shown("\u200b" * 2) == '<span class="token">[U+200B ×2]</span>'
    assert shown("\u200b") == '<span class="token">[U+200B]</span>'


def test_line_ends_of_every_kind_are_lines() -> None:
    assert shown("a\r\nb\rc\nd") == "a<br>b<br>c<br>d"


@given(st.text(alphabet=st.characters(categories=["L", "M", "N", "P", "S", "Zs", "Cf", "Cc"])))
def test_no_word_is_lost_and_no_tag_is_let_in(words: str) -> None:
    page = str(shown(words))
    assert set(re.findall(r"<[^>]*>", page)) <= {"<br>", '<span class="token">', "</span>"}
    letters = [letter for letter in words if letter.isalnum()]
    plain = html.unescape(re.sub(r'<span class="token">[^<]*</span>|<br>', "", page))
    assert [letter for letter in plain if letter.isalnum()] == [
        letter for letter in letters if f"[U+{ord(letter):04X}" not in page
    ]

"""Lookup: a landline is told from a mobile where an account allows it, and nothing fails where it does not answer."""

from __future__ import annotations

from dataclasses import replace

import pytest

from foundation.settings import Settings
from notifications.lookup import is_landline

MOBILE, LANDLINE = "+14805550001", "+14805550015"


@pytest.mark.parametrize(("number", "landline"), [(MOBILE, False), (LANDLINE, True)])
def test_the_line_of_a_number_is_asked_as_the_contract_says(
    wired: Settings, checked: list[tuple[str, int]], number: str, landline: bool
) -> None:
    assert is_landline(replace(wired, twilio_lookup=True), number) is landline
    assert checked == [("GET", 200)]


def test_nobody_is_asked_unless_it_is_wanted(wired: Settings, checked: list[tuple[str, int]]) -> None:
    assert is_landline(wired, LANDLINE) is False
    assert checked == []


@pytest.mark.parametrize(
    "trouble",
    [{"twilio_api_base": "http://127.0.0.1:1"}, {"twilio_auth_token": "wrong"}, {"twilio_account_sid": ""}],
)
def test_what_does_not_answer_says_nothing_against_a_number(wired: Settings, trouble: dict[str, str]) -> None:
    assert is_landline(replace(wired, twilio_lookup=True, **trouble), LANDLINE) is False  # type: ignore[arg-type]

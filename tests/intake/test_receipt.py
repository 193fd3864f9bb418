"""The receipt: shown after the commit and never before, the same for the same form."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import Engine

from foundation.settings import Settings
from referrals import filing
from referrals.receipts import typed_receipt
from tests.intake.door import Door, asked_words, open_door, receipt_key, receipt_words


@pytest.fixture
def door(engine: Engine, settings: Settings) -> Door:
    return open_door(engine, settings)


def test_a_second_press_shows_the_same_words_and_makes_no_second_record(door: Door) -> None:
    first, second = door.send_tip(), door.send_tip()
    assert receipt_words(first.text) == receipt_words(second.text) != []
    assert door.filed() == 1


def test_presses_at_the_same_moment_make_one_record(door: Door) -> None:
    with ThreadPoolExecutor(4) as presses:
        answers = list(presses.map(lambda _: Door.send_tip(_same_browser(door)), range(4)))
    assert {answer.status_code for answer in answers} == {200}
    assert len({tuple(receipt_words(answer.text)) for answer in answers}) == 1
    assert door.filed() == 1


def test_a_reference_that_is_taken_costs_nobody_their_tip(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken = iter(["R-0000-00", "R-0000-00", "R-0000-01"])
    monkeypatch.setattr(filing, "new_reference", lambda: next(taken))
    assert receipt_words(door.send_tip().text)
    assert receipt_words(door.send_tip(subject="Max").text)
    assert door.filed() == 2


def test_other_words_from_the_same_form_are_another_record(door: Door) -> None:
    first, second = door.send_tip(), door.send_tip(what_happened="He has it with him today.")
    assert receipt_words(first.text) != receipt_words(second.text)
    assert door.filed() == 2


def test_the_words_lead_to_the_referral_and_are_not_stored(door: Door) -> None:
    words = receipt_words(door.send_tip().text)
    receipt = typed_receipt(" ".join(words))
    assert receipt is not None
    row = door.row()
    assert row.receipt_lookup == receipt.lookup(door.town.settings.secret_key)
    assert row.reporter_public_key == receipt.public_key()
    assert not any(word in repr(row) for word in words if len(word) > 5)


def test_two_of_the_words_prove_that_they_were_kept(door: Door) -> None:
    page = door.send_tip().text
    answer = door.send("/receipt/check", step="kept", receipt_key=receipt_key(page), **asked_words(page))
    assert answer.status_code == 200
    assert "You kept your receipt" in answer.text
    assert not receipt_words(answer.text)


def test_other_words_show_the_receipt_again_with_a_sentence(door: Door) -> None:
    page = door.send_tip().text
    typed = {"code_first": "no", "code_second": "\U0001f52a"}
    answer = door.send("/receipt/check", step="kept", receipt_key=receipt_key(page), **typed)
    assert answer.status_code == 400
    summary = answer.text[: answer.text.index("<h1>")]
    assert '<a class="usa-link" href="#code_first">Those are not the two words.' in summary
    assert 'value="no"' in answer.text
    assert receipt_words(answer.text) == receipt_words(page)


def test_the_receipt_is_read_in_the_other_language_with_the_same_words(door: Door) -> None:
    page = door.send_tip().text
    assert 'form="receipt"' in page[: page.index("<main")]
    answer = door.send("/receipt/check", receipt_key=receipt_key(page), language="es")
    assert '<html lang="es">' in answer.text
    assert receipt_words(answer.text) == receipt_words(page)


@pytest.mark.parametrize("invented", ["", "00", "f" * 64, "not even hexadecimal"])
def test_a_key_of_no_tip_gets_no_receipt(door: Door, invented: str) -> None:
    answer = door.send("/receipt/check", receipt_key=invented, code_first="a", code_second="b")
    assert answer.status_code == 400
    assert not receipt_words(answer.text)


def _same_browser(door: Door) -> Door:
    """Another connection of the browser: the same cookie, token and key."""
    other = Door(door.town, door.app)
    other.client._cookies = door.client._cookies
    other.token, other.key = door.token, door.key
    return other

"""Sealing: words open for the right key at the right place, and nowhere else, in both suites."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from foundation.identifiers import new_id
from referrals import sealing
from referrals.sealing import PARTS, SUITES, CannotOpen, Place, Recipient

HERE = Place("waypost.example", "r1", "narrative")
ELSEWHERE = [
    replace(HERE, deployment="other.example"),
    replace(HERE, referral_id="r2"),
    replace(HERE, part="subject"),
    # The same letters, cut at another point.
    Place("waypost.exampler", "1", "narrative"),
]


@given(st.binary(max_size=2000))
def test_what_was_sealed_opens_byte_for_byte(words: bytes) -> None:
    key = sealing.new_key()
    assert sealing.unseal(key, HERE, sealing.seal(key, HERE, words)) == words


@pytest.mark.parametrize("place", ELSEWHERE)
def test_words_do_not_open_at_another_place(place: Place) -> None:
    key = sealing.new_key()
    with pytest.raises(CannotOpen):
        sealing.unseal(key, place, sealing.seal(key, HERE, b"words"))


def test_words_do_not_open_with_another_key_or_for_another_purpose() -> None:
    key = sealing.new_key()
    blob = sealing.seal(key, HERE, b"words")
    with pytest.raises(CannotOpen):
        sealing.unseal(sealing.new_key(), HERE, blob)
    with pytest.raises(CannotOpen):
        sealing.unseal(key, HERE, blob, purpose="note")


def test_a_changed_or_cut_blob_does_not_open() -> None:
    key = sealing.new_key()
    blob = sealing.seal(key, HERE, b"words")
    for cut in range(len(blob)):
        for bad in (blob[:cut], blob[:cut] + bytes([blob[cut] ^ 1]) + blob[cut + 1 :]):
            with pytest.raises(CannotOpen):
                sealing.unseal(key, HERE, bad)


@pytest.fixture(params=SUITES)
def team(request: pytest.FixtureRequest) -> tuple[bytes, Recipient]:
    """A team's seed and its public half."""
    seed = sealing.new_key()
    return seed, Recipient("team", new_id(), request.param, sealing.public_half(request.param, seed))


def test_a_grant_gives_its_team_the_key(team: tuple[bytes, Recipient]) -> None:
    seed, recipient = team
    key = sealing.new_key()
    blob = sealing.grant(key, HERE, recipient)
    assert sealing.open_grant(seed, HERE, blob) == key
    assert key not in blob


@pytest.mark.parametrize("place", ELSEWHERE)
def test_a_grant_does_not_open_at_another_place(team: tuple[bytes, Recipient], place: Place) -> None:
    seed, recipient = team
    with pytest.raises(CannotOpen):
        sealing.open_grant(seed, place, sealing.grant(sealing.new_key(), HERE, recipient))


def test_a_grant_does_not_open_for_another_team_or_under_another_key_id(
    team: tuple[bytes, Recipient],
) -> None:
    seed, recipient = team
    blob = sealing.grant(sealing.new_key(), HERE, recipient)
    with pytest.raises(CannotOpen):
        sealing.open_grant(sealing.new_key(), HERE, blob)
    with pytest.raises(CannotOpen):
        sealing.open_grant(seed, HERE, blob[:2] + bytes.fromhex(new_id()) + blob[18:])


@pytest.mark.parametrize("length", [0, 1, 2, 17, 18, 19, 40, 100, -1])
def test_a_cut_grant_does_not_open(team: tuple[bytes, Recipient], length: int) -> None:
    seed, recipient = team
    with pytest.raises(CannotOpen):
        sealing.open_grant(seed, HERE, sealing.grant(sealing.new_key(), HERE, recipient)[:length])


def test_each_part_has_a_key_of_its_own() -> None:
    key = sealing.new_key()
    assert len({sealing.part_key(key, part) for part in PARTS}) == len(PARTS)

"""Counting by network: a count ends when its time is over, and nothing of it is kept."""

from __future__ import annotations

import time
from dataclasses import replace

import limits
import pytest
from flask import Flask
from limits.strategies import FixedWindowRateLimiter

from foundation.settings import Settings
from intake.limits import Limits, Tally


@pytest.fixture
def tally() -> Tally:
    return Tally()


def test_so_many_and_no_more_until_the_time_is_over(tally: Tally, monkeypatch: pytest.MonkeyPatch) -> None:
    counter, two = FixedWindowRateLimiter(tally), limits.parse("2 per hour")
    assert [counter.hit(two, "tip", "192.0.2.1") for _ in range(3)] == [True, True, False]
    assert counter.hit(two, "tip", "192.0.2.2")
    later = time.time() + 3601
    monkeypatch.setattr(time, "time", lambda: later)
    assert counter.hit(two, "tip", "192.0.2.1")


def test_an_address_is_forgotten_with_the_next_count(tally: Tally, monkeypatch: pytest.MonkeyPatch) -> None:
    tally.incr("192.0.2.1", 60)
    later = time.time() + 61
    monkeypatch.setattr(time, "time", lambda: later)
    assert tally.get("192.0.2.1") == 0
    tally.incr("192.0.2.2", 60)
    assert "192.0.2.1" not in str(vars(tally))


def test_one_and_all_can_be_forgotten_by_hand(tally: Tally) -> None:
    for network in ("192.0.2.1", "192.0.2.2", "192.0.2.3"):
        tally.incr(network, 60)
    tally.clear("192.0.2.1")
    assert (tally.get("192.0.2.1"), tally.get("192.0.2.2")) == (0, 1)
    assert tally.reset() == 2


def test_a_long_tip_read_again_counts_for_many(settings: Settings) -> None:
    counted = Limits(replace(settings, tips_per_hour=2))
    for network, size, allowed in [
        ("192.0.2.1", 160_000, True),
        ("192.0.2.1", 40_000, False),
        ("192.0.2.2", 40, True),
    ]:
        with Flask(__name__).test_request_context(environ_base={"REMOTE_ADDR": network}):
            assert counted.allows_check(size) is allowed

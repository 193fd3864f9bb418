"""The clock: aware, in UTC, and moved only inside a block."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from foundation import clock


def test_it_is_now_in_utc() -> None:
    assert clock.now().tzinfo is UTC
    assert datetime.now(UTC) <= clock.now() <= datetime.now(UTC)


def test_moves_add_up_and_end_with_their_block() -> None:
    with clock.moved(timedelta(hours=1)), clock.moved(timedelta(minutes=5)):
        assert clock.shift() == timedelta(minutes=65)
    assert clock.shift() == timedelta(0)


def test_everything_inside_a_move_believes_the_time() -> None:
    before = clock.now()
    with clock.moved(timedelta(hours=1)):
        assert timedelta(hours=1) <= clock.now() - before < timedelta(hours=1, seconds=5)


def test_a_move_ends_with_an_error_too() -> None:
    with pytest.raises(RuntimeError), clock.moved(timedelta(hours=1)):
        raise RuntimeError
    assert clock.shift() == timedelta(0)

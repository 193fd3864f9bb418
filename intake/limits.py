"""How often one network may do something at the public door. Counted in memory only, and forgotten after an hour."""

from __future__ import annotations

import math
import time
from threading import Lock

import limits
from flask import request
from limits import RateLimitItem
from limits.storage import Storage
from limits.strategies import FixedWindowRateLimiter

from foundation.settings import Settings

# An office's system that asks what became of everything, every minute, and still stops when it runs wild.
_REQUESTS, _WRONG_KEYS = limits.parse("600 per minute"), limits.parse("20 per minute")
# Guessing eight words is hopeless; this keeps it from being noisy as well.
_WRONG_WORDS = limits.parse("5 per minute")
# Somebody reads a tip twice or three times before it is sent; so many characters more count as another time.
_CHECKS_A_TIP, _LONG = 5, 20_000


class Limits:
    """One for each process; several processes together allow as many times more."""

    def __init__(self, settings: Settings) -> None:
        self._counter = FixedWindowRateLimiter(Tally())
        self._tips = limits.parse(f"{settings.tips_per_hour} per hour")
        self._checks = limits.parse(f"{_CHECKS_A_TIP * settings.tips_per_hour} per hour")
        self._forwards = limits.parse(f"{settings.forwards_per_hour} per hour")

    def allows_tip(self) -> bool:
        """Counts one tip from this request's network; False when it has sent enough for this hour."""
        return self._counter.hit(self._tips, "tip", _network())

    def allows_check(self, sent: int) -> bool:
        """Counts one page on which somebody reads their tip of `sent` characters again, a long one for many; False when
        this request's network has read enough for this hour. To show 400 kB of signs costs seconds of a processor."""
        return self._counter.hit(self._checks, "check", _network(), cost=1 + sent // _LONG)

    def allows_words(self) -> bool:
        """Whether this request's network may try receipt words: not after five wrong ones in a minute."""
        return self._counter.test(_WRONG_WORDS, "words", _network())

    def count_wrong_words(self) -> None:
        """Counts one wrong try."""
        self._counter.hit(_WRONG_WORDS, "words", _network())

    def wait_of_key(self, key_id: str) -> int:
        """Counts one request with a key of the API; how many seconds it is to wait, 0 where it need not."""
        return self._wait(_REQUESTS, "key", key_id)

    def wait_of_forward(self, key_id: str) -> int:
        """Counts one forward with a key; seconds to wait."""
        return self._wait(self._forwards, "forward", key_id)

    def wait_after_wrong_key(self) -> int:
        """Counts one wrong key from this request's network; seconds to wait."""
        return self._wait(_WRONG_KEYS, "wrong key", _network())

    def _wait(self, limit: RateLimitItem, what: str, whose: str) -> int:
        if self._counter.hit(limit, what, whose):
            return 0
        ends = self._counter.get_window_stats(limit, what, whose).reset_time
        return max(1, math.ceil(ends - time.time()))


class Tally(Storage):
    """Counts in this process's memory. The library's own starts a thread after each count, to forget the old ones;
    here the next count does it."""

    # Not for addresses of storages: it is made by hand only.
    STORAGE_SCHEME = None

    def __init__(self) -> None:
        super().__init__()
        self._counts: dict[str, tuple[int, float]] = {}
        self._lock, self._tidied = Lock(), 0.0

    @property
    def base_exceptions(self) -> type[Exception]:
        """What the library may wrap: nothing is raised here."""
        return ValueError

    def incr(self, key: str, expiry: float, amount: int = 1) -> int:
        """Counts; the first one's `expiry` in seconds ends the count."""
        with self._lock:
            now = time.time()
            self._forget(now)
            count, until = self._counts.get(key, (0, now + expiry))
            self._counts[key] = (count + amount, until)
            return count + amount

    def get(self, key: str) -> int:
        """The count by now."""
        count, until = self._counts.get(key, (0, 0.0))
        return count if until > time.time() else 0

    def get_expiry(self, key: str) -> float:
        """When the count ends, in seconds of the epoch."""
        return self._counts.get(key, (0, time.time()))[1]

    def check(self) -> bool:
        """Memory is always there."""
        return True

    def reset(self) -> int:
        """Forgets all; says how many."""
        with self._lock:
            forgotten = len(self._counts)
            self._counts.clear()
            return forgotten

    def clear(self, key: str) -> None:
        """Forgets one."""
        with self._lock:
            self._counts.pop(key, None)

    def _forget(self, now: float) -> None:
        if now < self._tidied + 1:
            return
        self._tidied = now
        for key in [key for key, (_, until) in self._counts.items() if until <= now]:
            del self._counts[key]


def _network() -> str:
    return request.remote_addr or "unknown"

"""How often one network may do something at the public door. Counted in memory only, and forgotten after an hour."""

from __future__ import annotations

import limits
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address

from foundation.settings import Settings

# Guessing eight words is hopeless; this keeps it from being noisy as well.
_WRONG_WORDS = limits.parse("5 per minute")


class Limits:
    """One for each process; several processes together allow as many times more."""

    def __init__(self, limiter: Limiter, settings: Settings) -> None:
        self._counter = limiter.limiter
        self._tips = limits.parse(f"{settings.tips_per_hour} per hour")

    def allows_tip(self) -> bool:
        """Counts one tip from this request's network; False when it has sent enough for this hour."""
        return self._counter.hit(self._tips, "tip", get_remote_address())

    def allows_words(self) -> bool:
        """Whether this request's network may try receipt words: not after five wrong ones in a minute."""
        return self._counter.test(_WRONG_WORDS, "words", get_remote_address())

    def count_wrong_words(self) -> None:
        """Counts one wrong try."""
        self._counter.hit(_WRONG_WORDS, "words", get_remote_address())

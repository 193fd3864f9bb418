"""The receipt: eight words that only the reporter keeps.

They follow from the form's own random key and the deployment's secret, so that the same form, sent twice, shows the
same words, and nothing needs to be stored but a keyed digest. 8 words of 7,776 are 103 bits.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from referrals import sealing

LENGTH = 8


@cache
def word_list() -> tuple[str, ...]:
    """EFF's long list for dice-made passphrases: 7,776 distinct, inoffensive words of 3 to 9 letters."""
    return tuple((Path(__file__).parent / "eff_large_wordlist.txt").read_text().split())


@dataclass(frozen=True)
class Receipt:
    """Eight words. Never in an address, a log or a cookie."""

    words: tuple[str, ...]

    def lookup(self, secret: str) -> str:
        """The keyed digest under which a referral is found: 64 hexadecimal characters."""
        return hmac.new(_key(secret, "receipt lookup"), self._joined(), hashlib.sha256).hexdigest()

    def public_key(self) -> bytes:
        """The reporter's public key: what is sealed to it, only these words open."""
        return sealing.reporter_public_key(self._joined())

    def _joined(self) -> bytes:
        return " ".join(self.words).encode()


def receipt_for(form_key: str, secret: str) -> Receipt:
    """The receipt of a form: `form_key` is the random key that the form carries (at least 128 bits)."""
    number = int.from_bytes(
        hmac.new(_key(secret, "receipt words"), form_key.encode(), hashlib.sha512).digest()
    )
    known, words = word_list(), []
    for _ in range(LENGTH):
        number, index = divmod(number, len(known))
        words.append(known[index])
    return Receipt(tuple(words))


def submission_digest(form_key: str, secret: str) -> str:
    """What makes a second press of the button meet the first record: 64 hexadecimal characters."""
    return hmac.new(_key(secret, "submission"), form_key.encode(), hashlib.sha256).hexdigest()


def typed_receipt(typed: str) -> Receipt | None:
    """The receipt that somebody typed, in any case, with any separators; None unless it is eight known words."""
    words = tuple(re.findall(r"[a-z]+(?:-[a-z]+)*", typed.lower()))
    known = len(words) == LENGTH and set(words) <= set(word_list())
    return Receipt(words) if known else None


@cache
def _key(secret: str, purpose: str) -> bytes:
    return sealing.derive(secret.encode(), purpose)

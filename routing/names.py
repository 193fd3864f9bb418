"""Typed names in one form, so that case, accents, punctuation and usual abbreviations do not matter."""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache

# The post office writes them short; people do not.
_SHORT = {"saint": "st", "sainte": "ste", "fort": "ft", "mount": "mt", "and": "&"}
_SCHOOL = {
    "hs": "high",
    "highschool": "high",
    "ms": "middle",
    "elem": "elementary",
    "jr": "junior",
    "sr": "senior",
    "univ": "university",
}
_SILENT_IN_SCHOOLS = {"school", "schools", "the"}
_COUNTY_WORDS = re.compile(
    r" (county|parish|borough|municipality|municipio|census area|planning region|city and borough|district)$"
)


@lru_cache(maxsize=4096)
def place_key(name: str) -> str:
    """`st louis` for "Saint Louis" and "St. Louis"; "" for nothing but signs."""
    return " ".join(_SHORT.get(word, word) for word in _words(name))


@lru_cache(maxsize=4096)
def school_key(name: str) -> str:
    """`lincoln high` for "Lincoln H.S.", "lincoln high school" and "Lincoln High"."""
    words = (_SCHOOL.get(word, word) for word in _words(name))
    return " ".join(_SHORT.get(word, word) for word in words if word not in _SILENT_IN_SCHOOLS)


def county_key(name: str) -> str:
    """`maricopa` for "Maricopa County"."""
    return _COUNTY_WORDS.sub("", place_key(name).replace(" & ", " and "))


def says_county(name: str) -> bool:
    """Whether the words themselves say that a county is meant."""
    return bool(_COUNTY_WORDS.search(place_key(name).replace(" & ", " and ")))


def _words(name: str) -> list[str]:
    if name.isascii():
        plain = name.lower()
    else:
        decomposed = unicodedata.normalize("NFKD", name)
        plain = "".join(sign for sign in decomposed if not unicodedata.combining(sign)).casefold()
    # Apostrophes and full stops join ("O'Fallon", "H.S."); every other sign parts words.
    joined = plain.translate(_JOINING).replace("&", " and ")
    return re.findall(r"[a-z0-9]+", joined)


_JOINING = str.maketrans("", "", "'’ʻ`.")

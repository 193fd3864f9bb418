"""The names of the country: states, counties, ZIPs, postal places. Read once per process, each table when
first needed."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections import defaultdict
from dataclasses import dataclass
from datetime import date
from functools import cached_property, lru_cache
from pathlib import Path

from routing.names import county_key, place_key

DATA = Path(__file__).parent / "data"
# One ZIP tells nothing of how many people live in it: a county that only most ZIPs of a place lie in stays
# below this.
UNPROVEN_SHARE = 0.89


@dataclass(frozen=True)
class State:
    """`code` is FIPS, `letters` postal, `zone` the capital's time zone."""

    code: str
    letters: str
    name: str
    zone: str


@dataclass(frozen=True)
class Zip:
    """`state` are postal letters; `shares` are (county id, share of all addresses), largest first."""

    code: str
    state: str
    city: str
    kind: str
    shares: tuple[tuple[str, float], ...]


@dataclass(frozen=True)
class PostalPlace:
    """A city name that the post office uses in a state; `zips` prefer it, `accepted` merely accept it."""

    id: str
    name: str
    state: str
    zips: tuple[str, ...]
    accepted: tuple[str, ...]


@dataclass(frozen=True)
class Change:
    """An area that ended: `kind` is split, merged or renamed; `successors` took its place on the day `on`."""

    kind: str
    area: str
    successors: tuple[str, ...]
    on: date
    because: str


class Gazetteer:
    """The tables of `routing/data` without outlines. `digest` names their exact content."""

    @cached_property
    def digest(self) -> str:
        """Hashes of all tables, outlines included, as PROVENANCE.json records them."""
        described = json.loads((DATA / "PROVENANCE.json").read_text(encoding="utf-8"))
        return json.dumps(described["files"], sort_keys=True)

    @cached_property
    def states(self) -> dict[str, State]:
        """By FIPS code."""
        return {row[0]: State(*row) for row in _rows("states")}

    @cached_property
    def states_by_name(self) -> dict[str, State]:
        """By key of the full name, and by postal letters in lower case."""
        named = {place_key(state.name): state for state in self.states.values()}
        return named | {state.letters.lower(): state for state in self.states.values()}

    @cached_property
    def counties(self) -> dict[str, str]:
        """Legal name by county id."""
        return {f"county:{code}": name for code, name, _ in _rows("counties")}

    @cached_property
    def counties_by_name(self) -> dict[str, tuple[str, ...]]:
        """County ids by the key of the legal name, and by the key without "County"."""
        found: dict[str, dict[str, None]] = defaultdict(dict)
        for code, name, short in _rows("counties"):
            for key in (place_key(name), county_key(name), place_key(short)):
                found[key][f"county:{code}"] = None
        return {key: tuple(ids) for key, ids in found.items()}

    @cached_property
    def _zip_rows(self) -> dict[str, list[str]]:
        return {row[0]: row for row in _rows("zips")}

    def has_zip(self, code: str) -> bool:
        """Whether such a five-digit ZIP is in use."""
        return code in self._zip_rows

    def zip(self, code: str) -> Zip | None:
        """What is known of a five-digit ZIP, or None if no such ZIP is in use."""
        row = self._zip_rows.get(code)
        if row is None:
            return None
        _, state, city, kind, written = row
        pairs = (pair.partition(":") for pair in written.split())
        shares = tuple((f"county:{county}", float(share)) for county, _, share in pairs)
        return Zip(code, state, city, kind, shares)

    @cached_property
    def zip_codes(self) -> tuple[str, ...]:
        """Every ZIP in use."""
        return tuple(self._zip_rows)

    @cached_property
    def places(self) -> dict[str, PostalPlace]:
        """By id."""
        found = {}
        for letters, name, zips, accepted in _rows("places"):
            area = place_id(letters, name)
            found[area] = PostalPlace(area, name, letters, tuple(zips.split()), tuple(accepted.split()))
        return found

    @cached_property
    def places_by_name(self) -> dict[str, tuple[str, ...]]:
        """Place ids of all states by key."""
        found: dict[str, list[str]] = defaultdict(list)
        for area, place in self.places.items():
            found[place_key(place.name)].append(area)
        return {key: tuple(areas) for key, areas in found.items()}

    @cached_property
    def changes(self) -> dict[str, Change]:
        """Ended areas by id."""
        with (DATA / "changes.csv").open(encoding="utf-8", newline="") as table:
            return {
                row["from"]: Change(
                    row["kind"],
                    row["from"],
                    tuple(row["to"].split()),
                    date.fromisoformat(row["on"]),
                    row["because"],
                )
                for row in csv.DictReader(table)
            }

    def read_all(self) -> None:
        """Reads now what would be read when it is first asked for by a decision."""
        _ = self.digest, self.states_by_name, self.counties, self._zip_rows, self.places, self.changes

    def state_by_letters(self, letters: str) -> State | None:
        """None for military and foreign letters."""
        return self.states_by_name.get(letters.lower())

    def place_counties(self, place: PostalPlace) -> tuple[tuple[str, float], ...]:
        """Counties of a postal place, with the share that is proven: the least of its ZIPs' shares.

        Where that is below nine tenths, the mean over its ZIPs stands instead, capped below the share that
        may lead: it may name a candidate, never decide.
        """
        zips = [entry for code in place.zips or place.accepted if (entry := self.zip(code)) and entry.shares]
        # Post office boxes are rented far from home; where the place has delivery ZIPs, only those count.
        zips = [entry for entry in zips if entry.kind == "STANDARD"] or zips
        by_county: dict[str, list[float]] = defaultdict(list)
        for entry in zips:
            for county, share in entry.shares:
                by_county[county].append(share)
        proven = {county: _proven(shares, len(zips)) for county, shares in by_county.items()}
        return tuple(sorted(proven.items(), key=lambda pair: (-pair[1], pair[0])))


@lru_cache(maxsize=1)
def load() -> Gazetteer:
    """The process's one gazetteer."""
    return Gazetteer()


def place_id(letters: str, name: str) -> str:
    """`place:usps-AZ-TEMPE`."""
    return f"place:usps-{letters}-{place_key(name).replace('&', 'and').replace(' ', '-').upper()}"


def _proven(shares: list[float], zips: int) -> float:
    least = min(shares) if len(shares) == zips else 0.0
    return least if least >= 0.9 else round(min(sum(shares) / zips, UNPROVEN_SHARE), 4)


def _rows(name: str) -> list[list[str]]:
    with gzip.open(DATA / f"{name}.csv.gz", "rt", encoding="utf-8", newline="") as table:
        return list(csv.reader(io.StringIO(table.read())))[1:]

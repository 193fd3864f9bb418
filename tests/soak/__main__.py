"""`make soak`: faults at random for a minute or as long as asked; prints the count and fails if anything was lost."""

from __future__ import annotations

import argparse
import secrets
import sys
import tempfile
from pathlib import Path

from tests.soak.running import soak


def main() -> None:
    """Reads the command line, soaks, and prints."""
    parser = argparse.ArgumentParser(prog="python -m tests.soak", description=__doc__)
    parser.add_argument("--seconds", type=float, default=120.0, help="how long faults come")
    parser.add_argument("--tips", type=int, default=100, help="how many tips are filed meanwhile")
    parser.add_argument("--pause", type=float, default=0.5, help="seconds between two faults, about")
    parser.add_argument("--seed", type=int, default=secrets.randbelow(1_000_000), help="of the dice")
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        found = soak(Path(folder), seconds=asked.seconds, tips=asked.tips, pause=asked.pause, seed=asked.seed)
    sys.stdout.write(f"Soak of {asked.seconds:.0f} s, seed {asked.seed}\n{found.report()}")
    sys.exit(bool(found.lost or found.wrong))


if __name__ == "__main__":
    main()

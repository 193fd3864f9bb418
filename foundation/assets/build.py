"""Build foundation/static anew from the U.S. Web Design System: `make assets`. Needs node 20 or newer and npm."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def build() -> None:
    """Install the pinned tools beside this file and write foundation/static. Raises CalledProcessError."""
    # Without scripts: none of these packages needs one, and a stranger's script could do anything.
    subprocess.run(["npm", "ci", "--ignore-scripts", "--silent"], cwd=HERE, check=True)
    subprocess.run(["node", "build.mjs"], cwd=HERE, check=True)


if __name__ == "__main__":
    if not (shutil.which("node") and shutil.which("npm")):
        sys.exit(
            "Building the style sheets needs node and npm. Waypost runs without: they are in foundation/static."
        )
    build()

"""Finds a Chromium that starts, or fetches one, and writes its path to the file that is named.

In order: the machine's own; Playwright's download, kept beside that file; Debian's package where we are root.
An empty file means that none can be had; the tests then say which of them did not run.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
# Who answers needs a minute or two; who is blocked may never say no.
_FETCH_SECONDS = 300
_START_SECONDS = 60


def main(note: Path) -> None:
    """Writes the first path that starts, trying the cheap sources first."""
    sources: tuple[Callable[[Path], Iterator[str]], ...] = (_own, _downloaded, _packaged)
    candidates = (path for source in sources for path in source(note.parent / "browsers"))
    found = next(filter(_starts, candidates), "")
    note.write_text(found)
    print(f"Chromium for the browser tests: {found or 'none can be had here'}")


def _own(_browsers: Path) -> Iterator[str]:
    yield from filter(None, map(shutil.which, _NAMES))


def _downloaded(browsers: Path) -> Iterator[str]:
    environment = {**os.environ, "PLAYWRIGHT_BROWSERS_PATH": str(browsers.absolute())}
    _tried([sys.executable, "-m", "playwright", "install", "chromium-headless-shell"], environment)
    yield from map(str, browsers.absolute().glob("*/*/chrome-headless-shell"))
    yield from map(str, browsers.absolute().glob("*/*/headless_shell"))


def _packaged(browsers: Path) -> Iterator[str]:
    if os.geteuid() == 0 and shutil.which("apt-get"):
        quiet = {**os.environ, "DEBIAN_FRONTEND": "noninteractive"}
        if _tried(["apt-get", "update", "-q"], quiet):
            _tried(["apt-get", "install", "-q", "-y", "--no-install-recommends", "chromium"], quiet)
        yield from _own(browsers)


def _tried(command: list[str], environment: dict[str, str]) -> bool:
    print("Trying:", " ".join(command), flush=True)
    silent = subprocess.DEVNULL
    try:
        subprocess.run(
            command,
            env=environment,
            check=True,
            timeout=_FETCH_SECONDS,
            stdin=silent,
            stdout=silent,
            stderr=silent,
        )
    except (subprocess.SubprocessError, OSError):
        print("  That did not work.", flush=True)
        return False
    return True


def _starts(path: str) -> bool:
    """A browser can lie there and lack a library; only one that shows a page counts."""
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        command = [path, "--headless", "--no-sandbox", "--disable-gpu", "--no-first-run", "--disable-sync"]
        command += ["--disable-background-networking", "--disable-component-update"]
        command += [f"--user-data-dir={profile}", "--dump-dom", "data:text/html,<p>ready"]
        try:
            shown = subprocess.run(command, capture_output=True, text=True, timeout=_START_SECONDS)
        except (subprocess.SubprocessError, OSError):
            return False
    return "ready" in shown.stdout


if __name__ == "__main__":
    main(Path(sys.argv[1]))

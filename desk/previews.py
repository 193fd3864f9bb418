"""Previews: a hostile picture is decoded by a child without keys and with limits, never beside the open keyring."""

from __future__ import annotations

import subprocess
import sys
import threading
from contextlib import suppress
from pathlib import Path

_SCRIPT = Path(__file__).with_name("picture.py")
_SECONDS = 20.0
# Larger than any picture of that size; a child that was taken over may write for ever.
_MOST = 20_000_000
_JPEG = b"\xff\xd8\xff"
# Each child may take a gigabyte: a page with ten pictures must not take ten.
_TURNS = threading.BoundedSemaphore(2)


def redraw(original: bytes) -> bytes | None:
    """A fresh JPEG of a picture, or None where none can be made of it within the limits."""
    with _TURNS:
        return _run([sys.executable, "-I", str(_SCRIPT)], original)


def _run(command: list[str], original: bytes) -> bytes | None:
    with subprocess.Popen(
        command,
        # Nothing of the desk's environment goes along: it holds secrets.
        env={"LANG": "C.UTF-8"},
        cwd="/",
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as child:
        assert child.stdin is not None
        assert child.stdout is not None
        clock = threading.Timer(_SECONDS, child.kill)
        feeder = threading.Thread(target=_feed, args=(child, original), daemon=True)
        clock.start()
        feeder.start()
        try:
            made = child.stdout.read(_MOST + 1)
            if len(made) > _MOST:
                child.kill()
            whole = child.wait() == 0 and len(made) <= _MOST
        finally:
            clock.cancel()
            child.kill()
            feeder.join()
    return made if whole and made.startswith(_JPEG) else None


def _feed(child: subprocess.Popen[bytes], original: bytes) -> None:
    # A child that ended early reads no more.
    with suppress(OSError, ValueError):
        assert child.stdin is not None
        child.stdin.write(original)
        child.stdin.close()

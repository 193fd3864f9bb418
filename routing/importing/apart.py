"""Apart: a drawn file is read in a process of its own, which has no keys, no settings and little of the machine.

What reads a hostile file must not stand beside an open keyring, and an outline can be drawn so that repairing it takes
for ever. The child is started with an empty environment, limits itself before it looks at the file, and writes a
head and then one row a line, as JSON. Whatever happens to it, the parent gets a sentence.
"""

from __future__ import annotations

import contextlib
import json
import os
import resource
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, Any

from routing.importing.rows import Opened, ReadingFault, Row

_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Limits:
    """What reading one file may cost: seconds of processor time, bytes of memory, bytes unpacked."""

    seconds: int
    memory: int
    unpacked: int


# A command may read the largest published file; a page must answer while somebody waits.
OF_A_COMMAND = Limits(seconds=1800, memory=4 * 1024**3, unpacked=2 * 1024**3)
OF_A_PAGE = Limits(seconds=40, memory=1536 * 1024**2, unpacked=300 * 1024**2)


@contextlib.contextmanager
def read_apart(path: Path, limits: Limits, layer: str = "", encoding: str = "") -> Iterator[Opened]:
    """The rows of a drawn file, read by a child that ends with the block. Raises ReadingFault, also while rows are
    read."""
    asked = json.dumps({"path": str(path.resolve()), "layer": layer, "encoding": encoding, **asdict(limits)})
    command = [sys.executable, "-m", "routing.importing.apart", asked]
    # Nothing of the desk's environment goes along: it may hold secrets. More threads would only cost memory.
    environment = {
        "LANG": "C.UTF-8",
        "OPENBLAS_NUM_THREADS": "1",
        "PROJ_NETWORK": "OFF",
        "TMPDIR": str(path.parent),
    }
    with subprocess.Popen(
        command,
        cwd=_ROOT,
        env=environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    ) as child:
        assert child.stdout is not None
        try:
            head = _line(child, child.stdout)
            yield Opened(tuple(head["columns"]), head["count"], _rows(child, child.stdout))
        finally:
            child.kill()


def _rows(child: subprocess.Popen[bytes], lines: IO[bytes]) -> Iterator[Row]:
    while found := _line(child, lines):
        shape = bytes.fromhex(found["shape"]) if found["shape"] else None
        yield Row(found["number"], found["values"], shape, tuple(found["notes"]), found["fault"])


def _line(child: subprocess.Popen[bytes], lines: IO[bytes]) -> dict[str, Any]:
    """The child's next line; {} after its last. Raises what it refused, or that it died."""
    line = lines.readline()
    found: dict[str, Any] = json.loads(line) if line.endswith(b"\n") else {"refused": _end(child.wait())}
    if "refused" in found:
        raise ReadingFault(found["refused"])
    return found


def _end(code: int) -> str:
    if code < 0:
        return "Reading the file took more time or memory than is allowed here"
    return "The file is broken: it could not be read"


def _confine(asked: Mapping[str, Any]) -> None:
    limits = {
        resource.RLIMIT_CPU: asked["seconds"],
        resource.RLIMIT_AS: asked["memory"],
        resource.RLIMIT_FSIZE: asked["unpacked"],
        resource.RLIMIT_CORE: 0,
    }
    for kind, most in limits.items():
        resource.setrlimit(kind, (most, most))


def _main(asked: Mapping[str, Any]) -> None:
    os.nice(5)
    _confine(asked)
    from routing.importing.drawn import open_drawn

    opened = open_drawn(Path(asked["path"]), asked["layer"], asked["encoding"])
    _write({"columns": opened.columns, "count": opened.count})
    for row in opened.rows:
        _write(asdict(row) | {"shape": row.shape.hex() if row.shape else ""})
    _write({})


def _write(line: Mapping[str, Any]) -> None:
    sys.stdout.write(json.dumps(line) + "\n")


def _answer(asked: Mapping[str, Any]) -> None:
    """Whatever goes wrong becomes the last line; a traceback could hold what the file says."""
    try:
        _main(asked)
    except ReadingFault as fault:
        _write({"refused": str(fault)})
    except MemoryError:
        _write({"refused": _end(-1)})
    except Exception:
        # Each library has its own ways to say that bytes make no sense.
        _write({"refused": _end(1)})


if __name__ == "__main__":
    _answer(json.loads(sys.argv[1]))

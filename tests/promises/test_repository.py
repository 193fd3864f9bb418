"""Promise: the repository can be cloned anywhere.

It names no place where it was made and no place it installs from, and it carries its licence and notices.
"""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# In pieces, so that this file does not name what it looks for.
_REGISTRIES = {"pypi": "org", "pythonhosted": "org", "npmjs": "(?:com|org)", "deb[.]debian": "org"}
_FORBIDDEN = {
    "a path of a machine": r"(?<![\w.$/}])/(?:work|root|home|Users|tmp)/\w",
    "the host of a registry": "|".join(f"{name}[.]{ending}" for name, ending in _REGISTRIES.items()),
    "where packages come from": r"--(?:extra-)?index[-]url\b|--find[-]links|^registry *=|\"resolved\": *\"h",
}


def _tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


@pytest.mark.parametrize("what", _FORBIDDEN)
def test_no_tracked_file_names(what: str) -> None:
    pattern = re.compile(_FORBIDDEN[what].encode(), re.MULTILINE)
    texts = {path: path.read_bytes() for path in _tracked()}
    guilty = {
        f"{path.relative_to(ROOT)}: {found.group().decode()}"
        for path, text in texts.items()
        if b"\0" not in text
        for found in pattern.finditer(text)
    }
    assert not guilty


def test_every_requirement_is_pinned_with_a_hash() -> None:
    for name in ("requirements.txt", "requirements-dev.txt"):
        text = (ROOT / name).read_text()
        blocks = re.split(r"\n(?=[a-z0-9])", re.sub(r"^\s*#.*\n", "", text, flags=re.MULTILINE))
        assert all(re.match(r"[\w.\[\]-]+==\S+[^\n]*\\\n    --hash=sha256:", block) for block in blocks)


def test_the_licence_and_the_notices_are_there() -> None:
    assert "Apache License" in (ROOT / "LICENSE").read_text()
    notices = (ROOT / "NOTICE").read_text()
    for carried in ("U.S. Web Design System", "United States Census Bureau", "Twilio"):
        assert carried in notices

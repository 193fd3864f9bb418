"""Promise: packages import only downward, and each risky library has one room. The contracts stand in
pyproject.toml."""

from __future__ import annotations

import ast
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
_ROOMS = ("intake", "desk", "routing", "notifications", "referrals", "directory", "ledger", "foundation")
# One line per file, each against a contract.
_WRONG = {
    "foundation/upward.py": "import desk",
    "desk/sideways.py": "import intake",
    "intake/texting.py": "import notifications.sms",
    "desk/texting.py": "import twilio",
    "notifications/sms.py": "import twilio",
    "notifications/twilio_wire.py": "import twilio",
    "notifications/voice.py": "import twilio",
    "desk/ciphers.py": "import cryptography",
    "intake/markup.py": "import bleach",
    "routing/queueing.py": "import rq",
    "ledger/starting.py": "import worker",
    "desk/looking.py": "import PIL",
    "desk/app.py": "import desk.picture",
    "desk/picture.py": "import PIL",
}
# What starts the rooms is no package, so the linter does not see it: which risky library each may know.
_STARTERS: dict[str, set[str]] = {"run.py": set(), "wsgi.py": set(), "worker.py": {"rq"}}
_RISKY = {"twilio", "cryptography", "bleach", "rq"}


def _lint(house: Path) -> subprocess.CompletedProcess[str]:
    command = "from importlinter.cli import lint_imports_command as lint; lint()"
    return subprocess.run(
        [sys.executable, "-c", command, "--no-cache", "--no-logo"], cwd=house, capture_output=True, text=True
    )


def test_packages_import_only_downward() -> None:
    linted = _lint(ROOT)
    assert linted.returncode == 0, linted.stdout + linted.stderr


def test_every_contract_can_be_broken(tmp_path: Path) -> None:
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    (tmp_path / "worker.py").touch()
    for room in _ROOMS:
        (tmp_path / room).mkdir()
        (tmp_path / room / "__init__.py").touch()
    for module, line in _WRONG.items():
        (tmp_path / module).write_text(line + "\n")
    verdict = _lint(tmp_path).stdout
    assert " KEPT" not in verdict
    assert "Contracts: 0 kept" in verdict


@pytest.mark.parametrize("starter", _STARTERS)
def test_what_starts_the_rooms_knows_no_risky_library(starter: str) -> None:
    assert _libraries(ROOT / starter) & _RISKY <= _STARTERS[starter]


def _libraries(module: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(module.read_text())))
    whole = {alias.name for node in nodes if isinstance(node, ast.Import) for alias in node.names}
    parts = {node.module or "" for node in nodes if isinstance(node, ast.ImportFrom)}
    return {name.partition(".")[0] for name in whole | parts}

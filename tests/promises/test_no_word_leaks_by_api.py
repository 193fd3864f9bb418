"""Promise: no word of a forward leaves the API but sealed, whether it is taken, refused or broken off."""

from __future__ import annotations

import base64
import json
import logging
import tempfile
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event
from sqlalchemy.exc import OperationalError

from intake import api_schema
from tests.builders import Town
from tests.intake.system import REFERRALS, System
from tests.promises import canary
from tests.promises.canary import CANARY
from tests.sent_files import MULTIPART, body

_CHOSEN = {"urgency": "routine", "handling": "H3"}
# In clear or a closed list, so no words stand there.
_NO_WORDS = {"urgency", "handling", "relation", "setting", "state", "zip_code", "case_number"}
_FILE = {"name": f"{CANARY}.txt", "content": base64.b64encode(CANARY.encode()).decode()}


def everywhere() -> dict[str, Any]:
    """A forward with the canary in each string of it."""
    texts = {
        name for name, kind in api_schema.forward(1)["properties"].items() if kind.get("type") == "string"
    }
    words = {name: f"{CANARY} {name}" for name in texts - _NO_WORDS}
    return words | _CHOSEN | {"links": [CANARY], "attachments": [_FILE]}


@pytest.fixture
def system(town: Town, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> System:
    spool = tmp_path / "spool"
    spool.mkdir()
    monkeypatch.setenv("TMPDIR", str(spool))
    monkeypatch.setattr(tempfile, "tempdir", None)
    # A spooled file has no name: what was in it cannot be found afterwards. So none may be made.
    monkeypatch.setattr(tempfile, "TemporaryFile", None)
    return System(town)


def search(system: System, folder: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Fails for the first place that holds the canary or the key."""
    logged = "\n".join(
        f"{record.getMessage()} {record.args!r} {record.exc_text}" for record in caplog.records
    )
    for secret in (CANARY, system.key):
        assert secret not in logged
        assert secret.encode() not in canary.in_database(system.town.engine)
        assert secret.encode() not in canary.in_files(folder)


def test_a_forward_that_ends_well_leaks_no_word(
    system: System, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    assert system.send(everywhere(), CANARY).status_code == 201
    without = {name: words for name, words in everywhere().items() if name != "attachments"}
    # Large enough for Werkzeug's own parser to write it to the disk.
    form = body({"referral": json.dumps(without)}, [(f"{CANARY}.txt", CANARY.encode() * 50_000)])
    headers = {"Idempotency-Key": f"{CANARY}-2", "Content-Type": MULTIPART}
    assert system.ask("POST", REFERRALS, data=form, headers=headers).status_code == 201
    search(system, tmp_path, caplog)


def test_a_forward_that_ends_badly_leaks_no_word(
    system: System, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    wrong: list[dict[str, Any]] = [
        {"urgency": CANARY}, {CANARY: 1}, {"subject": f"{CANARY}\0"}, {"point": {CANARY: CANARY}},
        {"what_happened": CANARY * 60_000}, {"zip_code": CANARY}, {"state": CANARY}, {"case_number": f"{CANARY}, Max"},
    ]  # fmt: skip
    for answers in wrong:
        answer = system.send(everywhere() | answers, CANARY)
        # Names of members, ours or not, say where the fault is; nothing else of it is repeated.
        where = {error["pointer"] for error in answer.get_json()["errors"]}
        said = [error["detail"] for error in answer.get_json()["errors"]]
        assert (answer.status_code, CANARY in str(said)) == (400, False)
        assert {place for place in where if CANARY in place} <= {f"#/{CANARY}", f"#/point/{CANARY}"}
    headers = {"Idempotency-Key": CANARY}
    for sent in (f'{{"{CANARY}": ', f'{{"{CANARY}": 1, "{CANARY}": 2}}', f'"{CANARY}'):
        more = headers | {"Content-Type": "application/json"}
        answer = system.ask("POST", REFERRALS, data=sent, headers=more)
        assert (answer.status_code, sent in answer.get_json()["detail"]) == (400, False)
    assert system.ask("GET", f"{REFERRALS}/{CANARY}").status_code == 404
    assert system.ask("GET", REFERRALS, headers={"Authorization": f"Bearer {CANARY}"}).status_code == 401
    search(system, tmp_path, caplog)


def test_a_broken_store_leaks_no_word(
    system: System, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)

    def fail(_: object, __: object, statement: str, *___: object) -> None:
        if statement.startswith("INSERT INTO referrals"):
            raise OperationalError(CANARY, {"words": CANARY}, Exception(CANARY))

    event.listen(system.town.engine, "before_cursor_execute", fail)
    answer = system.send(everywhere(), CANARY)
    event.remove(system.town.engine, "before_cursor_execute", fail)
    assert answer.status_code == 503
    assert CANARY not in answer.text
    search(system, tmp_path, caplog)

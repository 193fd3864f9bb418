"""Promise: no word of a tip leaves the page but sealed. A canary is typed into every field, along every way that ends
well or badly; then the database, the logs, the addresses and every file that was written are searched for it."""

from __future__ import annotations

import logging
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, text
from sqlalchemy.exc import OperationalError
from waitress.adjustments import Adjustments
from waitress.buffers import OverflowableBuffer, TempfileBasedBuffer

import run
from foundation import database
from foundation.settings import Settings
from referrals.receipts import receipt_for
from tests import builders
from tests.intake.door import Door, receipt_words
from tests.promises import canary
from tests.promises.canary import CANARY

# In the text of what breaks: unlike the reporter's words, which stay on the page to be copied, it shows nowhere.
FAULT = "zaunkoenig"
_FIELDS = (
    "what_happened", "other_act", "school", "place", "subject", "target", "when", "how_known", "contact",
)  # fmt: skip
_EVERYWHERE = {name: f"{CANARY} {name}" for name in _FIELDS}
AGENT = "Canary-Browser/1.0"
NETWORK = "203.0.113.77"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place for temporary files."""
    spool = tmp_path / "spool"
    spool.mkdir()
    monkeypatch.setenv("TMPDIR", str(spool))
    monkeypatch.setattr(tempfile, "tempdir", None)
    return tmp_path


@pytest.fixture
def door(engine: Engine, settings: Settings, folder: Path) -> Door:
    opened = Door(builders.found(engine, replace(settings, tips_per_hour=20)))
    opened.client.environ_base.update(REMOTE_ADDR=NETWORK, HTTP_USER_AGENT=AGENT)
    return opened


@pytest.fixture
def logged(caplog: pytest.LogCaptureFixture) -> Callable[[], str]:
    caplog.set_level(logging.DEBUG)
    formatter = logging.Formatter("%(name)s %(message)s")
    return lambda: "\n".join(formatter.format(record) + repr(record.args) for record in caplog.records)


def test_a_tip_that_ends_well_leaks_no_word(door: Door, folder: Path, logged: Callable[[], str]) -> None:
    door.send(step="check", **_EVERYWHERE)
    page = door.send_tip(**_EVERYWHERE).text
    door.send("/status", code_words=" ".join(receipt_words(page)))
    assert door.filed() == 1
    _search(
        door,
        folder,
        logged,
        (CANARY, AGENT, NETWORK, " ".join(receipt_words(page)), "-".join(receipt_words(page))),
    )


def test_every_way_that_ends_badly_leaks_no_word(door: Door, folder: Path, logged: Callable[[], str]) -> None:
    bad: list[dict[str, Any]] = [
        {"csrf_token": ""},
        {"zip_code": CANARY},
        {"state": CANARY},
        {"what_happened": f"{CANARY}\0"},
        {"what_happened": CANARY * 60_000},
        {"what_happened": CANARY * 200_000},
        {"step": CANARY},
    ]
    for answers in bad:
        assert not receipt_words(door.send_tip(**(_EVERYWHERE | answers)).text)
    door.send("/status", code_words=CANARY)
    door.send("/receipt/check", step="kept", receipt_key=CANARY, code_first=CANARY)
    door.client.post("/tip", data={"what_happened": CANARY}, content_type="multipart/form-data")
    _search(door, folder, logged, (CANARY, AGENT, NETWORK))


@pytest.mark.parametrize(
    "fault",
    [OperationalError(FAULT, {"words": FAULT}, Exception(FAULT)), OSError(28, FAULT), ValueError(FAULT)],
)
def test_a_broken_store_leaks_no_word(
    door: Door, folder: Path, logged: Callable[[], str], fault: Exception
) -> None:
    def fail(*_: object) -> None:
        raise fault

    event.listen(door.town.engine, "before_cursor_execute", fail)
    answer = door.send_tip(**_EVERYWHERE)
    event.remove(door.town.engine, "before_cursor_execute", fail)
    assert answer.status_code in {500, 503}
    assert FAULT not in answer.text
    assert all(words in answer.text for words in _EVERYWHERE.values())
    _search(door, folder, logged, (CANARY, FAULT, AGENT, NETWORK))


def test_the_database_refuses_without_repeating_a_word(engine: Engine) -> None:
    with (
        pytest.raises(Exception, match=r"no such|does not exist") as refused,
        database.transaction(engine) as session,
    ):
        session.execute(text("INSERT INTO nowhere VALUES (:words)"), {"words": CANARY})
    assert CANARY not in str(refused.value)


def test_no_address_of_the_door_takes_a_word(door: Door) -> None:
    rules = [rule for rule in door.app.url_map.iter_rules() if rule.endpoint.startswith("public.")]
    assert rules
    assert not [rule.rule for rule in rules if rule.arguments]


def test_the_receipt_is_in_no_cookie_and_no_header(door: Door) -> None:
    answer = door.send_tip()
    words = receipt_words(answer.text)
    submission = answer.text.split('name="receipt_key" value="')[1].split('"')[0]
    assert words == list(receipt_for(submission, door.town.settings.secret_key).words)
    assert not [
        name for name, value in answer.headers if submission in value or any(f" {w} " in value for w in words)
    ]


def _search(door: Door, folder: Path, logged: Callable[[], str], secrets: tuple[str, ...]) -> None:
    """Fails for the first place that holds one of the secrets."""
    stored = canary.in_database(door.town.engine)
    for secret in secrets:
        assert secret not in logged(), "a log line"
        assert secret.encode() not in stored, "the database"
        for path in folder.rglob("*"):
            assert not path.is_file() or secret.encode() not in path.read_bytes(), path


@pytest.mark.parametrize("overflow", ["inbuf_overflow", "outbuf_overflow"])
def test_the_web_server_keeps_what_it_reads_and_answers_in_memory(overflow: str) -> None:
    flags = list(run.web_server(8000, "wsgi:intake")[3:])
    # The published types say that the arguments are one word.
    set_by, _door = Adjustments.parse_args(flags)  # type: ignore[arg-type]
    buffer = OverflowableBuffer(int(set_by[overflow]))
    buffer.append(CANARY.encode() * 100_000)
    assert not isinstance(buffer.buf, TempfileBasedBuffer)

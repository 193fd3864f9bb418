"""Promise: the public door can seal and cannot open. It starts without a keyring, files a tip, and nothing in its
process or its settings opens what it sealed."""

from __future__ import annotations

import ast
import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import Engine, select

from foundation import database
from foundation.settings import Settings
from referrals import sealing
from referrals.grants import Keys
from referrals.keyring import FileKeyring, HeldKeys
from referrals.sealing import ALL, CannotOpen, Place
from referrals.tables import grants
from tests import builders
from tests.intake.door import WORDS, Door, receipt_words

ROOT = Path(__file__).parents[2]
# What opens: no module of the public door may name them.
_OPENERS = {
    "opening",
    "keyring",
    "team_keys",
    "unseal",
    "open_grant",
    "part_key",
    "open_content",
    "Keys",
    "unwrap",
}


# The public door alone in a process: it files a tip, then names every 32 bytes in its memory, raw or as text.
_PROCESS = """
import gc, hashlib, os, re
from foundation import database
from foundation.settings import Settings
from intake.app import create_app
from tests.builders import csrf_token
settings = Settings.from_mapping(os.environ)
app = create_app(settings, database.make_engine(settings.database_url))
app.extensions["a key lies here"] = hashlib.sha256(b"a key lies here").digest()
client = app.test_client()
page = client.get("/tip").text
key = re.search('name="form_key"[^>]*value="([^"]+)"', page)[1]
sent = {"csrf_token": csrf_token(page), "form_key": key, "step": "send", "what_happened": WORDS}
assert "receipt-words" in client.post("/tip", data=sent).text
for thing in gc.get_objects():
    for inner in gc.get_referents(thing):
        if isinstance(inner, (bytes, bytearray)) and len(inner) == 32:
            print(inner.hex())
        elif isinstance(inner, str) and re.fullmatch("[0-9a-f]{64}", inner):
            print(inner)
""".replace("WORDS", repr(WORDS))


@pytest.fixture
def door(engine: Engine, settings: Settings, database_url: str) -> Door:
    return Door(builders.found(engine, replace(settings, database_url=database_url)))


def test_it_files_a_tip_without_a_keyring(door: Door) -> None:
    assert (door.town.settings.keyring_file, door.town.settings.keyring_passphrase) == ("", "")
    assert receipt_words(door.send_tip().text)
    assert door.told() == {"what_happened": WORDS}  # the desk's key does open it


def test_no_part_of_the_app_holds_a_key_that_opens(door: Door) -> None:
    door.send_tip()
    held = [*door.app.extensions.values(), *door.app.config.values()]
    assert not [thing for thing in held if isinstance(thing, (Keys, HeldKeys, FileKeyring))]


def test_nothing_in_a_process_of_its_own_opens_what_it_sealed(door: Door) -> None:
    found = subprocess.run(
        [sys.executable, "-c", _PROCESS],
        cwd=ROOT,
        env=_environment(door.town.settings),
        capture_output=True,
        text=True,
    )
    assert found.returncode == 0, found.stderr
    candidates = {bytes.fromhex(line) for line in found.stdout.split()}
    assert hashlib.sha256(b"a key lies here").digest() in candidates  # the search does find keys
    with database.reading(door.town.engine) as session:
        grant = session.execute(select(grants)).one()
    place = Place(door.town.settings.deployment, grant.referral_id, ALL)
    for candidate in candidates:
        with pytest.raises(CannotOpen):
            sealing.open_grant(candidate, place, grant.blob)
    assert door.told() == {"what_happened": WORDS}


def test_its_modules_name_nothing_that_opens() -> None:
    guilty = {
        f"{path.name}: {name}"
        for path in (ROOT / "intake").glob("*.py")
        for name in _names(path)
        if name in _OPENERS
    }
    assert not guilty


def _environment(settings: Settings) -> dict[str, str]:
    """What the public door is given: no keyring, no passphrase."""
    given = {
        "SECRET_KEY": settings.secret_key,
        "DEPLOYMENT": settings.deployment,
        "DATABASE_URL": settings.database_url,
    }
    return {name: value for name, value in os.environ.items() if name == "PATH"} | given


def _names(path: Path) -> set[str]:
    nodes = list(ast.walk(ast.parse(path.read_text())))
    imported = {alias.name for node in nodes if isinstance(node, ast.ImportFrom) for alias in node.names}
    used = {node.attr for node in nodes if isinstance(node, ast.Attribute)}
    modules = {(node.module or "").rpartition(".")[2] for node in nodes if isinstance(node, ast.ImportFrom)}
    return imported | used | modules

"""Taking the record along: the timeline as document and file, and custody receipts, all of them provable."""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from foundation import clock, database
from ledger import checkpoint, checkpoints
from ledger.checkpoint import Signer
from ledger.sequencer import Sequencer
from tests.builders import WORDS
from tests.desk.sitting import Desk
from tests.ledger.logged import SCRIPTS, script

KEY = checkpoint.new_key("test.waypost.example")
VERIFIER = str(Signer.read(KEY).verifier)


def sign(desk: Desk) -> None:
    """A minute's work of the clock."""
    settings = replace(desk.town.settings, ledger_key=KEY)
    Sequencer(desk.town.engine, settings).round(clock.now())


def saved(desk: Desk, reference: str, what: str, by: str = "Ines") -> dict[str, Any]:
    """The file behind a button of a page."""
    seat = desk.seat(by)
    page = f"/referrals/{reference}/{what.partition('/')[0].removesuffix('.json')}"
    seat.send(page, to=f"/{what}")
    assert "attachment" in seat.answer.headers["Content-Disposition"]
    found: dict[str, Any] = json.loads(seat.answer.get_data(as_text=True))
    return found


def handoff_of(desk: Desk, reference: str) -> str:
    return str(
        next(entry for entry in desk.recorded(reference) if entry["kind"] == "offered")["facts"]["handoff"]
    )


def test_each_moment_says_whether_it_is_in_a_checkpoint(desk: Desk) -> None:
    reference = desk.held()
    address = f"/referrals/{reference}/timeline"
    assert "Not yet in a checkpoint." in desk.seat("Ines").look(address).get_text(" ", strip=True)
    sign(desk)
    text = desk.seat("Ines").look(address).get_text(" ", strip=True)
    assert "In checkpoint 1 of" in text
    assert "Not yet in a checkpoint." not in text


def test_an_exported_timeline_is_proved_offline_entry_by_entry(desk: Desk) -> None:
    reference = desk.held()
    sign(desk)
    file = saved(desk, reference, "timeline.json")
    assert (
        script("verify_receipt")
        .check(file, [VERIFIER])
        .startswith(f"PROVED: all {len(desk.recorded(reference)) - 1} entries")
    )
    assert any("acknowledged the transfer" in entry["sentence"] for entry in file["entries"])
    assert file["keys"] == [VERIFIER]


def test_what_was_taken_along_is_in_the_ledger_with_its_digest(desk: Desk) -> None:
    reference = desk.held()
    seat = desk.seat("Ines")
    seat.send(f"/referrals/{reference}/timeline", to="/timeline.json")
    taken = seat.answer.get_data()
    last = desk.recorded(reference)[-1]
    assert last["kind"] == "timeline_exported"
    assert last["actor"]["member"] == desk.town.member_id("Ines")
    assert last["facts"]["sha256"] == hashlib.sha256(taken).hexdigest()


def test_the_document_reads_aloud_and_ends_with_the_proofs(desk: Desk) -> None:
    reference = desk.held()
    sign(desk)
    page = desk.seat("Ines").send(f"/referrals/{reference}/timeline", to="/timeline/document")
    text = page.get_text(" ", strip=True)
    assert f"What was done with referral {reference}" in text
    assert "Ines Vega of Tempe Police acknowledged the transfer." in text
    assert VERIFIER in text
    assert WORDS not in text
    assert desk.recorded(reference)[-1]["facts"]["form"] == "page"


def test_what_is_not_in_a_checkpoint_yet_is_said_to_be_unproved(desk: Desk) -> None:
    reference = desk.tip()
    sign(desk)
    desk.seat("Ines").send(f"/referrals/{reference}", to="/acknowledge")
    file = saved(desk, reference, "timeline.json")
    assert file["not_yet"]
    with pytest.raises(ValueError, match="in no checkpoint yet"):
        script("verify_receipt").check(file, [VERIFIER])


def test_both_sides_take_the_same_receipt_of_a_handoff(desk: Desk) -> None:
    reference = desk.held()
    desk.ask(reference, "consult", "mesa-police")
    desk.seat("Olu").send(f"/referrals/{reference}", to="/acknowledge")
    asked = next(e for e in desk.recorded(reference) if e["kind"] == "asked")["facts"]["handoff"]
    sign(desk)
    files = [saved(desk, reference, f"receipts/{asked}", by) for by in ("Ines", "Olu")]
    assert files[0]["entries"] == files[1]["entries"]
    kinds = [json.loads(entry["body"])["kind"] for entry in files[0]["entries"]]
    assert kinds == ["asked", "handoff_offer_opened", "handoff_acknowledged"]
    assert files[0]["handoff"]["to_team"] == "Mesa Police"
    assert WORDS not in json.dumps(files)


def test_a_handoff_between_others_has_no_receipt_for_who_was_only_asked(desk: Desk) -> None:
    reference = desk.held()
    first = handoff_of(desk, reference)
    desk.ask(reference, "inform", "mesa-police")
    page = desk.seat("Olu").look(f"/referrals/{reference}/receipts")
    assert len(page.select("form[action*=receipts]")) == 1
    token = page.select_one("input[name=csrf_token]")
    assert token is not None
    answer = desk.seat("Olu").client.post(
        f"/referrals/{reference}/receipts/{first}", data={"csrf_token": token["value"]}
    )
    assert answer.status_code == 404


def test_the_script_says_one_sentence_and_its_exit_code(desk: Desk, tmp_path: Path) -> None:
    reference = desk.held()
    sign(desk)
    file = saved(desk, reference, f"receipts/{handoff_of(desk, reference)}")
    right, wrong = tmp_path / "right.json", tmp_path / "wrong.json"
    right.write_text(json.dumps(file))
    file["entries"][0]["body"] = file["entries"][0]["body"].replace("offered", "decided")
    wrong.write_text(json.dumps(file))
    assert run_script(right, VERIFIER) == (
        0,
        "PROVED: all 4 entries are in the checkpoint of test.waypost.example",
    )
    assert run_script(wrong, VERIFIER)[0] == 1
    others = str(Signer.read(checkpoint.new_key("test.waypost.example")).verifier)
    assert run_script(right, others) == (
        1,
        "NOT PROVED: none of the keys that you gave signed its checkpoint.",
    )


def run_script(receipt: Path, key: str) -> tuple[int, str]:
    """Exit code and words of the script, in a Python that finds nothing of Waypost."""
    command = [sys.executable, "-I", str(SCRIPTS / "verify_receipt.py"), str(receipt), "--key", key]
    done = subprocess.run(command, capture_output=True, text=True, cwd="/")
    return done.returncode, (done.stdout + done.stderr).strip().partition(" over ")[0]


@pytest.mark.parametrize("words", [b"", b"[1]", b'{"entries": []}', b'{"checkpoint": 1}', b"\xff\xfe"])
def test_a_file_that_is_no_receipt_is_refused_in_one_sentence(tmp_path: Path, words: bytes) -> None:
    (other := tmp_path / "other.json").write_bytes(words)
    sentence = "NOT PROVED: the file or the key is damaged, or something else."
    assert run_script(other, VERIFIER) == (1, sentence)


def test_the_script_is_short_and_imports_nothing_of_ours() -> None:
    lines = (SCRIPTS / "verify_receipt.py").read_text().splitlines()
    assert len(lines) < 100
    imported = {line.split()[1] for line in lines if line.startswith(("import ", "from "))}
    assert imported == {"__future__", "argparse", "base64", "hashlib", "json"}


def test_outsiders_fetch_checkpoints_proofs_and_keys_without_signing_in(desk: Desk) -> None:
    desk.tip()
    sign(desk)
    stranger = desk.app.test_client()
    kept = stranger.get("/ledger/checkpoint").get_data(as_text=True)
    desk.tip(form_key="another form's key, 128 bits and more")
    sign(desk)
    newer = stranger.get("/ledger/checkpoint")
    assert newer.headers["Cache-Control"] == "public, max-age=30"
    old, new = (note.split("\n")[1] for note in (kept, newer.get_data(as_text=True)))
    assert stranger.get(f"/ledger/checkpoint/{old}").get_data(as_text=True) == kept
    proof = stranger.get(f"/ledger/consistency/{old}/{new}").get_json()
    keys = stranger.get("/ledger/keys").get_data(as_text=True).split()
    assert (
        script("verify_consistency")
        .check(kept, newer.get_data(as_text=True), proof, keys)
        .startswith("PROVED")
    )


def test_the_proof_of_an_entry_is_given_to_who_has_the_entry(desk: Desk) -> None:
    reference = desk.tip()
    sign(desk)
    with database.reading(desk.town.engine) as session:
        signed = checkpoints.latest(session)
    assert signed is not None
    entry = desk.recorded(reference)[0]
    entry.pop("hash")
    body = json.dumps(entry, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    leaf = hashlib.sha256(b"\x00" + body.encode()).hexdigest()
    proof = desk.app.test_client().get(f"/ledger/inclusion/{leaf}/{signed.size}").get_json()
    receipt = {"checkpoint": signed.note, "entries": [proof | {"body": body}], "not_yet": []}
    assert script("verify_receipt").check(receipt, [VERIFIER]).startswith("PROVED: all 1 entries")


@pytest.mark.parametrize(
    "address",
    [
        "checkpoint", "checkpoint/7", "checkpoint/99999999999999999999999", "consistency/1/2", "consistency/2/1",
        "inclusion/zz/1", "inclusion/00/1",
    ],
)  # fmt: skip
def test_what_is_not_there_is_not_found(desk: Desk, address: str) -> None:
    assert desk.app.test_client().get(f"/ledger/{address}").status_code == 404


def test_who_asks_too_often_is_slowed_down(desk: Desk) -> None:
    stranger = desk.app.test_client()
    codes = [stranger.get("/ledger/keys").status_code for _ in range(121)]
    assert (codes[119], codes[120]) == (200, 429)

"""Custody receipts and the scripts that check them: what is proved, what is not yet, and what never."""

from __future__ import annotations

import base64

import pytest
from sqlalchemy import Engine

from foundation import database
from foundation.settings import Settings
from ledger import checkpoint, receipts
from ledger.checkpoint import Signer
from ledger.tiles import StoredTree
from tests.ledger.logged import Log, script


def test_an_entry_that_has_its_place_and_no_checkpoint_yet_is_not_proved(
    engine: Engine, settings: Settings
) -> None:
    """The sequencer folds and signs in two transactions; between them an entry is in the log and under nothing."""
    written = Log(engine, settings)
    written.write("ab")
    written.sign()
    verifier = str(written.verifier)
    # What the first signature wrote about its key is the first of these.
    written.write("a")
    written.restart(ledger_key="")
    written.sign()
    with database.reading(engine) as session:
        found = receipts.receipt(session, "a", {1: "Offered.", 2: "Acknowledged."})
        about_the_key = receipts.receipt(session, "deployment", {1: "A key."})
    assert [entry["sentence"] for entry in found["entries"]] == ["Offered."]
    assert [entry["sentence"] for entry in found["not_yet"]] == ["Acknowledged."]
    assert (about_the_key["entries"], len(about_the_key["not_yet"])) == ([], 1)
    assert script("verify_receipt").check(found | {"not_yet": []}, [verifier]).startswith("PROVED: all 1")


def test_the_script_takes_no_signature_of_another_text(engine: Engine, settings: Settings) -> None:
    """Its name and its key's id fit; only who checks the signature itself can tell."""
    written = Log(engine, settings)
    written.write("ab")
    first = written.sign()
    second = written.sign()
    assert first is not None
    assert second is not None
    mixed = first.note.rpartition("\n\n")[0] + "\n\n" + second.note.rpartition("\n\n")[2]
    open_note, key = script("verify_receipt").open_note, str(written.verifier)
    assert open_note(first.note, [key])[1] == first.size
    with pytest.raises(ValueError, match="none of the keys"):
        open_note(mixed, [key])


def test_a_newer_checkpoint_must_be_of_the_tree_that_the_proof_leads_to(
    engine: Engine, settings: Settings
) -> None:
    """The kept root fits; the newer one, though signed with the true key, is another's."""
    written = Log(engine, settings)
    written.write("abc")
    kept = written.sign()
    newer = written.sign()
    assert kept is not None
    assert newer is not None
    with database.reading(engine) as session:
        hashes = StoredTree(session).consistency(kept.size, newer.size)
    proof = {"proof": [base64.b64encode(each).decode() for each in hashes]}
    signer = Signer.read(written.settings.ledger_key)
    other = checkpoint.write(settings.deployment, newer.size, bytes(32), [signer])
    check, key = script("verify_consistency").check, str(written.verifier)
    assert check(kept.note, newer.note, proof, [key]).startswith("PROVED")
    with pytest.raises(ValueError, match="does not continue"):
        check(kept.note, other, proof, [key])

"""Custody receipts: what is proved and what is not yet, as the checkpoints stand just now."""

from __future__ import annotations

from sqlalchemy import Engine

from foundation import database
from foundation.settings import Settings
from ledger import receipts
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

"""The office takes custody receipts of its own forwards, which anybody checks offline."""

from __future__ import annotations

import hashlib
import json
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import Engine

from foundation import clock, database
from foundation.settings import Settings
from ledger import checkpoint, verification
from ledger.checkpoint import Signer
from ledger.sequencer import Sequencer
from tests import builders
from tests.intake.office import WORDS, Office, open_office
from tests.ledger.logged import script

KEY = checkpoint.new_key("test.waypost.example")
VERIFIER = str(Signer.read(KEY).verifier)


@pytest.fixture
def frank(engine: Engine, settings: Settings) -> Office:
    return open_office(engine, settings)


def _sign(office: Office) -> None:
    Sequencer(office.town.engine, replace(office.town.settings, ledger_key=KEY)).round(clock.now())


def _recorded(office: Office, reference: str) -> list[dict[str, Any]]:
    with database.reading(office.town.engine) as session:
        return verification.entries_of(session, office.id_of(reference))


def test_a_receipt_is_proved_offline_and_tells_no_word(frank: Office) -> None:
    reference = frank.forward()
    frank.acknowledge(reference, "Ada")
    _sign(frank)
    file = frank.take_receipt(reference)
    taken = json.loads(file.text)
    assert script("verify_receipt").check(taken, [VERIFIER]).startswith("PROVED: all 4 entries")
    assert [entry["sentence"] for entry in taken["entries"]] == [
        "Offered to AZ-STAMP.",
        "AZ-STAMP opened the offer.",
        "Custody moved to AZ-STAMP.",
        "AZ-STAMP acknowledged and has custody from here on.",
    ]
    assert WORDS not in file.text
    assert "attachment" in file.headers["Content-Disposition"]


def test_an_altered_byte_is_noticed(frank: Office) -> None:
    reference = frank.forward()
    _sign(frank)
    taken = json.loads(frank.take_receipt(reference).text)
    taken["entries"][0]["body"] = taken["entries"][0]["body"].replace('"kind":"', '"kind":"x', 1)
    with pytest.raises(ValueError, match="not what the log holds"):
        script("verify_receipt").check(taken, [VERIFIER])


def test_that_it_was_taken_is_in_the_ledger_with_its_digest(frank: Office) -> None:
    reference = frank.forward()
    taken = frank.take_receipt(reference).get_data()
    last = _recorded(frank, reference)[-1]
    assert (last["kind"], last["actor"]) == (
        "receipt_exported",
        {"member": frank.town.member_id("Frank"), "team": frank.team_id},
    )
    assert last["facts"]["sha256"] == hashlib.sha256(taken).hexdigest()


def test_another_office_finds_no_receipt(frank: Office) -> None:
    reference = frank.forward()
    nadia = Office(frank.town, "Nadia")
    assert frank.take_receipt(reference, by=nadia).status_code == 404
    assert _recorded(frank, reference)[-1]["kind"] != "receipt_exported"


def test_whom_a_custodian_consults_has_no_receipt_here(frank: Office) -> None:
    reference = frank.forward()
    token = builders.csrf_token(frank.client.get("/portal/forward").text)
    address = f"/portal/forwards/{reference}/receipts/{'0' * 32}"
    assert frank.client.post(address, data={"csrf_token": token}).status_code == 404


def test_it_reads_in_spanish(frank: Office) -> None:
    reference = frank.forward()
    page = frank.client.get(f"/portal/forwards/{reference}?language=es").text
    assert "Recibos de custodia" in page
    assert "Enviado a AZ-STAMP, porque el lugar que se nombró está en Arizona." in page

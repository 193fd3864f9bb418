"""Forwarding through the API: the same facts, faults and filing as at the portal, once for each Idempotency-Key."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select

from desk import timeline
from foundation import database
from intake import api_schema
from intake.api_document import EXAMPLE
from intake.forward_form import ForwardForm
from ledger.tables import ledger_entries
from referrals.tables import referrals
from tests.builders import Town
from tests.intake.asking import asked, permitted, settle
from tests.intake.office import Office
from tests.intake.system import LEAST, REFERRALS, System, faults
from tests.sent_files import MULTIPART, body, picture

# What both kinds of database do differently is in test_api_once.py.
_WALK = Path(__file__).parents[2] / "docs" / "api.md"


@pytest.fixture
def system(town: Town) -> System:
    return System(town)


def row(system: System) -> Any:
    with database.reading(system.town.engine) as session:
        return session.execute(select(referrals)).one()


def test_the_documents_example_is_taken_as_it_stands(system: System) -> None:
    answer = system.send(EXAMPLE)
    assert answer.status_code == 201, answer.text
    told, stored = answer.get_json(), row(system)
    assert (
        answer.headers["Location"]
        == told["address"]
        == f"http://127.0.0.1:8000{REFERRALS}/{stored.reference}"
    )
    assert told["custodian"]["team"] == "FBI Phoenix"
    assert (stored.source, stored.handling_code, stored.urgency) == ("forward", "H2", "elevated")
    assert stored.originator_member_id == system.town.member_id("Frank")
    assert stored.originator_case_number == told["receipt"]["case_number"] == "PX-2026-0417"
    assert stored.facts["evidence"][0]["areas"] == ["place:0473000"]


def test_the_walk_through_begins_with_a_forward_that_is_taken(system: System) -> None:
    written = re.search(r"forward.json <<'EOF'\n(.*?)EOF", _WALK.read_text(), re.DOTALL)
    assert written
    assert system.send(json.loads(written[1])).status_code == 201


def test_the_ledger_says_by_which_key_it_came(system: System) -> None:
    system.send()
    with database.reading(system.town.engine) as session:
        (entry,) = session.execute(
            select(ledger_entries.c.body)
            .where(ledger_entries.c.kind == "filed")
            .order_by(ledger_entries.c.sequence)
        ).scalars()
    assert f'"api_key":"{system.key_id}"' in entry


def test_it_asks_what_the_portal_asks(system: System) -> None:
    with system.app.test_request_context():
        asked = {field.name for field in ForwardForm([])} - {"csrf_token", "form_key", "office"}
    taken = set(api_schema.forward(1)["properties"])
    # The point has its accuracy in it; files are no question of the form's.
    assert taken - {"attachments"} == asked - {"accuracy"}


def test_everything_wrong_is_said_at_once_and_nothing_is_filed(system: System) -> None:
    told = {
        "urgency": "fatal", "handling": "H3", "state": "ZZ", "zip_code": 85281, "suspect": "x", "subject": "a\x00b",
        "target": "\ud800", "behaviours": ["threat_communicated", "ugly"], "point": {"latitude": 91}, "links": ["a", 1],
        "case_number": "Max Miller, 17",
        "attachments": [{"name": "a", "content": "%"}, {"name": "b", "content": "AAAA"}],
    }  # fmt: skip
    answer = system.send(told)
    assert answer.status_code == 400
    assert set(faults(answer)) == {
        "#/attachments/0", "#/attachments/1", "#/behaviours/1", "#/case_number", "#/conditions", "#/links/1",
        "#/point/latitude", "#/point/longitude", "#/state", "#/subject", "#/suspect", "#/target", "#/urgency",
        "#/what_happened", "#/zip_code",
    }  # fmt: skip
    assert system.filed() == 0


def test_a_place_that_the_portal_refuses_is_refused_with_its_sentence(system: System) -> None:
    answer = system.send(LEAST | {"zip_code": "85281", "state": "NV"})
    assert faults(answer) == ["#/zip_code"]
    assert "This ZIP code is not in the state you chose." in answer.text


def test_a_point_becomes_evidence(system: System) -> None:
    point = {"latitude": 33.4255, "longitude": -111.94, "accuracy_m": 25}
    assert system.send(LEAST | {"point": point, "relation": "incident"}).status_code == 201
    (piece,) = [piece for piece in row(system).facts["evidence"] if piece["kind"] == "point"]
    assert (piece["latitude"], piece["longitude"], piece["accuracy_m"]) == (33.4255, -111.94, 25.0)
    assert piece["relation"] == "incident"


def test_files_are_named_on_the_receipt_by_their_fingerprint(system: System) -> None:
    sent = picture()
    content = base64.b64encode(sent).decode()
    answer = system.send(LEAST | {"attachments": [{"name": "post.png", "content": content}]})
    (file,) = answer.get_json()["receipt"]["attachments"]
    assert file == {"name": "post.png", "bytes": len(sent), "sha256": hashlib.sha256(sent).hexdigest()}


def test_large_files_come_as_a_form_and_are_the_same_request(system: System) -> None:
    sent, told = picture(), '{"what_happened": "x", "urgency": "routine", "handling": "H0"}'
    headers = {"Idempotency-Key": "one", "Content-Type": MULTIPART}
    form = system.ask("POST", REFERRALS, data=body({"referral": told}, [("a.png", sent)]), headers=headers)
    assert form.status_code == 201, form.text
    content = {"name": "a.png", "content": base64.b64encode(sent).decode()}
    asked = {"handling": "H0", "urgency": "routine", "what_happened": "x", "attachments": [content]}
    assert system.send(asked, "one").get_json() == form.get_json()


def test_another_kind_of_body_is_refused(system: System) -> None:
    for content_type, sent, status in (
        ("text/plain", b"{}", 415),
        ("application/x-www-form-urlencoded", b"urgency=routine", 415),
        (MULTIPART, body({"urgency": "routine"}, []), 400),
        (MULTIPART, body({}, [("referral", b"{}")]), 400),
        ("application/json", b"x" * 20_000_000, 413),
    ):
        headers = {"Idempotency-Key": "one", "Content-Type": content_type}
        answer = system.ask("POST", REFERRALS, data=sent, headers=headers)
        assert (answer.status_code, answer.mimetype) == (status, "application/problem+json")


def test_without_a_readable_idempotency_key_nothing_is_filed(system: System) -> None:
    for shown in ("", '""', "é", "a b", "x" * 256):
        answer = system.ask("POST", REFERRALS, json=LEAST, headers={"Idempotency-Key": shown})
        assert answer.status_code == 400, shown
        assert "Idempotency-Key" in answer.get_json()["detail"]
    assert system.filed() == 0


def test_a_page_follows_the_one_before(system: System) -> None:
    sent = [system.send().get_json()["reference"] for _ in range(3)]
    first = system.look(f"{REFERRALS}?size=2")
    second = system.look(first["next"].removeprefix("http://127.0.0.1:8000"))
    seen = [each["reference"] for page in (first, second) for each in page["referrals"]]
    assert (sorted(seen), second["next"]) == (sorted(sent), None)
    for wrong in ("size=0", "size=1e3", "after=R-0000-00", "after=x"):
        assert system.ask("GET", f"{REFERRALS}?{wrong}").status_code == 400


def test_custody_is_told_as_at_the_portal(system: System) -> None:
    reference = system.forward(case_number="PX-7")
    before = system.look(f"{REFERRALS}/{reference}")
    assert (before["status"], before["custodian"]["team"], before["asked"]) == (
        "routed",
        "FBI Phoenix",
        ["AZ-STAMP"],
    )
    assert before["route"] == "Sent to AZ-STAMP, because the place that was named is in Arizona."
    office = Office(system.town, "Frank", system.app)
    office.acknowledge(reference, "Ada")
    after = system.look(f"{REFERRALS}/{reference}")
    assert (after["status"], after["custodian"]["team"]) == ("acknowledged", "AZ-STAMP")
    (offer,) = after["offers"]
    assert offer["state"] == "acknowledged"
    page = office.look(f"/portal/forwards/{reference}")
    assert len(after["custody"]) == 4
    assert all(step["sentence"] in page for step in after["custody"])
    assert "Ada" not in str(after)


def test_another_office_finds_nothing(system: System) -> None:
    reference = system.forward()
    nadia = System(system.town, "Nadia", app=system.app)
    hidden, never = (nadia.ask("GET", f"{REFERRALS}/{name}") for name in (reference, "R-0000-00"))
    assert (hidden.status_code, hidden.get_json()) == (404, never.get_json())
    assert nadia.look(REFERRALS)["referrals"] == []


def test_a_question_waits_until_the_office_answers_and_the_key_is_on_record(system: System) -> None:
    office = Office(system.town, "Frank", system.app)
    reference = asked(office)
    (question,) = system.look("/api/v1/permissions")["permissions"]
    assert (question["asked_by"], question["about"]) == ("AZ-STAMP", "Tempe Police")
    assert system.look(f"{REFERRALS}/{reference}")["permissions"] == [question]
    address = question["address"]
    assert faults(system.ask("POST", address, json={"allowed": "yes"})) == ["#/allowed"]
    nadia = System(system.town, "Nadia", app=system.app)
    assert nadia.ask("POST", address, json={"allowed": True}).status_code == 404
    assert system.ask("POST", address, json={"allowed": True}).status_code == 200
    settle(office)
    assert permitted(office, reference)
    assert system.ask("POST", address, json={"allowed": False}).status_code == 409
    for never in (f"{address}0", f"{REFERRALS}/{reference}/permissions/%00"):
        assert system.ask("POST", never, json={"allowed": True}).status_code == 404
    assert system.look("/api/v1/permissions")["permissions"] == []
    with database.reading(system.town.engine) as session:
        told = [moment.sentence for moment in timeline.moments(session, system.id_of(reference))]
    assert "The office’s own system answered for Frank Ames whether it may go to Tempe Police." in told


def test_what_is_not_there_is_a_problem_and_no_page(system: System) -> None:
    for method, address in (
        ("GET", "/api/v1/nowhere"),
        ("GET", "/api/v2"),
        ("DELETE", REFERRALS),
    ):
        answer = system.app.test_client().open(address, method=method)
        assert answer.status_code in {404, 405}
        assert answer.mimetype == "application/problem+json"

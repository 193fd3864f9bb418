"""Forwarding a threat: what is asked, what is stored where, and what a fault costs (nothing)."""

from __future__ import annotations

import html
from typing import Any

import pytest
from sqlalchemy import Engine, select

from foundation import database
from foundation.settings import Settings
from ledger.tables import ledger_entries
from referrals import content, grants, sealing
from referrals.sealing import Place
from referrals.tables import sealed_parts
from tests.intake.office import WORDS, Office, faults, open_office

FULL = {
    "behaviours": ["threat_communicated", "target_identified"], "other_act": "He laughed", "links": "@sb_example",
    "subject": "Max", "target": "Ms. Lee", "place": "Tempe", "state": "AZ", "county": "Maricopa", "setting": "school",
    "school": "Saguaro Bend High School", "zip_code": "85281", "when": "Friday", "sources": "A classmate, sure",
    "urgency": "imminent", "handling": "H3", "conditions": "Call us first", "case_number": "PX-2026/0117",
    "contact": "+1 602 555 0103", "point": "33.4255, -111.9400", "accuracy": "25", "relation": "incident",
}  # fmt: skip


@pytest.fixture
def frank(engine: Engine, settings: Settings) -> Office:
    return open_office(engine, settings)


def _told(office: Office) -> dict[str, str]:
    """The words, opened as the worker can."""
    told: dict[str, str] = {}
    with database.reading(office.town.engine) as session:
        for row in session.execute(select(sealed_parts)).all():
            key = grants.part_key(
                session, office.town.keys, row.referral_id, row.part, team_id=None, routing=True
            )
            place = Place(office.town.keys.deployment, row.referral_id, row.part)
            told |= {
                field.name: words for field, words in content.told_in(sealing.unseal(key, place, row.blob))
            }
    return told


def test_words_urgency_and_handling_code_alone_make_a_forward(frank: Office) -> None:
    answer = frank.send()
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"/portal/forwards/{frank.row().reference}"
    assert _told(frank) == {"what_happened": WORDS}


def test_the_office_keeps_custody_and_its_own_number(frank: Office) -> None:
    frank.send(case_number="PX-2026/0117", handling="H2")
    row = frank.row()
    assert (row.source, row.custodian_team_id) == ("forward", frank.team_id)
    assert row.originator_member_id == frank.town.member_id("Frank")
    assert (row.originator_case_number, row.handling_code) == ("PX-2026/0117", "H2")


def test_all_words_are_sealed_and_only_codes_stay_in_the_open(frank: Office) -> None:
    assert frank.send(**FULL).status_code == 303
    told, row = _told(frank), frank.row()
    assert told["conditions"] == "Call us first"
    assert told["place"].startswith("Saguaro Bend High School\nTempe\nMaricopa\nAZ\n85281\n33.4255")
    for words in ("Saguaro", "Max", "Lee", "@sb", "laughed", "classmate", "Call us", "602 555"):
        assert words not in repr(row)
    with database.reading(frank.town.engine) as session:
        assert "Max" not in repr(session.execute(select(ledger_entries.c.body)).all())


def test_the_place_becomes_evidence_of_its_relation(frank: Office) -> None:
    frank.send(**FULL)
    evidence = frank.row().facts["evidence"]
    assert {piece["relation"] for piece in evidence} == {"incident"}
    (point,) = [piece for piece in evidence if piece["kind"] == "point"]
    assert (point["latitude"], point["longitude"], point["accuracy_m"]) == (33.4255, -111.94, 25.0)


def test_a_double_click_is_one_record(frank: Office) -> None:
    form = frank.form()
    first, second = (frank.client.post("/portal/forward", data=form) for _ in range(2))
    assert first.headers["Location"] == second.headers["Location"]
    assert frank.filed() == 1


def test_going_back_and_writing_more_is_another_record(frank: Office) -> None:
    form = frank.form()
    frank.client.post("/portal/forward", data=form)
    frank.client.post("/portal/forward", data=form | {"what_happened": WORDS + " And a gun."})
    assert frank.filed() == 2


WRONG: list[tuple[dict[str, Any], str]] = [
    ({"what_happened": " \n"}, "what_happened"),
    ({"what_happened": "a\x00b"}, "what_happened"),
    ({"what_happened": "x" * 400_001}, "what_happened"),
    ({"urgency": ""}, "urgency"),
    ({"urgency": "fatal"}, "urgency"),
    ({"handling": "H9"}, "handling"),
    ({"handling": "H3"}, "conditions"),
    ({"zip_code": "8528"}, "zip_code"),
    ({"zip_code": "85281", "state": "NV"}, "zip_code"),
    ({"state": "ZZ"}, "state"),
    ({"point": "33.4, 111.9"}, "point"),
    ({"point": "nan, inf"}, "point"),
    ({"point": "33.4, -111.9", "accuracy": "-5"}, "accuracy"),
    ({"case_number": "x\x00"}, "case_number"),
    ({"case_number": "Max Miller, 17"}, "case_number"),
    ({"case_number": "7" * 61}, "case_number"),
]


@pytest.mark.parametrize(("answers", "field"), WRONG)
def test_a_fault_stands_at_its_field_and_files_nothing(
    frank: Office, answers: dict[str, Any], field: str
) -> None:
    answer = frank.send(subject="Max <b>&", **answers)
    assert answer.status_code == 400
    assert faults(answer) == [field]
    assert html.escape("Max <b>&") in answer.text
    assert frank.filed() == 0


def test_bytes_that_are_no_text_are_marked_at_their_field(frank: Office) -> None:
    told = {**frank.form(), "what_happened": "BROKEN"}
    parts = [
        f'--edge\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{word}\r\n'
        for name, word in told.items()
    ]
    body = ("".join(parts) + "--edge--\r\n").encode().replace(b"BROKEN", b"He said \xed\xa0\x80 so")
    answer = frank.client.post(
        "/portal/forward", data=body, content_type="multipart/form-data; boundary=edge"
    )
    assert answer.status_code == 400
    assert faults(answer) == ["what_happened"]
    assert frank.filed() == 0


def test_another_offices_name_is_no_choice(frank: Office) -> None:
    answer = frank.send(office=frank.town.team["dhs-nter"])
    assert answer.status_code == 303
    assert frank.row().custodian_team_id == frank.team_id


def test_a_long_story_in_any_script_fits(frank: Office) -> None:
    words = "قال إنه سيأتي يوم الجمعة. " * 2000
    assert frank.send(what_happened=words).status_code == 303
    assert _told(frank)["what_happened"] == words


def test_each_urgency_says_when_people_are_asked(frank: Office) -> None:
    page = frank.look("/portal/forward")
    assert "again after 5 minutes" in page
    assert "the next after 15 minutes, the whole team after 60 minutes" in page
    assert "the next after 12 hours" in page

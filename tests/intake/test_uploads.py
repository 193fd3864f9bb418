"""Files at the public door: sealed while they arrive, refused with a sentence, never filed by half."""

from __future__ import annotations

import errno
import hashlib
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Engine, event, select
from werkzeug.test import TestResponse

from directory.api_keys import Scope
from foundation import database
from foundation.blobs import Blobs, Writing
from foundation.settings import Settings
from referrals import attachments, grants, sealing, streams
from referrals.sealing import Place
from referrals.tables import attachments as rows
from referrals.tables import sealed_parts
from tests import builders
from tests.intake.door import WORDS, Door, receipt_words
from tests.intake.office import Office, text
from tests.intake.system import REFERRALS, System
from tests.promises import canary
from tests.sent_files import MULTIPART, body, picture


@pytest.fixture
def door(engine: Engine, settings: Settings) -> Door:
    small = replace(settings, attachment_max_bytes=100_000, attachments_max_bytes=150_000, attachments_most=3)
    return Door(builders.found(engine, small))


def send(door: Door, *files: tuple[str, bytes], **answers: str) -> TestResponse:
    """Presses the button of the page before the last, with these files chosen."""
    kept = {"csrf_token": door.token, "form_key": door.key, "language": "en", "page": "check"}
    fields = kept | {"what_happened": WORDS, "with_files": "yes", "step": "send"} | answers
    return door.client.post("/tip", data=body(fields, files), content_type=MULTIPART)


def stored(door: Door) -> list[tuple[str, bytes]]:
    """Names and bytes of the one tip's files, opened as the worker could."""
    blobs = attachments.blobs_of(door.town.settings)
    with database.reading(door.town.engine) as session:
        kept = session.execute(select(rows).order_by(rows.c.position)).all()
        row = session.execute(select(sealed_parts).where(sealed_parts.c.part == "attachments")).one()
        key = grants.part_key(
            session, door.town.keys, row.referral_id, "attachments", team_id=None, routing=True
        )
    place = Place(door.town.keys.deployment, row.referral_id, "attachments")
    listed = attachments.files_in(sealing.unseal(key, place, row.blob))
    assert [file.id for file in listed] == [each.id for each in kept]
    deployment = door.town.settings.deployment
    return [
        (
            file.name,
            b"".join(
                streams.opened(
                    file.key, attachments.bound(deployment, file.id), attachments.read_sound(blobs, each)
                )
            ),
        )
        for file, each in zip(listed, kept, strict=True)
    ]


def blobs(door: Door) -> list[Path]:
    """Every file below the folder of sealed files."""
    folder = Path(door.town.settings.attachments_folder)
    return [path for path in folder.rglob("*") if path.is_file()]


def test_a_screenshot_is_kept_byte_for_byte_and_its_fingerprint_is_on_the_receipt(door: Door) -> None:
    sent = picture()
    page = send(door, ("IMG 1.png", sent), ("", b""))
    assert receipt_words(page.text)
    assert hashlib.sha256(sent).hexdigest() in page.text
    assert stored(door) == [("IMG 1.png", sent)]
    assert all(sent not in path.read_bytes() for path in blobs(door))
    # A fingerprint in clear would answer whether a certain picture was sent.
    rows_in_clear = canary.in_database(door.town.engine)
    assert b"IMG 1" not in rows_in_clear
    assert hashlib.sha256(sent).hexdigest().encode() not in rows_in_clear


def test_no_part_of_a_large_file_is_on_the_disk_in_clear(
    door: Door, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    spool = tmp_path / "spool"
    spool.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(spool))
    monkeypatch.setattr(tempfile, "TemporaryFile", None)
    sent = b"kanarienvogel " * 6_000
    assert receipt_words(send(door, ("long.txt", sent)).text)
    assert stored(door) == [("long.txt", sent)]
    assert not list(spool.iterdir())
    assert all(b"kanarienvogel" not in path.read_bytes() for path in blobs(door))


@pytest.mark.parametrize(
    ("files", "sentence"),
    [
        ([("a.png", b"")], "nothing in this file"),
        ([("a.jpg", b"MZ\x90\x00" + bytes(60))], "cannot take this kind"),
        ([("a.txt", b"w" * 90_000), ("b.txt", b"w" * 90_000)], "too large"),
        ([(f"{number}.txt", b"w") for number in range(100)], "too many files"),
    ],
)
def test_a_refused_file_gets_a_sentence_and_every_word_stays(
    door: Door, files: list[tuple[str, bytes]], sentence: str
) -> None:
    answer = send(door, *files, place="Tempe")
    assert answer.status_code == 400
    assert sentence in text(answer)
    assert "Choose your files again" in text(answer)
    assert WORDS in answer.text
    assert "Tempe" in answer.text
    assert (door.filed(), blobs(door)) == (0, [])


def test_a_name_is_shown_as_text_only(door: Door) -> None:
    answer = send(door, ("../../<b>gnp\u202e.exe", b"MZ" + bytes(60)))
    assert "../../&lt;b&gt;gnp" in answer.text
    assert "[U+202E]" in answer.text


def test_what_a_file_is_goes_by_its_bytes(door: Door) -> None:
    assert receipt_words(send(door, ("notes.exe", picture("JPEG"))).text)
    assert [name for name, _ in stored(door)] == ["notes.exe"]


def test_the_same_form_twice_is_one_tip_with_its_files_once(door: Door) -> None:
    first, again = (receipt_words(send(door, ("a.png", picture())).text) for _ in range(2))
    assert first == again
    assert (door.filed(), len(blobs(door))) == (1, 1)


def test_the_same_words_with_a_file_that_came_later_are_another_tip(door: Door) -> None:
    first = receipt_words(send(door).text)
    assert receipt_words(send(door, ("a.png", picture())).text) != first
    assert door.filed() == 2


def test_a_full_disk_takes_the_words_and_says_that_it_takes_no_files(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(self: Writing, piece: bytes) -> None:
        raise OSError(errno.ENOSPC, "full")

    monkeypatch.setattr(Writing, "write", full)
    answer = send(door, ("a.png", picture()))
    assert answer.status_code == 503
    assert "We cannot keep files right now" in text(answer)
    assert WORDS in answer.text
    assert (door.filed(), blobs(door)) == (0, [])
    assert receipt_words(send(door).text)


def test_files_that_nobody_asked_for_are_dropped(door: Door) -> None:
    sent = {"csrf_token": door.token, "step": "change", "what_happened": WORDS}
    answers = [
        send(door, ("a.png", picture()), step="check"),
        send(door, ("a.png", picture()), csrf_token=""),
        send(door, ("a.png", picture()), zip_code="no ZIP"),
        door.client.post("/sign-in", data=body(sent, [("a.png", picture())]), content_type=MULTIPART),
        door.client.post("/status", data=body(sent, [("a.png", picture())]), content_type=MULTIPART),
    ]
    assert [answer.status_code for answer in answers] == [200, 400, 400, 400, 400]
    assert (door.filed(), blobs(door)) == (0, [])


def test_only_who_has_files_is_given_a_form_that_takes_them(door: Door) -> None:
    without, with_files = (
        door.send(what_happened=WORDS, step="check", **more).text for more in ({}, {"with_files": "yes"})
    )
    assert 'type="file"' not in without
    assert 'enctype="multipart/form-data"' not in without
    assert 'type="file"' in with_files
    assert 'enctype="multipart/form-data"' in with_files


def test_an_office_sends_files_and_sees_their_fingerprints_once(door: Door) -> None:
    office, sent = Office(door.town), picture()
    fields: dict[str, Any] = office.form()
    answer = office.client.post(
        "/portal/forward", data=body(fields, [("a.png", sent)]), content_type=MULTIPART
    )
    assert answer.status_code == 303
    assert hashlib.sha256(sent).hexdigest() in office.look(answer.location)
    assert hashlib.sha256(sent).hexdigest() not in office.look(answer.location)
    assert [content for _, content in stored(door)] == [sent]


def test_an_office_that_has_to_sign_in_again_is_told_to_choose_its_files_again(door: Door) -> None:
    office = Office(door.town)
    fields: dict[str, Any] = office.form()
    with builders.later(hours=13):
        page = office.client.post(
            "/portal/forward", data=body(fields, [("a.png", picture())]), content_type=MULTIPART
        )
        assert page.status_code == 401
        assert 'name="kept.files_left_out"' in page.text
        office.enter()
        again = office.client.post("/portal/forward", data=fields | {"files_left_out": "yes"})
    assert again.status_code == 400
    assert "Choose your files again" in text(again)
    assert WORDS in again.text
    assert (door.filed(), blobs(door)) == (0, [])


def test_nothing_is_sealed_for_whoever_may_not_send_it(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    office, system = Office(door.town), System(door.town, scopes=[Scope.READ])
    fields = office.form()
    begun: list[str] = []
    monkeypatch.setattr(Blobs, "begin", lambda *given: begun.append(given[1]))
    sent: dict[str, Any] = {"data": body(fields, [("a.png", picture())]), "content_type": MULTIPART}
    stranger = system.app.test_client().post("/portal/forward", **sent)
    assert (stranger.status_code, WORDS in stranger.text) == (401, True)
    for key in (system.key, "waypost_key_wrong"):
        headers = {"Authorization": f"Bearer {key}", "Idempotency-Key": "one"}
        assert system.ask("POST", REFERRALS, headers=headers, **sent).status_code in {401, 403}
    assert begun == []
    office.client.post("/portal/forward", **sent)
    assert begun


def test_a_tip_without_files_costs_no_statement_more(door: Door) -> None:
    asked: list[str] = []
    event.listen(door.town.engine, "before_cursor_execute", lambda *given: asked.append(given[2]))
    assert receipt_words(door.send_tip().text)
    assert not [statement for statement in asked if "INTO attachments" in statement]
    assert receipt_words(send(door, ("a.png", picture())).text)
    assert [statement for statement in asked if "INTO attachments" in statement]

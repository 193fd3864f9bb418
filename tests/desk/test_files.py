"""Files at the desk: looked at on purpose and on record, shown only as pictures made anew, and only to who was given
the part."""

from __future__ import annotations

import hashlib
import io
import os
import struct
import sys
import zlib
from pathlib import Path

import pytest
from PIL import Image, UnidentifiedImageError

from desk import demonstration, picture, previews
from foundation import clock, database
from tests.builders import csrf_token, later
from tests.desk.sitting import Desk
from tests.desk.test_export import saved
from tests.desk.test_guest import SHERIFF, Sheriff
from tests.sent_files import picture as drawn

NAME = "gnp.\u202eexe/../<b>"
PHOTO = drawn("JPEG", (60, 40), gps=True)


def held(desk: Desk, *files: tuple[str, bytes]) -> str:
    """A tip with files that Ines acknowledged and opened."""
    reference = desk.held(files=files or [(NAME, PHOTO)])
    desk.seat("Ines").send(f"/referrals/{reference}", to="/open")
    return reference


def opened(desk: Desk, reference: str) -> list[tuple[str, str]]:
    """Which files were opened by whom's team, in which form, as the ledger says."""
    return [
        (entry["actor"]["team"], entry["facts"]["form"])
        for entry in desk.recorded(reference)
        if entry["kind"] == "file_opened"
    ]


def blob(desk: Desk) -> Path:
    """The sealed bytes of the one file."""
    folder = Path(desk.town.settings.attachments_folder)
    (path,) = [path for path in folder.rglob("*") if path.is_file()]
    return path


def test_a_file_is_listed_with_its_fingerprint_and_its_name_is_only_text(desk: Desk) -> None:
    page = desk.seat("Ines").look(f"/referrals/{held(desk)}")
    assert hashlib.sha256(PHOTO).hexdigest() in page.get_text()
    assert "gnp.[U+202E]exe/../<b>" in page.get_text()
    assert not page.find_all("img")


def test_a_picture_is_made_anew_and_looking_at_it_is_on_record(desk: Desk) -> None:
    reference = held(desk)
    seat = desk.seat("Ines")
    shown = seat.look(f"/referrals/{reference}/files/1").find("img")
    assert shown is not None
    answer = seat.client.get(str(shown["src"]))
    assert (answer.status_code, answer.mimetype) == (200, "image/jpeg")
    assert b"kanarienvogel" in PHOTO
    assert b"kanarienvogel" not in answer.data
    assert not Image.open(io.BytesIO(answer.data)).getexif()
    assert opened(desk, reference) == [(desk.town.team["tempe-police"], "picture")]
    assert "Ines Vega looked at a picture of a file" in seat.look(f"/referrals/{reference}").get_text()


def test_the_original_is_the_file_as_it_was_sent_and_no_browser_shows_it(desk: Desk) -> None:
    reference = held(desk)
    seat = desk.seat("Ines")
    page = seat.look(f"/referrals/{reference}/files/1")
    token = csrf_token(str(page))
    answer = seat.client.post(f"/referrals/{reference}/files/1", data={"csrf_token": token})
    assert answer.data == PHOTO
    assert answer.mimetype == "application/octet-stream"
    assert answer.headers["Content-Disposition"] == f'attachment; filename="{reference}-file-1.jpg"'
    assert answer.headers["Content-Security-Policy"].startswith("sandbox")
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert opened(desk, reference) == [(desk.town.team["tempe-police"], "original")]


def test_nothing_is_given_before_what_was_told_is_open(desk: Desk) -> None:
    reference = desk.held(files=[("a.jpg", PHOTO)])
    client = desk.seat("Ines").client
    assert client.get(f"/referrals/{reference}/files/1/picture").status_code == 403
    assert client.get(f"/referrals/{reference}/files/1").status_code == 302
    assert opened(desk, reference) == []


def test_a_file_that_is_not_there_is_no_page(desk: Desk) -> None:
    reference = held(desk)
    client = desk.seat("Ines").client
    assert client.get(f"/referrals/{reference}/files/2").status_code == 404
    assert client.get(f"/referrals/{reference}/files/2/picture").status_code == 403


def test_files_go_along_only_where_they_were_chosen(desk: Desk) -> None:
    reference = held(desk)
    ines, fingerprint = desk.seat("Ines"), hashlib.sha256(PHOTO).hexdigest()
    hand_on = f"/referrals/{reference}/hand-on"
    for team, kind, parts in (
        ("mesa-police", "consult", ["narrative", "attachments"]),
        ("tempe-care-7", "consult", ["narrative"]),
    ):
        page = ines.send(hand_on, {"to_team": desk.town.team[team], "kind": kind, "step": "what"})
        assert "Files" in page.get_text()
        said = {"parts": parts, "parts_for": kind, "basis": "law_enforcement"}
        look = ines.press(page, hand_on, {**said, "step": "look"})
        assert (fingerprint in look.get_text()) is ("attachments" in parts)
        ines.press(page, hand_on, {**said, "step": "send"})
    pages = {}
    for name in ("Olu", "Cora"):
        seat = desk.seat(name)
        seat.send(f"/referrals/{reference}", to="/acknowledge")
        pages[name] = seat.send(f"/referrals/{reference}", to="/open").get_text()
    assert fingerprint in pages["Olu"]
    assert fingerprint not in pages["Cora"]
    picture_of = f"/referrals/{reference}/files/1/picture"
    assert desk.seat("Olu").client.get(picture_of).status_code == 200
    assert desk.seat("Cora").client.get(picture_of).status_code == 403
    assert [team for team, _ in opened(desk, reference)] == [desk.town.team["mesa-police"]]


def test_somebody_without_an_account_takes_a_file_after_reading(desk: Desk) -> None:
    reference = held(desk)
    ines = desk.seat("Ines")
    ines.send(f"/referrals/{reference}/outside", {**SHERIFF, "parts": ["narrative", "attachments"]})
    page = ines.look(f"/referrals/{reference}")
    link = next(str(tag["href"]) for tag in page.find_all("a") if str(tag.get("href")).endswith("/link"))
    shown = [tag.get_text().strip() for tag in ines.send(link).find_all(class_="fingerprint")]
    sheriff = Sheriff(desk, reference, "", "/guest/" + shown[0].rpartition("/")[2], shown[1])
    sheriff.send("/answer", is_me="y")
    sheriff.send("/files/1", status=404)
    assert hashlib.sha256(PHOTO).hexdigest() in sheriff.send("/read")
    token = csrf_token(sheriff.client.get(sheriff.path).text)
    fields = {"csrf_token": token, "code": sheriff.code}
    assert sheriff.client.post(f"{sheriff.path}/files/1", data=fields).data == PHOTO
    assert desk.recorded(reference)[-1]["kind"] == "file_opened"
    assert desk.recorded(reference)[-1]["actor"] == {"part": "guest link"}


@pytest.mark.parametrize("how", ["altered", "missing"])
def test_what_is_not_what_was_stored_is_given_to_nobody(desk: Desk, how: str) -> None:
    reference = held(desk)
    path = blob(desk)
    if how == "altered":
        sealed = bytearray(path.read_bytes())
        sealed[-20] ^= 1
        path.write_bytes(sealed)
    else:
        path.unlink()
    answer = desk.seat("Ines").client.get(f"/referrals/{reference}/files/1/picture")
    assert answer.status_code == 403
    assert opened(desk, reference) == []


def _png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, held: bytes) -> bytes:
        return struct.pack(">I", len(held)) + kind + held + struct.pack(">I", zlib.crc32(kind + held))

    head = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", head)
        + chunk(b"IDAT", zlib.compress(bytes(10_000)))
        + chunk(b"IEND", b"")
    )


def test_a_bomb_and_a_broken_picture_are_shown_as_none(desk: Desk) -> None:
    with pytest.raises(UnidentifiedImageError):
        picture.redrawn(b"\xff\xd8\xff" + bytes(64))
    reference = held(desk, ("bomb.png", _png(60_000, 60_000)))
    answer = desk.seat("Ines").client.get(f"/referrals/{reference}/files/1/picture")
    assert answer.status_code == 415


def test_what_hides_behind_a_picture_stays_in_the_original(database_url: str) -> None:
    made = picture.redrawn(drawn() + b"PK\x03\x04<script>")
    assert b"script" not in made
    assert made.startswith(b"\xff\xd8\xff")


def test_a_child_that_writes_for_ever_is_ended(database_url: str) -> None:
    assert previews._run(["/usr/bin/env", "yes"], b"") is None


def test_the_child_is_given_nothing_of_the_desks_environment(
    database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("KEYRING_PASSPHRASE", "the desk's own")
    script = "import os, sys; sys.stdout.buffer.write(b'\\xff\\xd8\\xff' + repr(dict(os.environ)).encode())"
    told = previews._run([sys.executable, "-I", "-c", script], b"")
    assert told
    assert b"KEYRING" not in told


def test_the_child_opens_nothing_any_more(database_url: str) -> None:
    for tried in ("open('/etc/hostname')", "import socket; socket.socket()", "os.fork()"):
        script = (
            f"import os, runpy, sys; child = runpy.run_path({str(previews._SCRIPT)!r}); child['confine']()\n"
            f"try:\n    {tried}\nexcept OSError:\n    sys.stdout.buffer.write(b'\\xff\\xd8\\xff no')"
        )
        if "fork" in tried and os.getuid() == 0:
            # The limit of children does not bind root, and the desk is not run as root.
            continue
        assert previews._run([sys.executable, "-I", "-c", script], b"") == b"\xff\xd8\xff no", tried


def test_a_picture_is_upright_and_no_wider_than_a_page(database_url: str) -> None:
    assert picture.fitting(4_000, 3_000) == (1_600, 1_200)
    assert picture.fitting(40, 30) == (40, 30)
    width, height = picture.fitting(1_080, 20_000)
    assert width * height <= 12_100_000


def test_a_copy_of_the_record_lists_fingerprints_and_no_names(desk: Desk) -> None:
    reference = held(desk)
    file = saved(desk, reference, "timeline.json")
    assert file["files"] == [
        {
            "number": 1,
            "kind": "Picture (JPEG)",
            "size": len(PHOTO),
            "sha256": hashlib.sha256(PHOTO).hexdigest(),
        }
    ]
    page = desk.seat("Ines").send(f"/referrals/{reference}/timeline", to="/timeline/document")
    assert hashlib.sha256(PHOTO).hexdigest() in page.get_text()
    assert "gnp" not in page.get_text()
    with later(minutes=11):
        desk.enter_again("Ines")
        assert "files" not in saved(desk, reference, "timeline.json")


def test_who_looks_around_finds_a_tip_with_a_screenshot(desk: Desk) -> None:
    with database.transaction(desk.town.engine) as session:
        reference = demonstration.file_example(session, desk.town.settings, clock.now())
    desk.route(desk.row(reference).id)
    ines = desk.seat("Ines")
    ines.send(f"/referrals/{reference}", to="/acknowledge")
    ines.send(f"/referrals/{reference}", to="/open")
    shown = ines.look(f"/referrals/{reference}/files/1").find("img")
    assert shown is not None
    assert ines.client.get(str(shown["src"])).status_code == 200

"""Files: sealed as a stream that cannot be cut, moved or prolonged, kept with their record and gone with it."""

from __future__ import annotations

import errno
import os
import shutil
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import BytesIO
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete, insert, select, update

from foundation import clock, database
from foundation.blobs import Blobs, Writing, blob_name
from foundation.identifiers import new_id
from ledger import verification
from referrals import attachments, opening, retention, rotation, sealing, shelf, streams
from referrals.attachments import Fault, Incoming, Kept, Refused
from referrals.duty import Duty
from referrals.kinds import KINDS, kind_of
from referrals.sealing import CannotOpen
from referrals.tables import attachments as rows
from referrals.tables import grants, referrals, sealed_parts
from routing import erasure, handoffs, jobs
from routing.states import Kind
from tests import builders
from tests.builders import Town
from tests.desk.test_setting_up import run
from tests.routing.test_erasure import YEARS
from tests.sent_files import picture

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
KEY, BOUND = bytes(32), b"here"


def sealed(words: bytes, pieces: int = 7) -> bytes:
    out = BytesIO()
    sealer = streams.Sealer(KEY, BOUND, out.write)
    for start in range(0, len(words), pieces):
        sealer.write(words[start : start + pieces])
    sealer.finish()
    return out.getvalue()


def unsealed(blob: bytes, bound: bytes = BOUND) -> bytes:
    return b"".join(streams.opened(KEY, bound, BytesIO(blob)))


@pytest.fixture
def chunks(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The header, and the sealed chunks of a file whose chunks are short."""
    monkeypatch.setattr(streams, "CHUNK", 64)
    blob = sealed(bytes(range(200)))
    head = sealing.HEADER + 7
    return [blob[:head], *(blob[start : start + 80] for start in range(head, len(blob), 80))]


@hypothesis.settings(max_examples=30)
@given(st.integers(0, 4 * 64), st.integers(1, 200))
def test_a_file_of_any_size_opens_as_it_was(size: int, pieces: int) -> None:
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(streams, "CHUNK", 64)
        words = os.urandom(size)
        assert unsealed(sealed(words, pieces)) == words


def test_a_file_that_was_cut_moved_prolonged_or_changed_does_not_open(chunks: list[bytes]) -> None:
    head, first, second, third, last = chunks
    assert unsealed(b"".join(chunks)) == bytes(range(200))
    bad = [
        head, head[:5], b"", head + first, head + first + second + third, head + second + first + third + last,
        head + first + first + second + third + last, b"".join(chunks) + last, b"".join(chunks) + b"x",
        head + first + second + third + last[:-1], bytes([2]) + b"".join(chunks)[1:],
    ]  # fmt: skip
    for blob in bad:
        with pytest.raises(CannotOpen):
            unsealed(blob)
    with pytest.raises(CannotOpen):
        unsealed(b"".join(chunks), b"elsewhere")


@pytest.mark.parametrize(
    ("beginning", "kind"),
    [
        (b"\xff\xd8\xff\xe0", "jpeg"), (b"RIFF\0\0\0\0WEBP", "webp"), (b"RIFF\0\0\0\0WAVE", "wav"),
        (b"RIFF\0\0\0\0AVI ", None), (b"\0\0\0\x18ftypheic", "heif"), (b"\0\0\0\x18ftypM4A ", "m4a"),
        (b"\0\0\0\x18ftypisom", "mp4"), (b"%PDF-1.7", "pdf"), (b"MZ", None), (b"PK\x03\x04", None),
        (b"\x7fELF", None), (b"hello", None), (b"", None),
    ],
)  # fmt: skip
def test_a_kind_is_known_by_its_first_bytes(beginning: bytes, kind: str | None) -> None:
    assert kind_of(beginning) == kind
    assert kind is None or kind in KINDS


@pytest.mark.parametrize(
    ("sent", "fault"),
    [
        (b"", Fault.EMPTY), (b"w" * 101, Fault.TOO_LARGE), (b"MZ\x90\0\3", Fault.UNKNOWN_KIND),
        (b"half a letter \xc3", Fault.UNKNOWN_KIND), (b"a bell \x07", Fault.UNKNOWN_KIND),
    ],
)  # fmt: skip
def test_what_is_refused_leaves_nothing(tmp_path: Path, sent: bytes, fault: Fault) -> None:
    with pytest.raises(Refused) as refused:
        attachments.receive(Blobs(tmp_path), "a", [sent], deployment="d", most=100, now=NOW)
    assert refused.value.fault is fault
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_a_name_is_kept_as_it_was_sent_but_for_its_length(tmp_path: Path) -> None:
    def named(name: str) -> str:
        kept = attachments.receive(Blobs(tmp_path), name, [b"w"], deployment="d", most=9, now=NOW)
        return attachments.files_in(attachments.document([kept]))[0].name

    assert named("../C:\\\u202egnp.\n<b>") == "../C:\\\u202egnp.\n<b>"
    assert len(named("n" * 5_000)) == 200
    assert named("half \ud83d") == "half ?"


def test_the_reserve_of_the_disk_is_left_to_words(tmp_path: Path) -> None:
    free = shutil.disk_usage(tmp_path).free
    with pytest.raises(Refused) as refused:
        attachments.receive(Blobs(tmp_path, 2 * free), "a", [b"w"], deployment="d", most=9, now=NOW)
    assert refused.value.fault is Fault.NO_ROOM


def test_a_disk_that_fails_at_the_end_keeps_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(self: Writing) -> None:
        raise OSError(errno.EIO, "broken")

    monkeypatch.setattr(Writing, "keep", fail)
    incoming = Incoming(Blobs(tmp_path), "d", "a", 9, NOW)
    incoming.write(b"w")
    assert incoming.finish() is None
    assert incoming.fault is Fault.NO_ROOM
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


def test_only_names_of_ours_are_blobs(tmp_path: Path) -> None:
    for name in ("../secret", "2026-11-24/../../secret", "/etc/passwd", f"2026-11-24/{'g' * 32}"):
        with pytest.raises(ValueError, match="no name"):
            Blobs(tmp_path).read(name)


def duty(town: Town) -> Duty:
    return Duty(town.engine, town.settings, town.keys)


def blobs(town: Town) -> list[Path]:
    return [path for path in Path(town.settings.attachments_folder).rglob("*") if path.is_file()]


def filed(town: Town) -> str:
    """A tip with a screenshot that Ines may read."""
    id = builders.file_tip(town, files=[("a.png", picture())]).id
    jobs.route_referral(duty(town), id)
    with database.transaction(town.engine) as session:
        (offer,) = handoffs.open_offers(session, id, Kind.TRANSFER)
        actor = town.actor("Ines")
        handoffs.acknowledge(session, town.keys, offer.id, actor=actor, via="desk", now=clock.now())
    return id


def opened(town: Town, referral_id: str, name: str = "Ines", keys: Any = None) -> bytes:
    actor = town.actor(name)
    with database.transaction(town.engine) as session:
        found = opening.open_file(
            session,
            keys or town.keys,
            attachments.blobs_of(town.settings),
            referral_id,
            1,
            team_id=str(actor.team_id),
            form="original",
            actor=actor,
            now=clock.now(),
        )
    return b"".join(found.pieces())


def closed(town: Town) -> str:
    id = filed(town)
    with database.transaction(town.engine) as session:
        session.execute(
            update(referrals)
            .where(referrals.c.id == id)
            .values(state="closed", disposition="unfounded", due_at=None, closed_at=clock.now())
        )
    return id


def erase(town: Town, id: str) -> None:
    later = clock.now() + YEARS
    with database.transaction(town.engine) as session:
        retention.ask(session, id, actor=town.actor("Ines"), now=later)
    with database.transaction(town.engine) as session:
        erasure.answer(session, id, approved=True, actor=town.actor("Tomas"), now=later)


def test_a_file_opens_for_who_was_granted_the_part_and_for_nobody_else(town: Town) -> None:
    id = filed(town)
    assert opened(town, id) == picture()
    with pytest.raises(CannotOpen):
        opened(town, id, "Olu")
    with database.reading(town.engine) as session:
        kinds = [entry["kind"] for entry in verification.entries_of(session, id)]
    assert kinds.count("file_opened") == 1


def test_a_file_put_in_the_place_of_another_does_not_open(town: Town) -> None:
    id, other = filed(town), builders.receive(town, "b.png", picture("PNG", (5, 5)))
    with database.transaction(town.engine) as session:
        session.execute(
            update(rows).values(
                blob=other.blob, sealed_size=other.sealed_size, sealed_sha256=other.sealed_sha256
            )
        )
    with pytest.raises(CannotOpen):
        opened(town, id)


def test_an_erasure_takes_the_sealed_bytes_and_then_their_row(town: Town) -> None:
    id = closed(town)
    shelf.keep_shelf(duty(town))
    assert len(blobs(town)) == 1
    erase(town, id)
    with database.reading(town.engine) as session:
        assert session.execute(select(sealed_parts).where(sealed_parts.c.referral_id == id)).all() == []
    assert shelf.keep_shelf(duty(town)) == 1
    assert blobs(town) == []
    with database.reading(town.engine) as session:
        assert session.execute(select(rows)).all() == []


def test_a_backup_of_an_erased_file_does_not_open_after_the_keys_changed(town: Town) -> None:
    id, store = closed(town), Path(town.settings.attachments_folder)
    backup = store.with_name("backup")
    shutil.copytree(store, backup)
    tables = (sealed_parts, grants, rows)
    with database.reading(town.engine) as session:
        saved = {table: [dict(row._mapping) for row in session.execute(select(table))] for table in tables}
    assert opened(town, id) == picture()
    erase(town, id)
    shelf.keep_shelf(duty(town))
    with clock.moved(YEARS):
        rotation.keep_keys(duty(town))
        with clock.moved(rotation.DESTROY_AFTER + timedelta(days=1)):
            rotation.keep_keys(duty(town))
    shutil.copytree(backup, store, dirs_exist_ok=True)
    with database.transaction(town.engine) as session:
        for table in reversed(tables):
            session.execute(delete(table))
        for table, values in saved.items():
            session.execute(insert(table), values)
    with pytest.raises(CannotOpen):
        opened(town, id)


def test_a_file_still_opens_after_the_keys_changed(town: Town) -> None:
    id = filed(town)
    with clock.moved(timedelta(days=2)):
        with database.transaction(town.engine) as session:
            rotation.renew(session, town.keys, town.settings.sealing_suite, clock.now())
        rotation.keep_keys(duty(town))
        with clock.moved(timedelta(days=30)):
            assert rotation.keep_keys(duty(town))
            assert opened(town, id) == picture()


def test_what_was_received_and_never_filed_is_swept_after_a_day(town: Town) -> None:
    filed(town)
    builders.receive(town, "b.png", picture())
    store = attachments.blobs_of(town.settings)
    store.begin(blob_name(clock.now(), new_id())).write(b"half")
    assert shelf.keep_shelf(duty(town)) == 0
    assert len(blobs(town)) == 3
    with clock.moved(timedelta(days=1, hours=1)):
        shelf.keep_shelf(duty(town))
    assert len(blobs(town)) == 1
    with database.reading(town.engine) as session:
        assert shelf.look(session, store, clock.now()).faults == []


def test_the_doctor_names_a_file_that_is_missing_cut_altered_or_left_behind(
    town: Town, database_url: str
) -> None:
    town = replace(town, settings=replace(town.settings, database_url=database_url))

    def faults() -> list[str]:
        said = run(town.settings, "doctor").output.splitlines()
        return [line.partition(": ")[2] for line in said if "a file of it" in line]

    filed(town)
    (path,) = blobs(town)
    whole = path.read_bytes()
    assert faults() == []
    assert _checked(town)
    path.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    assert faults() == ["a file of it was altered where it lies"] == faults()
    path.write_bytes(whole[:-1])
    assert faults() == ["a file of it is cut"]
    path.unlink()
    assert faults() == ["a file of it is missing"]
    with database.transaction(town.engine) as session:
        session.execute(update(rows).values(erased_at=clock.now() - timedelta(hours=2)))
    assert faults() == ["it is erased, and a file of it still lies there"]


def _checked(town: Town) -> bool:
    with database.reading(town.engine) as session:
        return all(session.execute(select(rows.c.checked_at)).scalars())


def test_discarding_removes_what_was_received(town: Town) -> None:
    kept: Kept = builders.receive(town, "a.png", picture())
    attachments.discard(attachments.blobs_of(town.settings), [kept])
    assert blobs(town) == []

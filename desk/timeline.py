"""A referral's timeline: each ledger entry a sentence that can be read aloud in a meeting."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from typing import Any

from sqlalchemy.orm import Session

from desk.sentences import Entry, note_of, sentence_of
from directory import members, teams
from ledger import checkpoints, verification
from ledger.checkpoints import Place
from routing import disclosure, handoffs, register


@dataclass(frozen=True)
class Moment:
    """What happened, when, and the ledger entries that say so: their positions, and the hash of the first."""

    at: datetime
    sentence: str
    note: str
    hash: str
    positions: tuple[int, ...]


def moments(session: Session, referral_id: str) -> list[Moment]:
    """The whole timeline, oldest first. Openings by the same person in a row are one moment."""
    entries = verification.entries_of(session, referral_id)
    names = _names(session, referral_id, entries)
    filled = disclosure.filled(session, referral_id)
    return [_moment(list(run), names, filled) for _, run in groupby(entries, key=_sameness)]


def sentences(told: Iterable[Moment]) -> dict[int, str]:
    """The sentence of each ledger entry, by its position."""
    return {
        position: f"{moment.sentence} {moment.note}".strip()
        for moment in told
        for position in moment.positions
    }


def places(session: Session, referral_id: str) -> dict[int, Place]:
    """Where each ledger entry stands in the log and which checkpoint was the first to cover it, by its position."""
    return dict(enumerate(checkpoints.places(session, referral_id), start=1))


def _sameness(entry: Entry) -> Any:
    facts = entry["facts"]
    opened = {"content_opened": facts.get("parts", ()), "file_opened": (facts.get("file"), facts.get("form"))}
    if entry["kind"] not in opened:
        return entry["hash"]
    return (entry["kind"], *sorted(entry["actor"].items()), *opened[entry["kind"]])


def _moment(same: list[Entry], names: dict[str, str], filled: Collection[str]) -> Moment:
    entry, times = same[0], len(same)
    more = f" {times} times in a row" if times > 1 else ""
    return Moment(
        at=datetime.fromisoformat(entry["at"]),
        sentence=sentence_of(entry, names).removesuffix(".") + more + ".",
        note=note_of(entry, names, filled),
        hash=entry["hash"],
        positions=tuple(each["position"] for each in same),
    )


def _names(session: Session, referral_id: str, entries: Iterable[Entry]) -> dict[str, str]:
    """Names by id: of handoffs as they were then, of all else as they are now."""
    people = {entry["actor"].get("member", "") for entry in entries}
    ids = {str(value) for entry in entries for value in entry["facts"].values() if isinstance(value, str)}
    names = members.names(session, sorted(people)) | teams.names(session, ids)
    for told in register.told_outside(session, referral_id):
        names[told.handoff_id] = f"{told.person} of {told.agency}"
    for row in handoffs.of_referral(session, referral_id):
        then = row.as_then
        past = {
            row.from_team_id: then["from_team"],
            row.to_team_id: then["to_team"],
            row.from_member_id: then["from_member"],
        }
        names |= {id: name for id, name in past.items() if id and name}
    return names

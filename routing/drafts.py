"""Drafts: what may become the next rules. A draft holds changes of a base, each with who wrote it and why.

Several may be open at once. Whichever is published first takes the base from under the others; they are brought onto
the new one with `rebase`, which names every rule that both of them touch.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from functools import cached_property
from typing import Any

from sqlalchemy import Row, insert, select, tuple_, update
from sqlalchemy.orm import Session

from directory import teams
from foundation import database
from foundation.identifiers import new_id
from ledger import entries
from ledger.entries import DEPLOYMENT, Actor
from routing import snapshots
from routing.boundaries import Boundaries
from routing.rules import RuleFault, RuleSet
from routing.snapshots import Snapshot
from routing.tables import rule_drafts

Json = Mapping[str, Any]
# A page of drafts; there are a handful a month.
PAGE = 50


class DraftState(StrEnum):
    """Where a draft stands; only an open one changes."""

    OPEN = "open"
    PUBLISHED = "published"
    WITHDRAWN = "withdrawn"


class DraftFault(ValueError):
    """Why a draft cannot be changed, approved or published so: one sentence for the person who asked. `field` names
    the member of the rule that is at fault, "" where it is none."""

    def __init__(self, sentence: str, field: str = "") -> None:
        super().__init__(sentence)
        self.field = field


class NoSuchDraft(LookupError):
    """No draft has that id."""


@dataclass(frozen=True)
class Entry:
    """What becomes of one rule: `rule` in its place, or its end where that is None. `by` is a member's id or the name
    of a part; `zone` the time zone of its team. `theirs` is what a newer base says of the same rule (None: it ended
    there), as long as nobody settled which of both holds; it counts only while `disputed`."""

    rule: Json | None
    reason: str
    by: str
    at: str
    zone: str = ""
    disputed: bool = False
    theirs: Json | None = None

    def as_json(self) -> dict[str, Any]:
        """Plain JSON."""
        return dict(self.__dict__)


@dataclass(frozen=True)
class Draft:
    """A draft as it was read. `changes` by rule id."""

    id: str
    title: str
    state: DraftState
    version: int
    base_rules_id: str
    base_areas_id: str
    areas_id: str
    changes: Mapping[str, Entry]
    begun_by: str
    begun_at: datetime
    changed_at: datetime
    approved_by: str | None
    approved_at: datetime | None
    approved_digest: str | None
    ended_at: datetime | None
    effective_at: datetime | None

    @cached_property
    def digest(self) -> str:
        """SHA-256 (hex) of its exact content and its base: what a dry run and an approval are about."""
        changes = {name: entry.as_json() for name, entry in self.changes.items()}
        content = [self.base_rules_id, self.base_areas_id, self.areas_id, changes]
        return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()

    @property
    def authors(self) -> frozenset[str]:
        """Who had a hand in it."""
        return frozenset({self.begun_by, *(entry.by for entry in self.changes.values())})

    @property
    def disputes(self) -> tuple[str, ...]:
        """Rules that a newer base changed too, and that nobody settled yet."""
        return tuple(sorted(name for name, entry in self.changes.items() if entry.disputed))

    def rules_on(self, base: RuleSet) -> RuleSet:
        """The rules that it would put in force. Raises RuleFault."""
        written = base.as_json()
        rules = {rule["id"]: rule for rule in written["rules"]}
        for name, entry in self.changes.items():
            if entry.rule is None:
                rules.pop(name, None)
            else:
                rules[name] = dict(entry.rule)
        zones = {str(e.rule["team"]): e.zone for e in self.changes.values() if e.rule and e.zone}
        return RuleSet.from_json(
            {**written, "rules": list(rules.values()), "zones": {**written["zones"], **zones}}
        )


def begin(session: Session, *, title: str, by: Actor, now: datetime, areas_id: str = "") -> str:
    """Starts a draft of what was last published; returns its id. `areas_id`: a stored boundary set that goes with
    it."""
    rules_id, base_areas = base(session)
    id = new_id()
    session.execute(
        insert(rule_drafts).values(
            id=id,
            title=title,
            state=DraftState.OPEN.value,
            version=1,
            base_rules_id=rules_id,
            base_areas_id=base_areas,
            areas_id=areas_id or base_areas,
            changes={},
            begun_by=_author(by),
            begun_at=now,
            changed_at=now,
        )
    )
    record(session, "draft_begun", id, by, now)
    return id


def draft(
    session: Session,
    rules: Json,
    *,
    title: str,
    reason: str,
    by: Actor,
    now: datetime,
    areas_id: str = "",
) -> str:
    """Starts a draft whose changes are all differences between a whole rule set and the base, as importers bring it;
    returns its id. Raises RuleFault."""
    id = begin(session, title=title, by=by, now=now, areas_id=areas_id)
    begun = read(session, id)
    after = RuleSet.from_json(rules).as_json()
    ours = {rule["id"]: rule for rule in after["rules"]}
    before = {rule["id"]: rule for rule in snapshots.load(session, *_base_of(begun)).rules.as_json()["rules"]}

    def entry(name: str) -> Entry:
        rule = ours.get(name)
        zone = after["zones"].get(rule["team"], "") if rule else ""
        return Entry(rule, reason, _author(by), now.isoformat(), zone)

    different = {name for name in before.keys() | ours.keys() if before.get(name) != ours.get(name)}
    _write(session, begun, now, changes={name: entry(name) for name in different})
    return id


def put_rule(session: Session, found: Draft, rule: Json, *, reason: str, by: Actor, now: datetime) -> None:
    """Adds a rule, or puts it in the place of the one of its id. Raises DraftFault with the field at fault."""
    entry = Entry(dict(rule), reason, _author(by), now.isoformat(), _zone(session, rule))
    changed = replace(found, changes={**found.changes, str(rule["id"]): entry})
    check(session, changed, str(rule["id"]))
    _change(session, found, changed.changes, by, now)


def end_rule(session: Session, found: Draft, rule_id: str, *, reason: str, by: Actor, now: datetime) -> None:
    """The rule ends when the draft comes into force."""
    entry = Entry(None, reason, _author(by), now.isoformat())
    _change(session, found, {**found.changes, rule_id: entry}, by, now)


def take_back(session: Session, found: Draft, rule_id: str, *, by: Actor, now: datetime) -> None:
    """The draft changes nothing about that rule any more."""
    kept = {name: entry for name, entry in found.changes.items() if name != rule_id}
    _change(session, found, kept, by, now)


def settle(session: Session, found: Draft, rule_id: str, *, ours: bool, by: Actor, now: datetime) -> None:
    """Says which of two changes of a disputed rule holds: the draft's own, or what was published meanwhile."""
    if not ours:
        take_back(session, found, rule_id, by=by, now=now)
        return
    entry = replace(found.changes[rule_id], disputed=False, theirs=None, by=_author(by))
    _change(session, found, {**found.changes, rule_id: entry}, by, now)


def rebase(session: Session, found: Draft, *, by: Actor, now: datetime) -> tuple[str, ...]:
    """Brings the draft onto what was last published; returns the ids of the rules that both changed, which are
    disputed until somebody settles them. Raises DraftFault where both bring a boundary set of their own."""
    rules_id, areas_id = base(session)
    before = _by_id(snapshots.load(session, *_base_of(found)).rules)
    after = _by_id(snapshots.load(session, rules_id, areas_id).rules)
    brings_areas = found.areas_id != found.base_areas_id
    if brings_areas and areas_id not in {found.base_areas_id, found.areas_id}:
        raise DraftFault(
            "Another map was published meanwhile, and this draft brings one of its own. Import its areas again onto "
            "the map in force, and withdraw this draft."
        )
    rebased = {
        name: replace(entry, disputed=True, theirs=after.get(name))
        if before.get(name) != after.get(name) != entry.rule
        else entry
        for name, entry in found.changes.items()
    }
    moved = replace(found, changes=rebased)
    _write(
        session, found, now, changes=rebased, base_rules_id=rules_id, base_areas_id=areas_id,
        areas_id=found.areas_id if brings_areas else areas_id,
    )  # fmt: skip
    record(session, "draft_rebased", found.id, by, now)
    return moved.disputes


def base(session: Session) -> tuple[str, str]:
    """Ids of the rules and areas that the next draft must start from: those that take effect last, in force or not.
    Else a draft would be undone unseen on the day on which they come into force."""
    newest = snapshots.last_published(session)
    return newest.rules_id, newest.areas_id


def is_current(session: Session, found: Draft) -> bool:
    """Whether nothing was published since it was begun or rebased."""
    return base(session) == _base_of(found)


def read(session: Session, draft_id: str) -> Draft:
    """The draft. Raises NoSuchDraft."""
    row = session.execute(select(rule_drafts).where(rule_drafts.c.id == draft_id)).one_or_none()
    if row is None:
        raise NoSuchDraft(draft_id)
    return _draft(row)


def listed(session: Session, after: str | None = None) -> list[Draft]:
    """Drafts, newest first, a page of them. `after` is the id of the last one of the page before."""
    query = select(rule_drafts)
    if after:
        mark = session.execute(select(rule_drafts.c.begun_at).where(rule_drafts.c.id == after)).scalar()
        if mark is not None:
            query = query.where(tuple_(rule_drafts.c.begun_at, rule_drafts.c.id) < (mark, after))
    newest = (rule_drafts.c.begun_at.desc(), rule_drafts.c.id.desc())
    return [_draft(row) for row in session.execute(query.order_by(*newest).limit(PAGE))]


def before_and_after(session: Session, found: Draft) -> tuple[Snapshot, Snapshot]:
    """The base and what the draft would put in force. Raises RuleFault. The second has no stored rules: its
    `rules_id` is ""."""
    old = snapshots.load(session, *_base_of(found))
    rules = found.rules_on(old.rules)
    if found.areas_id == found.base_areas_id:
        return old, Snapshot(rules, old.boundaries, "", found.areas_id)
    return old, Snapshot(rules, _areas(session, found), "", found.areas_id)


def check(session: Session, changed: Draft, rule_id: str = "") -> None:
    """Raises DraftFault for the first fault of the rules as a whole, or only of `rule_id`."""
    try:
        _, after = before_and_after(session, changed)
    except RuleFault as fault:
        sentence = str(fault).removeprefix(f"{rule_id}: ")
        raise DraftFault(_sentence(sentence), _field(sentence)) from fault
    for fault_of in after.rules.faults(after.boundaries):
        name, _, sentence = fault_of.partition(": ")
        if not rule_id:
            raise DraftFault(_sentence(fault_of), "area")
        if name == rule_id:
            raise DraftFault(_sentence(sentence), "area")


def record(session: Session, kind: str, draft_id: str, by: Actor, now: datetime, **facts: str) -> None:
    """One entry of the ledger: ids, digests and times, never a rule's words."""
    entries.append(session, DEPLOYMENT, kind=kind, at=now, actor=by, facts={"draft": draft_id, **facts})


def compare_and_set(session: Session, found: Draft, **values: Any) -> None:
    """Writes to the draft if it is still as it was read. Raises DraftFault otherwise."""
    unchanged = (
        rule_drafts.c.id == found.id,
        rule_drafts.c.version == found.version,
        rule_drafts.c.state == DraftState.OPEN.value,
    )
    statement = update(rule_drafts).where(*unchanged).values(version=found.version + 1, **values)
    if database.changed(session, statement) != 1:
        raise DraftFault("Somebody else changed this draft meanwhile. Look at it again; nothing was done.")


def _change(session: Session, found: Draft, changes: Mapping[str, Entry], by: Actor, now: datetime) -> None:
    _write(session, found, now, changes=changes)
    changed = replace(found, changes=changes)
    record(session, "draft_changed", found.id, by, now, content=changed.digest)


def _write(
    session: Session, found: Draft, now: datetime, *, changes: Mapping[str, Entry], **values: Any
) -> None:
    # Whoever approved it approved something else.
    approval = {"approved_by": None, "approved_at": None, "approved_digest": None}
    plain = {name: entry.as_json() for name, entry in sorted(changes.items())}
    compare_and_set(session, found, changes=plain, changed_at=now, **approval, **values)


def _draft(row: Row[Any]) -> Draft:
    kept = {name: getattr(row, name) for name in Draft.__dataclass_fields__}
    changes = {name: Entry(**entry) for name, entry in row.changes.items()}
    return Draft(**{**kept, "state": DraftState(row.state), "changes": changes})


def _base_of(found: Draft) -> tuple[str, str]:
    return found.base_rules_id, found.base_areas_id


def _areas(session: Session, found: Draft) -> Boundaries:
    return snapshots.load(session, found.base_rules_id, found.areas_id).boundaries


def _by_id(rules: RuleSet) -> dict[str, Json]:
    return {rule["id"]: rule for rule in rules.as_json()["rules"]}


def _zone(session: Session, rule: Json) -> str:
    zones = {team.id: str(team.time_zone) for team in teams.all_teams(session)}
    return zones.get(str(rule.get("team")), "")


def _author(by: Actor) -> str:
    return by.member_id or by.part or ""


def _sentence(words: str) -> str:
    # An id stays as it is written.
    return f"{words}." if ":" in words.split()[0] else f"{words[:1].upper()}{words[1:]}."


# The member of a rule that a fault's words are about; the first that fits.
_FIELDS = (
    ("ends before", "valid_to"),
    ("date", "valid_from"),
    ("calendar", "begins"),
    ("behaviour", "behaviours"),
)


def _field(sentence: str) -> str:
    return next((field for words, field in _FIELDS if words in sentence), "")

"""Publishing a draft: a second person approves exactly what the dry run tried, and it comes into force now or later."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy.orm import Session

from ledger.entries import Actor
from routing import drafts, dry_run, snapshots
from routing.drafts import Draft, DraftFault, DraftState

# Members of a rule that decide nothing.
_WORDS = {"author", "reason"}
_STALE = (
    "Other rules were published since this draft was begun, so it would undo them unseen. Bring it onto them first; "
    "rules that both change are shown to you then."
)
_NOT_TRIED = "What this draft would change is not known yet: let its dry run finish first."


def needs_second_person(session: Session, found: Draft) -> bool:
    """Whether anything changes: in what is decided, or in what might be."""
    tried = dry_run.finished(session, found)
    if tried is None or dry_run.changes_anything(tried.result) or found.areas_id != found.base_areas_id:
        return True
    before, after = drafts.before_and_after(session, found)
    return _decisive(before.rules.as_json()) != _decisive(after.rules.as_json())


def approve(session: Session, found: Draft, *, by: Actor, now: datetime) -> None:
    """A second person says that it may come into force, as it is and as its dry run saw it. Raises DraftFault."""
    if by.member_id in found.authors:
        raise DraftFault("You had a hand in this draft. A second person has to approve it.")
    _check_ready(session, found)
    drafts.compare_and_set(
        session, found, approved_by=by.member_id, approved_at=now, approved_digest=found.digest
    )
    drafts.record(session, "draft_approved", found.id, by, now, content=found.digest)


def publish(
    session: Session, found: Draft, *, by: Actor, now: datetime, effective_at: datetime | None = None
) -> str:
    """Puts it in force from `effective_at` on (default: now); returns the id of the rules. Raises DraftFault."""
    if effective_at is not None and effective_at < now:
        raise DraftFault("The time at which it comes into force is past. Choose now, or a later time.", "at")
    # The ledger's entry comes first: appenders wait for each other, so that of two drafts that are published in the
    # same moment the second sees the first below.
    drafts.record(
        session, "draft_published", found.id, by, now, content=found.digest,
        effective_at=(effective_at or now).isoformat(),
    )  # fmt: skip
    _check_ready(session, found)
    if needs_second_person(session, found) and found.approved_digest != found.digest:
        raise DraftFault("A second person has to approve this draft as it is now.")
    _, after = drafts.before_and_after(session, found)
    rules_id = snapshots.store_rules(session, after.rules.as_json(), f"draft {found.id}", now)
    snapshots.put_in_force(
        session, rules_id, found.areas_id, now, effective_at=effective_at,
        published_by=by.member_id, approved_by=found.approved_by,
    )  # fmt: skip
    drafts.compare_and_set(
        session, found, state=DraftState.PUBLISHED.value, ended_by=by.member_id, ended_at=now,
        effective_at=effective_at or now,
    )  # fmt: skip
    return rules_id


def withdraw(session: Session, found: Draft, *, by: Actor, now: datetime) -> None:
    """Ends the draft; nothing of it comes into force. Raises DraftFault."""
    drafts.compare_and_set(
        session, found, state=DraftState.WITHDRAWN.value, ended_by=by.member_id, ended_at=now
    )
    drafts.record(session, "draft_withdrawn", found.id, by, now, content=found.digest)


def _check_ready(session: Session, found: Draft) -> None:
    if not drafts.is_current(session, found):
        raise DraftFault(_STALE)
    if found.disputes:
        raise DraftFault(f"Settle first which change holds: {', '.join(found.disputes)}.")
    drafts.check(session, found)
    if dry_run.finished(session, found) is None:
        raise DraftFault(_NOT_TRIED)


def _decisive(rules: dict[str, object]) -> dict[str, object]:
    stripped = [
        {member: value for member, value in rule.items() if member not in _WORDS}
        for rule in rules["rules"]  # type: ignore[attr-defined]  # as_json says it in prose only
    ]
    return {**rules, "rules": stripped, "zones": {}}

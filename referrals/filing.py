"""Filing: a sealed referral, its first ledger entry and the job that routes it, in one transaction."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import Row, insert, select
from sqlalchemy.exc import NoResultFound
from sqlalchemy.orm import Session

from directory import teams
from directory.teams import KeyPurpose
from foundation import outbox
from foundation.identifiers import new_id, new_reference
from ledger import entries
from ledger.entries import Actor
from referrals import attachments, reporting, sealing
from referrals.attachments import Kept
from referrals.facts import Facts, Urgency
from referrals.reporting import Event
from referrals.sealing import ALL, Place, Recipient
from referrals.states import State
from referrals.tables import grants, referrals, sealed_parts

# The job that the new referral is owed; the worker resolves the name.
ROUTE = "routing.jobs.route_referral"
# A referral that is not routed by then is the root desk's to look at.
_ROUTE_WITHIN = timedelta(minutes=2)
# Made once, so that each tip's statements are known again and not compiled anew.
_REFERRAL, _PARTS, _GRANT = insert(referrals), insert(sealed_parts), insert(grants)


class Source(StrEnum):
    """Through which door it came."""

    PUBLIC = "public"
    FORWARD = "forward"


class Mark(StrEnum):
    """What no person sent: it goes the whole way, and no count holds it."""

    CANARY = "canary"
    DRILL = "drill"


@dataclass(frozen=True)
class Sealed:
    """A new referral's sealed parts and the grant by which routing can re-grant them. No key is kept."""

    referral_id: str
    parts: Mapping[str, bytes]
    grant: bytes
    recipient: Recipient
    commitment_key: bytes
    commitment: str
    files: Sequence[Kept] = ()


@dataclass(frozen=True)
class Filing:
    """All that is stored of a new referral besides its sealed words.

    `custodian_team_id` holds it from the first moment: the forwarding office, or the root desk for a public tip.
    """

    source: Source
    facts: Facts
    language: str
    submission_digest: str
    custodian_team_id: str
    receipt_lookup: str | None = None
    reporter_public_key: bytes | None = None
    originator_organisation_id: str | None = None
    originator_member_id: str | None = None
    originator_case_number: str | None = None
    originator_api_key_id: str | None = None
    handling_code: str = "H0"
    mark: Mark | None = None


@dataclass(frozen=True)
class Filed:
    """The referral that now exists, whatever happens next."""

    id: str
    reference: str


def routing_recipient(session: Session) -> Recipient:
    """The public key to which new referrals are sealed: the root desk's routing key."""
    desk = teams.root_desk(session)
    key = teams.public_key(session, desk.id, KeyPurpose.ROUTING)
    return Recipient(desk.id, key.id, key.suite, key.public_key)


def missing(session: Session) -> str:
    """What keeps a tip from being sealed and filed, in words; empty where nothing does."""
    try:
        routing_recipient(session)
    except NoResultFound:
        return "no desk to seal to"
    return ""


def seal(
    documents: Mapping[str, bytes], *, deployment: str, to: Recipient, files: Sequence[Kept] = ()
) -> Sealed:
    """Seals the parts of a new referral; its key is forgotten when this returns. No database, no network.

    `files` are those that `attachments.receive` took in: their list becomes a part of its own.
    """
    if files:
        documents = {**documents, attachments.PART: attachments.document(files)}
    referral_id, key, commitment_key = new_id(), sealing.new_key(), os.urandom(32)
    parts = {
        part: sealing.seal(sealing.part_key(key, part), Place(deployment, referral_id, part), words)
        for part, words in documents.items()
    }
    bound = b"".join(
        len(part).to_bytes(1) + part.encode() + words for part, words in sorted(documents.items())
    )
    return Sealed(
        referral_id=referral_id,
        parts=parts,
        grant=sealing.grant(key, Place(deployment, referral_id, ALL), to),
        recipient=to,
        commitment_key=commitment_key,
        commitment=entries.commitment(commitment_key, bound),
        files=files,
    )


def file_referral(session: Session, filing: Filing, sealed: Sealed, now: datetime) -> Filed:
    """Records the referral with its ledger entry and owes it the routing job.

    Raises IntegrityError where this submission was filed before: look with `filed_before` in a new transaction. It
    does so too where the new reference is somebody's already, which a look beforehand could not rule out either:
    then file it again.
    """
    reference = new_reference()
    session.execute(_REFERRAL, _row(filing, sealed, reference, now))
    session.execute(
        _PARTS,
        [
            {"referral_id": sealed.referral_id, "part": part, "blob": blob}
            for part, blob in sealed.parts.items()
        ],
    )
    session.execute(_GRANT, _routing_grant(sealed, now))
    attachments.add(session, sealed.referral_id, sealed.files, now)
    urgent = filing.facts.urgency is not Urgency.ROUTINE
    outbox.post(session, ROUTE, sealed.referral_id, now=now, urgent=urgent)
    if filing.source is Source.FORWARD:
        reporting.owe(session, sealed.referral_id, Event.RECEIVED, now)
    entries.open_stream(
        session,
        sealed.referral_id,
        kind="filed",
        at=now,
        actor=Actor(
            member_id=filing.originator_member_id,
            team_id=filing.custodian_team_id if filing.source is Source.FORWARD else None,
            part=None if filing.originator_member_id else "intake",
        ),
        facts={
            "reference": reference,
            "source": filing.source.value,
            "urgency": filing.facts.urgency.value,
            "custodian": filing.custodian_team_id,
            "content": sealed.commitment,
            "parts": sorted(sealed.parts),
            **({"api_key": filing.originator_api_key_id} if filing.originator_api_key_id else {}),
        },
    )
    return Filed(sealed.referral_id, reference)


def filed_before(session: Session, submission_digest: str) -> Filed | None:
    """The referral that this form made already, or None."""
    row = session.execute(
        select(referrals.c.id, referrals.c.reference).where(
            referrals.c.submission_digest == submission_digest
        )
    ).one_or_none()
    return Filed(row.id, row.reference) if row else None


def by_receipt(session: Session, lookup: str) -> Row[str, datetime, datetime | None] | None:
    """State and times of the referral that a receipt names, and nothing else of it; None where there is none."""
    return session.execute(
        select(referrals.c.state, referrals.c.filed_at, referrals.c.closed_at).where(
            referrals.c.receipt_lookup == lookup
        )
    ).one_or_none()


def _row(filing: Filing, sealed: Sealed, reference: str, now: datetime) -> dict[str, Any]:
    return {
        "id": sealed.referral_id,
        "reference": reference,
        "source": filing.source.value,
        "originator_organisation_id": filing.originator_organisation_id,
        "originator_member_id": filing.originator_member_id,
        "originator_case_number": filing.originator_case_number,
        "handling_code": filing.handling_code,
        "language": filing.language,
        "urgency": filing.facts.urgency.value,
        "facts": filing.facts.as_json(),
        "state": State.FILED.value,
        "custodian_team_id": filing.custodian_team_id,
        "due_at": now + _ROUTE_WITHIN,
        "due_reason": "route",
        "filed_at": now,
        "submission_digest": filing.submission_digest,
        "receipt_lookup": filing.receipt_lookup,
        "reporter_public_key": filing.reporter_public_key,
        "commitment_key": sealed.commitment_key,
        "mark": filing.mark,
    }


def _routing_grant(sealed: Sealed, now: datetime) -> dict[str, Any]:
    return {
        "id": new_id(),
        "referral_id": sealed.referral_id,
        "team_id": sealed.recipient.team_id,
        "part": ALL,
        "purpose": KeyPurpose.ROUTING.value,
        "team_key_id": sealed.recipient.key_id,
        "blob": sealed.grant,
        "made_at": now,
        "made_by": "intake",
        "reason": "filed",
    }

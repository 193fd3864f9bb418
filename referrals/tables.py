"""Tables of the record: the referral, its sealed words, who may open them, and what was done."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    BigInteger,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    text,
)

from foundation.database import Bytes, UTCDateTime, metadata

_MARKED = text("mark IS NOT NULL")

referrals = Table(
    "referrals",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("reference", String(12), nullable=False, unique=True),
    Column("source", String(10), nullable=False),
    Column("originator_organisation_id", ForeignKey("organisations.id"), index=True),
    Column("originator_member_id", ForeignKey("members.id")),
    # The office's own number for it: a pointer into their files, so that they find theirs again.
    Column("originator_case_number", String(60)),
    Column("handling_code", String(2), nullable=False, server_default="H0"),
    Column("language", String(2), nullable=False),
    Column("urgency", String(10), nullable=False),
    # `Facts.as_json()`: acts, setting and place as codes. No words.
    Column("facts", JSON, nullable=False),
    Column("state", String(12), nullable=False),
    Column("custodian_team_id", ForeignKey("teams.id"), nullable=False),
    Column("due_at", UTCDateTime),
    Column("due_reason", String(20)),
    # Half-way to it the custodian is reminded once; none when that was done.
    Column("remind_at", UTCDateTime),
    Column("filed_at", UTCDateTime, nullable=False),
    Column("closed_at", UTCDateTime),
    Column("disposition", String(40)),
    # One form, one record: a second press of the button meets this.
    Column("submission_digest", String(64), nullable=False, unique=True),
    Column("receipt_lookup", String(64), unique=True),
    Column("reporter_public_key", Bytes),
    # "drill" or "canary": no person sent it, and no count holds it.
    Column("mark", String(8)),
    # The key of the ledger's commitments; destroyed with the record.
    Column("commitment_key", Bytes, nullable=False),
    # Nothing of it is left but this row and its ledger entries.
    Column("erased_at", UTCDateTime),
    # Exactly one due time for each open referral, and none for a closed one.
    CheckConstraint("(state = 'closed') = (due_at IS NULL)", name="open_has_due_time"),
    CheckConstraint("(state = 'closed') = (closed_at IS NOT NULL)", name="closed_has_time"),
    Index("ix_referrals_custodian", "custodian_team_id", "state", "due_at"),
    Index("ix_referrals_due", "due_at"),
    Index("ix_referrals_remind", "remind_at"),
    Index("ix_referrals_erased", "erased_at"),
    Index("ix_referrals_mark", "mark", postgresql_where=_MARKED, sqlite_where=_MARKED),
    # What is kept longer than its time is found by how and when it ended.
    Index("ix_referrals_ended", "disposition", "closed_at"),
)

sealed_parts = Table(
    "sealed_parts",
    metadata,
    Column("referral_id", ForeignKey("referrals.id"), primary_key=True),
    Column("part", String(12), primary_key=True),
    Column("blob", Bytes, nullable=False),
)

# Who can open which part: the part's key sealed to a team's key. No row, no reading.
grants = Table(
    "grants",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("referral_id", ForeignKey("referrals.id"), nullable=False),
    Column("team_id", ForeignKey("teams.id"), nullable=False),
    Column("part", String(12), nullable=False),
    Column("purpose", String(10), nullable=False),
    Column("team_key_id", ForeignKey("team_keys.id"), nullable=False),
    Column("blob", Bytes, nullable=False),
    Column("handoff_id", String(32)),
    Column("made_at", UTCDateTime, nullable=False),
    Column("made_by", String(32), nullable=False),
    Column("reason", String(40), nullable=False),
    Index("uq_grants_team_part", "referral_id", "team_id", "part", "purpose", unique=True),
    Index("ix_grants_handoff", "handoff_id"),
    Index("ix_grants_key", "team_key_id"),
)

# Files that came along. Their names, sizes and keys are in the sealed part `attachments`; here is only where the sealed
# bytes lie, and what these must be.
attachments = Table(
    "attachments",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("referral_id", ForeignKey("referrals.id"), nullable=False),
    Column("position", Integer, nullable=False),
    Column("blob", String(48), nullable=False, unique=True),
    Column("sealed_size", BigInteger, nullable=False),
    Column("sealed_sha256", String(64), nullable=False),
    Column("added_at", UTCDateTime, nullable=False),
    # When its bytes were last read through by who looks for damage.
    Column("checked_at", UTCDateTime),
    # The record was erased: the sealed bytes go, then this row.
    Column("erased_at", UTCDateTime, index=True),
    Index("ix_attachments_referral", "referral_id", "position"),
    Index("ix_attachments_checked", "checked_at"),
)

# Documentation: notes, and actions that were taken. Words sealed under the key of their part, mostly `notes`.
casework = Table(
    "casework",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("referral_id", ForeignKey("referrals.id"), nullable=False),
    Column("kind", String(10), nullable=False),
    # Under which part's key its words are sealed.
    Column("part", String(12), nullable=False, server_default="notes"),
    Column("action", String(40)),
    Column("team_id", ForeignKey("teams.id"), nullable=False),
    Column("member_id", ForeignKey("members.id"), nullable=False),
    Column("at", UTCDateTime, nullable=False),
    Column("blob", Bytes, nullable=False),
    Index("ix_casework_referral", "referral_id", "at"),
)

closings = Table(
    "closings",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("referral_id", ForeignKey("referrals.id"), nullable=False, index=True),
    Column("disposition", String(40), nullable=False),
    Column("reason_id", ForeignKey("casework.id"), nullable=False),
    Column("proposed_by", ForeignKey("members.id"), nullable=False),
    Column("proposed_at", UTCDateTime, nullable=False),
    Column("answered_by", ForeignKey("members.id")),
    Column("answered_at", UTCDateTime),
    Column("approved", String(3)),
)

# A court or a lawyer wants it kept: while a hold stands, nothing is erased. Why is sealed like a note.
legal_holds = Table(
    "legal_holds",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("referral_id", ForeignKey("referrals.id"), nullable=False, index=True),
    Column("placed_by", ForeignKey("members.id"), nullable=False),
    Column("placed_at", UTCDateTime, nullable=False),
    Column("lifted_by", ForeignKey("members.id")),
    Column("lifted_at", UTCDateTime),
)

# Asked for by one member, answered by another.
erasures = Table(
    "erasures",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("referral_id", ForeignKey("referrals.id"), nullable=False, index=True),
    Column("retention_class", String(40), nullable=False),
    Column("asked_by", ForeignKey("members.id"), nullable=False),
    Column("asked_at", UTCDateTime, nullable=False),
    Column("answered_by", ForeignKey("members.id")),
    Column("answered_at", UTCDateTime),
    Column("approved", String(3)),
)

# What an originator's own system is told: that something happened, never what was told or done.
reports = Table(
    "reports",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("webhook_id", ForeignKey("webhooks.id"), nullable=False, index=True),
    Column("referral_id", ForeignKey("referrals.id"), nullable=False, index=True),
    Column("event", String(20), nullable=False),
    Column("at", UTCDateTime, nullable=False),
    # Who has custody after it, and how it ended, as they were then.
    Column("team_id", ForeignKey("teams.id"), nullable=False),
    Column("disposition", String(40)),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("taken_at", UTCDateTime),
    Column("given_up_at", UTCDateTime),
    Column("fault", String(40)),
)

"""Tables of routing: published snapshots, decisions as they were made, handoffs and their clocks."""

from __future__ import annotations

from sqlalchemy import JSON, Column, ForeignKey, Index, Integer, String, Table, Text, text

from foundation.database import UTCDateTime, metadata

# Rule sets and extra areas, immutable, named by the SHA-256 of their body. Published ones are never edited.
snapshots = Table(
    "snapshots",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("kind", String(20), nullable=False),
    Column("body", Text, nullable=False),
    Column("source", String(200), nullable=False),
    Column("created_at", UTCDateTime, nullable=False),
    Column("published_at", UTCDateTime),
    Index("ix_snapshots_published", "kind", "published_at"),
)

decisions = Table(
    "decisions",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("referral_id", ForeignKey("referrals.id"), nullable=False),
    Column("made_at", UTCDateTime, nullable=False),
    Column("status", String(20), nullable=False),
    Column("digest", String(64), nullable=False),
    # What it was made from; the same again means that nothing needs to be decided.
    Column("inputs", String(64), nullable=False),
    # The snapshots that it was made from: with what the explanation holds, it can be made again.
    Column("rules_id", String(64), nullable=False),
    Column("areas_id", String(64), nullable=False),
    # `Decision.as_json()`: the explanation, shown at the desk in sentences.
    Column("explanation", JSON, nullable=False),
    Index("ix_decisions_referral", "referral_id", "made_at"),
)

_OPEN = text("state IN ('offered', 'opened')")
_HELD = text("kind = 'transfer' AND state = 'acknowledged'")

handoffs = Table(
    "handoffs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("referral_id", ForeignKey("referrals.id"), nullable=False),
    Column("kind", String(10), nullable=False),
    Column("state", String(15), nullable=False),
    Column("urgency", String(10), nullable=False),
    Column("from_team_id", ForeignKey("teams.id"), nullable=False),
    Column("from_member_id", ForeignKey("members.id")),
    Column("to_team_id", ForeignKey("teams.id"), nullable=False),
    Column("reason", String(30), nullable=False),
    Column("basis", String(30), nullable=False),
    Column("parts", JSON, nullable=False),
    Column("decision_id", ForeignKey("decisions.id")),
    Column("offered_at", UTCDateTime, nullable=False),
    # The last step of the ladder that was taken, and when the next one is due; none once it is answered.
    Column("step", Integer, nullable=False, server_default="0"),
    Column("due_at", UTCDateTime),
    Column("opened_at", UTCDateTime),
    Column("opened_by", ForeignKey("members.id")),
    Column("answered_at", UTCDateTime),
    Column("answered_by", ForeignKey("members.id")),
    Column("answered_via", String(10)),
    Column("decline_reason", String(30)),
    Column("better_team_id", ForeignKey("teams.id")),
    # Names of teams and people as they were then; the directory may change.
    Column("as_then", JSON, nullable=False),
    # At most one open offer to a team of a kind, and one acknowledged transfer: not hoped for, enforced.
    Index(
        "uq_handoffs_open_offer",
        "referral_id",
        "to_team_id",
        "kind",
        unique=True,
        postgresql_where=_OPEN,
        sqlite_where=_OPEN,
    ),
    Index(
        "uq_handoffs_held_transfer", "referral_id", unique=True, postgresql_where=_HELD, sqlite_where=_HELD
    ),
    Index("ix_handoffs_to_team", "to_team_id", "state"),
    Index("ix_handoffs_from_team", "from_team_id", "state"),
    Index("ix_handoffs_due", "due_at"),
)

"""Tables of notices: who was told that something waits, by which attempts, and what the provider said of them."""

from __future__ import annotations

from sqlalchemy import JSON, Boolean, Column, ForeignKey, Index, String, Table, UniqueConstraint

from foundation.database import UTCDateTime, metadata

# The text is never stored: template, language and code make it again.
notices = Table(
    "notices",
    metadata,
    Column("id", String(32), primary_key=True),
    # What it is about, by id; the rooms above know what that is.
    Column("subject_id", String(32), nullable=False, index=True),
    Column("reference", String(12), nullable=False),
    Column("urgency", String(10), nullable=False),
    Column("team_id", ForeignKey("teams.id"), nullable=False),
    Column("member_id", ForeignKey("members.id"), nullable=False),
    Column("contact_id", ForeignKey("contacts.id"), nullable=False),
    Column("channel", String(10), nullable=False),
    Column("template", String(20), nullable=False),
    # What is asked of the reader; and whether it is a drill's or the canary's.
    Column("asked", String(12), nullable=False, server_default="transfer"),
    Column("mark", String(8)),
    Column("language", String(2), nullable=False),
    Column("time_zone", String(60), nullable=False),
    Column("deadline_at", UTCDateTime, nullable=False),
    Column("code", String(8)),
    # Set where an answer is asked for, on every channel; then there is a next person to ask.
    Column("code_until", UTCDateTime),
    Column("state", String(20), nullable=False),
    Column("fault", String(40)),
    Column("created_at", UTCDateTime, nullable=False),
    Index("ix_notices_code", "contact_id", "code"),
    Index("ix_notices_state", "state", "created_at"),
    Index("ix_notices_reference", "reference", "created_at"),
    Index("ix_notices_created", "created_at"),
    Index("ix_notices_team", "team_id", "deadline_at"),
)

# Written before each call, settled after it.
attempts = Table(
    "attempts",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("notice_id", ForeignKey("notices.id"), nullable=False, index=True),
    Column("started_at", UTCDateTime, nullable=False),
    # The version of the words that it sent.
    Column("words", String(8)),
    Column("settled_at", UTCDateTime),
    Column("outcome", String(20)),
    Column("provider_id", String(64), unique=True),
    Column("code", String(40)),
)

# What the provider reported, as it came; applied afterwards.
delivery_reports = Table(
    "delivery_reports",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("attempt_id", ForeignKey("attempts.id"), nullable=False, index=True),
    Column("received_at", UTCDateTime, nullable=False),
    Column("report", JSON, nullable=False),
    Column("applied_at", UTCDateTime),
)

# For what a provider refuses us rather than a reader: who runs this service has to mend it.
sender_faults = Table(
    "sender_faults",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("channel", String(10), nullable=False),
    Column("code", String(40), nullable=False),
    Column("action", String(20), nullable=False),
    Column("first_at", UTCDateTime, nullable=False),
    Column("last_at", UTCDateTime, nullable=False),
    Column("paged_at", UTCDateTime, nullable=False),
    UniqueConstraint("channel", "code"),
)

# Codes that nobody gave, by the digest of the number that sent them: who guesses is slowed.
wrong_codes = Table(
    "wrong_codes",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("sender_digest", String(64), nullable=False),
    Column("at", UTCDateTime, nullable=False),
    Index("ix_wrong_codes_sender", "sender_digest", "at"),
)

# Texts that answer nothing, by the digest of the number that sent them; `told`: its sender was told whom to call.
stray_texts = Table(
    "stray_texts",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("sender_digest", String(64), nullable=False),
    Column("at", UTCDateTime, nullable=False, index=True),
    Column("told", Boolean, nullable=False),
    Index("ix_stray_texts_sender", "sender_digest", "at"),
)

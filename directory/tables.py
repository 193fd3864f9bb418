"""Tables of the directory: who there is, how to reach them, how they sign in."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    false,
    true,
)

from foundation.database import Bytes, Sequence64, UTCDateTime, metadata

organisations = Table(
    "organisations",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("slug", String(60), nullable=False, unique=True),
    Column("name", String(120), nullable=False),
    Column("kind", String(30), nullable=False),
    Column("parent_id", ForeignKey("organisations.id")),
    Column("state", String(2)),
)

# A team is what can hold custody. `parent_id` is where silence climbs to.
teams = Table(
    "teams",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("slug", String(60), nullable=False, unique=True),
    Column("organisation_id", ForeignKey("organisations.id"), nullable=False),
    Column("name", String(120), nullable=False),
    Column("kind", String(20), nullable=False),
    Column("parent_id", ForeignKey("teams.id")),
    Column("time_zone", String(60), nullable=False),
    Column("telephone", String(30)),
)

# Public halves only. A `routing` key is opened by the worker alone, a `reading` key for members at the desk.
team_keys = Table(
    "team_keys",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("team_id", ForeignKey("teams.id"), nullable=False),
    Column("purpose", String(10), nullable=False),
    Column("suite", String(10), nullable=False),
    Column("public_key", Bytes, nullable=False),
    Column("created_at", UTCDateTime, nullable=False),
    # Nothing new is sealed to it from then on; and when its private half was destroyed.
    Column("retired_at", UTCDateTime),
    Column("destroyed_at", UTCDateTime),
    Index("ix_team_keys_current", "team_id", "purpose", "created_at"),
)

members = Table(
    "members",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("organisation_id", ForeignKey("organisations.id"), nullable=False),
    Column("email", String(254), nullable=False, unique=True),
    Column("name", String(120), nullable=False),
    Column("language", String(2), nullable=False, server_default="en"),
    Column("password_hash", String(200), nullable=False),
    Column("totp_secret", String(64), nullable=False),
    # The last time step for which a code was taken: a code serves once.
    Column("totp_step", Sequence64, nullable=False, server_default="0"),
    Column("administrator", Boolean, nullable=False, server_default=false()),
    Column("active", Boolean, nullable=False, server_default=true()),
    # Of the secret address under which a calendar program fetches the member's turns.
    Column("calendar_digest", String(64), unique=True),
    # On the wall of the team that tells them: between these, what is routine waits. "21:00", "07:00"; none: never.
    Column("quiet_from", String(5)),
    Column("quiet_until", String(5)),
)

memberships = Table(
    "memberships",
    metadata,
    Column("member_id", ForeignKey("members.id"), primary_key=True),
    Column("team_id", ForeignKey("teams.id"), primary_key=True, index=True),
    Column("discipline", String(40), nullable=False),
    Column("supervisor", Boolean, nullable=False, server_default=false()),
)

recovery_codes = Table(
    "recovery_codes",
    metadata,
    Column("code_digest", String(64), primary_key=True),
    Column("member_id", ForeignKey("members.id"), nullable=False, index=True),
    Column("used_at", UTCDateTime),
)

sign_in_failures = Table(
    "sign_in_failures",
    metadata,
    Column("id", Sequence64, primary_key=True, autoincrement=True),
    Column("member_id", ForeignKey("members.id"), nullable=False),
    Column("at", UTCDateTime, nullable=False),
    Index("ix_sign_in_failures_member", "member_id", "at"),
)

sign_ins = Table(
    "sign_ins",
    metadata,
    # The cookie holds the token; only its digest is stored.
    Column("token_digest", String(64), primary_key=True),
    Column("member_id", ForeignKey("members.id"), nullable=False),
    Column("door", String(10), nullable=False),
    Column("opened_at", UTCDateTime, nullable=False),
    Column("seen_at", UTCDateTime, nullable=False),
    Column("proved_at", UTCDateTime, nullable=False),
    Column("ended_at", UTCDateTime),
)

contacts = Table(
    "contacts",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("member_id", ForeignKey("members.id"), nullable=False, index=True),
    Column("channel", String(10), nullable=False),
    Column("address", String(254), nullable=False),
    # A PGP public key or a certificate, to which mail is sealed; none: it goes as it is.
    Column("mail_key", Text),
    # When its owner agreed to be written to, and to which version of our words.
    Column("consented_at", UTCDateTime),
    Column("consent", String(10)),
    # When a code that was sent to it was last typed back.
    Column("verified_at", UTCDateTime),
    Column("opted_out_at", UTCDateTime),
    Column("disabled_at", UTCDateTime),
    Column("disabled_reason", String(80)),
    UniqueConstraint("member_id", "channel", "address"),
    Index("ix_contacts_address", "channel", "address"),
)

# Codes by which a contact proves that its owner reads it. In clear, since they are sent once more where a call failed;
# each lives for minutes and opens nothing.
contact_codes = Table(
    "contact_codes",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("contact_id", ForeignKey("contacts.id"), nullable=False),
    Column("code", String(8), nullable=False),
    Column("made_at", UTCDateTime, nullable=False),
    Column("until", UTCDateTime, nullable=False),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("used_at", UTCDateTime),
    Index("ix_contact_codes_contact", "contact_id", "made_at"),
)

ladder_steps = Table(
    "ladder_steps",
    metadata,
    Column("team_id", ForeignKey("teams.id"), primary_key=True),
    Column("step", Integer, primary_key=True),
    Column("member_id", ForeignKey("members.id"), nullable=False),
)

# A team without a row has no rotations: its ladder alone is called.
schedules = Table(
    "schedules",
    metadata,
    Column("team_id", ForeignKey("teams.id"), primary_key=True),
    # `Rotation.as_json()` each, in the order in which they are called.
    Column("rotations", JSON, nullable=False),
    # Said by a person: where no rotation has the duty, the ladder is meant to be called.
    Column("fallback_covers", Boolean, nullable=False),
    Column("changed_at", UTCDateTime, nullable=False),
    Column("changed_by", ForeignKey("members.id")),
)

exchanges = Table(
    "exchanges",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("team_id", ForeignKey("teams.id"), nullable=False),
    Column("member_id", ForeignKey("members.id"), nullable=False),
    Column("instead_of", ForeignKey("members.id")),
    Column("begins_at", UTCDateTime, nullable=False),
    Column("ends_at", UTCDateTime, nullable=False),
    Column("made_at", UTCDateTime, nullable=False),
    Column("made_by", ForeignKey("members.id")),
    Index("ix_exchanges_team", "team_id", "ends_at"),
)

# Where an organisation's own system is told what became of its forwards. The secret is derived, never stored.
webhooks = Table(
    "webhooks",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("organisation_id", ForeignKey("organisations.id"), nullable=False, index=True),
    Column("url", String(500), nullable=False),
    Column("added_at", UTCDateTime, nullable=False),
    Column("ended_at", UTCDateTime),
    Column("ended_because", String(40)),
)

# What an office's own system shows to forward by itself. Only a digest of the secret is stored.
api_keys = Table(
    "api_keys",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("team_id", ForeignKey("teams.id"), nullable=False, index=True),
    # Who answers for what is done with it. The key ends with their seat in the office.
    Column("member_id", ForeignKey("members.id"), nullable=False),
    Column("name", String(60), nullable=False),
    Column("digest", String(64), nullable=False, unique=True),
    # Words of `Scope`, one space between them.
    Column("scopes", String(60), nullable=False),
    Column("made_at", UTCDateTime, nullable=False),
    Column("expires_at", UTCDateTime, nullable=False),
    # To the minute.
    Column("used_at", UTCDateTime),
    Column("ended_at", UTCDateTime),
)

# One row for each Idempotency-Key of an office, for some days.
api_requests = Table(
    "api_requests",
    metadata,
    Column("team_id", ForeignKey("teams.id"), primary_key=True),
    # Keyed digests: of the Idempotency-Key, and of all that was sent under it.
    Column("key_digest", String(64), primary_key=True),
    Column("content_digest", String(64), nullable=False),
    Column("claimed_at", UTCDateTime, nullable=False),
    # What it made; none while that is under way.
    Column("reference", String(12)),
)

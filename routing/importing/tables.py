"""Table of importing: files that somebody sent to the desk and has not made a draft of yet."""

from __future__ import annotations

from sqlalchemy import Column, ForeignKey, Index, String, Table, Text

from foundation.database import Bytes, UTCDateTime, metadata

# One for each member, for a day at most: public map data on its way from one page to the next, on any host.
uploads = Table(
    "uploads",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("member_id", ForeignKey("members.id"), nullable=False),
    Column("file_name", String(200), nullable=False),
    # A layer of areas, or `rules`.
    Column("holds", String(20), nullable=False),
    # TOML; "" for rules.
    Column("mapping", Text, nullable=False),
    Column("content", Bytes, nullable=False),
    Column("sent_at", UTCDateTime, nullable=False),
    Index("ix_uploads_member", "member_id"),
)

"""Tables of routing: published snapshots, decisions as they were made, handoffs and their clocks."""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Date,
    Float,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    false,
    text,
)

from foundation.database import Bytes, Sequence64, UTCDateTime, metadata

# Rule sets, immutable, named by the SHA-256 of their body. Published ones are never edited.
rule_sets = Table(
    "rule_sets",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("body", Text, nullable=False),
    Column("source", String(200), nullable=False),
    Column("created_at", UTCDateTime, nullable=False),
)

# Versions of areas, only ever added to. `digest` is over all but `loaded_at`: when the law holds and when it was
# learned stay apart. The same content is there twice only where it was loaded again after something else.
area_versions = Table(
    "area_versions",
    metadata,
    Column("digest", String(64), primary_key=True),
    Column("loaded_at", UTCDateTime, primary_key=True),
    Column("area_id", String(120), nullable=False),
    # Half open; none: since ever, without end.
    Column("valid_from", Date),
    Column("valid_to", Date),
    Column("precision_m", Float, nullable=False),
    Column("source", Text, nullable=False),
    Column("vintage", Text, nullable=False),
    Column("licence", Text, nullable=False),
    # `Area.body`: all but the geometry, as JSON. The geometry is WKB in degrees, longitude first.
    Column("body", Text, nullable=False),
    Column("geometry", Bytes),
    Index("ix_area_versions_area", "area_id", "loaded_at"),
)

# Boundary sets, immutable, named by the SHA-256 of their versions' sorted digests. `packed` holds all of them in
# columns (`area_set.Columns`), so that a worker reads one value and not 150,000 rows.
boundary_sets = Table(
    "boundary_sets",
    metadata,
    Column("id", String(64), primary_key=True),
    Column("packed", Bytes, nullable=False),
    Column("based_on", String(64)),
    Column("note", String(200), nullable=False),
    Column("created_at", UTCDateTime, nullable=False),
)

# What was in force from when on: the newest whose `effective_at` has come.
publications = Table(
    "publications",
    metadata,
    Column("id", Sequence64, primary_key=True),
    Column("rules_id", ForeignKey("rule_sets.id"), nullable=False),
    Column("areas_id", ForeignKey("boundary_sets.id"), nullable=False),
    Column("published_at", UTCDateTime, nullable=False),
    Column("effective_at", UTCDateTime, nullable=False),
    # None: the program itself, when a site is founded.
    Column("published_by", ForeignKey("members.id")),
    Column("approved_by", ForeignKey("members.id")),
    Index("ix_publications_effective", "effective_at"),
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
_CALL = text("done_at IS NULL")
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
    # None for a recipient outside the directory, who stands in `outside_recipients`.
    Column("to_team_id", ForeignKey("teams.id")),
    # The team that a permission is asked for; "" for every other kind.
    Column("about", String(32), nullable=False, server_default=text("''")),
    Column("reason", String(30), nullable=False),
    Column("basis", String(30), nullable=False),
    Column("parts", JSON, nullable=False),
    # Sealed words beside it: the threat behind an emergency or an override, and what a supporter is asked for.
    Column("ground_id", ForeignKey("casework.id")),
    Column("need_id", ForeignKey("casework.id")),
    Column("decision_id", ForeignKey("decisions.id")),
    Column("offered_at", UTCDateTime, nullable=False),
    # The last step of the ladder that was taken, and when the next one is due; none once it is answered.
    Column("step", Integer, nullable=False, server_default="0"),
    Column("due_at", UTCDateTime),
    # Half-way to it, who was told is told once more; none when that was done.
    Column("remind_at", UTCDateTime),
    # The subject moved: until then the team that had it before works on beside the new one.
    Column("overlap_until", UTCDateTime),
    # An acknowledged one that the clock ends.
    Column("ends_at", UTCDateTime),
    Column("opened_at", UTCDateTime),
    Column("opened_by", ForeignKey("members.id")),
    Column("answered_at", UTCDateTime),
    Column("answered_by", ForeignKey("members.id")),
    Column("answered_via", String(10)),
    Column("decline_reason", String(30)),
    Column("better_team_id", ForeignKey("teams.id")),
    # When and by whom an acknowledged one was completed, returned or passed on.
    Column("ended_at", UTCDateTime),
    Column("ended_by", ForeignKey("members.id")),
    # Names of teams and people as they were then; the directory may change.
    Column("as_then", JSON, nullable=False),
    # At most one open offer to a team of a kind, and one acknowledged transfer: not hoped for, enforced.
    Index(
        "uq_handoffs_open_offer",
        "referral_id",
        "to_team_id",
        "kind",
        "about",
        unique=True,
        postgresql_where=_OPEN,
        sqlite_where=_OPEN,
    ),
    Index(
        "uq_handoffs_held_transfer", "referral_id", unique=True, postgresql_where=_HELD, sqlite_where=_HELD
    ),
    Index("ix_handoffs_referral", "referral_id", "offered_at"),
    Index("ix_handoffs_to_team", "to_team_id", "state"),
    Index("ix_handoffs_from_team", "from_team_id", "state"),
    Index("ix_handoffs_due", "due_at"),
    Index("ix_handoffs_remind", "remind_at"),
    Index("ix_handoffs_ends", "ends_at"),
)

# Recipients outside the directory: professionals at work, with the number on which they were called.
outside_recipients = Table(
    "outside_recipients",
    metadata,
    Column("handoff_id", ForeignKey("handoffs.id"), primary_key=True),
    Column("agency", String(120), nullable=False),
    Column("person", String(120), nullable=False),
    Column("telephone", String(30), nullable=False),
    Column("called_at", UTCDateTime, nullable=False),
    # Who answered when the agency was called back on a number that was looked up, not given; and when.
    Column("confirmed_with", String(120)),
    Column("confirmed_at", UTCDateTime),
)

# What an office answered at the portal. The public door only inserts; the worker makes it happen.
permission_answers = Table(
    "permission_answers",
    metadata,
    # One answer: who comes second meets this.
    Column("handoff_id", ForeignKey("handoffs.id"), primary_key=True),
    Column("allowed", String(3), nullable=False),
    Column("member_id", ForeignKey("members.id"), nullable=False),
    Column("at", UTCDateTime, nullable=False),
)

# Who must not touch a referral: a member, or a team with all its members.
recusals = Table(
    "recusals",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("referral_id", ForeignKey("referrals.id"), nullable=False),
    Column("team_id", ForeignKey("teams.id")),
    Column("member_id", ForeignKey("members.id")),
    Column("made_by", ForeignKey("members.id"), nullable=False),
    Column("made_at", UTCDateTime, nullable=False),
    Index("ix_recusals_referral", "referral_id"),
)

# Telephone calls that somebody must make. Only a person's record of the call ends one.
calls = Table(
    "calls",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("referral_id", ForeignKey("referrals.id"), nullable=False),
    Column("handoff_id", ForeignKey("handoffs.id"), nullable=False),
    # The desk that must call, and whom: the team's id, or `911`.
    Column("team_id", ForeignKey("teams.id"), nullable=False),
    Column("whom", String(32), nullable=False),
    Column("made_at", UTCDateTime, nullable=False),
    Column("due_at", UTCDateTime),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("done_at", UTCDateTime),
    Column("done_by", ForeignKey("members.id")),
    Index("uq_calls_open", "referral_id", "whom", unique=True, postgresql_where=_CALL, sqlite_where=_CALL),
    Index("ix_calls_referral", "referral_id", "made_at"),
    Index("ix_calls_due", "due_at"),
    Index("ix_calls_team", "team_id", "done_at"),
)

# A team's own hours and clocks, where they differ from `timetable.defaults()`.
team_clocks = Table(
    "team_clocks",
    metadata,
    Column("team_id", ForeignKey("teams.id"), primary_key=True),
    # `Hours.as_json()`, or none.
    Column("hours", JSON, nullable=False),
    # Minutes by urgency, kind and name of the clock.
    Column("minutes", JSON, nullable=False),
    # Elevated time counts in these hours only. Without the administrator's word it counts always.
    Column("elevated_waits", Boolean, nullable=False, server_default=false()),
)

# Who changed a team's clocks, and why. The sentence stands here alone; the ledger commits to it under its key.
clock_changes = Table(
    "clock_changes",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("team_id", ForeignKey("teams.id"), nullable=False),
    Column("at", UTCDateTime, nullable=False),
    Column("by", ForeignKey("members.id")),
    Column("why", String(300), nullable=False),
    Column("why_key", Bytes, nullable=False),
    Index("ix_clock_changes_team", "team_id", "at"),
)

# What may become the next rules: changes of a base, never a copy of it, so that thousands of rules stay cheap to draft.
rule_drafts = Table(
    "rule_drafts",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("title", String(200), nullable=False),
    Column("state", String(10), nullable=False),
    # Counts changes: whoever writes names the version that they read.
    Column("version", Integer, nullable=False),
    # What was last published when it was begun, and the areas that it would put in force.
    Column("base_rules_id", String(64), nullable=False),
    Column("base_areas_id", String(64), nullable=False),
    Column("areas_id", String(64), nullable=False),
    # Rule id → what becomes of it, why, who wrote it (`drafts.Entry`).
    Column("changes", JSON, nullable=False),
    Column("begun_by", String(32)),
    Column("begun_at", UTCDateTime, nullable=False),
    Column("changed_at", UTCDateTime, nullable=False),
    # The second person, and exactly what they approved.
    Column("approved_by", String(32)),
    Column("approved_at", UTCDateTime),
    Column("approved_digest", String(64)),
    Column("ended_by", String(32)),
    Column("ended_at", UTCDateTime),
    Column("effective_at", UTCDateTime),
    Index("ix_rule_drafts_state", "state", "begun_at", "id"),
)

# Trials of a draft. `digest` names the draft's exact content and its base: another content needs another trial.
dry_runs = Table(
    "dry_runs",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("draft_id", ForeignKey("rule_drafts.id"), nullable=False),
    Column("digest", String(64), nullable=False),
    Column("asked_at", UTCDateTime, nullable=False),
    Column("step", String(20), nullable=False),
    Column("done", Integer, nullable=False),
    Column("total", Integer, nullable=False),
    Column("beat_at", UTCDateTime, nullable=False),
    # Counts what was written: who comes second finds another number. Whoever goes on begins with `so_far`.
    Column("writes", Integer, nullable=False, server_default="0"),
    Column("so_far", JSON),
    Column("finished_at", UTCDateTime),
    # `found.Found` as JSON, once it is finished: ids, codes and counts.
    Column("result", JSON),
    Index("ix_dry_runs_draft", "draft_id", "asked_at"),
)

# One-time links by which a recipient outside the directory answers and reads. Neither the link's secret nor the code
# is stored: together they are the key.
guest_links = Table(
    "guest_links",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("handoff_id", ForeignKey("handoffs.id"), nullable=False, index=True),
    Column("token_digest", String(64), nullable=False, unique=True),
    # Opens under the right link and code only.
    Column("proof", Bytes, nullable=False),
    Column("made_by", ForeignKey("members.id")),
    Column("made_at", UTCDateTime, nullable=False),
    Column("expires_at", UTCDateTime, nullable=False),
    Column("tries_left", Integer, nullable=False),
    Column("opens_left", Integer, nullable=False),
    Column("entered_at", UTCDateTime),
    Column("ended_at", UTCDateTime),
)

# The keys of the disclosed parts, under link and code.
guest_keys = Table(
    "guest_keys",
    metadata,
    Column("link_id", ForeignKey("guest_links.id"), primary_key=True),
    Column("part", String(12), primary_key=True),
    Column("blob", Bytes, nullable=False),
)

# A team tries whether it is reached: a marked referral goes the whole way at that time.
drills = Table(
    "drills",
    metadata,
    Column("id", String(32), primary_key=True),
    Column("team_id", ForeignKey("teams.id"), nullable=False, index=True),
    Column("urgency", String(10), nullable=False),
    Column("planned_at", UTCDateTime, nullable=False),
    Column("planned_by", ForeignKey("members.id"), nullable=False),
    Column("referral_id", ForeignKey("referrals.id")),
    Column("cancelled_at", UTCDateTime),
)

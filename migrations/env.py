"""Alembic's entry: runs the migrations on the engine that `foundation.database.migrate` gives."""

from __future__ import annotations

from alembic import context

import directory.tables  # noqa: F401
import foundation.tables  # noqa: F401
import ledger.tables  # noqa: F401
import notifications.tables  # noqa: F401
import referrals.tables  # noqa: F401
import routing.importing.tables
import routing.tables  # noqa: F401  # each import fills the metadata
from foundation.database import metadata, transaction

engine = context.config.attributes["engine"]

with transaction(engine) as session:
    # SQLite alters tables by copying them, which `render_as_batch` does.
    context.configure(session.connection(), target_metadata=metadata, render_as_batch=True)
    context.run_migrations()

"""Custody receipts: entries with their proofs and a checkpoint, as one JSON file that anybody checks offline.

`docs/verify/verify_receipt.py` checks it, and needs nothing of this service. The sentences beside the entries are the
service's word only: no proof covers them.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from ledger import checkpoints
from ledger.tables import ledger_entries, ledger_leaves
from ledger.tiles import StoredTree
from ledger.verification import entries_of

FORMAT = "waypost-receipt/1"
_NOT_PROVED = (
    "Proved are the texts under `body`, as the ledger has them. Names, sentences and all else in this file are the"
    " service's word. The keys are named so that you know which to ask for; get them from somebody whom you trust."
)
Receipt = dict[str, Any]


def receipt(session: Session, stream: str, sentences: Mapping[int, str]) -> Receipt:
    """The entries at these positions of a stream, each with its sentence, proved under the newest checkpoint.

    `entries` are those that it covers; `not_yet` are those of the last minute, without proof. `checkpoint` is ""
    before the first one.
    """
    signed = checkpoints.latest(session)
    size, tree = (signed.size if signed else 0), StoredTree(session)
    rows = session.execute(
        select(ledger_entries.c.position, ledger_entries.c.body, ledger_leaves.c.log_index)
        .outerjoin(ledger_leaves, ledger_leaves.c.sequence == ledger_entries.c.sequence)
        .where(ledger_entries.c.stream == stream, ledger_entries.c.position.in_(sentences))
        .order_by(ledger_entries.c.position)
    ).all()
    told = [(row, {"body": row.body, "sentence": sentences[row.position]}) for row in rows]
    return {
        "format": FORMAT,
        "checkpoint": signed.note if signed else "",
        "entries": [
            entry | {"log_index": row.log_index, "proof": _text(tree.inclusion(row.log_index, size))}
            for row, entry in told
            if _covered(row.log_index, size)
        ],
        "not_yet": [entry for row, entry in told if not _covered(row.log_index, size)],
    }


def as_file(
    session: Session,
    proved: Receipt,
    *,
    what: str,
    reference: str,
    deployment: str,
    by: str,
    at: datetime,
    **more: Any,
) -> str:
    """The text of the file that somebody takes along: what it is, who took it and when, and what `receipt` returned."""
    about = {
        "what": what,
        "reference": reference,
        "deployment": deployment,
        "exported_at": at.isoformat(timespec="seconds"),
        "exported_by": by,
        "not_proved": _NOT_PROVED,
        "keys": [str(each) for each in checkpoints.verifiers(session)],
        **more,
    }
    return json.dumps(about | proved, ensure_ascii=False, indent=1) + "\n"


def of_handoff(session: Session, stream: str, handoff_id: str) -> list[int]:
    """The positions of all entries of a stream that are about this handoff."""
    return [
        entry["position"]
        for entry in entries_of(session, stream)
        if entry["facts"].get("handoff") == handoff_id
    ]


def _covered(log_index: int | None, size: int) -> bool:
    return log_index is not None and log_index < size


def _text(hashes: list[bytes]) -> list[str]:
    return [base64.b64encode(each).decode() for each in hashes]

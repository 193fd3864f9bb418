#!/usr/bin/env python3
"""Checks that a newer checkpoint of Waypost continues one that you kept. Needs `verify_receipt.py` beside it.

    python verify_consistency.py kept.txt newer.txt proof.json --key "tips.example.org+1234abcd+AQ…"

`proof.json` is the answer of DESK/ledger/consistency/<kept size>/<newer size>. Exit code 0: nothing that the kept
checkpoint covers was changed, removed or put in since. 1: it was, or the proof is not one. Keep both checkpoints.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json

from verify_receipt import open_note


def roots_from(
    old: int, new: int, proof: list[bytes], old_root: bytes
) -> tuple[bytes, bytes]:  # RFC 9162, 2.1.4.2
    path, index, last = list(proof), old - 1, new - 1
    if old & (old - 1) == 0:
        path.insert(0, old_root)
    while index & 1:
        index, last = index >> 1, last >> 1
    before = after = path.pop(0) if path else b""
    for each in path:
        if index & 1 or index == last:
            before = hashlib.sha256(b"\x01" + each + before).digest()
            after = hashlib.sha256(b"\x01" + each + after).digest()
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            after = hashlib.sha256(b"\x01" + after + each).digest()
        index, last = index >> 1, last >> 1
    return (before, after) if last == 0 else (b"", b"")


def check(kept: str, newer: str, proof: dict, keys: list[str]) -> str:  # type: ignore[type-arg]
    (origin, old, old_root), (same, new, new_root) = open_note(kept, keys), open_note(newer, keys)
    hashes = [base64.b64decode(each) for each in proof["proof"]]
    if origin != same or old > new:
        raise ValueError("the newer checkpoint is of another log, or smaller than the kept one")
    if old == new:
        continued = old_root == new_root
    else:
        continued = old == 0 or roots_from(old, new, hashes, old_root) == (old_root, new_root)
    if not continued:
        raise ValueError(f"the log of {new} entries does not continue the {old} that you kept")
    return f"PROVED: the {old} entries that you kept are unchanged among the {new} of {origin}."


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    for name in ("kept", "newer", "proof"):
        parser.add_argument(name, type=argparse.FileType(encoding="utf-8"))
    parser.add_argument("--key", action="append", required=True)
    asked = parser.parse_args()
    try:
        print(check(asked.kept.read(), asked.newer.read(), json.load(asked.proof), asked.key))
    except (ValueError, LookupError, TypeError, AttributeError) as fault:
        reason = fault if type(fault) is ValueError else "a file or the key is damaged, or something else"
        raise SystemExit(f"NOT PROVED: {reason}.") from None

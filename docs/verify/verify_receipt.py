#!/usr/bin/env python3
"""Checks a custody receipt or an exported timeline of Waypost offline. Needs Python 3.8 or newer and nothing else.

    python verify_receipt.py receipt.json --key "tips.example.org+1234abcd+AQ…"

The key must come from somebody whom you trust, not with the receipt. Exit code 0: every entry in the file is proved;
1: one is not, or not yet. What that proves and what it does not: docs/ledger.md.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json

P, L = 2**255 - 19, 2**252 + 27742317777372353535851937790883648493
D, ROOT = -121665 * pow(121666, P - 2, P) % P, pow(2, (P - 1) // 4, P)


def add(a: tuple[int, ...], b: tuple[int, ...]) -> tuple[int, ...]:  # points X, Y, Z, T: RFC 8032, 5.1.4
    c, d = (a[1] - a[0]) * (b[1] - b[0]), (a[1] + a[0]) * (b[1] + b[0])
    u, v = 2 * a[3] * b[3] * D, 2 * a[2] * b[2]
    return (d - c) * (v - u) % P, (v + u) * (d + c) % P, (v - u) * (v + u) % P, (d - c) * (d + c) % P


def times(n: int, point: tuple[int, ...]) -> tuple[int, ...]:
    total: tuple[int, ...] = (0, 1, 1, 0)
    while n:
        total, point, n = add(total, point) if n & 1 else total, add(point, point), n >> 1
    return total


def point_of(raw: bytes) -> tuple[int, ...]:  # RFC 8032, 5.1.3
    sign, y = divmod(int.from_bytes(raw, "little"), 2**255)
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    x = x if (x * x - square) % P == 0 else x * ROOT % P
    if len(raw) != 32 or y >= P or (x * x - square) % P or (sign and not x):
        raise ValueError("a key or a signature is no point of Ed25519")
    return (x if x & 1 == sign else P - x), y, 1, (x if x & 1 == sign else P - x) * y % P


def signed(public: bytes, text: bytes, signature: bytes) -> bool:  # RFC 8032, 5.1.7
    s = int.from_bytes(signature[32:], "little")
    base = point_of((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))
    k = int.from_bytes(hashlib.sha512(signature[:32] + public + text).digest(), "little") % L
    left, right = times(s, base), add(point_of(signature[:32]), times(k, point_of(public)))
    same = all((left[i] * right[2] - right[i] * left[2]) % P == 0 for i in (0, 1))
    return same and len(signature) == 64 and s < L


def open_note(note: str, keys: list[str]) -> tuple[str, int, bytes]:  # c2sp.org/tlog-checkpoint
    text, _, lines = note.rpartition("\n\n")
    for name, _, key in (each.strip().split("+", 2) for each in keys if each.count("+") > 1):
        raw = base64.b64decode(key)
        key_id = hashlib.sha256(name.encode() + b"\n" + raw).digest()[:4]
        for line in (line for line in lines.splitlines() if line.startswith("\u2014 " + name + " ")):
            found = base64.b64decode(line.rpartition(" ")[2])
            ours = found[:4] == key_id and raw[:1] == b"\x01"
            if ours and signed(raw[1:], (text + "\n").encode(), found[4:]):
                return text.split("\n")[0], int(text.split("\n")[1]), base64.b64decode(text.split("\n")[2])
    raise ValueError("none of the keys that you gave signed its checkpoint")


def root_from(leaf: bytes, index: int, size: int, proof: list[bytes]) -> bytes:  # RFC 9162, 2.1.3.2
    last = size - 1
    for each in proof:
        right = index & 1 or index == last
        leaf = hashlib.sha256(b"\x01" + (each + leaf if right else leaf + each)).digest()
        while right and index and not index & 1:
            index, last = index >> 1, last >> 1
        index, last = index >> 1, last >> 1
    return leaf if last == 0 else b""


def check(receipt: dict, keys: list[str]) -> str:  # type: ignore[type-arg]
    origin, size, root = open_note(receipt["checkpoint"], keys)
    for entry in receipt["entries"]:
        leaf, index = hashlib.sha256(b"\x00" + entry["body"].encode()).digest(), entry["log_index"]
        proof = [base64.b64decode(each) for each in entry["proof"]]
        if not 0 <= index < size or root_from(leaf, index, size, proof) != root:
            raise ValueError(f"entry {index} is not what the log holds")
    if receipt["not_yet"] or not receipt["entries"]:
        raise ValueError(f"{len(receipt['not_yet'])} entries are in no checkpoint yet; get the file later")
    return f"PROVED: all {len(receipt['entries'])} entries are in the checkpoint of {origin} over {size}."


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("receipt", type=argparse.FileType(encoding="utf-8"))
    parser.add_argument("--key", action="append", required=True)
    asked = parser.parse_args()
    try:
        print(check(json.load(asked.receipt), asked.key))
    except (ValueError, LookupError, TypeError, AttributeError) as fault:
        reason = fault if type(fault) is ValueError else "the file or the key is damaged, or something else"
        raise SystemExit(f"NOT PROVED: {reason}.") from None

"""Names for rows and references that people can read aloud."""

from __future__ import annotations

import re
import secrets
import uuid

# Crockford's alphabet: no I, L, O, U, so that nothing is misread on a phone at 3 a.m.
ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_ID = re.compile("[0-9a-f]{32}")
_REFERENCE = re.compile(f"R-[{ALPHABET}]{{4}}-[{ALPHABET}]{{2}}")


def new_id() -> str:
    """32 hexadecimal characters, random; the key of a row."""
    return uuid.uuid4().hex


def new_code(length: int) -> str:
    """`length` characters of Crockford's alphabet, 5 random bits each."""
    return "".join(secrets.choice(ALPHABET) for _ in range(length))


def new_reference() -> str:
    """A referral's public name, `R-7K3M-Q2` style: 30 random bits, no meaning."""
    code = new_code(6)
    return f"R-{code[:4]}-{code[4:]}"


def is_reference(text: str) -> bool:
    """Whether the text has the form of a reference; what hasn't need not be looked for."""
    return bool(_REFERENCE.fullmatch(text))


def is_id(text: str) -> bool:
    """Whether the text has the form of a row's key; what hasn't need not be looked for."""
    return bool(_ID.fullmatch(text))


def readable(typed: str) -> str:
    """A typed code in the alphabet's own letters: case, spaces and look-alikes forgiven."""
    return typed.strip().upper().replace("O", "0").replace("I", "1").replace("L", "1")

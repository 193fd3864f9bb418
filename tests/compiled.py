"""Templates compiled once in a process: every test makes an app of its own, and each would compile its pages anew."""

from __future__ import annotations

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket


class _Memory(BytecodeCache):
    """By name and source, as Jinja asks; a template that changes is another."""

    def __init__(self) -> None:
        self._kept: dict[tuple[str, str], bytes] = {}

    def load_bytecode(self, bucket: Bucket) -> None:
        """Fills the bucket with what was compiled before."""
        kept = self._kept.get((bucket.key, bucket.checksum))
        if kept is not None:
            bucket.bytecode_from_string(kept)

    def dump_bytecode(self, bucket: Bucket) -> None:
        """Keeps what was compiled now."""
        self._kept[bucket.key, bucket.checksum] = bucket.bytecode_to_string()


def keep_templates() -> None:
    """From here on all apps of this process share what they compile."""
    Flask.jinja_options = Flask.jinja_options | {"bytecode_cache": _Memory()}

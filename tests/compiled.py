"""What is compiled once in a process. Every test makes an app and an engine of its own, as a deployment makes one of
each, and each would compile its pages, its addresses and its statements anew: half of the time of most tests."""

from __future__ import annotations

from typing import Any

from flask import Flask
from jinja2 import BytecodeCache
from jinja2.bccache import Bucket
from sqlalchemy import Engine
from sqlalchemy.util import LRUCache
from werkzeug.routing import Rule

# More than all statements of Waypost.
_STATEMENTS = 10_000


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


def keep_addresses() -> None:
    """From here on what builds an address is made once of each rule: Werkzeug writes a function for it."""
    made: dict[tuple[Any, ...], Any] = {}
    compile_builder = Rule._compile_builder

    def kept(rule: Rule, append_unknown: bool = True) -> Any:
        # The function is told the rule's converters when it is called; only defaults are written into it.
        if rule.defaults:
            return compile_builder(rule, append_unknown)
        key = (rule.rule, append_unknown, *rule._trace)
        if key not in made:
            made[key] = compile_builder(rule, append_unknown)
        return made[key]

    Rule._compile_builder = kept  # type: ignore[method-assign, assignment]


_FIRST: dict[str, Engine] = {}


def keep_statements(engine: Engine) -> None:
    """Lets it have the statements that were compiled for the first engine of its kind."""
    kind = engine.dialect.name
    if kind not in _FIRST:
        # A dialect asks its first connection what the server can do.
        engine.connect().close()
        engine._compiled_cache = LRUCache(_STATEMENTS)
        _FIRST[kind] = engine
    # The cache names the dialect: statements are kept for that one.
    engine.dialect = _FIRST[kind].dialect
    engine._compiled_cache = _FIRST[kind]._compiled_cache

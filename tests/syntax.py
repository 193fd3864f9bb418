"""Syntax trees made one at a time.

CPython before 3.11.8 counts their depth in one place for all threads (gh-106905): where two threads make one at the
same moment, one of them ends in "SystemError: AST constructor recursion depth mismatch". Werkzeug makes trees of the
routes of each new app, and the traceback of an exception in another thread makes one for each of its lines.
"""

from __future__ import annotations

import ast
import sys
import threading
from typing import Any

_MENDED = (3, 11, 8)


def take_turns() -> None:
    """From here on the threads of this process wait for each other in `ast.parse`."""
    if sys.version_info >= _MENDED:
        return
    turn, parse = threading.RLock(), ast.parse

    def alone(*given: Any, **named: Any) -> Any:
        with turn:
            return parse(*given, **named)

    ast.parse = alone

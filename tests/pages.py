"""What a page says, without what is drawn anew each time it is shown.

Form tokens carry the second and keys are random: two pages that say the same differ in them, and any short word
may stand in them by chance.
"""

from __future__ import annotations

import re

_DRAWN = re.compile(r'<input[^>]*\bname="(?:csrf_token|form_key|receipt_key)"[^>]*>')


def lasting(page: str, *but: str) -> str:
    """The page's HTML without form tokens and keys, and without those strings (what was asked for, say)."""
    kept = _DRAWN.sub("", page)
    for left_out in but:
        kept = kept.replace(left_out, "")
    return kept

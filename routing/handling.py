"""The originator's handling code: what it forbids, and what allows it all the same."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from sqlalchemy import Row
from sqlalchemy.orm import Session

from routing import register
from routing.states import Basis, Kind

# What a permission is asked about where the receiver is no team of the directory.
OUTSIDE = "outside"


class NeedsPermission(Exception):
    """The originator's handling code forbids it; the sentence says what would allow it."""


class Handling(StrEnum):
    """What the originator allows."""

    FREE = "H0"
    NOT_AS_EVIDENCE = "H1"
    NOT_PASSED_ON = "H2"
    AS_STATED = "H3"


# Grounds on which words become evidence.
_EVIDENCE = frozenset({Basis.LAW_ENFORCEMENT, Basis.COURT_ORDER})
_FORBIDS: dict[Handling, Callable[[Basis], bool]] = {
    Handling.FREE: lambda basis: False,
    Handling.NOT_AS_EVIDENCE: lambda basis: basis in _EVIDENCE,
    Handling.NOT_PASSED_ON: lambda basis: True,
    Handling.AS_STATED: lambda basis: True,
}
# Asking the custodian or the originator passes nothing on.
_EXEMPT = frozenset({Kind.REQUEST, Kind.PERMISSION})


def forbids(session: Session, referral: Row[Any], kind: Kind, about: str, basis: Basis) -> bool:
    """Whether passing it on to that team (or `outside`) on that ground needs a permission that was not given."""
    if kind in _EXEMPT or not _FORBIDS[Handling(referral.handling_code)](basis):
        return False
    return about not in permitted(session, referral.id)


def permitted(session: Session, referral_id: str) -> frozenset[str]:
    """The teams for which the originator gave permission."""
    return frozenset(row.about for row in register.acknowledged(session, referral_id, Kind.PERMISSION))


def refuse_forbidden(
    session: Session, referral: Row[Any], kind: Kind, about: str, basis: Basis, *, conditions_met: bool
) -> None:
    """Raises NeedsPermission. A sender who says that the originator's own conditions (H3) allow it, may."""
    if conditions_met and referral.handling_code == Handling.AS_STATED.value:
        return
    if forbids(session, referral, kind, about, basis):
        raise NeedsPermission(
            f"The originator's handling code {referral.handling_code} asks for permission first. Only imminent "
            "danger comes before that"
        )

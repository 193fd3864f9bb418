"""The table of permissions: what each of the cast may do to a referral, and what nobody may."""

from __future__ import annotations

import pytest

from directory.members import Member
from directory.permissions import PERMISSIONS, Standing, allowed
from directory.teams import TeamKind


def _member(name: str, team: str, kind: TeamKind, *, administrator: bool = False) -> Member:
    return Member(
        id=name,
        name=name,
        email=f"{name}@{team}.example",
        language="en",
        organisation_id=f"organisation of {team}",
        administrator=administrator,
        team_ids=(team,),
        team_kinds=frozenset({kind}),
    )


FRANK, NADIA = _member("frank", "fbi", TeamKind.OFFICE), _member("nadia", "dhs", TeamKind.OFFICE)
INES, TOMAS = _member("ines", "tempe", TeamKind.LOCAL), _member("tomas", "tempe", TeamKind.LOCAL)
OLU, ADA = _member("olu", "mesa", TeamKind.LOCAL), _member("ada", "az", TeamKind.HUB)

FORWARDED = Standing(holder="fbi", asked=frozenset({"az"}), originator_organisation="organisation of fbi")
HELD = Standing(holder="tempe", joined=frozenset({"tempe"}), originator_organisation="organisation of fbi")
CLOSING = Standing(holder="tempe", joined=frozenset({"tempe"}), closing_proposed_by="ines")

CASES = [
    (FRANK, "portal.see", HELD, True),
    (NADIA, "portal.see", HELD, False),
    (INES, "portal.see", HELD, False),
    (FRANK, "referral.see", FORWARDED, False),
    (FRANK, "desk.enter", Standing(), False),
    (ADA, "referral.acknowledge", FORWARDED, True),
    (INES, "referral.acknowledge", FORWARDED, False),
    (ADA, "referral.note", FORWARDED, False),
    (INES, "referral.open", HELD, True),
    (OLU, "referral.see", HELD, False),
    (OLU, "referral.open", HELD, False),
    (OLU, "referral.hand_on", HELD, False),
    (INES, "referral.approve_closing", CLOSING, False),
    (TOMAS, "referral.approve_closing", CLOSING, True),
    (TOMAS, "referral.approve_closing", HELD, False),
]


@pytest.mark.parametrize(("member", "action", "standing", "may"), CASES)
def test_who_may_do_what(member: Member, action: str, standing: Standing, may: bool) -> None:
    assert allowed(member, action, standing) is may


@pytest.mark.parametrize("action", PERMISSIONS)
def test_nothing_about_a_referral_is_allowed_without_one(action: str) -> None:
    if action.startswith("referral.") or action == "portal.see":
        assert not any(allowed(member, action) for member in (FRANK, INES, OLU, ADA))


def test_an_action_that_is_not_in_the_table_is_refused() -> None:
    root = _member("rita", "root", TeamKind.ROOT, administrator=True)
    assert not allowed(root, "referral.delete", HELD)


def test_an_administrator_reads_no_referral_for_being_one() -> None:
    root = _member("rita", "root", TeamKind.ROOT, administrator=True)
    assert not allowed(root, "referral.open", HELD)
    assert not allowed(root, "referral.see", HELD)

"""Story S3: signs of Nevada, a target in Arizona. The target's place leads, the subject's place is consulted."""

from __future__ import annotations

from datetime import timedelta

from sqlalchemy import select, update

from foundation import clock, database
from referrals.tables import referrals
from routing.tables import handoffs
from tests.journeys import handing
from tests.journeys.house import RunningHouse, Visitor, code_in, reference_in
from tests.journeys.tempe import ADA, Cast

NEVA, RITA = "+17755550100", "+12025550110"
WORDS = "The account posted a picture of a rifle and the name of the school."
LEAD, CONSULT = "Transfer: National desk to AZ-STAMP", "Consult: National desk to Nevada hub"


def test_both_states_acknowledge_each_for_itself(house: RunningHouse, cast: Cast) -> None:
    reference, rita, neva = _reported(house, cast), cast["Rita"], cast["Neva"]
    house.reply(NEVA, f"A {code_in(house.message(NEVA, reference))}")
    handing.handed(rita, reference, CONSULT, "Acknowledged by Neva Park")
    assert "National desk" in _holder(rita), "a consult moved custody"
    cast["Ada"].open(f"/referrals/{reference}").submit(button="Acknowledge")
    assert "AZ-STAMP" in _holder(rita.open(f"/referrals/{reference}"))
    assert WORDS in neva.open(f"/referrals/{reference}").submit(button="Open").text


def test_a_silent_state_escalates_on_its_own_branch(house: RunningHouse, cast: Cast) -> None:
    reference = _reported(house, cast)
    _let_time_pass(house, reference)
    handing.handed(cast["Rita"], reference, CONSULT, "Nobody answered in time")
    house.message(RITA, reference)
    handing.handed(cast["Rita"], reference, LEAD, "Not yet seen")
    assert "Custody moved" not in handing.timeline(cast["Rita"], reference)


def test_a_no_ends_its_branch_alone_while_the_other_state_holds(house: RunningHouse, cast: Cast) -> None:
    reference = _reported(house, cast)
    cast["Ada"].open(f"/referrals/{reference}").submit(button="Acknowledge")
    handing.decline(cast["Neva"], reference, "not_our_area")
    handing.handed(cast["Ada"], reference, CONSULT, "Declined by Neva Park")
    assert "AZ-STAMP" in _holder(cast["Ada"])


def test_if_both_say_no_the_desk_holds(house: RunningHouse, cast: Cast) -> None:
    reference, rita = _reported(house, cast), cast["Rita"]
    handing.decline(cast["Neva"], reference, "not_our_area")
    handing.decline(cast["Ada"], reference, "not_our_area")
    handing.handed(rita, reference, LEAD, "Declined by Ada Ruiz")
    assert "National desk" in _holder(rita)
    assert "min left" in rita.text, "nothing is due at the desk that holds it"


def _reported(house: RunningHouse, cast: Cast) -> str:
    """A tip without a place; the national desk learns where the target is, and where the person is."""
    before = house.count(RITA, "task")
    Visitor(house).send_tip(what_happened=WORDS, behaviours=["weapon_seeking"])
    reference = reference_in(house.message(RITA, "task", beyond=before))
    handing.tell_place(cast["Rita"], reference, "target", place="St. Johns", state="AZ")
    handing.tell_place(cast["Rita"], reference, "subject", state="NV")
    for number in (ADA, NEVA):
        house.message(number, reference)
    return reference


def _holder(visitor: Visitor) -> str:
    """Who holds it, as the head of the referral's page says."""
    head = visitor.page.select_one(".referral-head")
    assert head is not None, visitor.text[:600]
    return head.get_text(" ", strip=True)


def _let_time_pass(house: RunningHouse, reference: str) -> None:
    """Five hours for Nevada's branch alone."""
    engine, ago = house.engine(), clock.now() - timedelta(hours=5)
    chosen = select(referrals.c.id).where(referrals.c.reference == reference).scalar_subquery()
    with database.transaction(engine) as session:
        session.execute(
            update(handoffs)
            .where(handoffs.c.referral_id == chosen, handoffs.c.kind == "consult")
            .values(offered_at=ago, due_at=ago, remind_at=None)
        )
    engine.dispose()

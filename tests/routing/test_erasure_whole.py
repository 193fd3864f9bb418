"""After an erasure no column of any table tells of it: not its place, its words, nor who outside was told by name."""

from __future__ import annotations

from datetime import timedelta

import pytest
from sqlalchemy import select, update

from desk.app import create_app
from directory.tables import members
from foundation import clock, database
from referrals import retention
from referrals.casework import Disposition, propose_closing
from referrals.facts import Evidence, PlaceKind, Relation, Urgency
from referrals.tables import casework, referrals, sealed_parts
from routing import erasure, guests, outside
from routing.commands import replay
from routing.outside import Recipient
from routing.states import Kind
from routing.tables import guest_keys, guest_links
from tests.builders import Town
from tests.desk.sitting import Desk
from tests.intake.office import Office
from tests.promises import canary
from tests.routing.acts import Case, forward

YEARS = timedelta(days=365 * 6)
# A point in Tempe: its digits stand in the facts and in the decision.
PLACE = Evidence(PlaceKind.POINT, Relation.TARGET, latitude=33.398717, longitude=-111.931213)
OUTSIDE = Recipient("Kanarien County Sheriff", "Dana Vogelsang", "+1 480 555 0177", clock.now())
CASE_NUMBER, CONFIRMED_WITH = "PX-2026-KANARIE", "Sgt. Zeisig"
IN_CLEAR = [
    "33.398717", "111.931213", OUTSIDE.agency, OUTSIDE.person, OUTSIDE.telephone, CONFIRMED_WITH, CASE_NUMBER,
]  # fmt: skip


@pytest.fixture
def finished(town: Town) -> Case:
    """A forward about a point in Tempe, with notes, a sheriff who was told, and one who was given a link; closed."""
    case = forward(town, Urgency.ROUTINE, PLACE)
    case.acknowledge("Ines", "tempe-police")
    case.write("Ines", "A note.")
    case.write("Ines", "A record of the school.", part="education")
    ines, now = town.actor("Ines"), clock.now()
    with database.transaction(town.engine) as session:
        session.execute(
            update(referrals).where(referrals.c.id == case.id).values(originator_case_number=CASE_NUMBER)
        )
        for by_link in (False, True):
            proposal = case.propose("Ines", None, Kind.EXTERNAL, parts=("narrative",))
            id = outside.hand_out(session, town.keys, proposal, OUTSIDE, actor=ines, now=now)
            if by_link:
                guests.invite(session, town.keys, id, actor=ines, now=now)
            else:
                outside.confirm(session, id, CONFIRMED_WITH, actor=ines, now=now)
        propose_closing(
            session, town.keys, case.id, disposition=Disposition.UNFOUNDED, reason="Nothing in it.", actor=ines,
            due_at=now, now=now,
        )  # fmt: skip
    return case


def erase(case: Case) -> None:
    """Asked by Ines, answered by Tomas, when its time is over."""
    with database.transaction(case.town.engine) as session:
        retention.ask(session, case.id, actor=case.town.actor("Ines"), now=clock.now() + YEARS)
    with database.transaction(case.town.engine) as session:
        erasure.answer(
            session, case.id, approved=True, actor=case.town.actor("Tomas"), now=clock.now() + YEARS
        )


def _sealed(case: Case) -> list[bytes]:
    """Whatever stands sealed about it: its parts, what was written, the keys of its guest."""
    with database.reading(case.town.engine) as session:
        columns = (
            select(sealed_parts.c.blob), select(casework.c.blob), select(guest_keys.c.blob),
            select(guest_links.c.proof), select(referrals.c.commitment_key),
        )  # fmt: skip
        return [blob for query in columns for blob in session.execute(query).scalars()]


def test_no_column_of_any_table_tells_of_it(finished: Case) -> None:
    sealed, before = _sealed(finished), canary.in_database(finished.town.engine)
    assert [words for words in IN_CLEAR if words.encode() not in before] == []
    assert len(sealed) >= 7
    erase(finished)
    after = canary.in_database(finished.town.engine)
    assert [words for words in IN_CLEAR if words.encode() in after] == []
    assert [blob for blob in sealed if blob in after] == []


def test_the_command_that_decides_again_says_that_it_is_erased(finished: Case) -> None:
    erase(finished)
    app = create_app(finished.town.settings, finished.town.engine, finished.town.keys)
    said = app.test_cli_runner().invoke(replay, [finished.row().reference])
    assert (said.exit_code, said.output[:16]) == (0, "It was erased on")


def test_at_the_desk_its_reference_leads_nowhere(finished: Case) -> None:
    reference = finished.row().reference
    erase(finished)
    seat = Desk(finished.town).seat("Ines")
    for page in ("", "/timeline", "/receipts", "/why", "/record"):
        seat.look(f"/referrals/{reference}{page}", status=404)
    found = seat.look(f"/find?reference={reference}", status=404).get_text(" ", strip=True)
    assert "There is no such referral" in found


def test_the_office_that_forwarded_it_does_not_find_it_any_more(finished: Case) -> None:
    office, reference = Office(finished.town, "Nadia"), finished.row().reference
    organisation = select(members.c.organisation_id).where(members.c.id == finished.town.member_id("Nadia"))
    with database.transaction(finished.town.engine) as session:
        theirs = session.execute(organisation).scalar_one()
        session.execute(update(referrals).values(originator_organisation_id=theirs))
    assert reference in office.look("/portal")
    erase(finished)
    assert reference not in office.look("/portal")
    assert office.client.get(f"/portal/forwards/{reference}").status_code == 404

"""The portal's list and the custody of each forward, as its own office and as another sees them."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from sqlalchemy import Engine

from foundation import clock, database
from foundation.settings import Settings
from intake import forwards
from referrals import casework
from referrals.casework import Disposition
from routing import handoffs
from routing.handoffs import Offer
from routing.states import KINDS, Basis, Decline, Kind, Reason
from tests import builders
from tests.intake.office import Office, open_office
from tests.pages import lasting


@pytest.fixture
def frank(engine: Engine, settings: Settings) -> Office:
    return open_office(engine, settings)


def test_an_empty_list_says_so_kindly(frank: Office) -> None:
    assert "Your office has not forwarded anything yet." in frank.look("/portal")


def test_the_list_says_what_it_is_and_who_has_it(frank: Office) -> None:
    reference = frank.forward(behaviours=["threat_communicated"], case_number="PX-7")
    page = frank.look("/portal")
    for words in (reference, "PX-7", "Tempe, AZ", "Said or wrote that they will hurt", "Elevated"):
        assert words in page
    assert "FBI Phoenix has it" in page
    assert "offered to AZ-STAMP" in page
    assert "14 min left" in page


def test_the_list_follows_custody(frank: Office) -> None:
    frank.acknowledge(frank.forward(), "Ada")
    page = frank.look("/portal")
    assert "AZ-STAMP has it" in page
    assert "offered to" not in page


def test_a_forward_shows_its_route_and_until_when_a_team_is_asked(frank: Office) -> None:
    page = frank.look(f"/portal/forwards/{frank.forward()}")
    assert "Sent to AZ-STAMP, because the place that was named is in Arizona." in page
    assert re.search(r"AZ-STAMP, not yet opened; asked until [^(]* MST \( 14 min left \)", page)


def test_a_forward_says_what_its_handling_code_means(frank: Office) -> None:
    page = frank.look(f"/portal/forwards/{frank.forward(handling='H2')}")
    assert "H2: Not to be passed on" in page


@pytest.mark.parametrize("address", ["/portal/nowhere", "/nowhere", "/portal/forwards/R-AAAA-AA"])
def test_a_page_that_is_not_there_keeps_the_frame_and_leads_home(frank: Office, address: str) -> None:
    answer = frank.client.get(address)
    assert answer.status_code == 404
    assert "Signed in: Frank Ames." in answer.text
    assert '<a class="usa-button" href="/portal">Back to our forwards</a>' in answer.text


def test_custody_is_told_line_by_line(frank: Office) -> None:
    reference = frank.forward()
    frank.acknowledge(reference, "Ada")
    page = frank.look(f"/portal/forwards/{reference}")
    lines = [
        "You forwarded it.",
        "Offered to AZ-STAMP.",
        "AZ-STAMP opened the offer.",
        "AZ-STAMP acknowledged and has custody",
    ]
    assert sorted(page.index(line) for line in lines) == [page.index(line) for line in lines]
    assert "Ada" not in page


def test_a_team_that_declined_is_told_with_its_reason(frank: Office) -> None:
    reference = frank.forward(place="Reno", state="NV")
    with database.transaction(frank.town.engine) as session:
        (offer,) = handoffs.open_offers(session, frank.id_of(reference))
        actor = frank.town.actor("Neva")
        handoffs.decline(
            session, offer.id, reason=Decline.NO_CAPACITY, actor=actor, via="desk", now=clock.now()
        )
    page = frank.look(f"/portal/forwards/{reference}")
    assert "Nevada hub declined: We cannot take it in time." in page


def test_whom_a_custodian_consults_is_not_told(frank: Office) -> None:
    reference = frank.forward()
    frank.acknowledge(reference, "Ada")
    proposal = Offer(
        referral_id=frank.id_of(reference),
        kind=Kind.CONSULT,
        from_team=frank.town.team["az-stamp"],
        to_team=frank.town.team["saguaro-bend-school"],
        reason=Reason.HANDED_ON,
        basis=Basis.LAW_ENFORCEMENT,
        parts=KINDS[Kind.CONSULT].parts,
    )
    with database.transaction(frank.town.engine) as session:
        handoffs.offer(session, frank.town.keys, proposal, actor=frank.town.actor("Ada"), now=clock.now())
    assert "Saguaro" not in frank.look(f"/portal/forwards/{reference}")
    assert "Saguaro" not in frank.look("/portal")


def test_a_closed_forward_names_the_class_of_result_and_no_note(frank: Office) -> None:
    reference = frank.forward(urgency="routine")
    frank.acknowledge(reference, "Ada")
    with database.transaction(frank.town.engine) as session:
        casework.propose_closing(
            session,
            frank.town.keys,
            frank.id_of(reference),
            disposition=Disposition.UNFOUNDED,
            reason="The words of Ada",
            actor=frank.town.actor("Ada"),
            due_at=clock.now(),
            now=clock.now(),
        )
    page = frank.look(f"/portal/forwards/{reference}")
    assert "Closed. Looked into; there is no concern." in page
    assert "The words of Ada" not in page
    assert "Next deadline" not in page


def test_what_was_typed_is_not_shown_again(frank: Office) -> None:
    page = frank.look(f"/portal/forwards/{frank.forward(subject='Max')}")
    assert "knife" not in page
    assert "Max" not in page


def test_another_office_sees_nothing(frank: Office) -> None:
    reference = frank.forward()
    nadia = Office(frank.town, "Nadia", frank.app)
    hidden, never = (nadia.client.get(f"/portal/forwards/{name}") for name in (reference, "R-0000-00"))
    assert (hidden.status_code, never.status_code) == (404, 404)
    # The page names the address that was asked for, and nothing else.
    assert lasting(hidden.text, reference) == lasting(never.text, "R-0000-00")
    assert reference not in nadia.look("/portal")
    assert "has not forwarded anything" in nadia.look("/portal")


@pytest.mark.parametrize("reference", ["R-%00AAA-AA", "r-7k3m-q2", "R-7K3M-Q2%0A", "..", "R-ÄÄÄÄ-ÄÄ"])
def test_a_reference_of_no_form_is_not_looked_for(frank: Office, reference: str) -> None:
    assert frank.client.get(f"/portal/forwards/{reference}").status_code == 404
    assert frank.client.get(f"/portal?after={reference}").status_code == 200


def test_a_tip_of_the_public_is_nobodys_forward(frank: Office) -> None:
    tip = builders.file_tip(frank.town)
    assert frank.client.get(f"/portal/forwards/{tip.reference}").status_code == 404
    assert tip.reference not in frank.look("/portal")


def test_pages_follow_each_other_without_gap_or_repetition(frank: Office) -> None:
    sent = []
    for minutes in range(5):
        with clock.moved(timedelta(minutes=minutes % 2)):
            sent.append(frank.send(case_number=str(minutes)).headers["Location"].rsplit("/", 1)[1])
    organisation_id = frank.row_of(sent[0]).originator_organisation_id
    seen: list[str] = []
    after: str | None = None
    with database.reading(frank.town.engine) as session:
        for _ in range(3):
            page = forwards.page_of(session, organisation_id, after, size=2)
            seen, after = [*seen, *(each.reference for each in page.forwards)], page.next_key
    assert after is None
    assert sorted(seen) == sorted(sent)


def test_a_foreign_key_of_the_list_starts_at_the_beginning(frank: Office) -> None:
    tip = builders.file_tip(frank.town)
    reference = frank.forward()
    assert reference in frank.look(f"/portal?after={tip.reference}")

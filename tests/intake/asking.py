"""The state's hub asks an office whether its forward may be passed on, and the worker makes the answer happen."""

from __future__ import annotations

from foundation import clock, database, outbox
from referrals import moves
from referrals.duty import Duty
from routing import handling, permission
from tests.intake.office import Office


def asked(office: Office) -> str:
    """The state's hub holds an H2 forward of Frank's and asks whether Tempe may have it; the reference."""
    reference = office.forward(handling="H2")
    office.acknowledge(reference, "Ada")
    town = office.town
    with database.transaction(town.engine) as session:
        permission.ask(
            session, town.keys, moves.referral(session, office.id_of(reference)), town.team["tempe-police"],
            actor=town.actor("Ada"), now=clock.now(),
        )  # fmt: skip
    return reference


def settle(office: Office) -> None:
    """The worker's turn: what was answered happens, and nothing else that is owed."""
    town = office.town
    duty = Duty(town.engine, town.settings, town.keys)
    for urgent in (True, False):
        outbox.drain(town.engine, lambda job, id: _only_settle(duty, job, id), urgent=urgent)


def permitted(office: Office, reference: str) -> bool:
    """Whether Tempe may have it."""
    with database.reading(office.town.engine) as session:
        teams = handling.permitted(session, office.id_of(reference))
    return office.town.team["tempe-police"] in teams


def _only_settle(duty: Duty, job: str, id: str) -> None:
    if job == permission.SETTLE:
        permission.settle(duty, id)
        # Twice is once.
        permission.settle(duty, id)

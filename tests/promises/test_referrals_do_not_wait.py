"""Promise: what is under way with one referral holds up no other. Neither the ledger nor anything else has a lock that
they share."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection, event, text

from foundation import clock, database
from routing import handoffs
from tests.builders import Town
from tests.routing import acts


@pytest.mark.parametrize("database_url", ["postgresql"], indirect=True)
def test_a_referral_goes_its_way_while_another_s_transaction_is_open(town: Town) -> None:
    """SQLite has one writer; who would wait on PostgreSQL fails within a second."""
    event.listen(town.engine, "begin", _wait_for_nobody)
    first = acts.tip(town, form="first")
    with database.transaction(town.engine) as session:
        handoffs.acknowledge(
            session, town.keys, first.offer_to("tempe-police"), actor=town.actor("Ines"), via="desk",
            now=clock.now(),
        )  # fmt: skip
        second = acts.tip(town, form="second")
        second.acknowledge("Ines", "tempe-police")
        second.write("Ines", "Talked with the school.")
        second.hand_on("Ines", "mesa-police")
    assert (first.holder, second.offers()["mesa-police"]) == ("tempe-police", "offered")


def _wait_for_nobody(connection: Connection) -> None:
    connection.execute(text("SET LOCAL lock_timeout = '1s'"))

"""The Tempe story: an FBI office tells the state's programme, which tells the city police, who bring in the school.

Told through the real doors of a running house, as far as this version goes. Each step asserts what it shows.
"""

from __future__ import annotations

import hashlib
import re
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from sqlalchemy import update

from directory.tables import contacts
from foundation import database
from foundation.database import metadata
from tests import sent_files
from tests.journeys import handing
from tests.journeys.handing import hand_on, who_has_it
from tests.journeys.house import RunningHouse, Visitor, code_in, eventually, reference_in

# What the agent writes; none of it may stand in any message.
NARRATIVE = "The account @sb_example wrote: tomorrow at Saguaro Bend, third period, nobody leaves."
SUBJECT = "A student, unknown. Account @sb_example"
SECRETS = ("sb_example", "Saguaro", "third period", "student", "Tempe", "threat")

SCREENSHOT = sent_files.picture(size=(390, 844))

NOTE, REASON = "Team met; plan agreed.", "Support in place, no weapon at home."
ENDED = "Help and safety are in place; the work is done"
NEED = "A talk with the family this week. Tomas Reed, 480 555 0131."

ADA, INES, TOMAS, SOL = "+16025550120", "+14805550130", "+14805550131", "+14805550170"
CORA, FRANK = "+14805550190", "+16025550103"
CITY, SCHOOL, CARE = "Tempe Police", "Saguaro Bend High School team", "CARE 7"
# The stand-in reports messages to such a number as filtered by the carrier.
FILTERED = "+14805550006"

# What nobody here is called, and what is done to nobody.
_NEVER_SAID = re.compile(r"\b(suspect|punish|profil)", re.IGNORECASE)
_AT_THE_PORTAL = {"Frank", "Nadia"}

Say = Callable[[str], None]


class Cast:
    """The people of the story, each signed in once: a six-digit code serves once."""

    def __init__(self, house: RunningHouse) -> None:
        self.house = house
        self._here: dict[str, Visitor] = {}

    def __getitem__(self, name: str) -> Visitor:
        if name not in self._here:
            door = self.house.public if name in _AT_THE_PORTAL else self.house.desk
            self._here[name] = Visitor(self.house).sign_in(name, door)
        return self._here[name]

    def seen(self) -> str:
        """All words of all pages on which they stood."""
        return "\n".join(words for visitor in self._here.values() for words in visitor.seen)


def tell(house: RunningHouse, cast: Cast, say: Say = lambda sentence: None) -> str:
    """Lives the story in a house; returns the reference of its referral."""
    _first_contact_will_fail(house)
    frank = cast["Frank"]
    reference = _forward(house, frank, say)
    _hub_acknowledges(cast["Ada"], reference, frank, say)
    _permission_is_asked_and_given(cast["Ada"], reference, frank, say)
    _city_acknowledges_by_telephone(house, cast["Ada"], reference, frank, say)
    _school_is_consulted(house, cast, reference, say)
    _care_is_asked_without_the_narrative(house, cast, reference, say)
    _documented_and_closed(cast, reference, say)
    _olu_sees_nothing(cast["Olu"], reference, say)
    _nothing_leaked(house, say)
    return reference


def _first_contact_will_fail(house: RunningHouse) -> None:
    engine = house.engine()
    with database.transaction(engine) as session:
        session.execute(update(contacts).where(contacts.c.address == INES).values(address=FILTERED))
    engine.dispose()


def _forward(house: RunningHouse, frank: Visitor, say: Say) -> str:
    frank.open(f"{house.public}/portal/forward").submit(
        {
            "what_happened": NARRATIVE,
            "behaviours": ["threat_communicated", "target_identified"],
            "subject": SUBJECT,
            "links": "https://social.example/sb_example/1",
            "place": "Tempe",
            "state": "AZ",
            "urgency": "elevated",
            "handling": "H2",
            "case_number": "PX-2026-0417",
        },
        button="Forward it",
        file=_screenshot(house),
    )
    assert frank.status == 200, frank.text[:800]
    reference = reference_in(frank.text)
    assert hashlib.sha256(SCREENSHOT).hexdigest() in frank.text, "the file's fingerprint is not shown"
    say(f"Frank, FBI Phoenix, forwards a threat in Tempe, AZ, with a screenshot. Reference {reference}.")
    message = house.message(ADA, reference)
    assert "ELEVATED" in message
    assert "Reply A" in message
    mail = eventually(
        lambda: [mail for mail in house.mail("ada@az-stamp.example") if reference in mail["subject"]],
        "no mail to Ada",
    )
    assert mail
    frank.open(f"/portal/forwards/{reference}")
    assert "AZ-STAMP" in frank.text
    assert "FBI Phoenix" in who_has_it(frank), "custody moved without an acknowledgement"
    say("AZ-STAMP is asked by text message and mail, without a word of content. FBI Phoenix still has it.")
    return reference


def _screenshot(house: RunningHouse) -> Path:
    path = house.house.data / "sb_example.png"
    path.write_bytes(SCREENSHOT)
    return path


def _hub_acknowledges(ada: Visitor, reference: str, frank: Visitor, say: Say) -> None:
    ada.open(f"/referrals/{reference}")
    assert NARRATIVE not in ada.text, "content was shown before the acknowledgement"
    ada.submit(button="Acknowledge").open(f"/referrals/{reference}").submit(button="Open")
    assert NARRATIVE in ada.text, ada.text[:800]
    assert hashlib.sha256(SCREENSHOT).hexdigest() in ada.text, ada.text[:800]
    ada.follow("Look at it").submit(button="Take the original")
    assert ada.content == SCREENSHOT, "the original is not what was sent"
    frank.open(f"/portal/forwards/{reference}")
    assert "AZ-STAMP" in who_has_it(frank)
    say("Ada, AZ-STAMP, looks, acknowledges and reads. Custody moves; FBI Phoenix sees by whom and when.")
    ada.open(f"/referrals/{reference}/why")
    assert "a written agreement outranks" in ada.text, ada.text
    assert "Tempe Police" in ada.text, "the explanation does not name who lost"


def _permission_is_asked_and_given(ada: Visitor, reference: str, frank: Visitor, say: Say) -> None:
    for team, kind in ((CITY, "transfer"), (SCHOOL, "consult")):
        handing.ask_permission(ada, reference, team, kind)
    say("H2 forbids passing on. Ada asks FBI Phoenix for Tempe Police and for the school's officer.")
    for team, kind in ((CITY, "transfer"), (SCHOOL, "consult")):
        handing.allow(frank, reference, team)
        handing.wait_until_allowed(ada, reference, team, kind)
    say("Frank allows both at the portal.")


def _city_acknowledges_by_telephone(
    house: RunningHouse, ada: Visitor, reference: str, frank: Visitor, say: Say
) -> None:
    hand_on(ada, reference, CITY, "transfer")
    say("Ada hands it on to Tempe Police, for a health or safety emergency.")
    house.message(FILTERED, reference)
    message = house.message(TOMAS, reference)
    say("The first contact's message does not arrive; the second, Tomas, is asked at once.")
    assert "AZ-STAMP" in who_has_it(frank.open(f"/portal/forwards/{reference}"))
    house.reply(TOMAS, f"A {code_in(message)}")
    house.message(TOMAS, f"You have {reference}")
    assert "Tempe Police" in who_has_it(frank.open(f"/portal/forwards/{reference}"))
    say("Tomas answers the text message. Custody moves to Tempe Police.")
    house.reply(TOMAS, f"A {code_in(message)}")
    house.message(TOMAS, f"You have {reference}", beyond=1)
    say("His second answer changes nothing; he reads again that he has it.")


def _school_is_consulted(house: RunningHouse, cast: Cast, reference: str, say: Say) -> None:
    tomas, sol = cast["Tomas"], cast["Sol"]
    hand_on(tomas, reference, SCHOOL, "consult")
    house.message(SOL, reference)
    sol.open(f"/referrals/{reference}").submit(button="Acknowledge")
    sol.open(f"/referrals/{reference}").submit(button="Open")
    assert NARRATIVE in sol.text
    sol.open(f"/referrals/{reference}/action").submit(
        {"action": "spoke_with_family", "words": "Spoke with the mother; she asked for help."},
        button="Record",
    )
    assert sol.status == 200, sol.text[:600]
    tomas.open(f"/referrals/{reference}")
    assert "Tempe Police" in tomas.text
    say(
        "Tomas brings in the school's officer and keeps responsibility. Sol reads, finds the family, records it."
    )


def _care_is_asked_without_the_narrative(house: RunningHouse, cast: Cast, reference: str, say: Say) -> None:
    tomas, cora = cast["Tomas"], cast["Cora"]
    handing.ask_permission(tomas, reference, CARE, "support")
    handing.allow(cast["Frank"], reference, CARE)
    handing.wait_until_allowed(tomas, reference, CARE, "support")
    hand_on(tomas, reference, CARE, "support", basis="consent", threat="", need=NEED)
    house.message(CORA, reference)
    cora.open(f"/referrals/{reference}").submit(button="Acknowledge")
    cora.open(f"/referrals/{reference}").submit(button="Open")
    assert NEED in cora.text, cora.text[:800]
    assert "sb_example" not in cora.answer
    assert hashlib.sha256(SCREENSHOT).hexdigest() not in cora.answer
    assert cora.open(f"/referrals/{reference}/timeline").status == 404
    say("Tomas asks CARE 7 to help, with the family's consent. Cora reads the need, and not what was told.")


def propose_closing(ines: Visitor, reference: str) -> None:
    """Ines writes what was done, and proposes to close it."""
    ines.open(f"/referrals/{reference}/note").submit({"words": NOTE}, button="note")
    assert ines.status == 200, ines.text[:600]
    ines.open(f"/referrals/{reference}/close").submit(
        {"disposition": "managed", "reason": REASON}, button="lose"
    )
    assert ines.status == 200, ines.text[:600]


def approve_closing(tomas: Visitor, reference: str) -> None:
    """The second person agrees."""
    tomas.open(f"/referrals/{reference}/closing").submit({"answer": "approve"}, button="nswer")
    assert tomas.status == 200, tomas.text[:600]


def _documented_and_closed(cast: Cast, reference: str, say: Say) -> None:
    frank = cast["Frank"]
    propose_closing(cast["Ines"], reference)
    assert "Closed" not in who_has_it(frank.open(f"/portal/forwards/{reference}"))
    approve_closing(cast["Tomas"], reference)
    frank.open(f"/portal/forwards/{reference}")
    assert f"Closed. {ENDED}" in frank.text, frank.text[:600]
    assert NOTE not in frank.text
    assert ENDED in cast["Ada"].open(f"/referrals/{reference}").text
    say(
        "Ines proposes to close it as managed; Tomas, a second member, approves. FBI Phoenix sees the disposition."
    )


def _olu_sees_nothing(olu: Visitor, reference: str, say: Say) -> None:
    for page in ("", "/why", "/timeline", "/note"):
        assert olu.open(f"/referrals/{reference}{page}").status == 404
        assert reference not in olu.text
    assert olu.open(f"/find?reference={reference}").status == 404
    say("Olu, of another city's team, can neither find nor open it.")


def _nothing_leaked(house: RunningHouse, say: Say) -> None:
    for number in (ADA, FILTERED, TOMAS, SOL, CORA, FRANK):
        for message in house.messages(number):
            assert not [word for word in SECRETS if word in message["body"]], message
    say("No message on any telephone held a name, a place, an act or a word of the report.")


def nobody_is_called_names(cast: Cast) -> None:
    """No page that anybody saw, and no column, says suspect, punished or profile."""
    assert not _NEVER_SAID.search(cast.seen())
    columns = [f"{table.name} {column.name}" for table in metadata.sorted_tables for column in table.columns]
    assert not [name for name in columns if _NEVER_SAID.search(name.replace("_", " "))]


def verdict(house: RunningHouse) -> str:
    """What `ledger verify` says, on the house's own database. Raises where it or `doctor` finds a fault."""
    return "\n".join(handing.flask(house, *words) for words in (("ledger", "verify"), ("doctor",)))


def proof(house: RunningHouse, visitor: Visitor, reference: str) -> tuple[str, dict[str, Any]]:
    """What the script says of the exported timeline, and that file. One altered byte of any entry fails."""
    handing.sign_checkpoint(house)
    file = handing.exported(visitor, reference)
    with tempfile.TemporaryDirectory() as folder:
        code, said = handing.checked_offline(house, file, Path(folder))
        assert code == 0, said
        body = file["entries"][-1]["body"]
        file["entries"][-1]["body"] = body.replace('"kind":"', '"kind":"x', 1)
        code, denied = handing.checked_offline(house, file, Path(folder))
        assert (code, denied[:10]) == (1, "NOT PROVED"), denied
        file["entries"][-1]["body"] = body
    return said, file

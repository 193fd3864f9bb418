"""The Tempe story: an FBI office tells the state's programme, which tells the city police, who bring in the school.

Told through the real doors of a running house, as far as this version goes. Each step asserts what it shows.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable

from sqlalchemy import update

from directory.tables import contacts
from foundation import database
from tests.journeys.house import RunningHouse, Visitor, code_in, eventually, reference_in

# What the agent writes; none of it may stand in any message.
NARRATIVE = "The account @sb_example wrote: tomorrow at Saguaro Bend, third period, nobody leaves."
SUBJECT = "A student, unknown. Account @sb_example"
SECRETS = ("sb_example", "Saguaro", "third period", "student", "Tempe", "threat")

ADA, INES, TOMAS, SOL = "+16025550120", "+14805550130", "+14805550131", "+14805550170"
# The stand-in reports messages to such a number as filtered by the carrier.
FILTERED = "+14805550006"

Say = Callable[[str], None]


class Cast:
    """The people of the story, each signed in once: a six-digit code serves once."""

    def __init__(self, house: RunningHouse) -> None:
        self.house = house
        self._here: dict[str, Visitor] = {}

    def __getitem__(self, name: str) -> Visitor:
        if name not in self._here:
            door = self.house.public if name == "Frank" else self.house.desk
            self._here[name] = Visitor(self.house).sign_in(name, door)
        return self._here[name]


def tell(house: RunningHouse, cast: Cast, say: Say = lambda sentence: None) -> str:
    """Lives the story in a fresh house; returns the reference of its referral."""
    _first_contact_will_fail(house)
    frank = cast["Frank"]
    reference = _forward(house, frank, say)
    _hub_acknowledges(cast["Ada"], reference, frank, say)
    _city_acknowledges_by_telephone(house, reference, frank, say)
    _school_is_consulted(house, cast, reference, say)
    _documented_and_closed(house, cast, reference, say)
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
    )
    assert frank.status == 200, frank.text[:800]
    reference = reference_in(frank.text)
    say(f"Frank, FBI Phoenix, forwards a threat in Tempe, AZ. Reference {reference}.")
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
    assert "FBI Phoenix" in _who_has_it(frank), "custody moved without an acknowledgement"
    say("AZ-STAMP is asked by text message and mail, without a word of content. FBI Phoenix still has it.")
    return reference


def _hub_acknowledges(ada: Visitor, reference: str, frank: Visitor, say: Say) -> None:
    ada.open(f"/referrals/{reference}")
    assert NARRATIVE not in ada.text, "content was shown before the acknowledgement"
    ada.submit(button="Acknowledge").open(f"/referrals/{reference}").submit(button="Open")
    assert NARRATIVE in ada.text, ada.text[:800]
    frank.open(f"/portal/forwards/{reference}")
    assert "AZ-STAMP" in _who_has_it(frank)
    say("Ada, AZ-STAMP, looks, acknowledges and reads. Custody moves; FBI Phoenix sees by whom and when.")
    ada.open(f"/referrals/{reference}/why")
    assert "a written agreement outranks" in ada.text, ada.text
    assert "Tempe Police" in ada.text, "the explanation does not name who lost"
    _hand_on(ada, reference, "Tempe Police", "transfer", "emergency")
    say("Ada hands it on to Tempe Police, for a health or safety emergency.")


def _city_acknowledges_by_telephone(house: RunningHouse, reference: str, frank: Visitor, say: Say) -> None:
    house.message(FILTERED, reference)
    message = house.message(TOMAS, reference)
    say("The first contact's message does not arrive; the second, Tomas, is asked at once.")
    assert "AZ-STAMP" in _who_has_it(frank.open(f"/portal/forwards/{reference}"))
    house.reply(TOMAS, f"A {code_in(message)}")
    house.message(TOMAS, "You have")
    assert "Tempe Police" in _who_has_it(frank.open(f"/portal/forwards/{reference}"))
    say("Tomas answers the text message. Custody moves to Tempe Police.")
    house.reply(TOMAS, f"A {code_in(message)}")
    house.message(TOMAS, "already")
    say("His second answer changes nothing.")


def _school_is_consulted(house: RunningHouse, cast: Cast, reference: str, say: Say) -> None:
    tomas, sol = cast["Tomas"], cast["Sol"]
    _hand_on(tomas, reference, "Saguaro Bend High School team", "consult", "emergency")
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


def _documented_and_closed(house: RunningHouse, cast: Cast, reference: str, say: Say) -> None:
    frank, ines, tomas = cast["Frank"], cast["Ines"], cast["Tomas"]
    ines.open(f"/referrals/{reference}/note").submit({"words": "Team met; plan agreed."}, button="note")
    assert ines.status == 200, ines.text[:600]
    ines.open(f"/referrals/{reference}/close").submit(
        {"disposition": "managed", "reason": "Support in place, no weapon at home."}, button="lose"
    )
    assert ines.status == 200, ines.text[:600]
    assert "Closed" not in _who_has_it(frank.open(f"/portal/forwards/{reference}"))
    tomas.open(f"/referrals/{reference}/closing").submit({"answer": "approve"}, button="nswer")
    assert tomas.status == 200, tomas.text[:600]
    frank.open(f"/portal/forwards/{reference}")
    assert "closed" in frank.text.lower(), frank.text[:600]
    say(
        "Ines proposes to close it as managed; Tomas, a second member, approves. FBI Phoenix sees the disposition."
    )


def _olu_sees_nothing(olu: Visitor, reference: str, say: Say) -> None:
    for page in ("", "/why", "/timeline", "/note"):
        assert olu.open(f"/referrals/{reference}{page}").status == 404
        assert reference not in olu.text
    say("Olu, of another city's team, can neither find nor open it.")


def _nothing_leaked(house: RunningHouse, say: Say) -> None:
    for number in (ADA, FILTERED, TOMAS, SOL):
        for message in house.messages(number):
            assert not [word for word in SECRETS if word in message["body"]], message
    say("No message on any telephone held a name, a place, an act or a word of the report.")


def verdict(house: RunningHouse) -> str:
    """What `ledger verify` says, on the house's own database. Raises where it or `doctor` finds a fault."""
    said = [_command(house, *words) for words in (("ledger", "verify"), ("doctor",))]
    return "\n".join(said)


def timeline(visitor: Visitor, reference: str) -> str:
    """The chain of custody as the desk prints it for a member of the team that had it."""
    visitor.open(f"/referrals/{reference}/timeline")
    lines = visitor.page.select("main li, main tr")
    return "\n".join(" ".join(line.get_text(" ").split()) for line in lines)


def _command(house: RunningHouse, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "wsgi", *words],
        env=house.house.environment,
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout.strip()


def _hand_on(visitor: Visitor, reference: str, team: str, kind: str, basis: str) -> None:
    visitor.open(f"/referrals/{reference}/hand-on")
    option = next(option for option in visitor.page.select("option") if team in option.get_text())
    visitor.submit({"to_team": option["value"], "kind": kind}, button="Next: what goes along")
    said = {"basis": basis, "threat": "He has a knife and named Friday."}
    visitor.submit(said, button="Next: a last look")
    visitor.submit(button=f"Send to {team}")
    assert visitor.status == 200, visitor.text[:800]


def _who_has_it(visitor: Visitor) -> str:
    term = next(term for term in visitor.page.select("dt") if "Who ha" in term.get_text())
    said = term.find_next("dd")
    return said.get_text(" ", strip=True) if said else ""

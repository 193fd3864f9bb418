"""Story S1 in its second run: the office's own system forwards, follows custody and answers, and nobody opens the
portal."""

from __future__ import annotations

import base64
import hashlib

from tests.journeys import handing, tempe
from tests.journeys.agency_system import AgencySystem
from tests.journeys.handing import hand_on
from tests.journeys.house import RunningHouse, eventually
from tests.journeys.tempe import ADA, CITY, NARRATIVE, SECRETS, SUBJECT, Cast

SCREENSHOT = b"tomorrow at Saguaro Bend, third period, nobody leaves"
FORWARD = {
    "what_happened": NARRATIVE, "behaviours": ["threat_communicated", "target_identified"], "subject": SUBJECT,
    "links": ["https://social.example/sb_example/2"], "place": "Tempe", "state": "AZ", "urgency": "elevated",
    "handling": "H2", "case_number": "PX-2026-0418",
    "attachments": [{"name": "post.txt", "content": base64.b64encode(SCREENSHOT).decode()}],
}  # fmt: skip


def test_the_tempe_story_through_the_api(house: RunningHouse, cast: Cast) -> None:
    system, ada, tomas = AgencySystem(house), cast["Ada"], cast["Tomas"]
    filed = system.forward(FORWARD, "px-2026-0418")
    reference = filed["reference"]
    (file,) = filed["receipt"]["attachments"]
    assert file["sha256"] == hashlib.sha256(SCREENSHOT).hexdigest()
    assert system.forward(FORWARD, "px-2026-0418") == filed
    other = system.ask(
        "POST", "/referrals", json=FORWARD | {"place": "Mesa"}, headers={"Idempotency-Key": "px-2026-0418"}
    )
    assert other.status_code == 422

    message = house.message(ADA, reference)
    assert not [word for word in SECRETS if word in message]
    seen = eventually(lambda: (now := system.see(reference))["asked"] and now, "nobody was asked")
    assert (seen["status"], seen["asked"], seen["custodian"]["team"]) == (
        "routed",
        ["AZ-STAMP"],
        "FBI Phoenix",
    )
    mine = system.ask("GET", "/referrals").json()["referrals"]
    assert [each["case_number"] for each in mine].count("PX-2026-0418") == 1

    ada.open(f"/referrals/{reference}").submit(button="Acknowledge")
    assert system.wait_for(reference, "AZ-STAMP")["status"] == "acknowledged"
    handing.ask_permission(ada, reference, CITY, "transfer")
    system.allow(reference, CITY)
    handing.wait_until_allowed(ada, reference, CITY, "transfer")
    hand_on(ada, reference, CITY, "transfer")
    tomas.open(f"/referrals/{reference}").submit(button="Acknowledge")
    told = [step["sentence"] for step in system.wait_for(reference, CITY)["custody"]]
    assert f"{CITY} acknowledged and has custody from here on." in told
    assert "came from their own system, by a key of the API" in handing.timeline(ada, reference)
    assert [step.partition(" acknowledged")[0] for step in told if " acknowledged" in step] == [
        "AZ-STAMP",
        CITY,
    ]

    tempe.propose_closing(cast["Ines"], reference)
    assert system.see(reference)["status"] == "acknowledged", "a proposal is no end"
    tempe.approve_closing(tomas, reference)
    ended = system.see(reference)
    assert (ended["status"], ended["disposition"]) == ("closed", "managed")
    assert not [word for word in (NARRATIVE, tempe.NOTE, tempe.REASON) if word in str(ended)]

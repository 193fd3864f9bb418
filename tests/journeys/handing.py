"""What people of a story do with a referral: hand it on, ask and allow, take the record along, check it offline."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

from foundation import clock
from foundation.settings import Settings
from ledger.sequencer import Sequencer
from tests.journeys.house import RunningHouse, Visitor, eventually

_SCRIPT = Path(__file__).parents[2] / "docs" / "verify" / "verify_receipt.py"
THREAT = "He has a knife and named Friday."


def hand_on(visitor: Visitor, reference: str, team: str, kind: str, **said: str) -> None:
    """Hands it on through its three pages, for an emergency unless `basis` says another ground."""
    choose(visitor, reference, team, kind)
    visitor.submit({"basis": "emergency", "threat": THREAT, **said}, button="Next: a last look")
    visitor.submit(button=f"Send to {team}")
    assert visitor.status == 200, visitor.text[:800]


def choose(visitor: Visitor, reference: str, team: str, kind: str) -> Visitor:
    """Goes as far as the page that asks what goes along."""
    visitor.open(f"/referrals/{reference}/hand-on")
    option = next(option for option in visitor.page.select("option") if team in option.get_text())
    return visitor.submit({"to_team": option["value"], "kind": kind}, button="Next: what goes along")


def ask_permission(visitor: Visitor, reference: str, team: str, kind: str) -> None:
    """Meets the handling code that forbids it, and asks the originator."""
    choose(visitor, reference, team, kind)
    assert "It may not be passed on without permission" in visitor.text, visitor.text[:800]
    visitor.submit(button="Ask the originator")
    assert visitor.status == 200, visitor.text[:800]


def allow(office: Visitor, reference: str, team: str) -> None:
    """The originator finds the question on top of its page, and allows it."""
    office.open("/portal")
    office.submit(button=f"Allow it {reference}, {team}")
    assert "Your answer is on record" in office.text, office.text[:800]


def wait_until_allowed(visitor: Visitor, reference: str, team: str, kind: str) -> None:
    """The worker makes the originator's answer happen."""

    def allowed() -> bool:
        return "without permission" not in choose(visitor, reference, team, kind).text

    eventually(allowed, f"the answer about {team} did not arrive")


def tell_place(visitor: Visitor, reference: str, relation: str, **typed: str) -> None:
    """Records a place that was learned, of one relation."""
    visitor.open(f"/referrals/{reference}/place")
    visitor.submit({"relation": relation, **typed}, button="lace")
    assert visitor.status == 200, visitor.text[:600]


def decline(visitor: Visitor, reference: str, reason: str) -> None:
    """Says no on the page to which the offer's button leads."""
    visitor.open(f"/referrals/{reference}").follow("Decline")
    visitor.submit({"reason": reason}, button="Decline")
    assert visitor.status == 200, visitor.text[:600]


def handed(visitor: Visitor, reference: str, what: str, state: str) -> None:
    """Waits until the referral's page says that of one handoff, such as `Consult: National desk to Nevada hub`."""

    def said() -> bool:
        visitor.open(f"/referrals/{reference}")
        rows = [" ".join(row.get_text(" ").split()) for row in visitor.page.select("ul.board > li")]
        return any(row.startswith(f"{what} {state}") for row in rows)

    eventually(said, f"{what} did not become {state}: {visitor.text[:800]}")


def who_has_it(visitor: Visitor) -> str:
    """Whom the portal's page names as custodian."""
    term = next(term for term in visitor.page.select("dt") if "Who ha" in term.get_text())
    said = term.find_next("dd")
    return said.get_text(" ", strip=True) if said else ""


def timeline(visitor: Visitor, reference: str) -> str:
    """The chain of custody as the desk prints it for a member of the team that had it."""
    visitor.open(f"/referrals/{reference}/timeline")
    lines = visitor.page.select("main li, main tr")
    return "\n".join(" ".join(line.get_text(" ").split()) for line in lines)


def exported(visitor: Visitor, reference: str) -> dict[str, Any]:
    """The timeline as the file that the desk gives."""
    visitor.open(f"/referrals/{reference}/timeline")
    visitor.submit(form='form[action$="timeline.json"]')
    file: dict[str, Any] = json.loads(visitor.answer)
    return file


def sign_checkpoint(house: RunningHouse) -> None:
    """Does at once what the clock does each minute: folds new entries into the log and signs it."""
    key = house.house.data / "ledger.key"
    settings = Settings.from_mapping(house.house.environment | {"LEDGER_KEY_FILE": str(key)})
    engine = house.engine()
    Sequencer(engine, settings).round(clock.now())
    engine.dispose()


def checked_offline(house: RunningHouse, file: dict[str, Any], folder: Path) -> tuple[int, str]:
    """Exit code and words of the script, in a Python that finds nothing of Waypost; the key comes from the desk."""
    receipt = folder / "receipt.json"
    receipt.write_text(json.dumps(file))
    keys = [
        part for key in Visitor(house).read(f"{house.desk}/ledger/keys").split() for part in ("--key", key)
    ]
    command = [sys.executable, "-I", str(_SCRIPT), str(receipt), *keys]
    done = subprocess.run(command, capture_output=True, text=True, cwd="/", timeout=60, check=False)
    return done.returncode, (done.stdout + done.stderr).strip()


def flask(house: RunningHouse, *words: str) -> str:
    """What a command says on the house's own database. Fails where it fails."""
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

"""`make story`: lives the Tempe story in a house of its own and prints its chain of custody."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.journeys import handing, tempe
from tests.journeys.house import running_house


def main() -> None:
    """Ends with 0 only if every step held; an assertion says which one did not."""
    with tempfile.TemporaryDirectory() as folder, running_house(Path(folder)) as house:
        print("\nThe Tempe story, through the real doors\n")
        cast = tempe.Cast(house)
        reference = tempe.tell(house, cast, lambda sentence: print(f"  - {sentence}", flush=True))
        proved = tempe.proof(house, cast["Ines"], reference)[0]
        print(f"\nThe chain of custody of {reference}, as the desk prints it\n")
        print(handing.timeline(cast["Ines"], reference))
        print("\nThe exported timeline, checked offline by docs/verify/verify_receipt.py\n")
        print(f"{proved} One altered byte: not proved.")
        print(f"\nThe ledger's verdict\n\n{tempe.verdict(house)}\n")


if __name__ == "__main__":
    main()

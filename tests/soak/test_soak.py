"""A short soak: whatever fails, nothing is lost, and what is doubled comes out of an unknown outcome."""

from __future__ import annotations

from pathlib import Path

from tests.soak.running import soak


def test_faults_at_random_lose_nothing_and_double_only_what_is_unknown(tmp_path: Path) -> None:
    found = soak(tmp_path, seconds=5, tips=6, pause=1.0, seed=20261124)
    assert (found.lost, found.wrong) == ([], []), found.report()
    assert found.receipts == 6
    assert found.texts >= 6 * 9
    assert all(found.faults[name] for name in ("SIGKILL of a worker", "database crashed", "broker killed"))

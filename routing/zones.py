"""Rules with the time zones of their teams, so that hours and dates mean the same however the directory changes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy.orm import Session

from directory import teams


def with_zones(session: Session, rules: Mapping[str, Any]) -> dict[str, Any]:
    """A rule set in plain JSON with the zone of each team that a rule names, as the directory knows it now."""
    named = {str(rule.get("team")) for rule in rules.get("rules", ())}
    known = teams.time_zones(session)
    zones = {team: zone for team, zone in known.items() if team in named}
    return {**rules, "zones": {**rules.get("zones", {}), **zones}}

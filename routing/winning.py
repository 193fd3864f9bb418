"""What rules as such are worth: whether one can ever win, and who leads by any."""

from __future__ import annotations

from datetime import datetime

from routing import circumstances, situations
from routing.circumstances import Circumstance
from routing.rules import Role, Rule, RuleSet
from routing.situations import Side
from routing.weighing import Outcome

_WINS = {Outcome.LEAD, Outcome.TIED, Outcome.SUPPORT, Outcome.NOTIFY}


def can_win(side: Side, rule: Rule, at: datetime) -> bool:
    """Whether a rule does what it says where its own area is named and all that it asks for holds: the best case for
    it. What excludes, or is about all areas of a layer, is taken for able."""
    if rule.every or rule.role is Role.EXCLUDE:
        return True
    best = circumstances.satisfying(rule, side.rules, at)
    return any(_wins(side, rule, one) for one in best)


def _wins(side: Side, rule: Rule, one: Circumstance) -> bool:
    matches = side.weighed(one, situations.naming(rule.area, one.relation))
    return any(match.rule.id == rule.id and match.outcome in _WINS for match in matches)


def leading(rules: RuleSet, at: datetime) -> set[str]:
    """Teams that some rule lets lead, at that moment or later."""
    return {
        rule.team
        for rule in rules.rules
        if rule.role is Role.LEAD and (rule.valid_to is None or rules.local(rule, at).date() < rule.valid_to)
    }

"""Behaviours of concern: acts that somebody did or said, in plain words. A closed list.

After the groups that threat assessment practice uses (communication, preparation, approach, harm, toward self).
No entry says who a person is or what a person believes, and none ever may.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Behaviour:
    """`code` is stored and routed on; `words` is the English sentence that the forms show (translated there)."""

    code: str
    group: str
    words: str


GROUPS: dict[str, str] = {
    "communication": "Said, wrote or posted",
    "preparation": "Got or looked for",
    "approach": "Watched, followed or planned",
    "harm": "Hurt or threatened",
    "self": "Toward themselves",
    "other": "Something else",
}

BEHAVIOURS: tuple[Behaviour, ...] = (
    Behaviour("threat_communicated", "communication", "Said or wrote that they will hurt or kill someone"),
    Behaviour("leakage", "communication", "Told someone about a plan, or warned them to stay away"),
    Behaviour("target_identified", "communication", "Named a person, a group or a place they want to hurt"),
    Behaviour("admires_attacks", "communication", "Praised or copied people who attacked others"),
    Behaviour("weapon_seeking", "preparation", "Got, tried to get, or showed a weapon"),
    Behaviour("explosives_interest", "preparation", "Looked for how to make a bomb, fire or poison"),
    Behaviour("attack_preparation", "preparation", "Wrote a list, a map or a plan, or practised"),
    Behaviour("surveillance", "approach", "Watched, filmed or checked out a place or its security"),
    Behaviour("stalking", "approach", "Followed someone, or kept contacting them after being told to stop"),
    Behaviour("boundary_breach", "approach", "Came, or tried to come, where they are not allowed"),
    Behaviour("assault", "harm", "Hit, cut or hurt someone, or an animal"),
    Behaviour("intimidation", "harm", "Scared someone on purpose, or destroyed things in anger"),
    Behaviour("suicidal_statement", "self", "Said they want to die or have nothing to live for"),
    Behaviour("last_acts", "self", "Said goodbye or gave away things that matter to them"),
    Behaviour("other_act", "other", "Something else they did that worries you"),
)

CODES: frozenset[str] = frozenset(behaviour.code for behaviour in BEHAVIOURS)

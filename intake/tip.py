"""A tip: what a person typed at the public door, as one typed value. It lives for one request."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from werkzeug.datastructures import MultiDict

from referrals.behaviours import BEHAVIOURS
from referrals.facts import Evidence, Facts, Relation, Setting, Urgency
from routing import places
from routing.boundaries import Boundaries
from routing.places import Resolution


class Danger(StrEnum):
    """The answer to "Is someone in danger right now?"."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


# Acts that cannot wait for office hours: a threat, a means, a plan, somebody hurt, or a life about to be ended.
# Every other act is routine, and so is a tip that names none: its words are read, but nobody is woken for them.
ELEVATED_ACTS = frozenset(
    {
        "threat_communicated",
        "leakage",
        "target_identified",
        "weapon_seeking",
        "explosives_interest",
        "attack_preparation",
        "assault",
        "suicidal_statement",
        "last_acts",
    }
)


# The answers in words, by the name of their field.
WORDS = (
    "what_happened", "other_act", "school", "place", "state", "zip_code", "subject", "target", "when", "how_known",
    "contact",
)  # fmt: skip


@dataclass(frozen=True)
class Tip:
    """All answers as they were typed, character for character; "" where there is none.

    `behaviours` are known codes in the order of the form, `state` is what the form's list sent (postal letters).
    """

    what_happened: str
    behaviours: tuple[str, ...] = ()
    other_act: str = ""
    school: str = ""
    place: str = ""
    state: str = ""
    zip_code: str = ""
    setting: Setting = Setting.UNKNOWN
    subject: str = ""
    target: str = ""
    when: str = ""
    how_known: str = ""
    danger: Danger = Danger.UNKNOWN
    contact: str = ""

    @classmethod
    def from_answers(cls, answers: MultiDict[str, str]) -> Tip:
        """What was sent, once typed for good; choices that no form of ours sends count as not made."""
        chosen = frozenset(answers.getlist("behaviours"))
        first = answers.to_dict()
        return cls(
            behaviours=tuple(act.code for act in BEHAVIOURS if act.code in chosen),
            setting=_one_of(Setting, first.get("setting")),
            danger=_one_of(Danger, first.get("danger")),
            **{name: first.get(name, "") for name in WORDS},
        )

    @property
    def urgency(self) -> Urgency:
        """Danger now is imminent; one act of ELEVATED_ACTS is elevated; else routine. Never less for a doubt."""
        if self.danger is Danger.YES:
            return Urgency.IMMINENT
        return Urgency.ELEVATED if ELEVATED_ACTS & set(self.behaviours) else Urgency.ROUTINE

    def told(self) -> dict[str, str]:
        """The words by name of `referrals.content.FIELDS`; all of them are sealed."""
        names = ("what_happened", "other_act", "when", "how_known", "target", "subject", "contact")
        return {name: getattr(self, name) for name in names} | {"place": self._place_words()}

    def located(self, boundaries: Boundaries) -> Resolution:
        """The place as evidence of known areas, or the faults of its fields. Typed words stay behind."""
        return places.resolve(
            boundaries,
            # The form asks where somebody could be hurt.
            relation=Relation.TARGET,
            school=self.school,
            place=self.place,
            state=self.state,
            zip_code=self.zip_code,
        )

    def facts(self, evidence: tuple[Evidence, ...]) -> Facts:
        """What routing may know of it."""
        return Facts(self.urgency, self.behaviours, self.setting, None, evidence)

    def submission(self, form_key: str) -> str:
        """64 hexadecimal characters that name this content sent from this form.

        The same form sent twice is one record. The same form sent with other words (somebody went back and wrote
        more) is another: its receipt must not stand for words that were never stored.
        """
        content = json.dumps(vars(self), ensure_ascii=True, sort_keys=True)
        return hashlib.sha256(f"{form_key}\n{content}".encode()).hexdigest()

    def _place_words(self) -> str:
        return "\n".join(words for words in (self.school, self.place, self.state, self.zip_code) if words)


def _one_of(kind: Any, answer: str | None) -> Any:
    return next((member for member in kind if member.value == answer), kind.UNKNOWN)

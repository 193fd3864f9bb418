"""The words of ledger entries: each a sentence that a court and a parent understand, and a note below it."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

from desk import words
from referrals.casework import ACTIONS, DISPOSITIONS
from routing.calls import EMERGENCY, RESULTS
from routing.states import BASES, DECLINES

Entry = dict[str, Any]

# Kind of entry → the sentence. Braces name what `_words` fills in.
_SENTENCES: dict[str, str] = {
    "filed": "{who} filed it.",
    "offered": "{who} offered it to {to_team} as a {kind}.",
    "asked": "{who} asked {to_team} {what}.",
    "waits_at_desk": "It waits with {custodian}: {waits}.",
    "custody_moved": "Custody moved from {from_team} to {custodian}.",
    "due_again": "{custodian} was late and was reminded.",
    "worked_on": "The next step of {custodian} was set.",
    "closing_proposed": "{who} proposed to close it{disposition}.",
    "closing_refused": "{who} did not approve the closing.",
    "closing_withdrawn": "{who} took back the closing and goes on working on it.",
    "closed": "{who} closed it{disposition}.",
    "handoff_offer_opened": "{who} of {to_team} looked at the offer.",
    "handoff_acknowledged": "{who} of {to_team} acknowledged the {named}{via}.",
    "handoff_declined": "{who} of {to_team} declined the {named}{via}: {reason}.",
    "handoff_recalled": "{who} took back the offer to {to_team}.",
    "handoff_lapsed": "Nobody at {to_team} answered in time, so the offer to them ended.",
    "handoff_returned": "{who} of {to_team} gave the {named} back.",
    "handoff_completed": "What was asked of {to_team} is done ({kind}).",
    "handoff_confirmed_by_call": "{who} called {outside} back, who confirmed that they have it.",
    "handoff_permission_given": "{who} of {to_team} allowed it to go to {about}.",
    "handoff_permission_refused": "{who} of {to_team} did not allow it to go to {about}.",
    "permission_answered_by_key": "The office’s own system answered for {who} whether it may go to {about}.",
    "handoff_handling_set_aside": "{who} set the originator's handling code aside for imminent danger.",
    "handoff_overlap_began": "The person moved: {to_team} works on beside {from_team} for a while.",
    "handoff_overlap_ended": "The time in which {to_team} worked on beside {from_team} is over.",
    "custody_returned": "Custody went back from {from_team} to {custodian}: {waits}.",
    "recused": "{who} stepped aside, or with their whole team, for a conflict of interest.",
    "call_owed": "Nobody had acknowledged: {desk} must telephone {whom}.",
    "call_recorded": "{who} telephoned {whom}: {result}.",
    "ground_recorded": "{who} wrote down the threat that is the ground.",
    "override_recorded": "{who} wrote down why the handling code could not wait.",
    "need_recorded": "{who} wrote down what is needed, and whom to contact.",
    "handoff_escalated": "{to_team} had not answered, so more people were told.",
    "content_opened": "{who} opened {opened}.",
    "file_opened": "{who} {form} a file that came along.",
    "note_recorded": "{who} added a note.",
    "action_recorded": "{who} recorded an action: {action}.",
    "closing_recorded": "{who} wrote down the reason for closing.",
    "decided": "Routing looked for the team that answers.",
    "decision_asked": "{who} asked routing to look again, by the rules of today.",
    "place_learned": "{who} added what was learned of the place.",
    "timeline_exported": "{who} took a copy of this timeline.",
    "receipt_exported": "{who} took a custody receipt of a handoff.",
    "permission_asked": "{who} asked {to_team} whether it may go to {about}.",
    "permission_completed": "The permission that {to_team} gave is not needed any more.",
    "permission_recalled": "{who} took back the question to {to_team} whether it may go to another team.",
    "permission_lapsed": "{to_team} did not say in time whether it may go to another team.",
    "told_outside": "{who} told {outside}, outside this service.",
    "refused_outside": "{outside} will not take it.",
    "silent_outside": "{outside} was not called back in time, so that handoff ended.",
    "recalled_outside": "{who} took back what was handed to {outside}.",
    "done_outside": "What was handed to {outside} is done.",
    "handoff_link_made": "{who} made a one-time link for {outside}.",
    "handoff_link_entered": "{who} came in by the link and the code.",
    "handoff_link_refused": "Somebody typed a wrong code at the one-time link for {outside}.",
    "handoff_link_ended": "{who} ended the one-time link for {outside}.",
    "handoff_confirmed_by_link": "{who} said by the link that they have it.",
    "hold_placed": "{who} placed a legal hold.",
    "hold_recorded": "{who} wrote down why it must be kept.",
    "hold_lifted": "{who} lifted a legal hold.",
    "erasure_asked": "{who} asked that it be erased.",
    "erasure_refused": "{who} did not approve the erasure.",
}
# A permission and a recipient outside are handoffs like others, and read as none.
_READS_AS = {
    ("permission", "asked"): "permission_asked",
    ("permission", "handoff_completed"): "permission_completed",
    ("permission", "handoff_recalled"): "permission_recalled",
    ("permission", "handoff_lapsed"): "permission_lapsed",
    ("external", "asked"): "told_outside",
    ("external", "handoff_declined"): "refused_outside",
    ("external", "handoff_lapsed"): "silent_outside",
    ("external", "handoff_recalled"): "recalled_outside",
    ("external", "handoff_completed"): "done_outside",
}
# The part of the service by which a person without an account acts.
_GUEST = "guest link"
_TOLD = {"narrative", "subject", "reporter", "attachments"}
_PARTS_OF_SERVICE = {
    "intake": "A member of the public",
    "routing": "The service",
    "clock": "The clock",
}
# Kind of a handoff → what is asked by it, and how it is called when it is spoken of again.
_ASKS = {
    "consult": "to work on it with them (a consult)",
    "support": "to help with a need",
    "inform": "to know of it",
    "request": "to pass it over",
}
_NAMED = {
    "support": "request for support",
    "inform": "message that it exists",
    "request": "request to pass it over",
}
_FORMS = {"picture": "looked at a picture of", "original": "took the original of"}
_VIA = {
    "sms": ", by text message",
    "desk": "",
    "phone": ", by telephone",
    "voice": ", by a digit on the telephone",
    "link": ", by the link of a mail",
}


def sentence_of(entry: Entry, names: dict[str, str]) -> str:
    """What happened, in a sentence; `names` are those of the ids in it."""
    kind = kind_of(entry)
    sentence = _SENTENCES.get(kind, kind.replace("_", " ").capitalize() + ".")
    return _begun(sentence.format_map(_words(entry, names)))


def _begun(sentence: str) -> str:
    return sentence[:1].upper() + sentence[1:]


def kind_of(entry: Entry) -> str:
    """The kind by which it reads: of a handoff, by what was asked in it too."""
    kind = str(entry["kind"])
    return _READS_AS.get((str(entry["facts"].get("kind")), kind), kind)


def _opened(parts: Iterable[str]) -> str:
    """What somebody opened: of a helper it must not be said that they read what was told."""
    if _TOLD & set(parts):
        return "what was told"
    return " and ".join(words.PARTS[part].lower() for part in parts if part in words.PARTS) or "their part"


def _words(entry: Entry, names: dict[str, str]) -> dict[str, str]:
    facts = entry["facts"]
    kind = facts.get("kind", "handoff")
    return {
        "who": _who(entry, names),
        "custodian": names.get(facts.get("custodian"), "its team"),
        "from_team": names.get(facts.get("from_team"), "its team"),
        "to_team": names.get(facts.get("to_team"), "a team"),
        "kind": kind,
        "what": _ASKS.get(kind, f"for {kind}"),
        "named": _NAMED.get(kind, kind),
        "outside": _outside(entry, names),
        "opened": _opened(facts.get("parts", ())),
        "form": _FORMS.get(facts.get("form"), "opened"),
        "via": _VIA.get(facts.get("via"), ""),
        "reason": DECLINES.get(facts.get("reason"), "another reason"),
        "disposition": _ended(facts),
        "action": ACTIONS.get(facts.get("action"), "something else"),
        "waits": words.WAITS.get(facts.get("due_reason"), "somebody there decides"),
        "about": names.get(facts.get("about"), "an agency outside this service"),
        "desk": names.get(facts.get("desk"), "the desk above"),
        "whom": "the 911 centre"
        if facts.get("whom") == EMERGENCY
        else names.get(facts.get("whom"), "the team"),
        "result": RESULTS.get(facts.get("result"), "").removeprefix("I ") or "tried",
        "better": names.get(facts.get("better_team"), ""),
    }


def _who(entry: Entry, names: dict[str, str]) -> str:
    actor = entry["actor"]
    part = actor.get("part", "")
    if part == _GUEST:
        return _outside(entry, names)
    return names.get(actor.get("member", "")) or _PARTS_OF_SERVICE.get(part, "The service")


def _outside(entry: Entry, names: dict[str, str]) -> str:
    """The person outside the directory whom a handoff told, and their agency."""
    return names.get(entry["facts"].get("handoff", ""), "an agency outside this service")


def _ended(facts: dict[str, Any]) -> str:
    """How it ended, behind a colon; nothing where nobody said so, as in a drill."""
    ended = DISPOSITIONS.get(facts.get("disposition", ""))
    return f": {ended}" if ended else ""


def note_of(entry: Entry, names: dict[str, str], filled: Collection[str]) -> str:
    """What stands below the sentence, or ""; `filled` are the parts that hold something."""
    facts, said = entry["facts"], _words(entry, names)
    if entry["kind"] in ("offered", "asked") and kind_of(entry) != "permission_asked":
        given = ", ".join(words.parts(facts["parts"], filled)).lower() or "no words"
        return f"With it: {given}. Ground: {BASES.get(facts['basis'], facts['basis'])}."
    if entry["kind"] == "handoff_recalled" and facts.get("why") == "closed":
        return "The referral was closed before they answered, and they were told."
    if entry["kind"] == "handoff_declined" and said["better"]:
        return f"A better team, they said: {said['better']}."
    if entry["kind"] == "filed":
        sent = " It came from their own system, by a key of the API." if "api_key" in facts else ""
        return f"{said['custodian']} held it first.{sent}"
    return ""

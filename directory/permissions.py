"""Who may do what: one table from action to the predicates that must hold. Every route names an action of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from directory.members import Member
from directory.teams import TeamKind


@dataclass(frozen=True)
class Standing:
    """How a referral stands to teams; what predicates may look at. Empty for actions on no referral.

    `holder` has custody, `asked` have an open offer, `joined` work or worked on it (an acknowledged transfer or
    consult), `informed` acknowledged that it exists (support, inform), `asking` made an open offer,
    `once` were asked or asked somebody at any time, `above` are the hubs above who holds it or is asked: the clock
    calls them when it is late.
    """

    holder: str | None = None
    asked: frozenset[str] = frozenset()
    joined: frozenset[str] = frozenset()
    informed: frozenset[str] = frozenset()
    asking: frozenset[str] = frozenset()
    once: frozenset[str] = frozenset()
    above: frozenset[str] = frozenset()
    originator_organisation: str | None = None
    closing_proposed_by: str | None = None
    # Teams and members who stepped aside for a conflict of interest.
    recused: frozenset[str] = frozenset()


Predicate = Callable[[Member, Standing], bool]


def _signed_in(member: Member, standing: Standing) -> bool:
    return True


def _forwards(member: Member, standing: Standing) -> bool:
    return TeamKind.OFFICE in member.team_kinds


def _works_cases(member: Member, standing: Standing) -> bool:
    return bool(member.team_kinds - {TeamKind.OFFICE}) or member.administrator


def _works_no_cases(member: Member, standing: Standing) -> bool:
    return not _works_cases(member, standing)


def _re_routes(member: Member, standing: Standing) -> bool:
    return bool(member.team_kinds & {TeamKind.HUB, TeamKind.ROOT}) or member.administrator


def _plans_turns(member: Member, standing: Standing) -> bool:
    return member.administrator or bool(member.supervised)


def _holds(member: Member, standing: Standing) -> bool:
    return standing.holder in member.team_ids


def _was_party(member: Member, standing: Standing) -> bool:
    return _is_party(member, standing) or bool(standing.once & set(member.team_ids))


def _takes_part(member: Member, standing: Standing) -> bool:
    teams = set(member.team_ids)
    return standing.holder in teams or bool(standing.joined & teams)


def _is_party(member: Member, standing: Standing) -> bool:
    teams = set(member.team_ids)
    looking = standing.asked | standing.asking | standing.informed | standing.above
    return _takes_part(member, standing) or bool(looking & teams)


def _answers_for_it(member: Member, standing: Standing) -> bool:
    return _takes_part(member, standing) or bool(standing.above & set(member.team_ids))


def _originated(member: Member, standing: Standing) -> bool:
    return standing.originator_organisation == member.organisation_id


def _holds_not(member: Member, standing: Standing) -> bool:
    return not _holds(member, standing)


def _administers(member: Member, standing: Standing) -> bool:
    return member.administrator


def _impartial(member: Member, standing: Standing) -> bool:
    # A recused team's members stay out in whatever other team they sit.
    return not standing.recused & {member.id, *member.team_ids}


def _second_person(member: Member, standing: Standing) -> bool:
    return standing.closing_proposed_by is not None and standing.closing_proposed_by != member.id


# Action → predicates; all must hold. An action that is not here is refused.
PERMISSIONS: dict[str, tuple[Predicate, ...]] = {
    "portal.forward": (_forwards,),
    "portal.list": (_forwards,),
    "portal.see": (_forwards, _originated),
    "portal.permit": (_forwards, _originated),
    "portal.receipt": (_forwards, _originated),
    "portal.keys": (_forwards,),
    # Who also works cases keeps their contacts at the desk, out of the public door's sight.
    "portal.contacts": (_forwards, _works_no_cases),
    "desk.enter": (_works_cases,),
    "account.prove": (_signed_in,),
    "account.leave": (_signed_in,),
    # Who was asked once is told what became of it, and no more: a notice's link must not end in nothing.
    "referral.see": (_works_cases, _was_party),
    "referral.read": (_works_cases, _is_party),
    # What opens is settled by the grants: before an acknowledgement only imminent ones have any.
    "referral.open": (_works_cases, _is_party),
    "referral.timeline": (_works_cases, _takes_part),
    "referral.export": (_works_cases, _takes_part),
    # Both sides of a handoff keep its receipt, also when it is over.
    "referral.receipt": (_works_cases, _was_party),
    # The loser of a race reads who was first.
    "referral.acknowledge": (_works_cases, _was_party),
    "referral.decline": (_works_cases, _was_party),
    "referral.hand_on": (_works_cases, _holds),
    "referral.recall": (_works_cases, _holds),
    "referral.give_back": (_works_cases, _takes_part),
    "referral.complete": (_works_cases, _is_party),
    "referral.recuse": (_works_cases, _is_party),
    "referral.request": (_works_cases, _was_party, _holds_not),
    "referral.outside": (_works_cases, _holds),
    "referral.permission": (_works_cases, _holds),
    "referral.call": (_works_cases, _is_party),
    "referral.place": (_works_cases, _holds),
    "referral.decide_again": (_re_routes, _answers_for_it),
    "referral.note": (_works_cases, _takes_part),
    "referral.act": (_works_cases, _takes_part),
    "referral.close": (_works_cases, _holds),
    # A team of one has no second member: one of a team that takes part, or of the hub above, will do.
    "referral.approve_closing": (_works_cases, _answers_for_it, _second_person),
    "referral.withdraw_closing": (_works_cases, _holds),
    # A closed record stays with the team that closed it. Its erasure needs another person: of that team, of one that
    # worked on it, or of the hub above.
    "records.see": (_works_cases,),
    "referral.record": (_works_cases, _answers_for_it),
    "referral.hold": (_works_cases, _holds),
    "referral.erase": (_works_cases, _holds),
    "referral.answer_erasure": (_works_cases, _answers_for_it),
    "routing.explain": (_re_routes,),
    # Gaps and teams that cannot be reached, all in one picture, are for those who mend them.
    "routing.coverage": (_re_routes,),
    "clocks.change": (_administers,),
    "keys.keep": (_administers,),
    # Hubs re-route, so they keep the rules. What changes is approved by a second of them.
    "rules.see": (_re_routes,),
    "rules.draft": (_re_routes,),
    "directory.see": (_works_cases,),
    "contacts.own": (_works_cases,),
    "contacts.others": (_administers,),
    # An illness waits for no supervisor: every member may take over a turn of their team.
    "turns.exchange": (_works_cases,),
    "turns.plan": (_plans_turns,),
    "status.see": (_works_cases,),
    "drill.see": (_works_cases,),
    "drill.plan": (_works_cases,),
}

# Whoever stepped aside finds nothing any more.
PERMISSIONS |= {
    action: (*predicates, _impartial)
    for action, predicates in PERMISSIONS.items()
    if action.startswith("referral.")
}

# Routes for everybody name this instead of an action.
PUBLIC = "public"


def allowed(member: Member, action: str, standing: Standing | None = None) -> bool:
    """Whether the member may do the action. Unknown actions are refused."""
    predicates = PERMISSIONS.get(action)
    if predicates is None:
        return False
    situation = standing or Standing()
    return all(predicate(member, situation) for predicate in predicates)

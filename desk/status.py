"""Status: what is wrong, in banners that come and go by themselves; green is earned by a recent canary."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from flask import render_template, request
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from desk import words
from desk.answers import Page
from directory import api_keys, contacts, permissions, reach, teams
from directory.guards import guard, signed_in
from directory.members import Channel
from foundation import clock, database, heartbeat, outbox, web
from foundation.settings import Settings
from notifications import notices as told
from notifications import reports, strays
from notifications.notices import ProviderFault
from notifications.outcomes import NOT_SET, Action
from notifications.states import NoticeState
from notifications.tables import notices
from routing import canary, signs

_DAY = timedelta(days=1)
_NOT_DELIVERED = {
    NoticeState.FAILED_PERMANENT.value: "could not be delivered",
    NoticeState.UNKNOWN.value: "may or may not have been sent: the provider did not answer",
    NoticeState.FAILED_TRANSIENT.value: "failed for now and are tried again",
}
_PROVIDERS = {
    Channel.SMS: "SMS provider",
    Channel.VOICE: "provider of calls",
    Channel.EMAIL: "mail server",
}
_REFUSALS = {
    Action.STOP_SENDER: "The {provider} refuses our account: code {code}.",
    Action.CONFIGURATION: "The {provider} refuses how it is set up here: code {code}.",
    Action.SHORTEN: "The {provider} refuses the form of a message of ours: code {code}.",
    Action.ALARM: "The {provider} gave a code that nobody foresaw: code {code}.",
}
_SILENCES = {
    reach.Silence.NO_CONTACT: "nobody entered a telephone or an address",
    reach.Silence.UNVERIFIED: "no contact was proved",
    reach.Silence.OPTED_OUT: "everybody wrote STOP",
    reach.Silence.DISABLED: "every contact was given up",
    reach.Silence.NO_TELEPHONE: "by mail only, which is too slow for what is imminent",
}


@dataclass(frozen=True)
class Banner:
    """Something that is wrong now. docs/operating.md says under the same heading what to do."""

    heading: str
    words: str


@guard("status.see")
def status_page() -> Page:
    """How the service is, as far as it is this member's."""
    member, now, settings = signed_in().member, clock.now(), web.settings()
    # How much waits in all, and who of others cannot be reached, says something about others' work.
    everything = permissions.allowed(member, "routing.explain")
    with database.reading(web.engine()) as session:
        return render_template(
            "status.html",
            banners=banners(session, settings, now, None if everything else member.team_ids),
            parts_alive=signs.parts(session, now),
            swept=heartbeat.last(session, "clock"),
            canary=heartbeat.last(session, canary.PART),
            # Who leaves it on a screen may have it renewed; it never moves unasked under a reader.
            renewed="every" in request.args,
            canary_minutes=settings.canary_minutes,
            undelivered=_undelivered(session, member.team_ids, now),
            waiting=_waiting(session) if everything else None,
            strays=strays.count(session, now - _DAY) if everything else 0,
        )


def banners(
    session: Session, settings: Settings, now: datetime, team_ids: Sequence[str] | None = None
) -> list[Banner]:
    """Whatever is wrong now, the worst first. `team_ids`: of teams, only these; None: everything."""
    found = [banner for look in _LOOKS for banner in look(session, settings, now)]
    return [
        *found,
        *_unreachable(session, team_ids),
        *(_of_everybody(session, now) if team_ids is None else ()),
    ]


def refusals(session: Session, now: datetime) -> list[str]:
    """Why providers refused us in the last day, each in a sentence; no number and no name is in it."""
    return [_sentence(fault) for fault in told.provider_faults(session, now - _DAY)]


def _parts(session: Session, settings: Settings, now: datetime) -> Iterator[Banner]:
    silent = [part.name for part in signs.parts(session, now) if part.silent]
    if "clock" in silent:
        yield Banner(
            "The clock stands still",
            "Nobody is reminded and nothing escalates until it runs again. Nothing is forgotten: it catches up.",
        )
    if others := [name for name in silent if name != "clock"]:
        yield Banner("A part is silent", f"Not heard for a minute or more: {', '.join(others)}.")


def _canary(session: Session, settings: Settings, now: datetime) -> Iterator[Banner]:
    if canary.is_late(session, settings, now):
        yield Banner(
            "No canary came through",
            f"One is sent every {settings.canary_minutes} minutes and acknowledged by a robot. The last three were "
            "not: referrals may not reach their teams. Use the telephone.",
        )


def _waiting(session: Session) -> dict[str, int]:
    """How much work waits, by what it is in words."""
    found: Counter[str] = Counter()
    for job, count in outbox.waiting(session).items():
        found[words.work(job)] += count
    return found


def _late(session: Session, settings: Settings, now: datetime) -> Iterator[Banner]:
    late = signs.waiting_too_long(session, now)
    if late:
        yield Banner(
            "Work waits too long",
            f"{sum(late.values())} pieces of work are due for longer than a minute (urgent) or a quarter of an hour.",
        )
    if stuck := outbox.failing(session):
        jobs = ", ".join(sorted({words.work(job) for job, _ in stuck}))
        yield Banner("Work fails again and again", f"It is tried again, but somebody has to look: {jobs}.")


def _refused(session: Session, settings: Settings, now: datetime) -> Iterator[Banner]:
    if said := refusals(session, now):
        yield Banner("Messages do not leave", " ".join(said))


_Look = Callable[[Session, Settings, datetime], Iterator[Banner]]
_LOOKS: tuple[_Look, ...] = (_parts, _canary, _late, _refused)


def _unreachable(session: Session, team_ids: Sequence[str] | None) -> Iterator[Banner]:
    silent = reach.unreachable(session, by_telephone=True)
    mine = {id: why for id, why in silent.items() if team_ids is None or id in team_ids}
    if mine:
        names = teams.names(session, mine)
        each = sorted(f"{names[id]} ({_SILENCES[reach.Silence(why)]})" for id, why in mine.items())
        yield Banner("A team cannot be reached", f"{'; '.join(each)}.")


def _of_everybody(session: Session, now: datetime) -> Iterator[Banner]:
    if stale := contacts.stale_count(session, now):
        yield Banner(
            "Contacts grow stale",
            f"{stale} of them were not proved for half a year. Their owners were sent a code to type back.",
        )
    if ending := api_keys.standing(session, now, soon=True):
        offices = sorted({key.office_name for key in ending})
        yield Banner(
            "A key of the API ends soon",
            f"After that their own system cannot forward: {', '.join(offices)}. An administrator makes another.",
        )
    if failing := reports.failing(session, now - _DAY):
        hosts = sorted({urlsplit(row.url).hostname or "" for row in failing})
        yield Banner(
            "An agency's system does not answer",
            f"{len(failing)} reports were not taken in the last day, by {', '.join(hosts)}.",
        )


def _sentence(fault: ProviderFault) -> str:
    if fault.code == NOT_SET:
        return f"No {_PROVIDERS[fault.channel]} is set up here, so nobody was told that way."
    return _REFUSALS[fault.action].format(
        provider=_PROVIDERS[fault.channel], code=fault.code.replace("_", " ")
    )


def _undelivered(session: Session, team_ids: Sequence[str], now: datetime) -> list[tuple[str, int]]:
    """Notices to these teams of the last day that did not arrive, by what became of them; no drill's."""
    rows = session.execute(
        select(notices.c.state, func.count())
        .where(
            notices.c.team_id.in_(team_ids),
            notices.c.state.in_(_NOT_DELIVERED),
            notices.c.created_at > now - _DAY,
            notices.c.mark.is_(None),
        )
        .group_by(notices.c.state)
        .order_by(notices.c.state)
    )
    return [(_NOT_DELIVERED[state], count) for state, count in rows]

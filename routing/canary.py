"""The canary: a marked referral every few minutes that goes the whole way and is acknowledged by a robot.

Filed and sealed as a tip is, relayed by the outbox, decided and offered by routing, told by the delivery: when it was
acknowledged lately, all of these live. The robot sits in a team of its own that no list shows and no rule names.
"""

from __future__ import annotations

import logging
import secrets
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any

import pyotp
from sqlalchemy import Row, func, select
from sqlalchemy.orm import Session

from directory import contacts, members, sign_in, teams
from directory.members import Channel
from directory.tables import contacts as contact_rows
from directory.teams import TeamKind
from foundation import clock, database, heartbeat
from foundation.settings import Settings
from ledger.entries import Actor
from notifications.states import NoticeState
from notifications.tables import notices
from referrals.duty import Duty
from referrals.facts import Urgency
from referrals.filing import Mark
from referrals.founding import NewTeam, found_team
from referrals.grants import Keys
from referrals.keyring import Keyring
from referrals.moves import NotNow
from referrals.states import State
from referrals.tables import referrals
from routing import erasure, handoffs, marked
from routing.handoffs import AlreadyAnswered, Offer
from routing.outcomes import Case

log = logging.getLogger(__name__)

# Of the heartbeat that an acknowledged canary leaves.
PART = "canary"
_SLUG, _NAME = "waypost-robot", "Waypost's robot"
_ACTOR = Actor(part="canary")
_WORDS = "The canary. Nobody reported anything."
# One that nobody acknowledged by then has failed; the next one may do better.
_GIVEN_UP_AFTER = timedelta(minutes=10)
# Whoever looks into one that failed has a day for it; then nothing but its tombstone and its ledger is left.
_KEPT_FOR = timedelta(days=1)
_FORGOTTEN_AT_ONCE = 50
_TOLD = (NoticeState.ACCEPTED.value, NoticeState.DELIVERED.value)


def keep_watch(duty: Duty) -> int:
    """Answers the canaries that reached the robot, ends and erases old ones, files the next; returns how many were
    answered.

    The clock calls it once a minute. With CANARY_MINUTES=0 it only ends what is there. What watches must not stop
    what is watched: whatever goes wrong is logged by its class, and shows as a canary that did not come through.
    """
    now, answered = clock.now(), 0
    try:
        answered = sum(_answer(duty, row) for row in _waiting(duty))
        marked.close_all(duty, _given_up(duty, now), actor=_ACTOR, now=now)
        _forget_old(duty, now)
        if _is_time(duty, now):
            make_robot(duty, now)
            with database.transaction(duty.engine) as session:
                marked.file(session, duty.settings, Mark.CANARY, Urgency.ELEVATED, _WORDS, now)
    except Exception as fault:
        log.error("the canary failed: %s", type(fault).__name__)
    return answered


def act_on(case: Case) -> None:
    """Routing's act for a canary: whatever was decided, the robot is asked."""
    robot = teams.team_by_slug(case.session, _SLUG)
    if robot is None:
        return
    proposal = Offer(**marked.proposal(case.referral, robot.id, case.decision_id))
    handoffs.offer(case.session, case.keys, proposal, actor=Actor(part="routing"), now=case.now)


def is_late(session: Session, settings: Settings, now: datetime) -> bool:
    """Whether canaries are wanted and none was acknowledged for three times their interval."""
    if not settings.canary_minutes:
        return False
    last = heartbeat.last(session, PART)
    return last is None or now - last > 3 * timedelta(minutes=settings.canary_minutes)


def make_robot(duty: Duty, now: datetime) -> None:
    """The robot's team, seat and contact, once."""
    with database.transaction(duty.engine) as session:
        if teams.team_by_slug(session, _SLUG) is None:
            _make(session, duty.keys.ring, duty.settings, now)


def _make(session: Session, ring: Keyring, settings: Settings, now: datetime) -> None:
    team = NewTeam(_SLUG, _NAME, TeamKind.ROBOT, None, "UTC", organisation_kind="programme")
    team_id = found_team(session, ring, settings.sealing_suite, team, now)
    robot = members.add_member(
        session,
        organisation_id=teams.team(session, team_id).organisation_id,
        # No mail leads there, and nobody knows the password: nobody signs in as the robot.
        email=f"{_SLUG}@waypost.invalid",
        name=_NAME,
        password_hash=sign_in.hash_password(secrets.token_urlsafe(32)),
        totp_secret=pyotp.random_base32(),
    )
    members.join_team(session, robot, team_id, discipline="robot")
    members.add_contact(session, robot, Channel.ROBOT, _SLUG, verified_at=now)


def _is_time(duty: Duty, now: datetime) -> bool:
    if not duty.settings.canary_minutes:
        return False
    with database.reading(duty.engine) as session:
        mine = referrals.c.mark == Mark.CANARY.value
        last = session.execute(select(func.max(referrals.c.filed_at)).where(mine)).scalar()
    return last is None or now - last >= timedelta(minutes=duty.settings.canary_minutes)


def _open(session: Session) -> list[Row[Any]]:
    mine = referrals.c.mark == Mark.CANARY.value, referrals.c.state != State.CLOSED.value
    return list(session.execute(select(referrals.c.id, referrals.c.filed_at).where(*mine)))


def _given_up(duty: Duty, now: datetime) -> list[str]:
    with database.reading(duty.engine) as session:
        return [row.id for row in _open(session) if row.filed_at < now - _GIVEN_UP_AFTER]


def _forget_old(duty: Duty, now: datetime) -> None:
    old = (
        select(referrals.c.id)
        .where(
            referrals.c.mark == Mark.CANARY.value,
            referrals.c.state == State.CLOSED.value,
            referrals.c.erased_at.is_(None),
            referrals.c.filed_at < now - _KEPT_FOR,
        )
        .order_by(referrals.c.filed_at)
        .limit(_FORGOTTEN_AT_ONCE)
    )
    with database.reading(duty.engine) as session:
        ids = session.execute(old).scalars().all()
    for id in ids:
        with suppress(NotNow), database.transaction(duty.engine) as session:
            erasure.forget_canary(session, id, actor=_ACTOR, now=now)


def _waiting(duty: Duty) -> list[Row[Any]]:
    """Notices that reached the robot, of canaries that are open."""
    with database.reading(duty.engine) as session:
        ids = [offer.id for row in _open(session) for offer in handoffs.open_offers(session, row.id)]
        reached = select(notices).join(contact_rows).where(contact_rows.c.channel == Channel.ROBOT.value)
        return list(session.execute(reached.where(notices.c.subject_id.in_(ids), notices.c.state.in_(_TOLD))))


def _answer(duty: Duty, notice: Row[Any]) -> bool:
    """The robot acknowledges, and the canary is over."""
    now = clock.now()
    try:
        with database.transaction(duty.engine) as session:
            _acknowledge(session, duty.keys, notice, now)
            contacts.answered_from(session, notice.contact_id, now)
            heartbeat.beat(session, PART, now)
    except (AlreadyAnswered, NotNow):
        return False
    return True


def _acknowledge(session: Session, keys: Keys, notice: Row[Any], now: datetime) -> None:
    robot = Actor(member_id=notice.member_id, team_id=notice.team_id)
    row = handoffs.acknowledge(session, keys, notice.subject_id, actor=robot, via="robot", now=now)
    marked.close(session, row.referral_id, actor=_ACTOR, now=now)

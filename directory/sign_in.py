"""Signing in: a password and a second factor, lockout, sessions that end by themselves."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any

import pyotp
from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError
from sqlalchemy import Row, func, insert, select, update
from sqlalchemy.orm import Session

from directory import members as people
from directory.tables import members, recovery_codes, sign_in_failures, sign_ins
from foundation import database
from foundation.identifiers import new_code, readable
from foundation.settings import Settings

PASSWORD_LENGTH = 15
_FAILURES, _FAILURE_WINDOW = 5, timedelta(minutes=15)
_STEP_SECONDS = 30
# Argon2id with the library's RFC 9106 low-memory profile: 64 MiB, three passes.
_hasher = PasswordHasher()
# Checked where the address is unknown, so that the answer takes as long as for a known one.
_NOBODY = _hasher.hash(secrets.token_hex(16))


class WeakPassword(ValueError):
    """The password is too short."""


@dataclass(frozen=True)
class SignedIn:
    """A member with a running session at one door.

    `proved_at` is when the password was last typed, `seen_at` the last page, to the minute.
    """

    member: people.Member
    token_digest: str
    proved_at: datetime
    seen_at: datetime


@dataclass(frozen=True)
class Claim:
    """Somebody who says that they are a member; `member_id` is None where the address is nobody's."""

    member_id: str | None
    password_hash: str = field(repr=False)

    def fits(self, password: str) -> bool:
        """Whether the password is theirs. Slow on purpose and for nobody too; never inside a transaction, where
        everybody else would wait for it."""
        return _password_fits(self.password_hash, password)


def hash_password(password: str) -> str:
    """An Argon2id hash. Raises WeakPassword below 15 characters; nothing else is asked of it."""
    if len(password) < PASSWORD_LENGTH:
        raise WeakPassword(f"Use at least {PASSWORD_LENGTH} characters. A sentence of four words is good.")
    return _hasher.hash(password)


def new_totp_secret() -> str:
    """A fresh base32 secret for an authenticator app."""
    return pyotp.random_base32()


def totp_address(secret: str, email: str, deployment: str) -> str:
    """The `otpauth://` address that an authenticator app reads from a QR code."""
    return pyotp.TOTP(secret).provisioning_uri(name=email, issuer_name=f"Waypost {deployment}")


def new_recovery_codes(session: Session, member_id: str, count: int = 8) -> list[str]:
    """One-time codes of 50 bits instead of the second factor, shown once; only digests are stored."""
    codes = [new_code(10) for _ in range(count)]
    session.execute(
        insert(recovery_codes), [{"member_id": member_id, "code_digest": _digest(code)} for code in codes]
    )
    return [f"{code[:5]}-{code[5:]}" for code in codes]


def claim(session: Session, email: str) -> Claim:
    """Who that address claims to be."""
    row = people.by_email(session, email)
    return Claim(row.id, row.password_hash) if row else Claim(None, _NOBODY)


def claim_again(session: Session, member_id: str) -> Claim:
    """The signed-in member, who is asked for the password again."""
    stored = select(members.c.password_hash).where(members.c.id == member_id, members.c.active)
    return Claim(member_id, session.execute(stored).scalar() or _NOBODY)


def check(session: Session, who: Claim, *, right_password: bool, code: str, now: datetime) -> str | None:
    """The id of the member whom address, password and second factor name, or None.

    Every reason for None looks the same from outside: unknown, wrong, used code, locked. Five failures in
    15 minutes lock the member until the oldest is 15 minutes old.
    """
    row = _taking_turns(session, who)
    if row is None or locked(session, row.id, now):
        return None
    if right_password and (_use_totp(session, row, code, now) or _use_recovery(session, row.id, code, now)):
        return str(row.id)
    session.execute(insert(sign_in_failures).values(member_id=row.id, at=now))
    return None


def prove_again(session: Session, who: Claim, *, right_password: bool, now: datetime) -> bool:
    """Whether the signed-in member typed the password again; failures count toward the lock."""
    row = _taking_turns(session, who)
    if row is None or locked(session, row.id, now):
        return False
    if right_password:
        return True
    session.execute(insert(sign_in_failures).values(member_id=row.id, at=now))
    return False


def locked(session: Session, member_id: str, now: datetime) -> bool:
    """Whether too many failures lie too near."""
    recent = select(func.count()).where(
        sign_in_failures.c.member_id == member_id, sign_in_failures.c.at > now - _FAILURE_WINDOW
    )
    return session.execute(recent).scalar_one() >= _FAILURES


def open_session(session: Session, member_id: str, door: str, now: datetime) -> str:
    """Starts a session at a door; returns the token for the cookie, which is stored nowhere."""
    token = secrets.token_urlsafe(32)
    session.execute(
        insert(sign_ins).values(
            token_digest=_digest(token),
            member_id=member_id,
            door=door,
            opened_at=now,
            seen_at=now,
            proved_at=now,
        )
    )
    return token


def resume(session: Session, token: str, door: str, settings: Settings, now: datetime) -> SignedIn | None:
    """The running session of that cookie; None where it is unknown, idle too long, too old or ended, or where the
    member was let go meanwhile."""
    row = session.execute(
        select(sign_ins)
        .join(members, members.c.id == sign_ins.c.member_id)
        .where(
            sign_ins.c.token_digest == _digest(token),
            sign_ins.c.door == door,
            sign_ins.c.ended_at.is_(None),
            sign_ins.c.seen_at > now - timedelta(minutes=settings.idle_minutes),
            sign_ins.c.opened_at > now - timedelta(hours=settings.absolute_hours),
            members.c.active,
        )
    ).one_or_none()
    if row is None:
        return None
    return SignedIn(people.member(session, row.member_id), row.token_digest, row.proved_at, row.seen_at)


def seen(session: Session, token_digest: str, now: datetime) -> None:
    """A page was asked for: the idle time begins anew."""
    _change(session, token_digest, seen_at=now)


def proved(session: Session, token_digest: str, now: datetime) -> None:
    """The password was typed again in this session."""
    _change(session, token_digest, proved_at=now)


def end_session(session: Session, token_digest: str, now: datetime) -> None:
    """Signs out."""
    _change(session, token_digest, ended_at=now)


def end_session_of(session: Session, token: str, now: datetime) -> None:
    """Ends the session of a cookie that is about to be replaced, if there is one."""
    end_session(session, _digest(token), now)


def _change(session: Session, token_digest: str, **values: datetime) -> None:
    session.execute(update(sign_ins).where(sign_ins.c.token_digest == token_digest).values(**values))


def _taking_turns(session: Session, who: Claim) -> Row[Any] | None:
    """The member's row, locked: of many tries at once each counts those before it, so that five are five."""
    if who.member_id is None:
        return None
    query = select(members).where(members.c.id == who.member_id, members.c.active)
    return session.execute(query.with_for_update()).one_or_none()


def _password_fits(stored: str, password: str) -> bool:
    try:
        return _hasher.verify(stored, password)
    except (Argon2Error, InvalidHashError):
        return False


def _use_totp(session: Session, row: Row[Any], code: str, now: datetime) -> bool:
    """Takes a code of this, the last or the next half minute, each time step once, by compare-and-set."""
    step = _matching_step(row.totp_secret, code.replace(" ", ""), now)
    if step is None:
        return False
    taken = database.changed(
        session,
        update(members).where(members.c.id == row.id, members.c.totp_step < step).values(totp_step=step),
    )
    return taken > 0


def _matching_step(secret: str, code: str, now: datetime) -> int | None:
    totp = pyotp.TOTP(secret)
    current, typed = int(now.timestamp()) // _STEP_SECONDS, code.encode()
    steps = (current, current - 1, current + 1)
    return next(
        (step for step in steps if hmac.compare_digest(totp.generate_otp(step).encode(), typed)), None
    )


def _use_recovery(session: Session, member_id: str, code: str, now: datetime) -> bool:
    used = database.changed(
        session,
        update(recovery_codes)
        .where(
            recovery_codes.c.member_id == member_id,
            recovery_codes.c.code_digest == _digest(readable(code).replace("-", "").replace(" ", "")),
            recovery_codes.c.used_at.is_(None),
        )
        .values(used_at=now),
    )
    return used > 0


def _digest(secret: str) -> str:
    # These secrets are random and long, so a fast hash is enough.
    return hashlib.sha256(secret.encode()).hexdigest()

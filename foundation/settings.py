"""All settings, as one frozen object made from a mapping. Nothing reads the environment at import."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import MISSING, dataclass, field, fields
from math import inf
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

_LOOPBACK = {"127.0.0.1", "localhost", "::1", "[::1]"}
_TWILIO = "https://api.twilio.com"


class SettingsError(ValueError):
    """One or more settings are wrong; `faults` lists a sentence for each, all at once."""

    def __init__(self, faults: list[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = faults


def _yes(text: str) -> bool:
    lowered = text.strip().lower()
    if lowered not in {"1", "true", "yes", "on", "0", "false", "no", "off", ""}:
        raise ValueError("say yes or no")
    return lowered in {"1", "true", "yes", "on"}


def _http(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise ValueError("must be an address such as https://tips.example.org")
    return text.rstrip("/")


def _web_or_nothing(text: str) -> str:
    return text and _http(text)


def _database(text: str) -> str:
    # The address holds a password: it is never repeated in the sentence.
    if not text.startswith(("sqlite:///", "postgresql://", "postgresql+psycopg://")):
        raise ValueError("must begin with sqlite:/// or postgresql://")
    return text


def _one_of(*allowed: str) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in allowed:
            raise ValueError(f"must be one of {', '.join(allowed)}")
        return text

    return read


def _redis(text: str) -> str:
    if text and not text.startswith(("redis://", "rediss://", "unix://")):
        raise ValueError("must begin with redis://, rediss:// or unix://")
    return text


def _nodes(text: str) -> str:
    for node in filter(None, text.split(",")):
        host, _, port = node.rpartition(":")
        if not host or not port.isdigit():
            raise ValueError("must be host:port,host:port")
    return text


def _log_keys(text: str) -> str:
    if not all(line.startswith("PRIVATE+KEY+") for line in text.split()):
        raise ValueError("must hold keys made by `flask --app wsgi ledger key new`")
    return text


def _addresses(text: str) -> str:
    for address in filter(None, text.split(",")):
        name, at, domain = address.strip().partition("@")
        if not (name and at and domain) or " " in address.strip():
            raise ValueError("must be ada@court.example,desk@partner.example")
    return text


def _address(text: str) -> str:
    if "," in text:
        raise ValueError("must be one address")
    return _addresses(text)


def _number(least: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        if not text.strip().isdigit() or int(text) < least:
            raise ValueError(f"must be a whole number, {least} or more")
        return int(text)

    return read


def _seconds(text: str) -> float:
    value = float(text)
    if not 0 < value < inf:
        raise ValueError("must be more than zero seconds")
    return value


def _secret(text: str) -> str:
    if len(text) < 32:
        raise ValueError("must hold at least 32 characters")
    return text


def _setting(read: Callable[[str], Any], **default: Any) -> Any:
    return field(metadata={"read": read}, **default)


@dataclass(frozen=True)
class Settings:
    """Where everything is and what is allowed. Each field is set by the upper-case name (`DATABASE_URL`), or by
    `NAME_FILE`, a path of a file that holds the value."""

    # The key of cookies, form tokens and receipt derivation. Shared by all web processes of one deployment.
    secret_key: str = _setting(_secret, repr=False)
    # A name for this deployment; it is bound into every sealed blob and is the ledger's origin.
    deployment: str = _setting(str, default="waypost.local")
    # Demonstration data may be loaded, and the sign-in page may show its members.
    demonstration: bool = _setting(_yes, default=False)

    database_url: str = _setting(_database, default="sqlite:///var/waypost.db", repr=False)
    # Empty: no bell; the sweep delivers by itself.
    redis_url: str = _setting(_redis, default="", repr=False)
    # For Sentinel: `host:port,host:port`; then redis_url gives the password and the database number.
    redis_sentinels: str = _setting(_nodes, default="")
    redis_sentinel_name: str = _setting(str, default="waypost")

    public_url: str = _setting(_http, default="http://127.0.0.1:8000")
    desk_url: str = _setting(_http, default="http://127.0.0.1:8001")
    # How many reverse proxies stand before the doors; their forwarded addresses are trusted just so far.
    trusted_proxies: int = _setting(_number(0), default=0)

    sealing_suite: str = _setting(_one_of("xwing", "p256"), default="xwing")
    # Only the desk and the workers are given these two.
    keyring_file: str = _setting(str, default="")
    keyring_passphrase: str = _setting(str, default="", repr=False)

    # Only the clock is given it: one private key of the log a line, the newest first.
    ledger_key: str = _setting(_log_keys, default="", repr=False)
    # Who keeps our checkpoints: `ada@court.example,desk@partner.example`; each is mailed one a day.
    checkpoint_mail: str = _setting(_addresses, default="")

    twilio_account_sid: str = _setting(str, default="")
    twilio_auth_token: str = _setting(str, default="", repr=False)
    # During a rotation, callbacks signed with the older token are still believed.
    twilio_auth_token_previous: str = _setting(str, default="", repr=False)
    twilio_from: str = _setting(str, default="")
    twilio_messaging_service_sid: str = _setting(str, default="")
    twilio_api_base: str = _setting(_http, default=_TWILIO)
    twilio_timeout_seconds: float = _setting(_seconds, default=10.0)
    # Whether Lookup, which costs something for each question, is asked of what line a number is when it is typed.
    twilio_lookup: bool = _setting(_yes, default=False)

    smtp_host: str = _setting(str, default="")
    smtp_port: int = _setting(_number(1), default=587)
    smtp_security: str = _setting(_one_of("starttls", "tls", "none"), default="starttls")
    smtp_user: str = _setting(str, default="")
    smtp_password: str = _setting(str, default="", repr=False)
    smtp_timeout_seconds: float = _setting(_seconds, default=20.0)
    # Where undelivered mail comes back to, such as `bounces@waypost.example`; each mail adds `+…` to the name. Empty:
    # to `mail_from`, and nobody reads it.
    mail_bounces: str = _setting(_address, default="")
    # The Maildir in which the mail server puts it, if it does not call `flask mail bounce`.
    mail_bounce_maildir: str = _setting(str, default="")
    # Or the mailbox at a provider, which the clock reads by IMAP.
    mail_bounce_imap_host: str = _setting(str, default="")
    mail_bounce_imap_port: int = _setting(_number(1), default=993)
    mail_bounce_imap_security: str = _setting(_one_of("tls", "starttls", "none"), default="tls")
    mail_bounce_imap_user: str = _setting(str, default="")
    mail_bounce_imap_password: str = _setting(str, default="", repr=False)
    mail_bounce_imap_folder: str = _setting(str, default="INBOX")
    mail_from: str = _setting(str, default="Waypost <notices@waypost.example>")

    # Every so often a marked referral goes the whole way and a robot acknowledges it; 0: none does.
    canary_minutes: int = _setting(_number(0), default=5)
    # Called by the clock once a minute while all is well, so that somebody outside notices when it is not called.
    heartbeat_url: str = _setting(_web_or_nothing, default="", repr=False)
    # Where the clock serves metrics: of one machine unless said otherwise, and nowhere without a port.
    metrics_host: str = _setting(str, default="127.0.0.1")
    metrics_port: int = _setting(_number(0), default=0)

    # Text of a tip, all fields together, in bytes.
    max_tip_bytes: int = _setting(_number(1_000), default=400_000)
    # Where sealed files lie: a folder that all processes of the deployment reach.
    attachments_folder: str = _setting(str, default="var/attachments")
    # What one tip or forward may bring: so many files, the largest of so many bytes, all together of so many.
    attachments_most: int = _setting(_number(0), default=10)
    attachment_max_bytes: int = _setting(_number(1_000), default=50_000_000)
    attachments_max_bytes: int = _setting(_number(1_000), default=100_000_000)
    # Files are refused where they would leave less than this on their disk: words go before files.
    attachments_reserve_bytes: int = _setting(_number(0), default=1_000_000_000)
    # Tips from one network in one hour; a school behind one address must still get through.
    tips_per_hour: int = _setting(_number(1), default=200)
    # Forwards with one key of the API in one hour: more than an office writes, less than a system that runs wild.
    forwards_per_hour: int = _setting(_number(1), default=600)
    idle_minutes: int = _setting(_number(1), default=30)
    absolute_hours: int = _setting(_number(1), default=12)
    # Opening content asks for the password again after this long.
    reentry_minutes: int = _setting(_number(1), default=10)

    @classmethod
    def from_mapping(cls, given: Mapping[str, str]) -> Settings:
        """Settings from a mapping such as `os.environ`. Raises SettingsError with every fault at once."""
        values: dict[str, Any] = {}
        faults: list[str] = []
        for setting in fields(cls):
            name = setting.name.upper()
            try:
                text = _given(given, name)
                if text is not None:
                    values[setting.name] = setting.metadata["read"](text)
                elif setting.default is MISSING:
                    faults.append(f"{name} is missing.")
            except (ValueError, OSError) as fault:
                faults.append(f"{name}: {fault}.")
        # With a stand-in for a key that is missing or wrong, so that contradictions are named in the same breath.
        settings = cls(**({"secret_key": ""} | values))
        if faults := [*faults, *settings._contradictions()]:
            raise SettingsError(faults)
        return settings

    @property
    def public_host(self) -> str:
        """The public door's host name, as messages' addresses name it."""
        return urlsplit(self.public_url).hostname or ""

    @property
    def checkpoint_addresses(self) -> tuple[str, ...]:
        """Those to whom a checkpoint is mailed each day."""
        return tuple(address.strip() for address in self.checkpoint_mail.split(",") if address.strip())

    @property
    def is_live(self) -> bool:
        """Whether real people could be reached or could reach us: then demonstration data must refuse to load."""
        hosts = {urlsplit(url).hostname for url in (self.public_url, self.desk_url)}
        real_twilio = bool(self.twilio_account_sid) and self.twilio_api_base == _TWILIO
        real_mail = bool(self.smtp_host) and self.smtp_host not in _LOOPBACK
        return real_twilio or real_mail or not hosts <= _LOOPBACK

    def _contradictions(self) -> list[str]:
        base = urlsplit(self.twilio_api_base)
        said = {
            "TWILIO_API_BASE must be Twilio's own address or a loopback address.": self.twilio_api_base
            != _TWILIO
            and base.hostname not in _LOOPBACK,
            "TWILIO_AUTH_TOKEN is missing beside TWILIO_ACCOUNT_SID.": bool(self.twilio_account_sid)
            and not self.twilio_auth_token,
            "TWILIO_FROM or TWILIO_MESSAGING_SERVICE_SID is missing beside TWILIO_ACCOUNT_SID.": bool(
                self.twilio_account_sid
            )
            and not (self.twilio_from or self.twilio_messaging_service_sid),
            "SMTP_SECURITY cannot be none where SMTP_HOST is another machine: sign-in and notices would go in clear.": (
                bool(self.smtp_host) and self.smtp_security == "none" and self.smtp_host not in _LOOPBACK
            ),
            "MAIL_BOUNCE_IMAP_SECURITY cannot be none where MAIL_BOUNCE_IMAP_HOST is another machine.": (
                self.mail_bounce_imap_security == "none"
                and bool(self.mail_bounce_imap_host)
                and self.mail_bounce_imap_host not in _LOOPBACK
            ),
            "MAIL_BOUNCES is missing beside MAIL_BOUNCE_IMAP_HOST: no mail would come back there.": (
                bool(self.mail_bounce_imap_host) and not self.mail_bounces
            ),
            "KEYRING_PASSPHRASE is missing beside KEYRING_FILE.": bool(self.keyring_file)
            and not self.keyring_passphrase,
            "DEMONSTRATION cannot be on where a real Twilio account, a real mail server or a public address is set.": (
                self.demonstration and self.is_live
            ),
        }
        return [sentence for sentence, wrong in said.items() if wrong]


def _given(given: Mapping[str, str], name: str) -> str | None:
    """The value of NAME, or the stripped text of the file that NAME_FILE names; None if neither is set."""
    if name in given:
        return given[name]
    path = given.get(f"{name}_FILE")
    # KEYRING_FILE is a setting of its own, not the file form of a setting KEYRING.
    return Path(path).read_text(encoding="utf-8").strip() if path else None

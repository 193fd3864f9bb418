"""Returned mail in a mailbox at a provider: read by IMAP over TLS from a real server."""

from __future__ import annotations

import imaplib
import socket
import ssl
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from foundation.settings import Settings, SettingsError
from notifications import bounce_box
from notifications.bounce_box import MailboxFault
from tests.notifications.mail_servers import certificate
from tests.servers import free_port
from tests.waiting import until

USER, PASSWORD = "bounces", "four words of ours"


@pytest.fixture(scope="module")
def vouched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return certificate(tmp_path_factory.mktemp("imap"))


@pytest.fixture(scope="module")
def port(vouched: Path) -> Iterator[int]:
    """Where the server listens; its inbox has mails that are nothing of ours, two of them unread."""
    found = free_port()
    command = [sys.executable, "-c", "from pymap.main import main; main()", "--host", "127.0.0.1"]
    command += ["--port", str(found), "--cert", str(vouched), "--key", str(vouched)]
    command += ["dict", "--demo-data", "--demo-user", USER, "--demo-password", PASSWORD]
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    until(lambda: _answers(found))
    yield found
    server.terminate()
    server.wait(30)


@pytest.fixture
def told(settings: Settings, port: int, vouched: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("SSL_CERT_FILE", str(vouched))
    return replace(
        settings,
        mail_bounces="bounces@waypost.example",
        mail_bounce_imap_host="127.0.0.1",
        mail_bounce_imap_port=port,
        mail_bounce_imap_security="starttls",
        mail_bounce_imap_user=USER,
        mail_bounce_imap_password=PASSWORD,
    )


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def put(told: Settings, mail: bytes) -> None:
    with imaplib.IMAP4("127.0.0.1", told.mail_bounce_imap_port) as box:
        box.starttls(ssl.create_default_context())
        box.login(USER, PASSWORD)
        box.append("INBOX", "", "", mail)


def held(told: Settings, subject: str) -> list[bytes]:
    """Numbers of the mails with these words in their subject, read or not."""
    with imaplib.IMAP4("127.0.0.1", told.mail_bounce_imap_port) as box:
        box.starttls(ssl.create_default_context())
        box.login(USER, PASSWORD)
        box.select("INBOX", readonly=True)
        _, (found,) = box.search(None, "SUBJECT", f'"{subject}"')
    return bytes(found or b"").split()


def test_what_is_taken_is_deleted_and_the_rest_is_read_once(told: Settings) -> None:
    put(told, b"Subject: Undelivered\r\n\r\nSorry.\r\n")
    seen: list[bytes] = []

    def take(raw: bytes) -> bool:
        seen.append(raw)
        return b"Undelivered" in raw

    first = bounce_box.read(told, take)
    assert first == len(seen)
    assert b"Subject: Undelivered\r\n\r\nSorry.\r\n" in seen
    assert bounce_box.read(told, take) == 0
    assert held(told, "Undelivered") == []


def test_a_mail_that_could_not_be_looked_at_comes_again(told: Settings) -> None:
    put(told, b"Subject: Undelivered again\r\n\r\nSorry.\r\n")
    times = 0

    def take(raw: bytes) -> bool:
        nonlocal times
        times += b"Undelivered again" in raw
        if times == 1:
            raise ZeroDivisionError
        return b"Undelivered again" in raw

    with pytest.raises(ZeroDivisionError):
        bounce_box.read(told, take)
    bounce_box.read(told, take)
    assert times == 2


def test_a_wrong_password_is_said_without_the_servers_words(told: Settings) -> None:
    with pytest.raises(MailboxFault) as fault:
        bounce_box.read(replace(told, mail_bounce_imap_password="wrong"), lambda raw: False)
    assert str(fault.value) == "error"


def test_a_server_that_nobody_vouches_for_is_told_no_password(
    told: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(ssl.SSLCertVerificationError):
        bounce_box.read(told, lambda raw: False)


def test_another_machine_is_never_asked_in_clear() -> None:
    given = {"MAIL_BOUNCE_IMAP_HOST": "mail.example", "MAIL_BOUNCE_IMAP_SECURITY": "none"}
    with pytest.raises(SettingsError) as fault:
        Settings.from_mapping({"SECRET_KEY": "k" * 40, **given})
    assert "MAIL_BOUNCE_IMAP_SECURITY cannot be none" in str(fault.value)

"""Mail by smtplib itself, against the stand-in's mail server on a socket."""

from __future__ import annotations

import ipaddress
import logging
import socket
import ssl
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from aiosmtpd.controller import Controller
from aiosmtpd.handlers import Sink
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from cryptography.x509.oid import NameOID

from foundation.settings import Settings
from notifications.mail import MailSender
from notifications.outcomes import Action, Outcome, OutcomeState
from notifications.standin import Running
from tests.servers import free_port

TEXT = "IMMINENT referral R-7K3M-Q2. Answer by 14:25.\n\nSign in:\nhttps://desk.waypost.example\n"
HTML = "<p>IMMINENT referral R-7K3M-Q2.</p>"
TRANSIENT, PERMANENT = OutcomeState.FAILED_TRANSIENT, OutcomeState.FAILED_PERMANENT


@pytest.fixture
def send(wired: Settings) -> Callable[..., Outcome]:
    """Sends the mail to the mailbox of that name."""

    def to(name: str, message_id: str = "notice1", settings: Settings = wired) -> Outcome:
        address = f"{name}@tempe.example"
        return MailSender(settings).send(address, "Café: ¿Sí?", TEXT, HTML, message_id=message_id)

    return to


def kept(phone: Running, name: str) -> list[dict[str, Any]]:
    """What the mailbox of that name holds."""
    answer = requests.get(f"{phone.base_url}/api/mail", {"to": f"{name}@tempe.example"}, timeout=5)
    mails: list[dict[str, Any]] = answer.json()
    return mails


def test_a_mail_arrives_as_text_and_html(send: Callable[..., Outcome], phone: Running) -> None:
    assert send("ines") == Outcome(OutcomeState.ACCEPTED, provider_id="notice1")
    (mail,) = kept(phone, "ines")
    assert (mail["subject"], mail["text"], mail["html"].strip()) == ("Café: ¿Sí?", TEXT, HTML)


def test_a_mail_says_that_a_machine_sent_it(send: Callable[..., Outcome], phone: Running) -> None:
    send("ines")
    headers = kept(phone, "ines")[0]["headers"]
    assert headers["Auto-Submitted"] == "auto-generated"
    assert headers["List-Id"] == "Waypost notices <notices.waypost.example>"
    assert headers["Message-ID"] == "<notice1@waypost.example>"
    assert headers["Date"].endswith("+0000")
    assert "Reply-To" not in headers


@pytest.mark.parametrize(
    ("name", "state", "action", "code"),
    [
        ("nobody", PERMANENT, Action.DISABLE_CONTACT, 550),
        ("full", TRANSIENT, Action.RETRY, 452),
        ("spam", PERMANENT, Action.NEXT_CONTACT, 554),
        ("grey", TRANSIENT, Action.RETRY, 451),
        ("cut", OutcomeState.UNKNOWN, Action.ASK, "cut_after_data"),
    ],
)
def test_each_answer_of_a_server_has_its_outcome(
    name: str, state: OutcomeState, action: Action, code: int | str, send: Callable[..., Outcome]
) -> None:
    assert send(name) == Outcome(state, action, code=code)


def test_grey_listing_passes_the_second_time(send: Callable[..., Outcome], phone: Running) -> None:
    assert send("grey.ines").state is TRANSIENT
    assert send("grey.ines").state is OutcomeState.ACCEPTED
    assert len(kept(phone, "grey.ines")) == 1


def test_a_mail_sent_again_carries_the_same_id(send: Callable[..., Outcome], phone: Running) -> None:
    send("cut.ines")
    send("cut.ines")
    assert len({mail["message_id"] for mail in kept(phone, "cut.ines")}) == 1


def test_a_server_that_is_not_there_is_tried_again(send: Callable[..., Outcome], wired: Settings) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        away = replace(wired, smtp_port=taken.getsockname()[1])
        assert send("ines", settings=away) == Outcome(TRANSIENT, Action.RETRY, code="ConnectionRefusedError")


def test_a_server_that_says_nothing_is_left_in_time(send: Callable[..., Outcome], wired: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute:
        patient = replace(wired, smtp_port=mute.getsockname()[1], smtp_timeout_seconds=0.2)
        assert send("ines", settings=patient).action is Action.RETRY


def test_nothing_goes_in_the_clear_to_another_machine(send: Callable[..., Outcome], wired: Settings) -> None:
    elsewhere = replace(wired, smtp_host="mail.tempe.example")
    assert send("ines", settings=elsewhere) == Outcome(PERMANENT, Action.CONFIGURATION, code="not_encrypted")


def test_without_a_server_nothing_is_sent(send: Callable[..., Outcome], wired: Settings) -> None:
    assert send("ines", settings=replace(wired, smtp_host="")).code == "not_configured"


def test_a_server_without_encryption_is_refused_where_it_is_asked_for(
    send: Callable[..., Outcome], wired: Settings, phone: Running
) -> None:
    outcome = send("ines", settings=replace(wired, smtp_security="starttls"))
    assert (outcome.state, outcome.action) == (TRANSIENT, Action.CONFIGURATION)
    assert kept(phone, "ines") == []


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_a_certificate_that_is_vouched_for_is_needed_and_is_enough(
    security: str,
    send: Callable[..., Outcome],
    wired: Settings,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    certificate = _certificate(tmp_path)
    with _tls_server(security, certificate) as port:
        guarded = replace(wired, smtp_security=security, smtp_port=port)
        assert send("ines", settings=guarded).action is Action.CONFIGURATION
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert send("ines", settings=guarded).state is OutcomeState.ACCEPTED


def test_a_server_that_speaks_no_tls_is_a_fault_of_the_set_up(
    send: Callable[..., Outcome], wired: Settings
) -> None:
    with _broken_tls() as port:
        outcome = send("ines", settings=replace(wired, smtp_security="tls", smtp_port=port))
    assert (outcome.state, outcome.action) == (TRANSIENT, Action.CONFIGURATION)


def test_a_password_without_a_server_that_asks_for_one_is_a_fault_of_the_set_up(
    send: Callable[..., Outcome], wired: Settings
) -> None:
    outcome = send("ines", settings=replace(wired, smtp_user="waypost", smtp_password="secret"))
    assert outcome.action is Action.CONFIGURATION


def test_no_log_holds_an_address_or_a_text(
    send: Callable[..., Outcome], caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in ("ines", "nobody", "cut"):
        send(name)
    assert "tempe.example" not in caplog.text
    assert "7K3M" not in caplog.text


def _certificate(folder: Path) -> Path:
    """A certificate of this machine's address, signed by itself, with its key in the same file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "127.0.0.1")])
    here = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    now = datetime.now(UTC)
    made = x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
    made = made.not_valid_before(now - timedelta(days=1)).not_valid_after(now + timedelta(days=1))
    signed = made.add_extension(here, critical=False).sign(key, hashes.SHA256())
    path = folder / "certificate.pem"
    secret = key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
    path.write_bytes(signed.public_bytes(Encoding.PEM) + secret)
    return path


@contextmanager
def _tls_server(security: str, certificate: Path) -> Iterator[int]:
    """A mail server that takes everything, behind that certificate."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    port = free_port()
    offered: Any = {"ssl_context": context} if security == "tls" else {"tls_context": context}
    server = Controller(Sink(), hostname="127.0.0.1", port=port, server_hostname="mail.invalid", **offered)
    server.start()
    yield port
    server.stop()


@contextmanager
def _broken_tls() -> Iterator[int]:
    """A server that answers a TLS greeting with something else."""
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(1024)
                connection.sendall(b"220 hello\r\n")

        threading.Thread(target=answer, daemon=True).start()
        yield server.getsockname()[1]

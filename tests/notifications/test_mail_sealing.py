"""Sealed mail: what the reader's own program opens is the notice, and nobody on the way reads it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage

import pysequoia
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7
from cryptography.x509.oid import NameOID

from notifications import mail_sealing
from notifications.mail_sealing import KeyFault

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
TEXT = "IMMINENT referral R-7K3M-Q2. Answer by 14:25. ¿Sí?"
PGP = pysequoia.Tsk.generate("Ines <ines@tempe.example>")
RSA = rsa.generate_private_key(public_exponent=65537, key_size=2048)


def _certificate(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey, ends: datetime) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Ines")])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(1).not_valid_before(NOW - timedelta(days=9)).not_valid_after(ends)
    return builder.sign(key, hashes.SHA256())


def _pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey = RSA, days: int = 9) -> str:
    return _certificate(key, NOW + timedelta(days=days)).public_bytes(Encoding.PEM).decode()


def _mail() -> EmailMessage:
    message = EmailMessage()
    message["From"], message["To"], message["Message-ID"] = (
        "notices@waypost.example",
        "ines@x.example",
        "<n@x>",
    )
    message.set_content(TEXT)
    message.add_alternative(f"<p>{TEXT}</p>", subtype="html")
    return message


def _sealed(key: str) -> EmailMessage:
    """As it comes out of the wire."""
    raw = mail_sealing.seal(_mail(), key, NOW).as_bytes(policy=policy.SMTP)
    assert b"R-7K3M-Q2" not in raw
    return message_from_bytes(raw, policy=policy.default)


def _text(opened: bytes) -> str:
    inner = message_from_bytes(opened, policy=policy.default)
    assert isinstance(inner, EmailMessage)
    body = inner.get_body(("plain",))
    assert body is not None
    return str(body.get_content()).strip()


def test_a_pgp_reader_opens_the_notice() -> None:
    arrived = _sealed(str(PGP.extract_certificate()))
    assert arrived.get_content_type() == "multipart/encrypted"
    assert arrived["Message-ID"] == "<n@x>"
    version, closed = arrived.iter_parts()
    assert version.get_content_type() == "application/pgp-encrypted"
    armoured = closed.get_payload(decode=True)
    assert isinstance(armoured, bytes)
    opened = pysequoia.decrypt(armoured, decryptor=PGP.decryptor()).bytes
    assert opened is not None
    assert _text(opened) == TEXT


def test_an_smime_reader_opens_the_notice() -> None:
    arrived = _sealed(_pem())
    assert arrived.get_content_type() == "application/pkcs7-mime"
    assert arrived.get_param("smime-type") == "enveloped-data"
    certificate = _certificate(RSA, NOW + timedelta(days=9))
    closed = arrived.get_payload(decode=True)
    assert isinstance(closed, bytes)
    assert _text(pkcs7.pkcs7_decrypt_der(closed, certificate, RSA, [])) == TEXT


@pytest.mark.parametrize(
    ("key", "says"),
    [
        ("hello", "neither"),
        ("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----", "cannot be read"),
        (
            "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nAAAA\n-----END PGP PUBLIC KEY BLOCK-----",
            "No mail can be sealed",
        ),
        ("-----BEGIN PGP PRIVATE KEY BLOCK-----", "keep it to yourself"),
        (_pem(days=-1), "ended"),
        (_pem(ec.generate_private_key(ec.SECP256R1())), "RSA"),
    ],
)
def test_a_key_that_cannot_be_used_is_refused_in_a_sentence(key: str, says: str) -> None:
    with pytest.raises(KeyFault, match=says):
        mail_sealing.check(key, NOW)


def test_a_good_key_is_kept_as_it_is() -> None:
    assert (
        mail_sealing.check(f"\n{PGP.extract_certificate()}\n", NOW) == str(PGP.extract_certificate()).strip()
    )

"""Mail sealed to its reader's own key, where they gave one: PGP/MIME (RFC 3156) or S/MIME (RFC 8551).

A notice says nothing of what was told; some offices want even that closed on the way. The one module beside sealing
and the ledger's checkpoint that knows ciphers, and only other people's formats.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from email.message import EmailMessage, MIMEPart
from email.policy import SMTP

import pysequoia
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, pkcs7

# So that no server on the way has a reason to touch a byte of it.
_POLICY = SMTP.clone(cte_type="7bit")
_PGP, _SMIME = "-----BEGIN PGP PUBLIC KEY BLOCK-----", "-----BEGIN CERTIFICATE-----"
_LARGEST = 100_000


class KeyFault(ValueError):
    """The key cannot be used; the message is a sentence for the field."""


def check(key: str, now: datetime) -> str:
    """The key as it is kept, `PGP` or `S/MIME`, ready to seal to at that moment. Raises KeyFault."""
    text = key.strip()
    if len(text) > _LARGEST:
        raise KeyFault("That is too long for a key. Export yours alone.")
    if "PRIVATE KEY" in text:
        raise KeyFault("That is a private key: keep it to yourself, and paste the public one.")
    seal(EmailMessage(policy=_POLICY), text, now)
    return text


def seal(message: EmailMessage, key: str, now: datetime) -> EmailMessage:
    """The mail with its body, texts and HTML together, sealed; the headers stay. Raises KeyFault."""
    begins = next((begins for begins in _SEALERS if key.startswith(begins)), None)
    if begins is None:
        raise KeyFault("That is neither a PGP public key nor a PEM certificate for S/MIME.")
    sealed = EmailMessage(policy=_POLICY)
    for name, value in message.items():
        if not name.lower().startswith(("content-", "mime-version")):
            sealed[name] = value
    body = MIMEPart(policy=_POLICY)
    body.set_payload(message.get_payload())
    for name, value in message.items():
        if name.lower().startswith("content-"):
            body[name] = value
    _SEALERS[begins](sealed, body.as_bytes(policy=_POLICY), key, now)
    return sealed


def _seal_pgp(sealed: EmailMessage, body: bytes, key: str, now: datetime) -> None:
    with _said(
        "No mail can be sealed to that PGP key: it has ended, was revoked, or has no part for encryption."
    ):
        armoured = pysequoia.encrypt(body, recipients=[pysequoia.Cert.from_bytes(key.encode())])
    sealed["MIME-Version"] = "1.0"
    sealed["Content-Type"] = 'multipart/encrypted; protocol="application/pgp-encrypted"'
    sealed.set_payload([])
    for kind, content in (
        ("application/pgp-encrypted", b"Version: 1\r\n"),
        ("application/octet-stream", armoured),
    ):
        part = EmailMessage(policy=_POLICY)
        part["Content-Type"] = kind
        part.set_payload(bytes(content).decode("ascii"))
        sealed.attach(part)


def _seal_smime(sealed: EmailMessage, body: bytes, key: str, now: datetime) -> None:
    with _said("That certificate cannot be read."):
        certificate = x509.load_pem_x509_certificate(key.encode())
    if not certificate.not_valid_before_utc <= now < certificate.not_valid_after_utc:
        raise KeyFault(
            f"That certificate ended, or begins later: {certificate.not_valid_after_utc:%Y-%m-%d}."
        )
    if not isinstance(certificate.public_key(), RSAPublicKey):
        raise KeyFault("Only certificates with an RSA key can be used for S/MIME here.")
    builder = pkcs7.PKCS7EnvelopeBuilder().set_data(body).add_recipient(certificate)
    closed = builder.encrypt(Encoding.DER, [pkcs7.PKCS7Options.Binary])
    sealed.set_content(
        closed, maintype="application", subtype="pkcs7-mime", cte="base64", filename="smime.p7m",
        params={"smime-type": "enveloped-data"},
    )  # fmt: skip


_SEALERS: Mapping[str, Callable[[EmailMessage, bytes, str, datetime], None]] = {
    _PGP: _seal_pgp,
    _SMIME: _seal_smime,
}


@contextmanager
def _said(sentence: str) -> Iterator[None]:
    """Both libraries raise many kinds of things at strange keys; what they say may quote the key."""
    try:
        yield
    except Exception:
        raise KeyFault(sentence) from None

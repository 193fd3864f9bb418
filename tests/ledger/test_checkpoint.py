"""Checkpoints: the text form of C2SP, Ed25519 by its own vectors, and notes that nobody is fooled by."""

from __future__ import annotations

import base64

import pytest

from ledger import checkpoint, log
from ledger.checkpoint import BadKey, BadNote, Signer, Verifier
from tests.ledger.logged import script

# RFC 8032, 7.1: secret key, public key, message, signature.
VECTORS = [
    (
        "9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60",
        "d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a",
        "",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e065224901555fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "fc51cd8e6218a1a38da47ed00230f0580816ed13ba3303ac5deb911548908025",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]
OURS = Signer.read(checkpoint.new_key("log.example"))
OTHERS = Signer.read(checkpoint.new_key("log.example"))
NOTE = checkpoint.write("log.example", 3, log.EMPTY, [OURS])


@pytest.mark.parametrize(("seed", "public", "message", "signature"), VECTORS)
def test_the_script_checks_ed25519_as_its_standard_says(
    seed: str, public: str, message: str, signature: str
) -> None:
    signed = script("verify_receipt").signed
    parts = [bytes.fromhex(each) for each in (public, message, signature)]
    assert signed(*parts)
    assert not signed(parts[0], parts[1] + b"!", parts[2])
    assert not signed(parts[0], parts[1], parts[2][:-1] + bytes([parts[2][-1] ^ 0x10]))
    assert Signer.of("log.example", bytes.fromhex(seed)).verifier.public == parts[0]


def test_the_script_takes_no_signature_whose_number_is_too_large() -> None:
    """Adding the group's order gives a second signature that many careless checks take."""
    module = script("verify_receipt")
    public, message, signature = (bytes.fromhex(each) for each in VECTORS[1][1:])
    number = int.from_bytes(signature[32:], "little") + module.L
    assert not module.signed(public, message, signature[:32] + number.to_bytes(32, "little"))


def test_a_note_of_go_s_checksum_database_can_be_read() -> None:
    """The example of golang.org/x/mod/sumdb/note, whose form C2SP wrote down."""
    verifier = Verifier.read("PeterNeumann+c74f20a3+ARpc2QcUPDhMQegwxbzhKqiBfsVkmqq/LDE4izWy10TW")
    text = (
        "If you think cryptography is the answer to your problem,\n"
        "then you don't know what your problem is.\n"
    )
    line = "— PeterNeumann x08go/ZJkuBS9UG/SffcvIAQxVBtiFupLLr8pAcElZInNIuGUgYN1FFYC2pZSNXgKvqfqdngotpRZb6KE6RyyBwJnAM="
    signature = base64.b64decode(line.rpartition(" ")[2])
    assert signature[:4] == verifier.id
    assert verifier.signed(text, signature[4:])


def test_a_checkpoint_is_origin_size_root_and_signature() -> None:
    lines = NOTE.split("\n")
    assert lines[:4] == ["log.example", "3", base64.b64encode(log.EMPTY).decode(), ""]
    assert lines[4].startswith("— log.example ")
    said = checkpoint.read(NOTE, [OURS.verifier])
    assert (said.origin, said.size, said.root, said.signed_by) == (
        "log.example", 3, log.EMPTY, (OURS.verifier,),
    )  # fmt: skip


def test_keys_come_back_from_their_text() -> None:
    assert Verifier.read(str(OURS.verifier)) == OURS.verifier


def test_a_note_that_no_known_key_signed_is_refused() -> None:
    with pytest.raises(BadNote, match="no known key"):
        checkpoint.read(NOTE, [OTHERS.verifier])


def test_a_changed_note_is_refused() -> None:
    with pytest.raises(BadNote, match="does not fit"):
        checkpoint.read(NOTE.replace("\n3\n", "\n4\n"), [OURS.verifier])


def test_while_keys_rotate_either_is_enough() -> None:
    both = checkpoint.write("log.example", 3, log.EMPTY, [OTHERS, OURS])
    for known in (OURS.verifier, OTHERS.verifier):
        assert checkpoint.read(both, [known]).signed_by == (known,)


def test_one_known_signature_that_is_wrong_spoils_a_note() -> None:
    with pytest.raises(BadNote, match="does not fit"):
        checkpoint.read(NOTE + OTHERS.line("another text"), [OURS.verifier, OTHERS.verifier])


@pytest.mark.parametrize("text", ["", "no note", "a\n\nb", "log.example\n03\nAAAA\n\n— log.example AAAA"])
def test_what_is_no_note_is_refused(text: str) -> None:
    with pytest.raises(BadNote):
        checkpoint.read(text, [OURS.verifier])


@pytest.mark.parametrize(
    "text",
    [
        "",
        "PRIVATE+KEY+a+b",
        "PRIVATE+KEY+log.example+00000000+AQ==",
        str(OURS.verifier),
        "PRIVATE+KEY+a b+c+d",
    ],
    # A key is another in each process, and processes that share a run must know the tests by one name.
    ids=["empty", "two parts", "too short", "a public one", "a name with a space"],
)
def test_what_is_no_key_is_refused_and_not_repeated(text: str) -> None:
    with pytest.raises(BadKey) as fault:
        Signer.read(text)
    assert text == "" or text not in str(fault.value)

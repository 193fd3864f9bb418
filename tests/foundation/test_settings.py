"""Settings: read once, all faults at once, secrets from files and never shown."""

from __future__ import annotations

from pathlib import Path

import pytest

from foundation.settings import Settings, SettingsError

SECRET = "only the tests know this key, and nobody else"


def settings(**given: str) -> Settings:
    return Settings.from_mapping({"SECRET_KEY": SECRET} | given)


def faults(**given: str) -> list[str]:
    with pytest.raises(SettingsError) as fault:
        settings(**given)
    return fault.value.faults


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(SettingsError) as fault:
        Settings.from_mapping({"SMTP_PORT": "many", "PUBLIC_URL": "tips", "SEALING_SUITE": "rot13"})
    named = [sentence.split(" ")[0].strip(":") for sentence in fault.value.faults]
    assert named == ["SECRET_KEY", "PUBLIC_URL", "SEALING_SUITE", "SMTP_PORT"]


def test_a_value_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text(SECRET + "\n")
    assert Settings.from_mapping({"SECRET_KEY_FILE": str(tmp_path / "secret")}).secret_key == SECRET


def test_a_file_that_is_not_there_is_a_fault(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="SECRET_KEY"):
        Settings.from_mapping({"SECRET_KEY_FILE": str(tmp_path / "nothing")})


def test_a_short_secret_is_refused_and_not_repeated() -> None:
    with pytest.raises(SettingsError) as fault:
        Settings.from_mapping({"SECRET_KEY": "hunter2"})
    assert "hunter2" not in str(fault.value)


@pytest.mark.parametrize("name", ["secret_key", "database_url", "keyring_passphrase", "twilio_auth_token"])
def test_secrets_are_not_in_the_representation(name: str) -> None:
    said = repr(settings(DATABASE_URL="postgresql://u:hunter2@db/w", KEYRING_PASSPHRASE="hunter2" * 3))
    assert f"{name}=" not in said
    assert "hunter2" not in said


def test_a_database_that_is_neither_kind_is_refused_without_its_password() -> None:
    (sentence,) = faults(DATABASE_URL="mysql://waypost:hunter2@db/waypost")
    assert sentence.startswith("DATABASE_URL")
    assert "hunter2" not in sentence


@pytest.mark.parametrize("text", ["0", "-1", "nan", "inf", "soon"])
def test_a_wait_is_a_real_number_of_seconds(text: str) -> None:
    assert len(faults(TWILIO_TIMEOUT_SECONDS=text)) == 1


@pytest.mark.parametrize(
    ("text", "said"),
    [("yes", True), (" On ", True), ("1", True), ("no", False), ("FALSE", False), ("", False)],
)
def test_yes_and_no_are_said_in_some_ways(text: str, said: bool) -> None:
    assert settings(DEMONSTRATION=text).demonstration is said


def test_what_is_neither_yes_nor_no_stops_the_start() -> None:
    assert len(faults(DEMONSTRATION="maybe")) == 1


@pytest.mark.parametrize(
    "given",
    [
        {"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_FROM": "+1"},
        {"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "t"},
        {"TWILIO_API_BASE": "https://twilio.example"},
        {"KEYRING_FILE": "ring.json"},
        {"DEMONSTRATION": "yes", "PUBLIC_URL": "https://tips.example.org"},
        {"DEMONSTRATION": "yes", "SMTP_HOST": "mail.example.org"},
    ],
)
def test_what_contradicts_itself_stops_the_start(given: dict[str, str]) -> None:
    assert len(faults(**given)) == 1


@pytest.mark.parametrize(
    ("given", "live"),
    [
        ({}, False),
        ({"SMTP_HOST": "127.0.0.1"}, False),
        ({"SMTP_HOST": "mail.example.org"}, True),
        ({"DESK_URL": "https://desk.example.org"}, True),
        ({"TWILIO_ACCOUNT_SID": "AC1", "TWILIO_AUTH_TOKEN": "t", "TWILIO_FROM": "+1"}, True),
    ],
)
def test_it_is_live_where_real_people_could_be_reached(given: dict[str, str], live: bool) -> None:
    assert settings(**given).is_live is live

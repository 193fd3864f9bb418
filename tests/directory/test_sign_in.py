"""Signing in: three things at once, five tries, sessions that end, and words that outlive them."""

from __future__ import annotations

import html
import re
from dataclasses import replace
from typing import Any

import pytest
from argon2 import extract_parameters
from argon2.profiles import RFC_9106_LOW_MEMORY
from flask.testing import FlaskClient
from sqlalchemy import Engine, func, select, update
from werkzeug.test import TestResponse

from desk import demonstration
from desk.demonstration import PASSWORD
from directory import guards, sign_in
from directory.tables import members, sign_in_failures
from foundation import clock, database
from foundation.settings import Settings
from intake.app import create_app
from ledger.tables import ledger_entries
from tests import builders, hashing
from tests.builders import Town, later
from tests.intake.office import Office, text

WORDS = 'He said he will bring a knife.\r\n\r\n<b>Friday</b> & "soon".'
FRANK = next(person for person in demonstration.cast() if person.name.startswith("Frank"))


@pytest.fixture
def town(engine: Engine, settings: Settings) -> Town:
    return builders.found(engine, settings)


@pytest.fixture
def client(town: Town) -> FlaskClient:
    return create_app(town.settings, town.engine).test_client()


def _try(client: FlaskClient, **answers: str) -> TestResponse:
    code = builders.fresh_code(FRANK.totp_secret)
    form = {"email": FRANK.email, "password": PASSWORD, "code": code}
    token = builders.csrf_token(client.get("/sign-in").text)
    return client.post("/sign-in", data={"csrf_token": token} | form | answers)


def test_a_password_that_is_gone_is_not_said_to_be_kept(client: FlaskClient) -> None:
    page = _try(client, code="000000").text
    assert "Please look at this again" in page
    assert "Nothing you typed is lost" not in page
    assert PASSWORD not in page


def _cookies(answer: TestResponse) -> str:
    return "\n".join(line for line in answer.headers.getlist("Set-Cookie") if "member" in line)


def test_a_guess_costs_what_rfc_9106_asks() -> None:
    real = extract_parameters(hashing.REAL.hash(PASSWORD))
    assert real == RFC_9106_LOW_MEMORY


def test_the_three_together_lead_to_the_portal(client: FlaskClient) -> None:
    answer = _try(client)
    assert (answer.status_code, answer.headers["Location"]) == (302, "/portal")
    assert client.get("/portal").status_code == 200


@pytest.mark.parametrize(
    "wrong",
    [
        {"email": "nobody@nowhere.example"},
        {"email": "frank@\x00"},
        {"password": "waypost demonstratio"},
        {"code": "000000"},
        {"code": "１２３４５６"},
        {"code": ""},
    ],
)
def test_one_of_them_wrong_is_a_page_and_no_session(client: FlaskClient, wrong: dict[str, str]) -> None:
    answer = _try(client, **wrong)
    assert answer.status_code == 400
    assert _cookies(answer) == ""
    assert client.get("/portal").status_code == 302


def test_what_was_wrong_is_not_told_apart(client: FlaskClient) -> None:
    pages = [
        text(_try(client, **wrong)).replace(*swap)
        for wrong, swap in [
            ({"email": "nobody@nowhere.example"}, ("nobody@nowhere.example", FRANK.email)),
            ({"password": "not the password"}, ("", "")),
            ({"code": "000000"}, ("", "")),
        ]
    ]
    assert len(set(pages)) == 1


def test_a_code_serves_once(client: FlaskClient) -> None:
    code = builders.fresh_code(FRANK.totp_secret)
    assert _try(client, code=code).status_code == 302
    assert _try(client, code=code).status_code == 400


def test_a_recovery_code_serves_once(town: Town, client: FlaskClient) -> None:
    with database.transaction(town.engine) as session:
        code, _ = sign_in.new_recovery_codes(session, town.member_id("Frank"), 2)
    assert _try(client, code=code.lower()).status_code == 302
    assert _try(client, code=code).status_code == 400


def test_five_wrong_tries_lock_for_fifteen_minutes(client: FlaskClient) -> None:
    for _ in range(5):
        assert _try(client, password="not the password").status_code == 400
    assert _try(client).status_code == 400
    with later(minutes=15, seconds=1):
        assert _try(client).status_code == 302


def test_many_tries_at_once_are_five_answers(town: Town, client: FlaskClient) -> None:
    for _ in range(8):
        _try(client, code="000000")
    with database.reading(town.engine) as session:
        assert session.execute(select(func.count()).select_from(sign_in_failures)).scalar_one() == 5


def test_a_network_that_only_guesses_is_slowed(client: FlaskClient) -> None:
    # Right addresses are locked far earlier; this is for guesses at many of them.
    tries = [_try(client, email=f"{number}@nowhere.example").status_code for number in range(51)]
    assert tries == [400] * 50 + [429]


def test_each_try_is_in_the_ledger_without_a_name(town: Town, client: FlaskClient) -> None:
    _try(client, email="nobody@nowhere.example")
    _try(client)
    with database.reading(town.engine) as session:
        query = select(ledger_entries.c.kind, ledger_entries.c.body).order_by(ledger_entries.c.sequence)
        rows = session.execute(query).all()
    tries = [row for row in rows if row.kind.startswith("sign")]
    assert [row.kind for row in tries] == ["sign_in_refused", "signed_in"]
    assert "@" not in "".join(row.body for row in tries)


@pytest.mark.parametrize(("minutes", "status"), [(29, 200), (31, 302)])
def test_an_idle_session_ends(client: FlaskClient, minutes: int, status: int) -> None:
    _try(client)
    with later(minutes=minutes):
        assert client.get("/portal").status_code == status


def test_a_busy_session_ends_after_twelve_hours(client: FlaskClient) -> None:
    _try(client)
    for quarter in range(1, 48):
        with later(minutes=15 * quarter):
            assert client.get("/portal").status_code == 200
    with later(hours=12, seconds=1):
        assert client.get("/portal").status_code == 302


def test_signing_out_ends_it_everywhere(client: FlaskClient) -> None:
    cookie = _cookies(_try(client)).partition(";")[0].partition("=")
    page = client.get("/portal").text
    answer = client.post("/sign-out", data={"csrf_token": builders.csrf_token(page)})
    assert answer.headers["Location"] == "/sign-in"
    client.set_cookie(cookie[0], cookie[2])
    assert client.get("/portal").status_code == 302


def test_a_member_who_was_let_go_is_out_at_once(town: Town, client: FlaskClient) -> None:
    _try(client)
    with database.transaction(town.engine) as session:
        session.execute(update(members).where(members.c.email == FRANK.email).values(active=False))
    assert client.get("/portal").status_code == 302


def test_each_sign_in_has_a_new_token_and_ends_the_one_before(client: FlaskClient) -> None:
    planted = _cookies(_try(client)).partition(";")[0].partition("=")
    with later(minutes=1):
        fresh = _cookies(_try(client)).partition(";")[0].partition("=")
    assert planted[2] != fresh[2]
    client.set_cookie(planted[0], planted[2])
    assert client.get("/portal").status_code == 302


def test_the_cookie_is_for_this_door_alone(client: FlaskClient) -> None:
    cookie = _cookies(_try(client))
    for flag in ("HttpOnly", "Path=/", "SameSite=Lax"):
        assert flag in cookie
    assert "Domain" not in cookie
    assert "Expires" not in cookie


def test_over_tls_no_other_host_can_plant_a_cookie(town: Town) -> None:
    public = replace(town.settings, public_url="https://tips.example.org")
    client = create_app(public, town.engine).test_client()
    page = client.get("/sign-in", base_url="https://localhost")
    form = {"email": FRANK.email, "password": PASSWORD, "code": builders.fresh_code(FRANK.totp_secret)}
    answer = client.post(
        "/sign-in",
        base_url="https://localhost",
        headers={"Referer": "https://localhost/sign-in"},
        data=form | {"csrf_token": builders.csrf_token(page.text)},
    )
    assert _cookies(answer).startswith("__Host-waypost_intake_member=")
    assert "Secure" in _cookies(answer)


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example",
        "//evil.example",
        "/\\evil.example",
        "/\t/evil.example",
        "\t//evil.example",
        "/\n/evil.example",
        "javascript:alert(1)",
        "evil",
    ],
)
def test_it_leads_nowhere_else(client: FlaskClient, address: str) -> None:
    assert _try(client, next=address).headers["Location"] == "/portal"


def test_it_leads_back_to_the_page_that_was_asked_for(client: FlaskClient) -> None:
    asked = client.get("/portal?after=R-7K3M-Q2").headers["Location"]
    page = client.get(asked).text
    found = re.search(r'name="next"[^>]*value="([^"]+)"', page)
    assert found
    assert _try(client, next=html.unescape(found[1])).headers["Location"] == "/portal?after=R-7K3M-Q2"


def test_the_demonstration_says_where_its_codes_are(town: Town) -> None:
    shown = replace(town.settings, demonstration=True)
    pages = [
        create_app(each, town.engine).test_client().get("/sign-in").text for each in (shown, town.settings)
    ]
    assert ["This is a demonstration" in page for page in pages] == [True, False]


@pytest.fixture
def frank(town: Town) -> Office:
    return Office(town)


def _too_late(frank: Office, **answers: Any) -> TestResponse:
    """A form that was filled in before the session ended and sent after it."""
    form = frank.form() | {"what_happened": WORDS, "behaviours": ["stalking", "leakage"]} | answers
    with frank.app.app_context():
        frank.client.delete_cookie(guards.cookie_name("intake"))
    return frank.client.post("/portal/forward", data=form)


def _hidden(page: str) -> list[tuple[str, str]]:
    found = re.findall(r'<input[^>]*type="hidden"[^>]*>', page)
    pairs = [(re.search(r'name="([^"]*)"', tag), re.search(r'value="([^"]*)"', tag)) for tag in found]
    return [(html.unescape(name[1]), html.unescape(value[1])) for name, value in pairs if name and value]


def _fields(pairs: list[tuple[str, str]]) -> dict[str, list[str]]:
    sent: dict[str, list[str]] = {}
    for name, value in pairs:
        sent.setdefault(name, []).append(value)
    return sent


def test_words_that_were_sent_too_late_are_on_the_page_to_copy(frank: Office) -> None:
    answer = _too_late(frank)
    assert answer.status_code == 401
    assert html.escape(WORDS).replace("&#x27;", "&#39;").replace("&quot;", "&#34;") in answer.text
    assert frank.filed() == 0


def test_after_signing_in_again_one_press_sends_them(frank: Office) -> None:
    page = _too_late(frank)
    code = builders.fresh_code(FRANK.totp_secret)
    form = _fields(_hidden(page.text)) | {"email": [FRANK.email], "password": [PASSWORD]}
    wrong = frank.client.post("/sign-in", data=form | {"code": ["000000"]})
    assert wrong.status_code == 400
    form = _fields(_hidden(wrong.text)) | {"email": [FRANK.email], "password": [PASSWORD], "code": [code]}
    again = frank.client.post("/sign-in", data=form)
    assert 'action="/portal/forward"' in again.text
    assert PASSWORD not in again.text
    sent = frank.client.post("/portal/forward", data=_fields(_hidden(again.text)))
    assert sent.status_code == 303
    assert frank.row().facts["behaviours"] == ["leakage", "stalking"]


def test_the_words_do_not_lead_anywhere_else(frank: Office) -> None:
    form = _fields(_hidden(_too_late(frank).text)) | {"email": [FRANK.email], "password": [PASSWORD]}
    form |= {"code": [builders.fresh_code(FRANK.totp_secret)], "next": ["//evil.example"]}
    assert 'action="/portal"' in frank.client.post("/sign-in", data=form).text


def test_a_press_without_words_leads_to_the_sign_in_page(frank: Office) -> None:
    token = frank.form()["csrf_token"]
    with frank.app.app_context():
        frank.client.delete_cookie(guards.cookie_name("intake"))
    answer = frank.client.post("/sign-out", data={"csrf_token": token})
    assert (answer.status_code, answer.headers["Location"]) == (302, "/sign-in")


def test_a_session_of_one_door_is_none_at_the_other(town: Town) -> None:
    now = clock.now()
    with database.transaction(town.engine) as session:
        token = sign_in.open_session(session, town.member_id("Ada"), "desk", now)
        assert sign_in.resume(session, token, "desk", town.settings, now)
        assert sign_in.resume(session, token, "intake", town.settings, now) is None


def test_typing_the_password_again_is_remembered_for_ten_minutes(frank: Office) -> None:
    with later(minutes=11):
        page = frank.client.get("/prove").text
        token = builders.csrf_token(page)
        wrong = frank.client.post("/prove", data={"csrf_token": token, "password": "no", "next": "/portal"})
        right = frank.client.post(
            "/prove", data={"csrf_token": token, "password": PASSWORD, "next": "/portal"}
        )
    assert (wrong.status_code, right.status_code) == (400, 302)
    assert right.headers["Location"] == "/portal"


def test_wrong_passwords_at_re_entry_lock_too(frank: Office) -> None:
    token = builders.csrf_token(frank.client.get("/prove").text)
    for _ in range(5):
        frank.client.post("/prove", data={"csrf_token": token, "password": "no"})
    assert frank.client.post("/prove", data={"csrf_token": token, "password": PASSWORD}).status_code == 400


def test_a_password_needs_fifteen_characters() -> None:
    with pytest.raises(sign_in.WeakPassword):
        sign_in.hash_password("fourteen signs")

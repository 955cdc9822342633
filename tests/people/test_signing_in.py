"""Codes and tokens: what an attacker may try, and what is kept of either."""

from datetime import timedelta
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from courier_api.people import signing_in
from courier_api.people.models import Role
from tests.cast import Cast, sent_code
from tests.refusals import nothing_written, problem_in

PHONE = "0912000001"
E164 = "+84912000001"


class Phone:
    """A telephone: it asks for codes and reads the messages."""

    def __init__(self, cast: Cast, messages: list[tuple[str, str]]) -> None:
        self.cast = cast
        self.messages = messages

    def ask(self, phone: str = PHONE, status: int = 202) -> Any:
        """Ask for a code; the code that came, or the refusal."""
        answer = self.cast.client.post("/api/v1/public/sign-in-codes", json={"phone": phone})
        assert answer.status_code == status, answer.data
        return sent_code(self.messages[-1][1]) if status == 202 else answer

    def sign_in(self, code: str, phone: str = PHONE, **more: Any) -> Any:
        """Give a code."""
        return self.cast.client.post("/api/v1/public/sign-ins", json={"phone": phone, "code": code} | more)


@pytest.fixture
def phone(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> Phone:
    """The citizen's telephone."""
    messages: list[tuple[str, str]] = []
    monkeypatch.setattr("courier_api.api.public.send_sms", lambda to, said: messages.append((to, said)))
    return Phone(cast, messages)


def other_than(code: str) -> str:
    """A wrong code."""
    return f"{(int(code) + 1) % 1_000_000:06d}"


def age(session: Session, table: str, column: str, by: timedelta) -> None:
    """Let time pass for what stands in a table."""
    session.execute(text(f"UPDATE {table} SET {column} = {column} - :by"), {"by": by})
    session.commit()


def test_a_right_code_gives_a_token_once(phone: Phone) -> None:
    code = phone.ask()
    answer = phone.sign_in(code)
    assert answer.status_code == 201
    token = answer.get_json()["token"]
    me = phone.cast.client.get("/api/v1/citizens/dossiers", headers={"Authorization": f"Bearer {token}"})
    assert me.status_code == 200
    with nothing_written(phone.cast.session):
        problem_in(phone.sign_in(code), 401, "wrong_code")


def test_three_wrong_tries_end_a_code(phone: Phone) -> None:
    code = phone.ask()
    for _ in range(3):
        problem_in(phone.sign_in(other_than(code)), 401, "wrong_code")
    with nothing_written(phone.cast.session):
        problem_in(phone.sign_in(code), 401, "wrong_code")


def test_two_wrong_tries_do_not(phone: Phone) -> None:
    code = phone.ask()
    for _ in range(2):
        phone.sign_in(other_than(code))
    assert phone.sign_in(code).status_code == 201


def test_wrong_tries_write_nothing_but_their_count(phone: Phone) -> None:
    code = phone.ask()
    with nothing_written(phone.cast.session, "one_time_code"):
        phone.sign_in(other_than(code))


def test_a_code_runs_out(phone: Phone) -> None:
    code = phone.ask()
    age(phone.cast.session, "one_time_code", "expires_at", timedelta(minutes=5, seconds=1))
    with nothing_written(phone.cast.session):
        problem_in(phone.sign_in(code), 401, "wrong_code")


def test_a_new_code_ends_the_old_one(phone: Phone) -> None:
    first, second = phone.ask(), phone.ask()
    if first != second:
        problem_in(phone.sign_in(first), 401, "wrong_code")
    assert phone.sign_in(second).status_code == 201


def test_after_a_new_code_was_used_the_old_one_stays_dead(phone: Phone) -> None:
    first, second = phone.ask(), phone.ask()
    assert phone.sign_in(second).status_code == 201
    problem_in(phone.sign_in(first), 401, "wrong_code")


def test_a_code_is_for_its_phone_only(phone: Phone) -> None:
    code = phone.ask()
    other = phone.ask("0912000011")
    problem_in(phone.sign_in(code, "0912000012"), 401, "wrong_code")
    if other != code:
        problem_in(phone.sign_in(code, "0912000011"), 401, "wrong_code")


@pytest.mark.parametrize("written", ["0912000001", "+84912000001", "84 912 000 001", "0912.000.001"])
def test_a_phone_may_be_written_in_any_way(phone: Phone, written: str) -> None:
    assert phone.sign_in(phone.ask(written), "+84 912 000 001").status_code == 201
    assert phone.messages[-1][0] == E164


def test_three_codes_in_ten_minutes(phone: Phone) -> None:
    for written in ("0912000001", "+84912000001", "0912 000 001"):
        phone.ask(written)
    with nothing_written(phone.cast.session):
        answer = phone.ask(status=429)
        problem_in(answer, 429, "too_many_codes")
        assert int(answer.headers["Retry-After"]) == 600
    assert len(phone.messages) == 3
    phone.ask("0912000011")  # another phone is not held up


def test_five_codes_a_day(phone: Phone) -> None:
    for _ in range(5):
        phone.ask()
        age(phone.cast.session, "one_time_code", "created_at", timedelta(minutes=11))
    with nothing_written(phone.cast.session):
        answer = phone.ask(status=429)
        problem_in(answer, 429, "too_many_codes")
        assert int(answer.headers["Retry-After"]) > 600
    age(phone.cast.session, "one_time_code", "created_at", timedelta(days=1))
    phone.ask()


def test_a_flood_of_codes_is_stopped(phone: Phone, monkeypatch: pytest.MonkeyPatch) -> None:
    from dataclasses import replace

    from courier_api.settings import settings

    few = replace(settings(), otp_all_per_day=2)
    monkeypatch.setattr(signing_in, "settings", lambda: few)
    phone.ask("0912000011")
    phone.ask("0912000012")
    problem_in(phone.ask(status=429), 429, "codes_stopped")


def test_the_answer_tells_nothing_of_who_is_known(phone: Phone) -> None:
    known = phone.cast.client.post("/api/v1/public/sign-in-codes", json={"phone": PHONE})
    unknown = phone.cast.client.post("/api/v1/public/sign-in-codes", json={"phone": "0987654321"})
    assert known.data == unknown.data


@pytest.mark.parametrize("role", ["courier", "clerk", "dispatcher", "officer"])
def test_a_role_must_be_granted(phone: Phone, role: str) -> None:
    code = phone.ask()
    with nothing_written(phone.cast.session, "one_time_code"):
        problem_in(phone.sign_in(code, role=role), 403, "role_not_granted", "/role")


def test_staff_of_one_role_has_not_another(phone: Phone) -> None:
    problem_in(phone.sign_in(phone.ask("0912000002"), "0912000002", role="clerk"), 403, "role_not_granted")
    assert phone.sign_in(phone.ask("0912000002"), "0912000002", role="courier").status_code == 201


def test_staff_cannot_rename_himself_at_the_door(phone: Phone) -> None:
    answer = phone.sign_in(phone.ask("0912000002"), "0912000002", role="courier", full_name="Someone Else")
    assert answer.get_json()["full_name"] == "Trần Văn Nam"


def test_what_is_no_code_is_named_and_not_counted(phone: Phone) -> None:
    phone.ask()
    with nothing_written(phone.cast.session):
        for code in ("12345", "1234567", "abcdef", "１２３４５６", "", None, 123456, ["123456"]):
            problem_in(phone.sign_in(code), 422, "bad_fields", "/code")


def test_what_is_no_phone_is_named(phone: Phone) -> None:
    for number in ("", "abc", "123", "+1", "0" * 31, None, 912000001):
        with nothing_written(phone.cast.session):
            answer = phone.cast.client.post("/api/v1/public/sign-in-codes", json={"phone": number})
        assert answer.status_code == 422
        assert answer.get_json()["errors"][0]["pointer"] == "/phone"


def test_a_token_runs_out(cast: Cast) -> None:
    cast.citizen.get("/dossiers")
    age(cast.session, "access_token", "expires_at", timedelta(days=31))
    cast.citizen.get("/dossiers", 401)
    problem_in(cast.citizen.last, 401, "not_signed_in")


def test_signing_out_ends_this_token_and_no_other(phone: Phone) -> None:
    cast = phone.cast
    other = phone.sign_in(phone.ask()).get_json()["token"]
    headers = {"Authorization": f"Bearer {cast.citizen.token}"}
    for _ in range(2):
        assert cast.client.delete("/api/v1/public/sign-ins/current", headers=headers).status_code == 204
    cast.citizen.get("/dossiers", 401)
    mine = cast.client.get("/api/v1/citizens/dossiers", headers={"Authorization": f"Bearer {other}"})
    assert mine.status_code == 200


def test_an_authorization_that_is_none(cast: Cast) -> None:
    for header in ("Basic abc", "Bearer", "Bearer ", "bearer", "token", "Bearer\tx", "Bearer ü"):
        answer = cast.client.get("/api/v1/citizens/dossiers", headers={"Authorization": header})
        problem_in(answer, 401, "not_signed_in")


def test_neither_code_nor_token_is_kept(phone: Phone) -> None:
    code = phone.ask()
    token = phone.sign_in(code).get_json()["token"]
    session = phone.cast.session
    for table, secret in (("one_time_code", code), ("access_token", token)):
        rows = session.execute(text(f"SELECT t.*, t::text AS everything FROM {table} t")).all()
        assert rows
        for row in rows:
            for value in row:
                raw = bytes(value) if isinstance(value, memoryview | bytes) else str(value).encode()
                assert secret.encode() not in raw
                assert secret.encode().hex().encode() not in raw
    everything = session.execute(text("SELECT string_agg(t::text, ' ') FROM person t")).scalar()
    assert token not in everything


def test_the_same_code_has_another_digest_for_another_phone() -> None:
    assert signing_in._digest("+84912000001", "123456") != signing_in._digest("+84912000002", "123456")


def test_a_citizen_is_known_again(cast: Cast) -> None:
    first = signing_in.sign_in(cast.session, "+84987654321", Role.citizen, "Trần Thị Bé")
    again = signing_in.sign_in(cast.session, "+84987654321", Role.citizen)
    assert first.person.id == again.person.id
    assert again.person.full_name == "Trần Thị Bé"
    assert first.token != again.token

"""Roles that end, names that stand, codes that go nowhere else, and numbers that are not served."""

import logging
from collections.abc import Callable

import pytest
from click.testing import CliRunner
from flask.testing import FlaskClient

from courier_api.settings import Settings, settings
from scripts.commands import operator
from tests import cast as story
from tests.cast import Cast


def ask_for_code(client: FlaskClient, phone: str) -> int:
    """Ask for a sign-in code; the status of the answer."""
    return client.post("/api/v1/public/sign-in-codes", json={"phone": phone}).status_code


def test_who_is_dismissed_is_out_at_once(cast: Cast) -> None:
    cast.dispatcher.get("/couriers")
    done = CliRunner().invoke(operator.main, ["dismiss", "0912000004", "dispatcher"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    cast.session.expire_all()
    cast.dispatcher.get("/couriers", 401)


def test_staff_keeps_its_name_when_it_signs_in_as_a_citizen(
    cast: Cast, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr("courier_api.api.public.send_sms", lambda phone, text: said.append(text))
    assert ask_for_code(client, "0912000002") == 202
    body = {"phone": "0912000002", "code": story.sent_code(said[-1]), "full_name": "Giám đốc Bưu điện"}
    signed = client.post("/api/v1/public/sign-ins", json=body)
    assert signed.get_json()["full_name"] == "Trần Văn Nam"


def test_a_mistaken_role_does_not_burn_the_code(
    cast: Cast, client: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[str] = []
    monkeypatch.setattr("courier_api.api.public.send_sms", lambda phone, text: said.append(text))
    assert ask_for_code(client, "0912000001") == 202
    body = {"phone": "0912000001", "code": story.sent_code(said[-1])}
    assert client.post("/api/v1/public/sign-ins", json=body | {"role": "dispatcher"}).status_code == 403
    assert client.post("/api/v1/public/sign-ins", json=body).status_code == 201
    assert client.post("/api/v1/public/sign-ins", json=body).status_code == 401


@pytest.mark.parametrize("phone", ["+442079460018", "+37120000000", "+88216000000", "19001234", "02213862345"])
def test_only_mobile_phones_of_the_country_get_codes(client: FlaskClient, phone: str) -> None:
    assert ask_for_code(client, phone) == 422


def test_without_a_sender_no_code_is_sent_or_logged(
    cast: Cast, client: FlaskClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    here = settings()
    without = Settings(**{f: getattr(here, f) for f in Settings.__slots__} | {"sms_log": None})
    nowhere: Callable[[], Settings] = lambda: without  # noqa: E731
    monkeypatch.setattr("courier_api.notices.senders.settings", nowhere)
    with caplog.at_level(logging.DEBUG):
        answer = client.post("/api/v1/public/sign-in-codes", json={"phone": "0912000001"})
    assert (answer.status_code, answer.get_json()["type"]) == (503, "urn:problem:courier:no_sms_sender")
    assert "Ma dang nhap" not in caplog.text

"""Tracking by link and by number: what anyone may see, and how often he may guess."""

from typing import Any
from uuid import uuid4

import pytest
from flask.testing import FlaskClient

from courier_api.dossiers.numbers import tracking_number
from courier_api.guard import guesses
from tests import cast as story
from tests.cast import Cast
from tests.refusals import problem_in

BY_NUMBER = "/api/v1/public/tracking"


def ask(client: FlaskClient, number: str, digits: str, address: str = "") -> Any:
    """Ask by number, each test from an address of its own."""
    return client.get(
        BY_NUMBER,
        query_string={"number": number, "phone_digits": digits},
        headers={"Accept-Language": "en"},
        environ_base={"REMOTE_ADDR": address or str(uuid4())},
    )


@pytest.fixture(autouse=True)
def uncounted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Numbers come again in every test: each counts for itself."""
    from courier_api.guard import limits

    key, test = limits._key, str(uuid4())
    monkeypatch.setattr(limits, "_key", lambda name, whose, window_s: key(name, f"{test} {whose}", window_s))


def test_wrong_digits_and_an_unknown_number_get_the_same_answer(cast: Cast) -> None:
    number = story.book(cast)["items"][0]["tracking_number"]
    assert ask(cast.client, number, "0001").status_code == 200
    wrong = ask(cast.client, number, "0002")
    unknown = ask(cast.client, tracking_number("EH", 99_999_999), "0001")
    problem_in(wrong, 404, "not_found")
    assert wrong.data == unknown.data
    assert wrong.headers["Content-Type"] == unknown.headers["Content-Type"]


@pytest.mark.parametrize(
    "number", ["EH123456789VN", "RB123456786US", "EH12345678VN", "1234567890123", "EH１２３４５６７８５VN", "%", "'"]
)
def test_what_is_no_number_is_named(cast: Cast, number: str) -> None:
    problem_in(ask(cast.client, number, "0001"), 422, "bad_tracking_number", "/number")


def test_digits_that_are_none_are_named(cast: Cast) -> None:
    number = story.book(cast)["items"][0]["tracking_number"]
    for digits in ("", "1", "00001", "%001", "____", "abcd", "０００１", "0001 "):
        problem_in(ask(cast.client, number, digits), 422, "bad_fields", "/phone_digits")


@pytest.mark.parametrize("written", ["{}", " {} ", "{:.2} {:.0}", "lower"])
def test_a_number_may_be_written_in_any_way(cast: Cast, written: str) -> None:
    number = story.book(cast)["items"][0]["tracking_number"]
    spaced = f"{number[:2]} {number[2:5]} {number[5:8]} {number[8:11]} {number[11:]}"
    forms = {"{}": number, " {} ": f" {number}\n", "{:.2} {:.0}": spaced, "lower": spaced.lower()}
    assert ask(cast.client, forms[written], "0001").status_code == 200


def test_one_address_can_guess_at_a_number_twenty_times_an_hour(cast: Cast) -> None:
    number = story.book(cast)["items"][0]["tracking_number"]
    address = str(uuid4())
    disguises = [number, f" {number}", f"\t{number}", number.lower(), f"{number[:2]} {number[2:]}"]
    for guess in range(20):
        written = disguises[guess % len(disguises)]
        assert ask(cast.client, written, f"{guess + 2:04d}", address).status_code == 404
    for written in disguises:
        answer = ask(cast.client, written, "0001", address)
        problem_in(answer, 429, "too_many_requests")
        assert 0 < int(answer.headers["Retry-After"]) <= 3600
    other = story.book(cast)["items"][0]["tracking_number"]
    assert ask(cast.client, other, "0001", address).status_code == 200
    # Its owner, elsewhere, is not shut out by a stranger's guesses, nor by looking often.
    for _ in range(30):
        assert ask(cast.client, number, "0001").status_code == 200


def test_one_number_has_a_cap_over_all_addresses(cast: Cast) -> None:
    number = story.book(cast)["items"][0]["tracking_number"]
    for guess in range(guesses.PER_NUMBER):
        assert ask(cast.client, number, f"{guess + 2:04d}").status_code == 404
    problem_in(ask(cast.client, number, "0001"), 429, "too_many_requests")


def test_one_address_can_guess_sixty_times_an_hour(cast: Cast) -> None:
    numbers = [tracking_number("EH", 90_000_000 + n) for n in range(61)]
    address = str(uuid4())
    answers = [ask(cast.client, number, "0001", address) for number in numbers]
    assert {a.status_code for a in answers[:60]} == {404}
    problem_in(answers[60], 429, "too_many_requests")
    assert ask(cast.client, numbers[60], "0001").status_code == 404


def test_the_answer_says_how_much_is_left(cast: Cast) -> None:
    number = story.book(cast)["items"][0]["tracking_number"]
    answer = ask(cast.client, number, "0001")
    assert answer.headers["RateLimit-Policy"] == '"tracking";q=60;w=3600'
    assert ";r=59;t=" in answer.headers["RateLimit"]


def test_without_redis_people_can_still_track(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    from courier_api import queue

    number = story.book(cast)["items"][0]["tracking_number"]
    monkeypatch.setattr("courier_api.guard.limits.redis", lambda: queue.connect("redis://127.0.0.1:1/0"))
    assert ask(cast.client, number, "0001").status_code == 200


def test_what_is_shown_names_nobody(cast: Cast) -> None:
    dossier, _, _ = story.collected(cast)
    number = dossier["items"][0]["tracking_number"]
    link = cast.client.get(f"/api/v1/public/tracking/{dossier['tracking_link'].removeprefix('/t/')}")
    for answer in (ask(cast.client, number, "0001"), link):
        assert answer.status_code == 200
        shown = str(answer.get_json())
        for private in (
            "Hoa",
            "Nam",
            "912000001",
            "0912",
            "Chùa Chuông",
            "Gọi trước",
            dossier["id"],
            "106.06",
            "20.66",
        ):
            assert private not in shown
        assert {"state", "procedure", "tracking_numbers", "due_date", "timeline"} == set(answer.get_json())


def test_a_link_that_is_nearly_right_is_not_found(cast: Cast) -> None:
    secret = story.book(cast)["tracking_link"].removeprefix("/t/")
    assert len(secret) >= 43
    for wrong in (secret[:-1], secret + "A", secret.swapcase(), secret[:20], "%25"):
        problem_in(cast.client.get(f"/api/v1/public/tracking/{wrong}"), 404, "not_found")
    assert cast.client.get("/t/%00").status_code == 404


def test_a_timeline_is_told_in_both_languages(cast: Cast) -> None:
    dossier = story.book(cast)
    _, stop = story.ride(cast)
    story.fail(cast, stop)
    path = f"/dossiers/{dossier['id']}/timeline"
    vietnamese = [e["text"] for e in cast.citizen.get(path, Accept_Language="vi")["items"]]
    english = [e["text"] for e in cast.citizen.get(path, Accept_Language="en")["items"]]
    assert vietnamese[-1] == "Chưa thu gom được (không có người ở nhà)"
    assert english[-1] == "Pickup failed (nobody at home)"
    assert all(a != b for a, b in zip(vietnamese, english, strict=True))
    assert "…" not in "".join(vietnamese + english)

"""Tracking without scripts: the link, the form, its errors, both languages, and nothing personal on the page."""

from typing import Any

import pytest
from flask.testing import FlaskClient

from courier_api.dossiers.numbers import tracking_number
from courier_api.guard import limits
from courier_api.messages import EVENTS
from courier_api.settings import settings
from courier_api.web import languages
from tests import cast as story
from tests.cast import Cast

PERSONAL = ["Hoa", "Nguyễn Thị", "Chùa Chuông", "0912000001", "912000001", "Gọi trước"]


@pytest.fixture(autouse=True)
def _uncounted(monkeypatch: pytest.MonkeyPatch) -> None:
    """Runs of this file within an hour must not use up each other's tries."""
    monkeypatch.setattr(limits, "spend", lambda *_: None)


def page(client: FlaskClient, path: str, status: int = 200, language: str = "en") -> str:
    response = client.get(path, headers={"Accept-Language": language})
    assert response.status_code == status
    assert response.headers["Cache-Control"] == "no-store"
    assert "noindex" in response.headers["X-Robots-Tag"]
    return response.get_data(as_text=True)


def number_of(dossier: dict[str, Any]) -> str:
    number: str = dossier["items"][0]["tracking_number"]
    return number


def test_the_link_shows_the_way_so_far_and_nothing_personal(cast: Cast) -> None:
    dossier = story.book(cast)
    story.plan_and_publish(cast)
    for language, headline in (("vi", "Đã đăng ký, chờ bưu tá đến"), ("en", "Booked, waiting for the courier")):
        html = page(cast.client, dossier["tracking_link"], language=language)
        assert headline in html
        assert number_of(dossier) in html
        assert html.count("<time ") == 2
        assert not [word for word in PERSONAL if word in html]
    assert "Pickup expected at" in html
    assert languages.moment(story.tomorrow(8), "en").split(", ")[1] in html  # tomorrow's weekday, in words


def test_number_and_digits_show_the_same(cast: Cast) -> None:
    dossier = story.book(cast)
    number = number_of(dossier)
    written = f" {number[:2].lower()} {number[2:6]} {number[6:]} "
    html = page(cast.client, f"/track?number={written}&phone_digits=0001")
    assert "Booked, waiting for the courier" in html
    assert not [word for word in PERSONAL if word in html]


@pytest.mark.parametrize(
    ("query", "faults"),
    [
        ("number=&phone_digits=", ["Enter the tracking number", "exactly the last 4 digits"]),
        ("number=EH123456789VN&phone_digits=0001", ["2 letters, 9 digits"]),
        ("number=EH123456785VN&phone_digits=12a4", ["exactly the last 4 digits"]),
        ("number=EH123456785VN&phone_digits=٠٠٠١", ["exactly the last 4 digits"]),
        ("number=%00%27%22%3Cscript%3E&phone_digits=%3Cb%3E", ["2 letters, 9 digits", "exactly the last 4 digits"]),
    ],
)
def test_what_is_wrong_is_said_at_the_top_and_beside_the_field(
    client: FlaskClient, query: str, faults: list[str]
) -> None:
    html = page(client, f"/track?{query}", 422)
    assert "<title>Error:" in html
    for fault in faults:
        assert html.count(fault) == 2
    assert html.count('aria-invalid="true"') == len(faults)
    assert "<script>" not in html


def test_wrong_digits_and_a_wrong_number_get_the_same_answer(cast: Cast) -> None:
    number = number_of(story.book(cast))
    wrong_digits = page(cast.client, f"/track?number={number}&phone_digits=9999", 404)
    wrong_number = page(cast.client, "/track?number=EH123456785VN&phone_digits=9999", 404)
    assert wrong_digits.replace(number, "EH123456785VN") == wrong_number
    assert wrong_number.count("No dossier matches this number") == 2


def test_the_form_alone_shows_no_error(client: FlaskClient) -> None:
    html = page(client, "/track")
    assert "There is a problem" not in html
    assert '<form action="/track" method="get"' in html


def test_a_wrong_link_is_a_plain_page(client: FlaskClient) -> None:
    assert "There is no such page" in page(client, "/t/nobody-has-this-link", 404)
    assert "Không có trang này" in page(client, "/t/nobody-has-this-link", 404, "vi")


def test_too_many_tries_are_stopped(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    counted = limits.redis().keys("limit:tracking*")
    if counted:
        limits.redis().delete(*counted)
    number = tracking_number("EH", 17)
    for _ in range(20):
        assert cast.client.get(f"/track?number={number}&phone_digits=0000").status_code == 404
    response = cast.client.get(f"/track?number={number}&phone_digits=0000", headers={"Accept-Language": "en"})
    assert response.status_code == 429
    assert int(response.headers["Retry-After"]) > 0
    assert "Please wait a while" in response.get_data(as_text=True)


def test_days_and_hours_are_written_for_people() -> None:
    moment = story.tomorrow(8, 5).replace(year=2026, month=11, day=24)
    assert settings().timezone.key == "Asia/Ho_Chi_Minh"
    assert languages.moment(moment, "vi") == "08:05, Thứ Ba, 24/11/2026"
    assert languages.moment(moment, "en") == "08:05, Tuesday 24 November 2026"
    assert "{expected}" in EVENTS["pickup_planned"][0]  # what the page turns into words


def test_the_stages_are_those_that_go_by_post(cast: Cast) -> None:
    both = page(cast.client, story.book(cast)["tracking_link"])
    assert [both.count(step) for step in ("At the agency<", "Delivered<")] == [1, 1]
    send = page(cast.client, story.book(cast, service="send")["tracking_link"])
    assert [send.count(step) for step in ("At the agency<", "Delivered<")] == [1, 0]
    booked = story.book(cast, service="return", window=None, documents=[])
    back = page(cast.client, booked["tracking_link"])
    assert [back.count(step) for step in ("At the agency<", "Delivered<")] == [0, 1]
    assert "Booked for the return of the result" in back

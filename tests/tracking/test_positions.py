"""What phones send is kept while their courier is on duty; everything else is dropped, and no phone is told why."""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as rules
from hypothesis import strategies as st

from courier_api.db import lon_lat, now
from courier_api.guard import limits
from courier_api.people import signing_in
from courier_api.people.models import Role
from courier_api.rounds.models import Round
from courier_api.rounds.states import RoundState
from courier_api.tracking.duty import OVERTIME, SLACK
from courier_api.tracking.models import Source
from tests import cast as story
from tests.cast import Cast
from tests.custody.phone import Phone
from tests.refusals import nothing_written, problem_in
from tests.tracking.captures import HERE, batch, osmand, query, traccar, written
from tests.tracking.duty import HOUR, device, kept, ride, tell

KEPT, DROPPED = {"kept": 1, "dropped": 0}, {"kept": 0, "dropped": 1}
SECOND = timedelta(seconds=1)
named = pytest.mark.parametrize


def on_duty(cast: Cast) -> tuple[str, datetime]:
    """The device of a courier who left two hours ago, and a moment of one hour ago."""
    at = now().replace(microsecond=0) - HOUR
    ride(cast, at - HOUR)
    return device(cast.courier), at


def test_every_form_is_understood(cast: Cast) -> None:
    phone, at = on_duty(cast)
    form = query(phone, at + SECOND)
    answer = cast.client.post("/positions", data=form, content_type="application/x-www-form-urlencoded")
    assert answer.get_json() == KEPT
    assert tell(cast, query(phone, at)) == KEPT
    assert tell(cast, osmand(phone, at + 2 * SECOND)) == KEPT
    assert tell(cast, traccar(phone, at + 3 * SECOND)) == KEPT
    assert tell(cast, written(traccar(f" {phone.upper()} ", at + 4 * SECOND))) == KEPT  # typed in by hand
    rows = kept(cast)
    assert [row.captured_at for row in rows] == [at + n * SECOND for n in range(5)]
    assert {str(row.courier_id) for row in rows} == {cast.courier.person_id}
    assert {row.source for row in rows} == {Source.traccar}
    for row in rows:
        assert lon_lat(row.point) == pytest.approx(HERE)
    assert [row.accuracy_m for row in rows] == [8, 8, None, 12, 12]
    assert [round(row.speed_mps or 0, 2) for row in rows] == [6.94, 6.94, 0, 6.94, 6.94]
    assert [row.heading for row in rows] == [91, 91, 0, 272, 272]
    assert [row.battery for row in rows] == [87, 87, None, 82, 82]
    assert [row.moving for row in rows] == [None, None, None, True, True]


def test_a_batch_that_comes_late_counts_when_it_was_captured(cast: Cast) -> None:
    at = now().replace(microsecond=0) - timedelta(days=6)
    ride(cast, at, at + HOUR)
    moments = [at + n * 10 * SECOND for n in range(400)]
    sent = batch(device(cast.courier, "app"), *reversed(moments))
    on_time = [m for m in moments if m <= at + HOUR + SLACK]
    assert tell(cast, sent) == {"kept": len(on_time), "dropped": 400 - len(on_time)}
    assert [row.captured_at for row in kept(cast)] == on_time
    assert {row.source for row in kept(cast)} == {Source.app}
    with nothing_written(cast.session):
        assert tell(cast, sent) == {"kept": 0, "dropped": 400}


def test_two_fixes_of_one_second_are_one(cast: Cast) -> None:
    phone, at = on_duty(cast)
    assert tell(cast, batch(phone, at, at + SECOND / 2, at + SECOND)) == {"kept": 2, "dropped": 1}
    assert tell(cast, batch(device(cast.courier, "app"), at)) == DROPPED


@named(
    "change",
    [
        {"accuracy": "500.4"},
        {"accuracy": "-1"},
        {"lat": "91"},
        {"lat": "nan"},
        {"lon": "Infinity"},
        {"lat": "0", "lon": "0"},
        {"timestamp": ""},
        {"timestamp": "yesterday"},
        {"timestamp": "1e300"},
        {"id": ""},
        {"id": "0" * 32},
        {"id": "5f1c"},
        {"id": "\x00" * 32},
        {"id": "ữ" * 32},
    ],
    ids=str,
)
def test_what_is_no_position_of_a_known_phone_is_dropped(cast: Cast, change: dict[str, str]) -> None:
    phone, at = on_duty(cast)
    with nothing_written(cast.session):
        assert tell(cast, query(phone, at, **change)) == DROPPED
    assert tell(cast, query(phone, at, accuracy="500")) == KEPT


def test_one_bad_fix_spoils_no_other(cast: Cast) -> None:
    phone, at = on_duty(cast)
    sent = batch(phone, at, at + SECOND, at + 2 * SECOND)
    sent["locations"][0]["coords"]["latitude"] = float("nan")
    sent["locations"][1] = [1]
    assert tell(cast, written(sent)) == {"kept": 1, "dropped": 2}


def test_too_old_and_from_the_future(cast: Cast) -> None:
    at = now().replace(microsecond=0)
    ride(cast, at - timedelta(days=9), at - timedelta(days=7) + HOUR)
    ride(cast, at - HOUR, at + timedelta(days=2))
    phone = device(cast.courier)
    week = timedelta(days=7)
    assert tell(cast, query(phone, at - week + timedelta(minutes=5))) == KEPT
    assert tell(cast, query(phone, at - week - timedelta(minutes=5))) == DROPPED
    assert tell(cast, query(phone, at + SLACK - 5 * SECOND)) == KEPT
    for ahead in (SLACK + 30 * SECOND, timedelta(hours=25)):
        assert tell(cast, query(phone, at + ahead)) == DROPPED


def test_off_duty_nobody_is_followed(cast: Cast) -> None:
    at = now().replace(microsecond=0) - 10 * HOUR
    phone = device(cast.courier)
    assert tell(cast, query(phone, at)) == DROPPED
    ride(cast, at, at + 2 * HOUR)
    for moment, answer in (
        (at - SLACK - SECOND, DROPPED),
        (at - SLACK, KEPT),
        (at + 2 * HOUR + SLACK, KEPT),
        (at + 2 * HOUR + SLACK + SECOND, DROPPED),
        (at + 8 * HOUR, DROPPED),
    ):
        assert tell(cast, query(phone, moment)) == answer
    assert tell(cast, query(device(cast.outsider[Role.courier]), at + HOUR)) == DROPPED  # that was another's round


@named("state", [RoundState.published, RoundState.withdrawn])
def test_a_round_that_is_not_ridden_is_no_duty(cast: Cast, state: RoundState) -> None:
    at = now().replace(microsecond=0) - HOUR
    ride(cast, at - HOUR, state=state)
    assert tell(cast, query(device(cast.courier), at)) == DROPPED


def test_a_round_that_nobody_finished_does_not_go_home_with_its_courier(cast: Cast) -> None:
    at = now().replace(microsecond=0)
    ride(cast, at - 12 * HOUR, shift_end=at - 5 * HOUR)
    phone = device(cast.courier)
    end = at - 5 * HOUR + OVERTIME + SLACK
    assert tell(cast, query(phone, end)) == KEPT
    assert tell(cast, query(phone, end + SECOND)) == DROPPED


def test_the_round_of_the_story_is_duty(cast: Cast) -> None:
    story.book(cast)
    round_ = story.plan_and_publish(cast)
    phone = device(cast.courier)
    assert tell(cast, query(phone, now())) == DROPPED
    story.start(cast, round_["id"])
    assert tell(cast, query(phone, now())) == KEPT
    assert str(kept(cast)[0].courier_id) == round_["courier"]["id"]


@named(
    ("early", "keeps"),
    [(timedelta(minutes=90), True), (timedelta(hours=4), False), (-timedelta(minutes=30), False)],
)
def test_a_start_that_was_signed_without_a_network_counts_from_then(cast: Cast, early: timedelta, keeps: bool) -> None:
    story.book(cast)
    round_ = story.plan_and_publish(cast)
    heard = now().replace(microsecond=0)
    shift = cast.session.get_one(Round, UUID(round_["id"])).shift
    shift.starts_at, shift.ends_at = heard - HOUR, heard + 3 * HOUR
    cast.session.commit()
    phone = Phone(cast)
    sent = phone.operation("courier.start", at=heard - early, round=round_["id"])
    assert phone.sync(sent)[0]["result"] == "applied"
    own = device(cast.courier)
    assert tell(cast, query(own, heard - timedelta(minutes=80))) == (KEPT if keeps else DROPPED)
    assert tell(cast, query(own, heard - timedelta(minutes=120))) == DROPPED
    cast.session.expire_all()
    started = cast.session.get_one(Round, UUID(round_["id"])).started_at
    assert started == heard - early if keeps else started >= heard


def test_a_finish_that_was_signed_without_a_network_ends_duty_then(cast: Cast) -> None:
    story.book(cast)
    round_ = story.plan_and_publish(cast)
    heard = now().replace(microsecond=0)
    shift = cast.session.get_one(Round, UUID(round_["id"])).shift
    shift.starts_at, shift.ends_at = heard - 3 * HOUR, heard + HOUR
    cast.session.commit()
    phone = Phone(cast)
    stop = cast.courier.get(f"/stops/{round_['stops'][0]['id']}")
    start = phone.operation("courier.start", at=heard - 2 * HOUR, round=round_["id"])
    back = [phone.arrival(stop), phone.failure(stop)]
    finish = phone.operation("courier.finish", at=heard - HOUR, round=round_["id"])
    assert {a["result"] for a in phone.sync(start, *back, finish)} == {"applied"}
    own = device(cast.courier)
    assert tell(cast, query(own, heard - 90 * 60 * SECOND)) == KEPT
    assert tell(cast, query(own, heard - 30 * 60 * SECOND)) == DROPPED


def test_who_is_dismissed_is_followed_no_more(cast: Cast) -> None:
    phone, at = on_duty(cast)
    signing_in.dismiss(cast.session, "0912000002", Role.courier)
    cast.session.commit()
    assert tell(cast, query(phone, at)) == DROPPED


def test_an_unknown_phone_learns_nothing(cast: Cast) -> None:
    known, at = on_duty(cast)
    off = at - 9 * HOUR
    answers = []
    for phone in (known, "0" * 32, "x", ""):
        answer = cast.client.post("/positions", json=traccar(phone, off))
        headers = {name for name, _ in answer.headers}
        answers.append((answer.status_code, answer.data, headers))
    assert answers == answers[:1] * 4


@named("body", [b"", b"{", b"[]", b"7", b"null", b"\x00", b"\xff" * 9, b'{"x":' + b"9" * 5000 + b"}", b"[" * 200_000])
def test_whatever_comes_gets_its_answer(cast: Cast, body: bytes) -> None:
    with nothing_written(cast.session):
        assert tell(cast, body) == DROPPED


def test_a_body_has_a_size(cast: Cast) -> None:
    phone, at = on_duty(cast)
    moments = [at + n * SECOND for n in range(500)]
    assert tell(cast, batch(phone, *moments)) == {"kept": 500, "dropped": 0}
    for body in (batch(phone, *moments, at), {"device_id": phone, "location": {"extras": "x" * (1 << 18)}}):
        with nothing_written(cast.session):
            answer = cast.client.post("/positions", json=body)
            problem_in(answer, 413, "too_large")


def test_it_is_posted_and_nothing_else(cast: Cast) -> None:
    phone, at = on_duty(cast)
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        with nothing_written(cast.session):
            answer = cast.client.open("/positions", method=method, query_string=query(phone, at))
            problem_in(answer, 405, "method_not_allowed")
    problem_in(cast.client.post("/api/v1/positions", query_string=query(phone, at)), 404, "not_found")


def test_one_network_sends_so_much_and_no_more(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    phone, at = on_duty(cast)
    here = limits.network("2001:db8:7:7::1")
    monkeypatch.setattr("courier_api.guard.limits.time.time", lambda: 1e9)  # one window
    for _ in range(1200):
        limits.count("positions", here, 60)
    for address in ("2001:db8:7:7::1", "2001:db8:7:7:8::9"):
        for said in (query(phone, at), query("0" * 32, at)):
            answer = cast.client.post("/positions", query_string=said, environ_base={"REMOTE_ADDR": address})
            problem_in(answer, 429, "too_many_requests")
            assert 0 < int(answer.headers["Retry-After"]) <= 60
    assert tell(cast, query(phone, at), network="2001:db8:7:8::1") == KEPT
    limits.redis().delete(f"limit:positions:{here}:{10**9 // 60}")


DUTY = "on duty"
ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.just(10**400),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=10,
)


@given(said=st.dictionaries(st.sampled_from(["timestamp", "coords", "battery", "is_moving"]), ODD), places=ODD)
@rules(max_examples=120, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_whatever_a_known_phone_says_is_answered(cast: Cast, said: dict[str, Any], places: Any) -> None:
    if DUTY not in cast.session.info:  # one for all examples
        cast.session.info[DUTY] = on_duty(cast)
    phone, at = cast.session.info[DUTY]
    mixed = traccar(phone, at)["location"] | said
    coords = mixed["coords"] | {"speed": places, "heading": places} if isinstance(mixed["coords"], dict) else places
    body = {"device_id": phone, "locations": [said, places, mixed, mixed | {"coords": coords}]}
    answer = tell(cast, json.dumps(body).encode())
    assert answer["kept"] + answer["dropped"] == 4

"""The phones that may tell where a courier is: made, shown once, looked at, ended."""

import hashlib
from datetime import datetime, timedelta
from functools import partial

from flask import Flask
from sqlalchemy import select

from courier_api.db import now
from courier_api.people.models import Role
from courier_api.tracking.models import TrackingDevice
from tests.cast import Cast
from tests.custody.test_erasure import everything
from tests.races import race
from tests.refusals import refused
from tests.tracking.captures import batch, query
from tests.tracking.duty import HOUR, device, kept, ride, tell

NONE = {"made_at": None, "last_fix_at": None}


def test_an_id_is_shown_once_and_kept_as_a_hash(cast: Cast) -> None:
    made = cast.courier.post("/tracking-device", {"kind": "traccar"})
    phone = made["device_id"]
    assert (len(bytes.fromhex(phone)), made["kind"]) == (16, "traccar")
    assert made["server_url"] == "http://localhost/positions"
    assert made["setup_url"] == f"{made['server_url']}?id={phone}"
    assert phone not in everything(cast.session)
    row = cast.session.scalars(select(TrackingDevice)).one()
    assert row.digest == hashlib.sha256(phone.encode()).digest()
    shown = cast.courier.get("/tracking-device")
    assert datetime.fromisoformat(shown.pop("made_at")) - now() < timedelta(minutes=1)
    assert shown == {"kind": "traccar", "last_fix_at": None}
    assert phone not in cast.courier.last.get_data(as_text=True)


def test_a_request_that_is_sent_again_is_answered_alike(cast: Cast) -> None:
    first = cast.courier.post("/tracking-device", {"kind": "app"}, Idempotency_Key='"one and the same"')
    at = now().replace(microsecond=0) - HOUR
    ride(cast, at)
    tell(cast, query(first["device_id"], at))
    again = cast.courier.post("/tracking-device", {"kind": "app"}, Idempotency_Key='"one and the same"')
    assert again == first
    assert cast.courier.get("/tracking-device?kind=app")["last_fix_at"] is not None
    other = cast.outsider[Role.courier].post("/tracking-device", {"kind": "app"}, Idempotency_Key='"one and the same"')
    assert other["device_id"] != first["device_id"]


def test_a_new_one_ends_the_one_before_and_none_of_the_other_kind(cast: Cast) -> None:
    at = now().replace(microsecond=0) - HOUR
    ride(cast, at)
    old, app, new = device(cast.courier), device(cast.courier, "app"), device(cast.courier)
    assert len({old, app, new}) == 3
    assert [tell(cast, query(phone, at + n * HOUR / 9))["kept"] for n, phone in enumerate((old, app, new))] == [0, 1, 1]


def test_it_says_when_it_last_told_something(cast: Cast) -> None:
    at = now().replace(microsecond=0) - 2 * HOUR
    ride(cast, at)
    phone = device(cast.courier)
    tell(cast, batch(phone, at + HOUR, at))
    tell(cast, query(phone, at + HOUR / 2))
    shown = cast.courier.get("/tracking-device?kind=traccar")
    assert datetime.fromisoformat(shown["last_fix_at"]) == at + HOUR
    assert cast.courier.get("/tracking-device?kind=app") == NONE | {"kind": "app"}


def test_an_ended_one_tells_nothing_more(cast: Cast) -> None:
    at = now().replace(microsecond=0) - HOUR
    ride(cast, at)
    phone, app = device(cast.courier), device(cast.courier, "app")
    for _ in range(2):
        cast.courier.call("DELETE", "/tracking-device", None, 204)
    assert cast.courier.get("/tracking-device") == NONE | {"kind": "traccar"}
    assert tell(cast, query(phone, at)) == {"kept": 0, "dropped": 1}
    assert tell(cast, query(app, at)) == {"kept": 1, "dropped": 0}


def test_everybody_has_his_own(cast: Cast) -> None:
    device(cast.courier)
    other = cast.outsider[Role.courier]
    assert other.get("/tracking-device") == NONE | {"kind": "traccar"}
    other.call("DELETE", "/tracking-device", None, 204)
    assert cast.courier.get("/tracking-device")["made_at"] is not None


def test_only_the_two_kinds(cast: Cast) -> None:
    refused(cast, cast.courier, "POST", "/tracking-device", {"kind": "car"}, 422, "bad_fields", "/kind")
    refused(cast, cast.courier, "GET", "/tracking-device?kind=car", None, 422, "bad_fields", "/kind")
    refused(cast, cast.courier, "DELETE", "/tracking-device?kind=", None, 422, "bad_fields", "/kind")


def test_many_who_send_the_same_at_once_keep_it_once(committed_cast: Cast, app: Flask) -> None:
    cast = committed_cast
    at = now().replace(microsecond=0) - HOUR
    ride(cast, at)
    moments = [at + timedelta(seconds=n) for n in range(100)]
    orders = (moments, moments[::-1], moments[50:], moments[:50])
    bodies = [batch(phone, *o) for phone in (device(cast.courier), device(cast.courier, "app")) for o in orders]
    answers = race(*(partial(app.test_client().post, "/positions", json=body) for body in bodies))
    assert {answer.status_code for answer in answers} == {200}
    assert sum(answer.get_json()["kept"] for answer in answers) == 100
    assert [row.captured_at for row in kept(cast)] == moments

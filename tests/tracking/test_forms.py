"""Every form in which a phone says where it is, and everything that only looks like one."""

import json
import math
from datetime import UTC, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from courier_api.tracking import fixes
from courier_api.tracking.fixes import Fix, read
from tests.tracking.captures import HERE, batch, location, osmand, query, traccar, written

AT = datetime(2026, 11, 24, 1, 12, 7, tzinfo=UTC)
ID = "5f1c0d9a3b7e24685f1c0d9a3b7e2468"
named = pytest.mark.parametrize


def form(text: str) -> Fix | None:
    """What an address says."""
    (fix,) = read(text.encode(), b"", is_json=False).fixes
    return fix


def of_json(body: Any) -> Fix | None:
    """What the one location of a body says."""
    (fix,) = read(b"", json.dumps(body).encode(), is_json=True).fixes
    return fix


def test_an_address_as_the_old_client_writes_it() -> None:
    sent = read(query(ID, AT).encode(), b"", is_json=False)
    assert sent.device_id == ID
    (fix,) = sent.fixes
    assert fix is not None
    assert fix == Fix(AT, *HERE, 7.5, fix.speed_mps, 91, 87, None)
    assert fix.speed_mps == pytest.approx(25 / 3.6, rel=1e-6)  # knots


def test_the_same_in_a_form() -> None:
    assert read(b"", query(ID, AT).encode(), is_json=False) == read(query(ID, AT).encode(), b"", is_json=False)


def test_an_address_as_osmand_writes_it() -> None:
    sent = read(osmand(ID, AT).encode(), b"", is_json=False)
    assert sent.device_id == ID
    assert sent.fixes == [Fix(AT, *HERE, None, 0.0, 0, None, None)]


def test_a_body_as_the_new_client_writes_it() -> None:
    for is_json in (True, False):  # whatever it says that it is
        sent = read(b"", written(traccar(ID, AT)), is_json=is_json)
        assert sent.device_id == ID
        assert sent.fixes == [Fix(AT, *HERE, 12.4, 6.94, 272, 82, True)]


def test_a_batch() -> None:
    sent = read(b"", written(batch(ID, AT, AT + timedelta(seconds=9))), is_json=True)
    assert [fix and fix.captured_at for fix in sent.fixes] == [AT, AT + timedelta(seconds=9)]
    assert read(b"", written({"device_id": ID, "locations": []}), is_json=True).fixes == []
    both = read(b"", written({"device_id": ID, "location": [location(AT), 7]}), is_json=True)
    assert [fix is None for fix in both.fixes] == [False, True]


@named(
    "text",
    ["1795482727", "1795482727000", "1795482727999", "1795482727.4", "2026-11-24T01:12:07Z", "2026-11-24T01:12:07.93Z",
     "2026-11-24 01:12:07", "2026-11-24T08:12:07+07:00"],
)  # fmt: skip
def test_a_time_in_every_writing(text: str) -> None:
    fix = form(query(ID, AT, timestamp=text))
    assert fix is not None
    assert fix.captured_at == AT
    assert of_json(traccar(ID, AT, timestamp=text)) is not None


def test_a_time_as_a_number() -> None:
    for number in (1795482727, 1795482727000, 1795482727.25):
        fix = of_json(traccar(ID, AT, timestamp=number))
        assert fix is not None
        assert fix.captured_at == AT


NO_TIMES: list[Any] = ["", "now", "nan", "inf", "-inf", "1e300", "9" * 400, "0001-01-01T00:00:00+14:00", "2026-13-01"]


@named("time", NO_TIMES)
def test_what_no_clock_says(time: Any) -> None:
    assert form(query(ID, AT, timestamp=time)) is None
    assert of_json(traccar(ID, AT, timestamp=time)) is None


@named("time", [None, True, [], {}, [1795482727], 10**400, math.nan, -math.inf])
def test_what_is_no_time_at_all(time: Any) -> None:
    assert of_json(traccar(ID, AT, timestamp=time)) is None


@named("lat", ["", "x", "nan", "inf", "-90.1", "91", "1e400", "20,66", "0x14"])
def test_an_address_with_no_place(lat: str) -> None:
    assert form(query(ID, AT, lat=lat)) is None
    assert form(osmand(ID, AT).replace("20.6588", lat)) is None


@named("value", [None, "20.6", True, [20.6], {"v": 1}, math.nan, math.inf, 10**400, 91, -200])
def test_a_body_with_no_place(value: Any) -> None:
    assert of_json(traccar(ID, AT, coords={"latitude": value})) is None


def test_nothing_at_zero_and_zero() -> None:
    assert form(query(ID, AT, lat="0", lon="0.0")) is None
    assert of_json(traccar(ID, AT, coords={"latitude": 0, "longitude": -0.0})) is None
    assert form(query(ID, AT, lat="0")) is not None


def test_a_phone_that_does_not_believe_itself() -> None:
    assert form(query(ID, AT, valid="false")) is None
    assert form(query(ID, AT, valid="true")) is not None


@named("value", ["-1", "x", "nan", "", "1e400"])
def test_an_accuracy_that_is_none_speaks_against_its_fix(value: str) -> None:
    assert (form(query(ID, AT, accuracy=value)) is None) is (value != "")  # said to be empty is not said
    assert of_json(traccar(ID, AT, coords={"accuracy": [value]})) is None


def test_an_accuracy_may_be_missing() -> None:
    fix = of_json(traccar(ID, AT, coords={"accuracy": None}))
    assert fix is not None
    assert fix.accuracy_m is None


@named("value", [-1, 10**400, math.nan, "9", [9], {}, True, None])
def test_what_else_a_phone_does_not_know_is_left_out(value: Any) -> None:
    fix = of_json(traccar(ID, AT, coords={"speed": value, "heading": value}, battery={"level": value}, is_moving=9))
    assert fix is not None
    assert (fix.speed_mps, fix.heading, fix.battery, fix.moving) == (None, None, None, None)
    fix = of_json(traccar(ID, AT, battery=value))
    assert fix is not None
    assert fix.battery is None


def test_north_is_zero() -> None:
    for degrees in ("360", "359.7", "0", "0.2"):
        fix = form(query(ID, AT, bearing=degrees))
        assert fix is not None
        assert fix.heading == 0


@named(
    "body",
    [b"", b"{", b"[]", b"null", b'"x"', b"{}", b'{"a":' + b"9" * 5000 + b"}", b"[" * 200_000, b"\xff\xfe{", b"\x00",
     b'{"device_id":"\\ud800","location":{}}', b'{"locations":{"0":1}}', b'{"locations":null}',
     b'{"locations":[null]}'],
)  # fmt: skip
def test_a_body_that_says_nothing(body: bytes) -> None:
    for is_json in (True, False):
        assert read(b"", body, is_json=is_json).fixes == [None]


def test_too_many_fields() -> None:
    assert read(query(ID, AT).encode() + b"&a=1" * 101, b"", is_json=False) == fixes.NOTHING


ODD = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text() | st.sampled_from([10**400, -(10**25)]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)
COORDS = ("latitude", "longitude", "accuracy", "speed", "heading")
LOCATIONS = st.fixed_dictionaries(
    {},
    optional={"coords": ODD | st.fixed_dictionaries({}, optional=dict.fromkeys(COORDS, ODD))}
    | dict.fromkeys(("timestamp", "battery", "is_moving"), ODD),
)
BODIES = st.one_of(
    ODD,
    st.fixed_dictionaries({"device_id": ODD, "location": ODD | LOCATIONS}),
    st.fixed_dictionaries({"device_id": ODD, "locations": st.lists(ODD | LOCATIONS, max_size=5)}),
)


@given(BODIES)
@settings(max_examples=400, deadline=None)
def test_whatever_is_in_a_body_is_a_fix_in_bounds_or_none(body: Any) -> None:
    in_bounds(read(b"", json.dumps(body).encode(), is_json=True))


@given(st.binary(max_size=300), st.binary(max_size=300), st.booleans())
@settings(max_examples=400, deadline=None)
def test_whatever_bytes_come_nothing_raises(address: bytes, body: bytes, is_json: bool) -> None:
    in_bounds(read(address, body, is_json=is_json))


TEXTS = st.text(max_size=20) | st.floats().map(str) | st.integers().map(str) | st.datetimes().map(str)


@given(st.fixed_dictionaries(dict.fromkeys(("id", "lat", "lon", "timestamp", "speed", "bearing", "accuracy"), TEXTS)))
@settings(max_examples=400, deadline=None)
def test_whatever_is_in_an_address_is_a_fix_in_bounds_or_none(said: dict[str, str]) -> None:
    in_bounds(read(urlencode(said, errors="replace").encode(), b"", is_json=False))


def in_bounds(sent: fixes.Sent) -> None:
    """Fail on a fix that the database would not take."""
    assert isinstance(sent.device_id, str)
    for fix in sent.fixes:
        if fix is not None:
            assert -180 <= fix.lon <= 180
            assert -90 <= fix.lat <= 90
            assert fix.accuracy_m is None or 0 <= fix.accuracy_m < math.inf
            assert fix.speed_mps is None or 0 <= fix.speed_mps <= fixes.FASTEST_MPS
            assert fix.heading is None or 0 <= fix.heading < 360
            assert fix.battery is None or 0 <= fix.battery <= 100
            assert fix.captured_at.tzinfo is UTC

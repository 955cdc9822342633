"""The app's rules of position, run in node: what is worth telling, how it is told, and what becomes of what waits."""

import json
from datetime import UTC, datetime
from typing import Any

import pytest

from courier_api.tracking import fixes
from tests.web import node

run = node.script("tell_positions.mjs")
named = pytest.mark.parametrize
AT = 1_795_482_727_000
LAT, LON = 20.66, 106.06
METRE = 1 / 111_195.08  # in degrees of latitude, on a ball


def fix(metres: float = 0, **changes: Any) -> dict[str, Any]:
    """A fix so many metres north of the first."""
    known = {"accuracy": 10, "speed": 7, "heading": 0, "moving": True}
    return {"at": AT, "lat": LAT + metres * METRE, "lon": LON} | known | changes


def test_metres_between_two_points() -> None:
    points = [((20.6588, 106.0582), (20.66, 106.062)), ((20.6588, 106.0582), (20.6588, 106.0582)), ((0, 0), (0, 180))]
    cases = [{"a": dict(zip(("lat", "lon"), a, strict=True)), "b": {"lat": b[0], "lon": b[1]}} for a, b in points]
    near, nothing, round_the_world = run(*({"do": "distance"} | case for case in cases))
    assert near == pytest.approx(417.3, abs=0.5)
    assert nothing == 0
    assert round_the_world == pytest.approx(20_015_114, abs=1)


@named(
    ("last", "now", "expected"),
    [
        (None, fix(), True),
        (fix(), fix(), False),
        (fix(), fix(29.9), False),
        (fix(), fix(30.1), True),
        (fix(), fix(30.1, accuracy=40), False),
        (fix(), fix(39.9, accuracy=40), False),
        (fix(), fix(40.1, accuracy=40), True),
        (fix(), fix(30.1, accuracy=None), True),
        (fix(), fix(at=AT + 3_600_000), False),  # no heartbeat
        (fix(), fix(moving=False), True),
        (fix(moving=False), fix(), True),
        (fix(moving=False), fix(moving=False), False),
        (fix(), fix(heading=44), False),
        (fix(), fix(heading=45), True),
        (fix(heading=350), fix(heading=10), False),
        (fix(heading=350), fix(heading=36), True),
        (fix(heading=10), fix(heading=300), True),
        (fix(heading=None), fix(heading=90), False),
        (fix(), fix(heading=None), False),
        (fix(moving=False), fix(moving=False, heading=180), False),
        (fix(), fix(9_000, accuracy=501), False),
        (None, fix(accuracy=501), False),
        (fix(), fix(9_000, accuracy=500), True),
    ],
)
def test_a_fix_is_worth_telling(last: Any, now: Any, expected: bool) -> None:
    assert run({"do": "worth", "last": last, "fix": now}) == [expected]


def test_a_ride_is_told_by_its_metres_and_a_stop_by_one_fix() -> None:
    ridden = [fix(7 * second) for second in range(601)]  # 4.2 km
    stands = [fix(4200 + second % 5, moving=False, heading=None) for second in range(600)]
    (told,) = run({"do": "ride", "fixes": [*ridden, *stands]})
    assert sum(told[:601]) == 1 + 600 // 5  # every 35 m
    assert sum(told[601:]) == 1


def position(speed: Any, **coords: Any) -> dict[str, Any]:
    """What a browser says of a place."""
    known = {"latitude": LAT, "longitude": LON, "accuracy": 9.4, "heading": 12.5}
    return {"timestamp": AT, "coords": known | {"speed": speed} | coords}


def test_what_a_browser_says_as_a_fix() -> None:
    (found,) = run({"do": "fixes", "positions": [position(7), position(None, heading="nan", accuracy=None)]})
    assert found[0] == {
        "at": AT, "lat": LAT, "lon": LON, "accuracy": 9.4, "speed": 7, "heading": 12.5, "moving": True
    }  # fmt: skip
    assert found[1] == found[0] | {"speed": None, "heading": None, "accuracy": None}


def test_slow_is_what_it_was_before() -> None:
    speeds = [0, 1.4, 2.4, 2.5, 1.4, 0.9, 0.8, 1.4, None, 3, None, -1, 0]
    (found,) = run({"do": "fixes", "positions": [position(speed) for speed in speeds]})
    moving = [False, False, False, True, True, True, False, False, False, True, True, True, False]
    assert [one["moving"] for one in found] == moving


def at(ms: int) -> dict[str, Any]:
    return position(7) | {"timestamp": ms}


@named(
    ("steps", "heard"),
    [
        ([at(1), at(2), "stop", at(3)], ["on", 1, 2, "off"]),
        ([at(1), {"code": 2}, {"code": 3}, at(2)], ["on", 1, "unavailable", "on", 2]),
        ([{"code": 1}, at(1)], ["denied"]),
        ([at(1), {"code": 1}, "stop"], ["on", 1, "denied", "off"]),
        (["stop", "stop"], ["off"]),
    ],
)
def test_watching(steps: list[Any], heard: list[Any]) -> None:
    (found,) = run({"do": "watch", "steps": steps})
    assert found["heard"] == heard
    ended = [0] if "stop" in steps or {"code": 1} in steps else []
    assert found["calls"] == [{"enableHighAccuracy": True, "maximumAge": 0}, *ended]


def test_a_browser_that_knows_no_places() -> None:
    assert run({"do": "watch", "absent": True, "steps": ["stop"]}) == [{"heard": ["unavailable", "off"], "calls": []}]


def test_what_is_told_is_what_the_server_reads() -> None:
    ridden = [fix(), fix(40, at=AT + 9_400, speed=None, heading=None, accuracy=None, moving=False)]
    (said,) = run({"do": "body", "device": "5f1c", "fixes": ridden, "skew": -86_400_000})
    sent = fixes.read(b"", json.dumps(said).encode(), is_json=True)
    assert sent.device_id == "5f1c"
    first, second = sent.fixes
    day_before = datetime.fromtimestamp(AT / 1000 - 86_400, UTC)
    assert first == fixes.Fix(day_before, LON, LAT, 10, 7, 0, None, True)
    assert second is not None
    assert second.captured_at.timestamp() == AT / 1000 - 86_400 + 9
    assert (second.accuracy_m, second.speed_mps, second.heading, second.moving) == (None, None, None, False)
    assert second.lat == LAT + 40 * METRE


def send(count: int, *answers: Any) -> Any:
    """So many fixes wait, and the server answers so many times."""
    waiting = [fix(n, at=AT + n) for n in range(count)]
    return run({"do": "send", "fixes": waiting, "answers": answers, "skew": 1000})[0]


def test_the_oldest_go_first_and_are_gone_once_they_are_there() -> None:
    found = send(450, 200, 204, 200, 200)
    assert found["sent"] == [200, 200, 50, 0]
    assert found["left"] == []
    assert [len(one["content"]["locations"]) for one in found["heard"]] == [200, 200, 50]
    first = found["heard"][0]
    assert (first["path"], first["method"], first["credentials"]) == ("/positions", "POST", "omit")
    assert (first["type"], first["content"]["device_id"]) == ("application/json", "5f1c")
    assert first["content"]["locations"][0]["timestamp"] == "2026-11-24T01:12:08.000Z"


@named("answer", [429, 413, 500, 503, 404, 302, "cut"])
def test_what_did_not_arrive_waits(answer: Any) -> None:
    found = send(250, answer, 200)
    assert found["sent"] == [0, 200]
    assert found["left"] == [AT + n for n in range(200, 250)]
    assert found["heard"][0]["content"] == found["heard"][1]["content"]

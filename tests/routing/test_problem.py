"""Bad input is refused at once, naming the item; good input survives JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from cases import Matrix, courier, places, rich_problems, task
from hypothesis import HealthCheck, given, settings
from jsonschema import Draft202012Validator

from routing.problem import Break, Courier, Done, Location, Problem, ProblemError, Request, Stop, Task, TimeWindow

GOOD = Request("r", task(0), task(1))
SCHEMA = Draft202012Validator(Problem.json_schema())


def refused(
    locations: tuple[Location, ...] | None = None,
    requests: tuple[Request, ...] = (GOOD,),
    couriers: tuple[Courier, ...] = (courier(),),
) -> tuple[str, str]:
    with pytest.raises(ProblemError) as caught:
        Problem(places(2) if locations is None else locations, requests, couriers)
    assert caught.value.reason
    assert caught.value.item in str(caught.value)
    return caught.value.kind, caught.value.item


@given(rich_problems(max_requests=6))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_json_round_trip(case: tuple[Problem, Matrix]) -> None:
    text = case[0].to_json()
    assert Problem.from_json(text) == case[0]
    SCHEMA.validate(json.loads(text))


def test_ids_are_unique_within_their_kind() -> None:
    assert refused(locations=places(2) + places(1)) == ("location", "L0")
    assert refused(requests=(GOOD, GOOD)) == ("request", "r")
    assert refused(couriers=(courier("x"), courier("x"))) == ("courier", "x")
    assert refused(requests=(replace(GOOD, id=""),))[0] == "request"


@pytest.mark.parametrize(
    ("lon", "lat"), [(181.0, 0.0), (0.0, -91.0), (float("nan"), 0.0), (0.0, float("inf")), ("106", 20.0), (True, 0.0)]
)
def test_coordinates(lon: Any, lat: Any) -> None:
    assert refused(locations=(*places(2), Location("far", lon, lat))) == ("location", "far")


@pytest.mark.parametrize(
    "change",
    [
        {"pickup": None, "delivery": None},
        {"pickup": task(7)},
        {"pickup": Task("L0", (), 10)},
        {"pickup": task(0, (10, 9))},
        {"pickup": task(0, (0, 10), (10, 20))},
        {"pickup": task(0, (20, 30), (0, 10))},
        {"pickup": task(0, (0, 2**30 + 1))},
        {"pickup": task(0, (-(2**31), 0))},
        {"pickup": task(0, service_s=-1)},
        {"delivery": task(1, setup_s=2**40)},
        {"delivery": Task("L1", ((0, 9),), 10)},  # type: ignore[arg-type]  # what a careless caller writes
        {"amounts": (1, 1)},
        {"amounts": (-1,)},
        {"amounts": [1]},
        {"amounts": (True,)},
        {"amounts": (1.5,)},
        {"skills": {"seal"}},
        {"unassigned_price": -1},
        {"unassigned_price": 2**31},
        {"territory": 3},
        {"pickup": replace(task(0), due=1.5)},
        {"pickup": replace(task(0), due=2**31)},
        {"pickup": replace(task(0), late_price=-1)},
        {"pickup": None, "on_board": "who"},
        {"on_board": "ok"},
    ],
)
def test_requests(change: dict[str, Any]) -> None:
    requests = (Request("ok", task(0), None), replace(GOOD, **change))
    assert refused(requests=requests, couriers=(courier("ok"),)) == ("request", "r")


@pytest.mark.parametrize(
    "change",
    [
        {"start": "L9"},
        {"end": "L9"},
        {"shift": TimeWindow(10, 9)},
        {"capacity": (1, 1)},
        {"capacity": (-1,)},
        {"skills": frozenset({1})},
        {"price_per_s": -1},
        {"price_per_s": 1.5},
        {"fixed_price": 2**31},
        {"price_per_m": -1},
        {"away_price": 2**31},
        {"overwork_price": -1},
        {"move_price": 0.5},
        {"max_travel_s": -1},
        {"max_travel_m": True},
        {"fair_work_s": 2**31},
        {"territories": frozenset({1})},
        {"free_at": -(2**31)},
        {"breaks": (Break(TimeWindow(0, 10), -1),)},
        {"breaks": (Break(TimeWindow(10, 9), 5),)},
        {"breaks": (Break(TimeWindow(990, 1000), 20),)},
        {"breaks": (Break(TimeWindow(1001, 1010), 0),)},
        {"breaks": (Break(TimeWindow(-20, -10), 5),)},
        {"breaks": (Break(TimeWindow(0, 10), 5), Break(TimeWindow(10, 20), 5))},
        {"breaks": (Break((0, 10), 5),)},  # type: ignore[arg-type]  # what a careless caller writes
        {"done": (Done("what", "pickup", 0, 1),)},
        {"shown": (Stop("what", "pickup"),)},
    ],
)
def test_couriers(change: dict[str, Any]) -> None:
    assert refused(couriers=(courier("ok"), replace(courier("bad"), **change))) == ("courier", "bad")


PICKUP, DELIVERY = Done("r", "pickup", 10, 20), Done("r", "delivery", 30, 40)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ({"done": (replace(PICKUP, departure=9),)}, {}),
        ({"done": (PICKUP, replace(DELIVERY, start=19))}, {}),
        ({"done": (replace(PICKUP, start=2**31),)}, {}),
        ({"done": (PICKUP, PICKUP)}, {}),
        ({"done": (PICKUP,)}, {"done": (DELIVERY,)}),
        ({"done": (DELIVERY,)}, {}),
        ({"done": (DELIVERY, replace(PICKUP, start=50, departure=60))}, {}),
        ({"done": (PICKUP,), "shown": (Stop("r", "pickup"),)}, {}),
        ({"shown": (Stop("r", "delivery"), Stop("r", "pickup"))}, {}),
        ({"shown": (Stop("r", "pickup"),)}, {"shown": (Stop("r", "delivery"),)}),
        ({"done": (PICKUP,)}, {"shown": (Stop("r", "delivery"),)}),
    ],
)
def test_a_day_that_cannot_have_been(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert refused(couriers=(courier("one", **one), courier("other", **other)))[1] in ("r", "one")


def test_visits_of_ends_that_a_request_does_not_have() -> None:
    lone = (Request("r", task(0), None),)
    assert refused(requests=lone, couriers=(courier(shown=(Stop("r", "delivery"),)),)) == ("request", "r")


def test_dimensions_agree_without_couriers() -> None:
    assert refused(requests=(GOOD, replace(GOOD, id="s", amounts=(1, 1))), couriers=()) == ("request", "s")


def edited(path: list[str | int], value: Any) -> str:
    data = json.loads(Problem(places(2), (GOOD,), (courier(),)).to_json())
    place = data
    for step in path[:-1]:
        place = place[step]
    if value is None:
        del place[path[-1]]
    else:
        place[path[-1]] = value
    return json.dumps(data)


@pytest.mark.parametrize(
    ("text", "item"),
    [
        ("{", "JSON"),
        ("[]", "JSON"),
        (edited(["requests"], None), "JSON"),
        (edited(["requests"], 3), "JSON"),
        (edited(["requests", 0], 3), "without id"),
        (edited(["requests", 0, "pickup"], []), "r"),
        (edited(["requests", 0, "pickup", "windows"], {}), "r"),
        (edited(["requests", 0, "pickup", "windows", 0], {"start": 1}), "r"),
        (edited(["requests", 0, "colour"], "red"), "r"),
        (edited(["requests", 0, "skills"], [[]]), "r"),
        (edited(["couriers", 0, "shift"], None), "c"),
        (edited(["couriers", 0, "capacity"], "10"), "c"),
        (edited(["locations", 1, "lat"], "north"), "L1"),
        (edited(["couriers", 0, "out"], 1), "c"),
        (edited(["couriers", 0, "free_at"], "noon"), "c"),
        (edited(["couriers", 0, "shown"], [{"request": "r", "kind": "visit"}]), "c"),
        (edited(["couriers", 0, "breaks"], [{"window": {"start": 1, "end": 2}}]), "c"),
    ],
)
def test_broken_json_names_the_item(text: str, item: str) -> None:
    with pytest.raises(ProblemError) as caught:
        Problem.from_json(text)
    assert caught.value.item == item


@pytest.mark.parametrize(
    "text",
    [
        edited(["requests", 0, "colour"], "red"),
        edited(["requests", 0, "id"], None),
        edited(["couriers", 0, "out"], 1),
        edited(["couriers", 0, "shown"], [{"request": "r", "kind": "visit"}]),
        edited(["locations", 1, "lat"], "north"),
    ],
)
def test_the_schema_refuses_what_the_reader_refuses(text: str) -> None:
    assert not SCHEMA.is_valid(json.loads(text))
    with pytest.raises(ProblemError):
        Problem.from_json(text)


def test_the_schema_is_one_and_says_what_things_are() -> None:
    Draft202012Validator.check_schema(SCHEMA.schema)
    assert SCHEMA.schema["$defs"]["Courier"]["description"].startswith("Who rides")

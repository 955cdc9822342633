"""Bad input is refused at once, naming the item; good input survives JSON."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from cases import Matrix, courier, places, problems, task
from hypothesis import given, settings

from routing.problem import Courier, Location, Problem, ProblemError, Request, Task, TimeWindow

GOOD = Request("r", task(0), task(1))


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


@given(problems())
@settings(deadline=None)
def test_json_round_trip(case: tuple[Problem, Matrix]) -> None:
    assert Problem.from_json(case[0].to_json()) == case[0]


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
    ],
)
def test_requests(change: dict[str, Any]) -> None:
    assert refused(requests=(Request("ok", task(0), None), replace(GOOD, **change))) == ("request", "r")


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
    ],
)
def test_couriers(change: dict[str, Any]) -> None:
    assert refused(couriers=(courier("ok"), replace(courier("bad"), **change))) == ("courier", "bad")


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
    ],
)
def test_broken_json_names_the_item(text: str, item: str) -> None:
    with pytest.raises(ProblemError) as caught:
        Problem.from_json(text)
    assert caught.value.item == item

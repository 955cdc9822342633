"""The judge finds every single thing that a plan can get wrong."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from cases import courier, line, places, task

from routing.check import Code, violations
from routing.plan import Plan, Reason, Route, Unassigned, Visit
from routing.problem import Problem, Request

PROBLEM = Problem(
    places(4),
    (
        Request("pair", task(1, setup_s=5), task(2)),
        Request("out", None, task(2, (0, 150), (300, 400))),
        Request("in", task(1, setup_s=5), None),
        Request("special", task(3), None, skills=frozenset({"seal"}), unassigned_price=70),
        Request("huge", task(3), None, amounts=(99,), unassigned_price=7),
        Request("late", task(3), None, unassigned_price=8),
    ),
    (courier("c", fixed_price=50, price_per_s=2, capacity=(2,), shift=(0, 1000)), courier("idle")),
)
TRAVEL = line(0, 100, 120, 5000)
VISITS = (
    Visit("pair", "pickup", "L1", arrival=100, start=100, departure=115, travel_s=100),
    Visit("in", "pickup", "L1", arrival=115, start=115, departure=125, travel_s=0),
    Visit("pair", "delivery", "L2", arrival=145, start=145, departure=155, travel_s=20),
    Visit("out", "delivery", "L2", arrival=155, start=300, departure=310, travel_s=0),
)
ROUTE = Route("c", VISITS, start=0, end=430, travel_s=240)
LEFT_OUT = (
    Unassigned("special", Reason.NO_COURIER_WITH_SKILLS, ""),
    Unassigned("huge", Reason.OVER_CAPACITY, ""),
    Unassigned("late", Reason.WINDOW_UNREACHABLE, ""),
)
PLAN = Plan((ROUTE,), LEFT_OUT, cost=50 + 2 * 240 + 70 + 7 + 8)


def found(plan: Plan, problem: Problem = PROBLEM) -> set[Code]:
    return {violation.code for violation in violations(problem, plan, TRAVEL)}


def with_route(**change: Any) -> Plan:
    return replace(PLAN, routes=(replace(ROUTE, **change),))


def with_visit(index: int, **change: Any) -> Plan:
    visits = list(VISITS)
    visits[index] = replace(visits[index], **change)
    return with_route(visits=tuple(visits))


def test_sound_plan() -> None:
    # Capacity 2: "out" is on board from the start, then "pair": nothing is left for "in".
    assert found(PLAN) == {Code.CAPACITY}
    roomy = replace(PROBLEM, couriers=(replace(PROBLEM.couriers[0], capacity=(3,)), PROBLEM.couriers[1]))
    assert found(PLAN, roomy) == set()
    assert violations(roomy, PLAN, TRAVEL.table(PROBLEM.locations)) == []


@pytest.mark.parametrize(
    ("plan", "code"),
    [
        (replace(PLAN, cost=PLAN.cost - 1), Code.COST),
        (replace(PLAN, routes=(ROUTE, ROUTE)), Code.COURIER_TWICE),
        (replace(PLAN, routes=(ROUTE, Route("idle", (), 0, 0, 0))), Code.EMPTY_ROUTE),
        (with_route(courier="who"), Code.UNKNOWN_COURIER),
        (with_visit(1, request="what"), Code.UNKNOWN_REQUEST),
        (with_visit(1, kind="delivery"), Code.NO_SUCH_VISIT),
        (with_visit(1, location="L2"), Code.WRONG_LOCATION),
        (with_visit(2, travel_s=19), Code.TRAVEL),
        (with_visit(2, arrival=144), Code.ARRIVAL),
        (with_visit(2, start=144), Code.STARTS_BEFORE_ARRIVAL),
        (with_visit(3, start=200, departure=210), Code.WINDOW),
        (with_visit(0, departure=110), Code.DEPARTURE),
        (with_visit(1, departure=130), Code.DEPARTURE),
        (with_route(start=-1), Code.SHIFT),
        (with_route(start=10), Code.ARRIVAL),
        (with_route(end=429), Code.ROUTE_END),
        (with_route(travel_s=239), Code.TRAVEL),
        (with_route(visits=VISITS[:3]), Code.FORGOTTEN),
        (with_route(visits=VISITS[:2] + VISITS[3:]), Code.PAIR_SPLIT),
        (with_route(visits=(VISITS[2], VISITS[0], VISITS[1], VISITS[3])), Code.PAIR_ORDER),
        (with_route(visits=(*VISITS, VISITS[3])), Code.VISITED_TWICE),
        (replace(PLAN, unassigned=LEFT_OUT[1:]), Code.FORGOTTEN),
        (replace(PLAN, unassigned=(*LEFT_OUT, LEFT_OUT[0])), Code.SERVED_AND_UNASSIGNED),
        (replace(PLAN, unassigned=(*LEFT_OUT, Unassigned("in", Reason.CROWDED_OUT, ""))), Code.SERVED_AND_UNASSIGNED),
        (replace(PLAN, unassigned=(*LEFT_OUT, Unassigned("what", Reason.CROWDED_OUT, ""))), Code.UNKNOWN_REQUEST),
        (replace(PLAN, unassigned=(replace(LEFT_OUT[0], reason=Reason.CROWDED_OUT), *LEFT_OUT[1:])), Code.FALSE_REASON),
        (replace(PLAN, unassigned=(*LEFT_OUT[:2], replace(LEFT_OUT[2], reason="over_capacity"))), Code.FALSE_REASON),
    ],
)
def test_tampering_is_found(plan: Plan, code: Code) -> None:
    assert code in found(plan)


@pytest.mark.parametrize(
    ("change", "code"),
    [
        (lambda p: replace(p, couriers=(replace(p.couriers[0], skills=frozenset()),)), None),
        (
            lambda p: replace(p, couriers=(replace(p.couriers[0], shift=replace(p.couriers[0].shift, end=429)),)),
            "shift",
        ),
        (lambda p: replace(p, requests=(replace(p.requests[0], skills=frozenset({"x"})), *p.requests[1:])), "skills"),
    ],
)
def test_a_plan_for_another_problem(change: Callable[[Problem], Problem], code: str | None) -> None:
    assert (found(PLAN, change(PROBLEM)) - {Code.CAPACITY}) == ({Code(code)} if code else set())


def test_no_road() -> None:
    travel = line(0, 100, 120, 5000)
    travel.durations[1, 2] = 2**31 - 1
    assert Code.NO_ROAD in {violation.code for violation in violations(PROBLEM, PLAN, travel)}

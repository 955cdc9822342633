"""A plan under way is repaired: what is done stays, little else moves, and each change has its reason."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cases import Matrix, courier, line, places, problems, task
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing.check import violations
from routing.plan import Plan, Reason
from routing.problem import Problem, ProblemError, Request, Stop, TimeWindow
from routing.replan import (
    Arrived,
    Cancelled,
    Change,
    CourierLate,
    CourierOut,
    Replanned,
    RoadClosed,
    Why,
    WindowChanged,
    freeze,
    out_of_order,
    replan,
)
from routing.solver import solve, warm_up

ROAD = line(0, 100, 200, 300, 400, 500)
EAST, WEST = courier("east", 5, 5), courier("west", 0, 0)
DAY = Problem(
    places(6),
    (
        Request("a", task(1), None),
        Request("b", task(2), None),
        Request("c", task(4), None),
        Request("pair", task(1), task(2)),
    ),
    (WEST, EAST),
)


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    warm_up()


def plan_of(problem: Problem, matrix: Matrix = ROAD) -> Plan:
    return solve(problem, matrix, iterations=500, time_limit_s=5)


def answered(
    *events: object, now: int = -1, move_price: int = 50, matrix: Matrix = ROAD, day: Problem = DAY
) -> Replanned:
    plan = plan_of(day)
    answer = replan(freeze(day, plan, now, move_price), plan, events, matrix, time_limit_s=0.2)  # type: ignore[arg-type]  # events
    assert violations(answer.problem, answer.plan, matrix) == []
    return answer


def serves(answer: Replanned) -> dict[str, str]:
    return {visit.request: route.courier for route in answer.plan.routes for visit in route.visits}


def test_nothing_happens() -> None:
    assert answered().changes == ()
    assert answered(RoadClosed()).changes == ()


RESULTS = Problem(
    places(6),
    (
        Request("near", None, task(1, (0, 150))),
        Request("far", None, task(2)),
        Request("new", task(1), task(3)),
    ),
    (courier("west", 0, 0, capacity=(2,)), EAST),
)


def test_what_was_loaded_stays_with_whoever_has_left() -> None:
    day = replace(RESULTS, requests=RESULTS.requests[:2])
    plan = plan_of(day)
    assert [(r.courier, len(r.visits)) for r in plan.routes] == [("west", 2)]
    for now in (-1, 0, 101):  # not left yet, on the way to the first, after it
        frozen = freeze(day, plan, now, 50)
        carried = {r.id: r.on_board for r in frozen.requests if r.on_board}
        assert carried == {-1: {}, 0: {"far": "west"}, 101: {"far": "west"}}[now]
        answer = replan(frozen, plan, [RoadClosed()], ROAD, time_limit_s=0.1)
        assert answer.changes == ()
        assert answer.plan.unassigned == ()
        assert violations(answer.problem, answer.plan, ROAD) == []


def test_what_is_cancelled_on_the_way_still_takes_up_room() -> None:
    room = {}
    for cancelled in ([], [Cancelled("far")]):
        day = replace(RESULTS, requests=RESULTS.requests[:2], couriers=(courier("west", 0, 0, capacity=(2,)),))
        plan = plan_of(day)
        big = replace(RESULTS.requests[2], amounts=(2,))
        answer = replan(freeze(day, plan, 101, 50), plan, [*cancelled, Arrived(big)], ROAD, time_limit_s=0.1)
        assert violations(answer.problem, answer.plan, ROAD) == []
        room[len(cancelled)] = "new" in serves(answer)
    # Delivered, it leaves room for two; cancelled, it rides along to the end.
    assert room == {0: True, 1: False}


def test_a_new_request_goes_where_it_costs_least_and_moves_nobody() -> None:
    answer = answered(Arrived(Request("new", task(4), None)))
    assert answer.changes == (Change("new", None, "east", Why.NEW),)


def test_a_new_request_may_bring_a_new_place() -> None:
    wider = line(0, 100, 200, 300, 400, 500, 450)
    answer = answered(Arrived(Request("new", task(6), None), (replace(places(7)[6]),)), matrix=wider)
    assert serves(answer)["new"] == "east"


def test_a_cancelled_request_leaves_the_plan() -> None:
    answer = answered(Cancelled("c"))
    assert answer.changes == (Change("c", "east", None, Why.CANCELLED),)
    assert "c" not in serves(answer)


def test_what_is_on_board_stays_there_when_it_is_cancelled() -> None:
    day = Problem(places(6), (Request("pair", task(1), task(4)), Request("x", task(2), None)), (WEST,))
    answer = answered(Cancelled("pair"), now=105, day=day)
    assert "pair" not in serves(answer)
    assert [visit.request for visit in answer.problem.couriers[0].done] == ["pair"]
    assert answer.problem.request["pair"].delivery is None


def test_the_couriers_of_one_who_is_out_take_over_what_is_not_on_board() -> None:
    answer = answered(CourierOut("west"))
    assert set(serves(answer).values()) == {"east"}
    assert {change.why for change in answer.changes} == {Why.COURIER_OUT}
    assert answer.plan.unassigned == ()


def test_what_is_on_board_of_a_courier_who_is_out_is_left_with_the_reason() -> None:
    day = Problem(places(6), (Request("pair", task(1), task(4)),), (WEST, EAST))
    plan = Plan((solve(replace(day, couriers=(WEST,)), ROAD, iterations=9).routes), (), 1000)
    frozen = freeze(day, plan, 105, 50)
    answer = replan(frozen, plan, [CourierOut("west")], ROAD)
    assert [x.reason for x in answer.plan.unassigned] == [Reason.COURIERS_GONE]


def test_a_late_courier_keeps_what_he_can_still_reach() -> None:
    day = replace(DAY, requests=(Request("a", task(1, (0, 150)), None), Request("b", task(2), None)))
    answer = answered(CourierLate("west", 120), day=day)
    assert serves(answer)["b"] == "west"
    assert "a" not in serves(answer)
    assert Change("a", "west", None, Why.NO_LONGER_FITS) in answer.changes


def test_a_changed_window_is_kept() -> None:
    answer = answered(WindowChanged("a", "pickup", (TimeWindow(700, 720),)))
    (visit,) = (v for route in answer.plan.routes for v in route.visits if v.request == "a")
    assert 700 <= visit.start <= 720


def test_a_closed_road_sends_another_courier() -> None:
    cut = ROAD.durations.copy()
    cut[:3, 3:] = cut[3:, :3] = 2**31 - 1
    both = Problem(places(6), (Request("a", task(2), None), Request("b", task(4), None)), (WEST, EAST))
    alone = solve(replace(both, couriers=(WEST,)), ROAD, iterations=100)
    frozen = freeze(both, alone, -1, 50)
    answer = replan(frozen, alone, [RoadClosed()], Matrix(cut.tolist()), time_limit_s=0.1)
    assert serves(answer) == {"a": "west", "b": "east"}
    assert answer.changes == (Change("b", "west", "east", Why.NO_LONGER_FITS),)


def test_a_high_price_keeps_everything_where_it_was_shown() -> None:
    """Served by the wrong courier: cheap moves put it right, dear ones do not."""
    swapped = Problem(places(6), (Request("a", task(1), None), Request("b", task(4), None)), (WEST, EAST))
    shown = Plan(
        solve(replace(swapped, requests=swapped.requests[:1], couriers=(EAST,)), ROAD, iterations=9).routes, (), 0
    )
    moved = {}
    for price in (1, 10_000):
        frozen = freeze(swapped, shown, -1, price)
        moved[price] = {c.request for c in replan(frozen, shown, [RoadClosed()], ROAD, time_limit_s=0.2).changes}
    assert "a" in moved[1]
    assert "a" not in moved[10_000]


@pytest.mark.parametrize(
    "event", [Cancelled("?"), CourierOut("?"), CourierLate("?", 5), WindowChanged("?", "pickup", ())]
)
def test_an_event_that_names_nothing_is_refused(event: object) -> None:
    with pytest.raises(ProblemError):
        answered(event)


def test_a_window_of_a_visit_that_is_not_there_is_refused() -> None:
    with pytest.raises(ProblemError, match="no delivery"):
        answered(WindowChanged("a", "delivery", (TimeWindow(0, 1),)))


def test_the_fewest_that_explain_a_new_order() -> None:
    stops = [Stop(str(i), "pickup") for i in range(5)]
    assert out_of_order(stops, [0, 1, 2, 3, 4]) == []
    assert out_of_order(stops, [4, 0, 1, 2, 3]) == stops[:1]
    assert out_of_order(stops, [1, 2, 3, 4, 0]) == stops[4:]
    assert out_of_order([], []) == []


def events(problem: Problem) -> st.SearchStrategy[object]:
    requests = st.sampled_from([r.id for r in problem.requests])
    couriers = st.sampled_from([c.id for c in problem.couriers])
    return st.one_of(
        st.builds(Cancelled, requests),
        st.builds(CourierOut, couriers),
        st.builds(CourierLate, couriers, st.integers(0, 300)),
        st.just(RoadClosed()),
    )


@given(problems(max_requests=6, max_couriers=3), st.integers(0, 300), st.data())
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=50)
def test_any_answer_is_sound_and_keeps_what_is_done(
    case: tuple[Problem, Matrix], now: int, data: st.DataObject
) -> None:
    problem, matrix = case
    if not problem.requests or not problem.couriers:
        return
    plan = plan_of(problem, matrix)
    frozen = freeze(problem, plan, now, 20)
    event = data.draw(events(problem))
    answer = replan(frozen, plan, [event], matrix, time_limit_s=0.05)  # type: ignore[list-item]
    assert violations(answer.problem, answer.plan, matrix) == []
    assert [c.done for c in answer.problem.couriers] == [c.done for c in frozen.couriers]
    began = {(v.request, v.kind) for c in frozen.couriers for v in c.done}
    assert not began & {(v.request, v.kind) for route in answer.plan.routes for v in route.visits}

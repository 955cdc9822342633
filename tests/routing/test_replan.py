"""A plan under way is repaired: what is done stays, little else moves, and each change has its reason."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from cases import Matrix, courier, line, places, problems, task
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing.check import violations
from routing.plan import Plan, Reason
from routing.problem import Break, Courier, Problem, ProblemError, Request, Stop, Task, TimeWindow
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
        assert carried.keys() == {-1: set(), 0: {"near", "far"}, 101: {"far"}}[now]
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


def at(place: int, opens: int = 0, closes: int = 10**5, service_s: int = 60, setup_s: int = 0) -> Task:
    return Task(f"L{place}", (TimeWindow(opens, closes),), service_s, setup_s)


def rider(name: str = "west", place: int = 0, **more: Any) -> Courier:
    return courier(name, place, place, **({"capacity": (100,), "shift": (0, 10**5)} | more))


def times(answer: Replanned) -> dict[str, int]:
    """When service starts, by request."""
    return {visit.request: visit.start for route in answer.plan.routes for visit in route.visits}


def follow(day: Problem, now: int, *events: object, plan: Plan | None = None, **more: Any) -> Replanned:
    """Answer events at a moment of the plan of the first courier alone, or of a given plan."""
    plan = plan or plan_of(replace(day, couriers=day.couriers[:1]))
    answer = replan(freeze(day, plan, now, 50), plan, events, ROAD, **({"time_limit_s": 0.1} | more))  # type: ignore[arg-type]
    assert violations(answer.problem, answer.plan, ROAD) == []
    return answer


@pytest.mark.parametrize("closes", [400, 1200])
def test_a_break_that_has_begun_ends_when_it_was_to_end(closes: int) -> None:
    rests = (Break(TimeWindow(150, closes), 900),)
    day = Problem(
        places(6), (Request("x", at(1, 0, 100), None), Request("y", at(3, 1000, 1300), None)), (rider(breaks=rests),)
    )
    rest = plan_of(day).routes[0].breaks[0]
    answer = follow(day, rest.start + 700, RoadClosed())
    assert answer.problem.couriers[0].breaks == ()
    assert answer.problem.couriers[0].free_at == rest.end
    assert all(start >= rest.end for start in times(answer).values())
    assert answer.changes == ()


def test_who_is_late_stays_late() -> None:
    day = Problem(places(6), (Request("x", at(1), None), Request("y", at(2), None)), (rider(),))
    first = follow(day, -1, CourierLate("west", 5000))
    again = follow(first.problem, 2000, CourierLate("west", 100), plan=first.plan)
    assert min(times(again).values()) == min(times(first).values()) > 5000


def test_what_a_courier_was_riding_to_is_not_done_when_he_breaks_down() -> None:
    pair = Request("pair", at(4), at(5))
    answer = follow(Problem(places(6), (pair,), (rider(), rider("north"))), 5, CourierOut("west"))
    assert answer.changes == (Change("pair", "west", "north", Why.COURIER_OUT),)
    loaded = Request("result", None, at(4))
    answer = follow(Problem(places(6), (loaded,), (rider(), rider("north"))), 5, CourierOut("west"))
    assert [(x.request, x.reason) for x in answer.plan.unassigned] == [("result", Reason.COURIERS_GONE)]
    assert answer.changes == (Change("result", "west", None, Why.COURIER_OUT),)


def test_waiting_for_a_window_to_open_is_time_for_something_else() -> None:
    day = Problem(places(6), (Request("x", at(1, 0, 500), None), Request("y", at(2, 14_000, 15_000), None)), (rider(),))
    new = Arrived(Request("new", at(4, 1000, 9000), None))
    assert times(follow(day, 200, new)).keys() == {"new", "y"}
    assert times(follow(day, 200, Cancelled("y"), new)) == {"new": 1000}
    later = (TimeWindow(18_000, 19_000),)
    assert times(follow(day, 200, WindowChanged("y", "pickup", later))) == {"y": 18_000}
    # On the way there it is taken back; once he is at the door it is too late.
    assert times(follow(day, 13_950, WindowChanged("y", "pickup", later))) == {"y": 18_000}
    with pytest.raises(ProblemError, match="pickup is done"):
        follow(day, 14_010, WindowChanged("y", "pickup", later))


def test_what_was_ridden_and_worked_counts() -> None:
    day = Problem(places(6), (Request("x", at(5), None),), (rider(max_travel_s=1000),))
    answer = follow(day, 100, Arrived(Request("new", at(2), None)), Arrived(Request("far", at(1), at(3))))
    assert times(answer).keys() == {"new"}  # on the way home
    assert [x.reason for x in answer.plan.unassigned] == [Reason.ROUTE_TOO_LONG]
    fair = {"fair_work_s": 4 * 3600, "overwork_price": 10}
    day = Problem(places(6), (Request("x", at(3, 0, 400, 5 * 3600), None),), (rider(**fair), rider("north", **fair)))
    assert serves(follow(day, 18_000, Arrived(Request("new", at(4, 18_500, 30_000, 3600), None)))) == {"new": "north"}


def test_who_is_home_rides_again_from_there() -> None:
    day = Problem(places(6), (Request("x", at(5, 0, 600), None),), (rider(capacity=(1,)),))
    near, far = Request("near", at(1, 5000, 5150), None), Request("far", at(5, 5000, 5400), None)
    answer = follow(day, 5000, Arrived(near), Arrived(far))
    assert times(answer) == {"near": 5100}  # the office is 100 s away, and what he had collected is there
    result = Request("result", None, at(2))
    later = follow(answer.problem, 5010, RoadClosed(), plan=answer.plan)
    assert later.problem.couriers[0].has_left
    assert serves(follow(day, 5000, Arrived(result))) == {"result": "west"}
    assert serves(follow(day, 600, Arrived(result))) == {}  # still on the way


def test_what_was_left_out_and_finds_room_is_no_move() -> None:
    cut = ROAD.durations.copy()
    cut[:, 3:] = cut[3:, :] = 2**31 - 1
    day = Problem(places(6), tuple(Request(f"r{i}", at(i), None) for i in range(1, 6)), (rider(),))
    plan = solve(day, Matrix(cut.tolist()), iterations=50)
    assert len(plan.unassigned) == 3
    answer = follow(day, -1, RoadClosed(), plan=plan)
    assert {change.request: change.why for change in answer.changes} == dict.fromkeys(
        ["r3", "r4", "r5"], Why.FINDS_ROOM
    )


def test_what_is_delivered_or_carried_can_be_cancelled() -> None:
    day = Problem(places(6), tuple(Request(f"r{i}", None, at(i)) for i in range(1, 5)), (rider(),))
    first = follow(day, 10, RoadClosed())
    order = [visit.request for visit in plan_of(day).routes[0].visits]
    now = plan_of(day).routes[0].visits[1].start + 1
    done = follow(first.problem, now, Cancelled(order[1]), plan=first.plan)
    assert order[1] not in serves(done)
    carried = follow(first.problem, now, Cancelled(order[3]), plan=first.plan)
    assert carried.changes == (Change(order[3], "west", None, Why.CANCELLED),)


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
    for before, after in zip(frozen.couriers, answer.problem.couriers, strict=True):
        assert {v for v in before.done if not v.riding} <= set(after.done)
    began = {(v.request, v.kind) for c in answer.problem.couriers for v in c.done}
    assert not began & {(v.request, v.kind) for route in answer.plan.routes for v in route.visits}

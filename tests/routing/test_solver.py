"""Plans are sound, complete, near the optimum where it can be known, and the same for the same seed."""

from __future__ import annotations

import threading
import time
from itertools import pairwise

import pytest
from cases import Matrix, courier, line, places, problems, task
from exhaustive import cheapest, cheapest_route
from hypothesis import HealthCheck, given, settings

from routing.check import violations
from routing.incumbent import Incumbent
from routing.plan import Plan, Reason
from routing.problem import Break, Courier, Problem, Request, Task, TimeWindow
from routing.solver import Progress, _Cooling, solve, warm_up
from routing.travel import UNREACHABLE, GreatCircle

relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    warm_up()


def planned(problem: Problem, matrix: Matrix, **more: int) -> Plan:
    plan = solve(problem, matrix, **({"time_limit_s": 5, "iterations": 8000} | more))  # type: ignore[arg-type]  # brevity
    assert violations(problem, plan, matrix) == []
    return plan


def reason(request: Request, *couriers: Courier, matrix: Matrix | None = None) -> Reason:
    matrix = matrix or line(0, 100)
    plan = planned(Problem(places(len(matrix.durations)), (request,), couriers), matrix)
    assert plan.routes == ()
    (left_out,) = plan.unassigned
    assert left_out.detail
    return left_out.reason


@given(problems())
@relaxed
def test_tiny_plans_are_sound_and_optimal(case: tuple[Problem, Matrix]) -> None:
    problem, matrix = case
    plan = planned(problem, matrix)
    assert plan.cost == cheapest(problem, matrix.table(problem.locations))


@given(problems())
@relaxed
def test_reasons_are_true(case: tuple[Problem, Matrix]) -> None:
    problem, matrix = case
    index = {location.id: i for i, location in enumerate(problem.locations)}
    requests = {request.id: request for request in problem.requests}
    for left_out in planned(problem, matrix, iterations=50).unassigned:
        request, table = requests[left_out.request], matrix.table(problem.locations)
        alone = any(cheapest_route([request], c, table, index) is not None for c in problem.couriers)
        assert (left_out.reason in (Reason.CROWDED_OUT, Reason.PRICE_BELOW_COST)) >= alone
        assert alone or left_out.reason is not Reason.CROWDED_OUT


@given(problems(max_requests=14, max_couriers=4))
@relaxed
def test_larger_plans_are_sound(case: tuple[Problem, Matrix]) -> None:
    planned(*case, iterations=200)


def day(requests: int, couriers: int) -> Problem:
    """A day on a grid, a third each of pickups, deliveries and pairs."""
    spots = places(requests)
    hours = (TimeWindow(0, 4 * 3600),)
    tasks = [Task(spot.id, hours, 120, 60) for spot in spots]
    return Problem(
        spots,
        tuple(
            Request(f"R{i}", tasks[i] if i % 3 != 1 else None, tasks[(7 * i) % requests] if i % 3 else None)
            for i in range(requests)
        ),
        tuple(courier(f"C{i}", (9 * i) % requests, (9 * i) % requests, (0, 4 * 3600)) for i in range(couriers)),
    )


def test_same_seed_and_iterations_give_the_same_plan() -> None:
    problem = day(60, 5)
    first, again, other = (solve(problem, GreatCircle(), seed=s, iterations=500, time_limit_s=60) for s in (1, 1, 2))
    assert first == again
    assert first != other


def test_a_long_run_warms_up_again_from_its_best_plan() -> None:
    problem, seen = day(13, 2), list[int]()
    runs = [
        solve(
            problem,
            GreatCircle(),
            seed=1,
            iterations=80_000,
            time_limit_s=60,
            on_progress=lambda p: seen.append(p.cost),
        )
        for _ in "ab"
    ]
    assert runs[0] == runs[1]
    assert runs[0].cost == min(seen)


def test_how_often_it_cools_down() -> None:
    incumbent = Incumbent(day(20, 2), GreatCircle().table(day(20, 2).locations))
    incumbent.construct()
    cooling = _Cooling(100.0)
    for iterations, cycles in ((1, 1), (79_999, 1), (80_000, 2), (10**9, 6)):
        cooling.plan_cycles(incumbent, iterations)
        assert cooling.cycles == cycles
    assert (cooling.begin(0.0, incumbent), cooling.range) == (0.0, (100.0, 1.0))
    assert (cooling.begin(0.25, incumbent), cooling.range) == (0.5, (30.0, 1.0))
    assert (cooling.begin(1.0, incumbent), cooling.range) == (1.0, (30.0, 1.0))


def test_more_iterations_do_not_cost_more() -> None:
    problem = day(60, 5)
    costs = [solve(problem, GreatCircle(), iterations=n, time_limit_s=60).cost for n in (0, 3000)]
    assert costs[1] < costs[0]


def test_time_limit_and_progress() -> None:
    problem, seen = day(80, 6), list[Progress]()
    started = time.perf_counter()
    plan = solve(problem, GreatCircle(), time_limit_s=0.5, on_progress=seen.append)
    assert time.perf_counter() - started < 1.5
    assert violations(problem, plan, GreatCircle()) == []
    assert seen[-1].iterations > 0
    assert all(a.cost >= b.cost and a.elapsed_s <= b.elapsed_s for a, b in pairwise(seen))
    assert plan.cost <= seen[-1].cost


def test_routes_have_no_longest_length() -> None:
    n = 400
    stops = tuple(Request(f"R{i}", task(i % 2, (0, 10**6), service_s=1), None) for i in range(n))
    problem = Problem(places(2), stops, (courier(capacity=(n,), shift=(0, 10**6)),))
    plan = planned(problem, line(0, 10), iterations=20)
    assert len(plan.routes[0].visits) == n
    assert plan.cost == 20


def test_nothing_to_plan() -> None:
    assert planned(Problem((), (), ()), Matrix([])) == Plan((), (), 0)
    assert planned(Problem(places(1), (), (courier(),)), line(0)) == Plan((), (), 0)


def test_reason_no_courier() -> None:
    assert reason(Request("r", task(1), None)) is Reason.NO_COURIER_WITH_SKILLS


def test_reason_skills() -> None:
    request = Request("r", task(1), None, skills=frozenset({"seal"}))
    assert reason(request, courier(skills=frozenset({"cash"}))) is Reason.NO_COURIER_WITH_SKILLS


def test_reason_capacity() -> None:
    assert reason(Request("r", task(1), None, (11,)), courier()) is Reason.OVER_CAPACITY


def test_reason_unreachable() -> None:
    hole = Matrix([[0, UNREACHABLE], [5, 0]])
    assert reason(Request("r", task(1), None), courier(), matrix=hole) is Reason.UNREACHABLE
    no_way_back = Matrix([[0, 5], [UNREACHABLE, 0]])
    assert reason(Request("r", None, task(1)), courier(), matrix=no_way_back) is Reason.UNREACHABLE


def test_reason_window() -> None:
    assert reason(Request("r", task(1, (0, 99)), None), courier()) is Reason.WINDOW_UNREACHABLE
    assert reason(Request("r", task(1, (2000, 2100)), None), courier()) is Reason.WINDOW_UNREACHABLE


def test_reason_shift() -> None:
    assert reason(Request("r", task(1, service_s=101), None), courier(shift=(0, 300))) is Reason.SHIFT_TOO_SHORT


def test_reason_price() -> None:
    assert reason(Request("r", task(1), None, unassigned_price=199), courier()) is Reason.PRICE_BELOW_COST


def test_reason_crowded_out() -> None:
    requests = tuple(Request(x, task(1, (100, 105)), None, unassigned_price=p) for x, p in (("a", 500), ("b", 600)))
    plan = planned(Problem(places(2), requests, (courier(),)), line(0, 100))
    assert [(u.request, u.reason) for u in plan.unassigned] == [("a", Reason.CROWDED_OUT)]


def test_leaves_as_late_as_the_first_door_allows() -> None:
    problem = Problem(places(2), (Request("r", task(1, (500, 600)), None),), (courier(),))
    (route,) = planned(problem, line(0, 100)).routes
    assert (route.start, route.visits[0].arrival, route.visits[0].start, route.end) == (400, 500, 500, 610)


def test_set_up_is_paid_once_per_address() -> None:
    twins = tuple(Request(x, task(1, (0, 500), service_s=10, setup_s=60), None) for x in "ab")
    (route,) = planned(Problem(places(2), twins, (courier(shift=(0, 280)),)), line(0, 100)).routes
    assert [visit.departure - visit.start for visit in route.visits] == [70, 10]
    assert route.end == 280


def test_second_window_is_used() -> None:
    requests = (Request("a", task(1, (0, 110)), None), Request("b", task(1, (0, 90), (300, 310)), None))
    (route,) = planned(Problem(places(2), requests, (courier(),)), line(0, 100)).routes
    assert [visit.start for visit in route.visits] == [100, 300]


def test_night_shift_and_negative_times() -> None:
    problem = Problem(places(2), (Request("r", task(1, (-50, 50)), None),), (courier(shift=(-300, 300)),))
    assert len(planned(problem, line(0, 100)).routes) == 1


def test_pair_with_both_ends_at_one_door() -> None:
    pair = Request("r", task(1, setup_s=30), task(1, setup_s=30))
    (route,) = planned(Problem(places(2), (pair,), (courier(),)), line(0, 100)).routes
    assert [(v.kind, v.departure - v.start) for v in route.visits] == [("pickup", 40), ("delivery", 10)]


def test_two_workers_give_a_sound_plan_and_the_same_for_the_same_seed() -> None:
    problem = day(200, 20)
    first, again = (solve(problem, GreatCircle(), seed=3, iterations=3000, workers=2, time_limit_s=60) for _ in "ab")
    assert first == again
    assert violations(problem, first, GreatCircle()) == []
    alone = solve(problem, GreatCircle(), seed=3, iterations=0, time_limit_s=60)
    assert first.cost < alone.cost


def test_a_cancelled_search_gives_what_it_has() -> None:
    problem, cancel = day(80, 6), threading.Event()
    seen: list[Progress] = []

    def stop(progress: Progress) -> None:
        seen.append(progress)
        cancel.set()

    plan = solve(problem, GreatCircle(), time_limit_s=60, on_progress=stop, cancel=cancel)
    assert violations(problem, plan, GreatCircle()) == []
    assert seen[-1].elapsed_s < 30


def test_the_best_plan_so_far_can_be_had_while_it_is_searched() -> None:
    problem, plans = day(80, 6), list[Plan]()
    last = solve(problem, GreatCircle(), time_limit_s=0.5, on_progress=lambda p: plans.append(p.plan()))
    assert [violations(problem, plan, GreatCircle()) for plan in plans] == [[]] * len(plans)
    assert plans[0].cost >= plans[-1].cost >= last.cost


def test_a_break_lies_where_it_holds_up_least() -> None:
    """Waiting for the second window is when to rest: before the first or after it the round would be too long."""
    rider = courier(shift=(0, 270), breaks=(Break(TimeWindow(0, 250), 60),))
    requests = (Request("a", task(1, (0, 60)), None), Request("b", task(2, (150, 160)), None))
    plan = planned(Problem(places(3), requests, (rider,)), line(0, 50, 60), iterations=200)
    (route,) = plan.routes
    assert [(pause.after, pause.end - pause.start) for pause in route.breaks] == [(1, 60)]
    assert plan.unassigned == ()


def test_a_deadline_may_be_missed_for_its_price_and_a_window_may_not() -> None:
    late = Task("L1", (TimeWindow(0, 500),), 10, due=50, late_price=3)
    plan = planned(Problem(places(2), (Request("r", late, None),), (courier(),)), line(0, 100), iterations=9)
    assert plan.cost == 200 + 3 * 50


def test_prices_by_the_metre_need_distances() -> None:
    problem = Problem(places(2), (Request("r", task(1), None),), (courier(price_per_m=1),))
    with pytest.raises(ValueError, match="distances"):
        solve(problem, line(0, 100))
    assert solve(problem, Matrix([[0, 9], [9, 0]], [[0, 70], [70, 0]]), iterations=9).cost == 18 + 140

"""Each explanation names what keeps a request out, and each remedy lets it in when it is tried."""

from __future__ import annotations

from dataclasses import replace

import pytest
from cases import Matrix, courier, line, places, problems, task
from hypothesis import HealthCheck, given, settings

from routing.check import violations
from routing.explain import STEP_S, Constraint, explain, stop_costs
from routing.plan import Plan
from routing.problem import Courier, Problem, ProblemError, Request, Stop, Task, TimeWindow
from routing.solver import solve, warm_up
from routing.travel import UNREACHABLE

ROAD = line(0, 100, 200, 300, 1000)


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    warm_up()


def why(
    *requests: Request, couriers: tuple[Courier, ...] = (courier(),), matrix: Matrix = ROAD
) -> dict[str, Constraint]:
    problem = Problem(places(len(matrix.durations)), requests, couriers)
    plan = solve(problem, matrix, iterations=200, time_limit_s=5)
    return {x.request: x.constraint for x in explain(problem, plan, matrix)}


def test_a_missing_skill() -> None:
    assert why(Request("r", task(1), None, skills=frozenset({"cash"}))) == {"r": Constraint.SKILLS}


def test_too_little_room() -> None:
    assert why(Request("r", task(1), None, amounts=(11,))) == {"r": Constraint.CAPACITY}


def test_how_much_room_is_lacking_beside_the_others() -> None:
    """Two of 4 and one of 3 for a courier who takes 10: 1 is lacking."""
    requests = tuple(Request(name, task(1), None, amounts=(n,)) for name, n in (("a", 4), ("b", 4), ("c", 3)))
    problem = Problem(places(5), requests, (courier(),))
    (found,) = explain(problem, solve(problem, ROAD, iterations=200, time_limit_s=5), ROAD)
    assert [(r.constraint, r.amount) for r in found.remedies] == [(Constraint.CAPACITY, 1)]


def test_a_round_that_may_not_be_so_long() -> None:
    there = Request("r", task(3), None)
    for change, expected in (
        ({"max_travel_s": 100}, (Constraint.RIDING, 600)),
        ({"max_travel_m": 100}, (Constraint.DISTANCE, 1500)),
    ):
        problem = Problem(places(5), (there,), (courier(**change),))
        roads = Matrix(ROAD.durations.tolist(), (2 * ROAD.durations).tolist())
        (found,) = explain(problem, solve(problem, roads, iterations=9, time_limit_s=5), roads)
        assert [(r.constraint, r.amount) for r in found.remedies] == [expected]
    both = Problem(places(5), (there,), (courier(max_travel_s=100, max_travel_m=100),))
    (found,) = explain(both, solve(both, roads, iterations=9, time_limit_s=5), roads)
    assert (found.constraint, found.remedies) == (Constraint.SEVERAL, ())


def test_a_shift_that_ends_too_early_and_by_how_much() -> None:
    problem = Problem(places(5), (Request("r", task(4), None),), (courier(shift=(0, 1500)),))
    plan = solve(problem, ROAD, iterations=200, time_limit_s=5)
    (found,) = explain(problem, plan, ROAD)
    # 1,000 s there, 10 s at the door, 1,000 s back: 510 s are lacking; the window ends in time.
    assert (found.constraint, found.courier) == (Constraint.SHIFT, "c")
    assert [(r.constraint, r.amount, r.extra) for r in found.remedies] == [(Constraint.SHIFT, 600, 2000)]


def test_a_window_that_closes_too_early() -> None:
    problem = Problem(places(5), (Request("r", task(3, (0, 50)), None),), (courier(),))
    plan = solve(problem, ROAD, iterations=200, time_limit_s=5)
    (found,) = explain(problem, plan, ROAD)
    assert [(r.constraint, r.amount) for r in found.remedies] == [(Constraint.WINDOW, STEP_S)]


def test_a_price_below_the_cost() -> None:
    problem = Problem(places(5), (Request("r", task(3), None, unassigned_price=7),), (courier(),))
    (found,) = explain(problem, solve(problem, ROAD, iterations=9), ROAD)
    assert (found.constraint, found.remedies[0].amount) == (Constraint.PRICE, 601)


def test_no_way_there_no_courier_and_nobody_left() -> None:
    island = Matrix([[0, UNREACHABLE], [UNREACHABLE, 0]])
    assert why(Request("r", task(1), None), matrix=island) == {"r": Constraint.ROAD}
    assert why(Request("r", task(1), None), couriers=()) == {"r": Constraint.NOBODY}
    assert why(Request("r", task(1), None), couriers=(courier(out=True),)) == {"r": Constraint.GONE}


@given(problems(max_requests=5))
@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow], max_examples=40)
def test_every_remedy_lets_the_request_in(case: tuple[Problem, Matrix]) -> None:
    problem, matrix = case
    plan = solve(problem, matrix, iterations=200, time_limit_s=5)
    for found in explain(problem, plan, matrix):
        for remedy in found.remedies:
            changed = _applied(problem, found.request, remedy.constraint, remedy.courier, remedy.amount)
            after = solve(changed, matrix, iterations=200, time_limit_s=5, start=plan)
            assert violations(changed, after, matrix) == []
            old = sum(problem.request[x.request].unassigned_price for x in plan.unassigned)
            new = sum(changed.request[x.request].unassigned_price for x in after.unassigned)
            dear = problem.request[found.request].unassigned_price > remedy.extra
            assert found.request not in {x.request for x in after.unassigned} or not dear or new < old


def _applied(problem: Problem, name: str, kind: Constraint, rider: str, amount: int) -> Problem:
    request = problem.request[name]
    requests, couriers = list(problem.requests), list(problem.couriers)
    v = next(i for i, c in enumerate(couriers) if c.id == rider)
    if kind is Constraint.PRICE:
        requests[requests.index(request)] = replace(request, unassigned_price=amount)
    elif kind is Constraint.SKILLS:
        couriers[v] = replace(couriers[v], skills=couriers[v].skills | request.skills)
    elif kind is Constraint.CAPACITY:
        couriers[v] = replace(couriers[v], capacity=tuple(room + amount for room in couriers[v].capacity))
    elif kind in (Constraint.WINDOW, Constraint.EARLIER):
        later = amount if kind is Constraint.WINDOW else 0
        requests[requests.index(request)] = replace(
            request,
            pickup=_wider(request.pickup, amount - later, later),
            delivery=_wider(request.delivery, amount - later, later),
        )
    else:
        assert kind is Constraint.SHIFT
        shift = couriers[v].shift
        couriers[v] = replace(couriers[v], shift=TimeWindow(shift.start, shift.end + amount))
    return replace(problem, requests=tuple(requests), couriers=tuple(couriers))


def _wider(task: Task | None, before: int, after: int) -> Task | None:
    """Every window wider by so much; of those that meet, one."""
    if task is None:
        return None
    open_at = sorted({s for w in task.windows for s in range(w.start - before, w.end + after + 1)})
    starts = [s for i, s in enumerate(open_at) if i == 0 or open_at[i - 1] != s - 1]
    ends = [s for i, s in enumerate(open_at) if i == len(open_at) - 1 or open_at[i + 1] != s + 1]
    return replace(task, windows=tuple(TimeWindow(a, b) for a, b in zip(starts, ends, strict=True)))


def test_a_window_that_opens_too_late_for_the_shift() -> None:
    late = Request("r", task(3, (2000, 2100)), None)
    problem = Problem(places(5), (late,), (courier(), courier("longer", shift=(0, 1900))))
    (found,) = explain(problem, solve(problem, ROAD, iterations=9, time_limit_s=5), ROAD)
    # 2,000 + 10 s at the door + 300 s home: "longer" lacks 410 s either way, the other one 1,310.
    assert {(r.constraint, r.courier, r.amount) for r in found.remedies} == {
        (Constraint.SHIFT, "longer", 600),
        (Constraint.EARLIER, "longer", 600),
    }


def test_a_price_keeps_what_was_promised() -> None:
    """Shown to one who is late: the other's price has the broken promise in it."""
    late = courier("late", shown=(Stop("r", "pickup"),), move_price=500, free_at=2000)
    problem = Problem(places(5), (Request("r", task(2), None, unassigned_price=700),), (late, courier("other", 1, 1)))
    plan = solve(problem, ROAD, iterations=9, time_limit_s=5)
    (found,) = explain(problem, plan, ROAD)
    assert [(r.constraint, r.courier, r.amount) for r in found.remedies if r.constraint is Constraint.PRICE] == [
        (Constraint.PRICE, "other", 701)
    ]


def test_a_stop_without_which_others_no_longer_fit() -> None:
    """The first at a door pays the set-up for the second, which closes too early to pay it itself."""
    first = Request("first", task(1, (0, 300), setup_s=0), None)
    second = Request("second", task(1, (0, 400), setup_s=600), None)
    third = Request("third", task(3, (0, 700)), None)
    problem = Problem(places(5), (first, second, third), (courier(), courier("other", shift=(0, 900))))
    costs = {x.request: x.cost for x in stop_costs(problem, solve(problem, ROAD, iterations=200), ROAD, "c")}
    assert all(-10_000 < cost < 10_000 for cost in costs.values())
    with pytest.raises(ProblemError, match="courier nobody"):
        stop_costs(problem, Plan((), (), 0), ROAD, "nobody")


def test_what_a_stop_costs_and_who_else_could_serve_it() -> None:
    near, far = courier("near"), courier("far", 4, 4, shift=(0, 5000))
    problem = Problem(places(5), (Request("a", task(1), None), Request("b", task(2), None)), (near, far))
    plan = solve(problem, ROAD, iterations=200, time_limit_s=5)
    a, b = stop_costs(problem, plan, ROAD, "near")
    assert {(x.request, x.cost) for x in (a, b)} == {("a", 0), ("b", 200)}
    assert [(x.courier, x.extra) for x in b.alternatives] + [(x.courier, x.extra) for x in a.alternatives] in (
        [("far", 1400), ("far", 1800)],
        [("far", 1800), ("far", 1400)],
    )

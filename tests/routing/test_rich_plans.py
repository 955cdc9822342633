"""Plans with everything the model can say are sound, and where it can be known, the cheapest there are."""

from __future__ import annotations

import numpy as np
import pytest
from cases import Matrix, rich_problems
from exhaustive import cheapest_of_all
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from routing.check import violations
from routing.explain import stop_costs
from routing.layout import table_for
from routing.problem import Problem, Stop
from routing.replan import Cancelled, CourierLate, CourierOut, Event, Replanned, RoadClosed, freeze, replan
from routing.solver import solve, warm_up

relaxed = settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])


@pytest.fixture(scope="module", autouse=True)
def compiled() -> None:
    warm_up()


@given(rich_problems(max_requests=10, max_couriers=4))
@relaxed
def test_rich_plans_are_sound(case: tuple[Problem, Matrix]) -> None:
    problem, matrix = case
    plan = solve(problem, matrix, iterations=200, time_limit_s=5)
    assert violations(problem, plan, matrix) == []
    again = solve(problem, matrix, iterations=50, time_limit_s=5, start=plan)
    assert violations(problem, again, matrix) == []
    assert again.cost <= plan.cost


@given(rich_problems(max_requests=6, max_couriers=3), st.data())
@relaxed
def test_plans_are_sound_without_the_triangle_inequality(case: tuple[Problem, Matrix], data: st.DataObject) -> None:
    problem, matrix = case
    n = len(problem.locations)
    cells = np.array(data.draw(st.lists(st.integers(0, 60), min_size=n * n, max_size=n * n)), dtype=np.int64)
    cells = cells.reshape(n, n) * (1 - np.eye(n, dtype=np.int64))
    crooked = Matrix(cells.tolist(), None if matrix.distances is None else matrix.distances.tolist())
    plan = solve(problem, crooked, iterations=200, time_limit_s=5)
    assert violations(problem, plan, crooked) == []


@given(rich_problems(max_requests=8, max_couriers=3), st.data())
@relaxed
def test_a_rich_day_under_way_is_answered_soundly(case: tuple[Problem, Matrix], data: st.DataObject) -> None:
    problem, matrix = case
    plan = solve(problem, matrix, iterations=100, time_limit_s=5)
    for now in sorted(data.draw(st.lists(st.integers(0, 400), min_size=1, max_size=3))):
        before = {Stop(v.request, v.kind): v for c in problem.couriers for v in c.done if not v.riding}
        frozen = freeze(problem, plan, now, 20)
        named = [r.id for r in problem.requests]
        events: list[Event] = [RoadClosed()]
        if named and data.draw(st.booleans()):
            events.append(Cancelled(data.draw(st.sampled_from(named))))
        if problem.couriers and data.draw(st.booleans()):
            events.append(CourierOut(data.draw(st.sampled_from(problem.couriers)).id))
        if problem.couriers and data.draw(st.booleans()):
            events.append(CourierLate(data.draw(st.sampled_from(problem.couriers)).id, now + 30))
        answer = replan(frozen, plan, events, matrix, time_limit_s=0.02)
        assert violations(answer.problem, answer.plan, matrix) == []
        assert all(v.start >= now for route in answer.plan.routes for v in route.visits)
        after = {Stop(v.request, v.kind): v for c in answer.problem.couriers for v in c.done}
        assert all(after[stop].start == visit.start for stop, visit in before.items())
        for change in answer.changes:
            served = {v.request: route.courier for route in answer.plan.routes for v in route.visits}
            assert served.get(change.request) == change.after
        stop_costs_of_all(answer, matrix)
        problem, plan = answer.problem, answer.plan


def stop_costs_of_all(answer: Replanned, matrix: Matrix) -> None:
    for route in answer.plan.routes:
        costs = stop_costs(answer.problem, answer.plan, matrix, route.courier)
        assert {x.request for x in costs} == {v.request for v in route.visits}
        assert all(x.courier == route.courier for x in costs)


@given(rich_problems())
@relaxed
def test_tiny_rich_plans_are_the_cheapest(case: tuple[Problem, Matrix]) -> None:
    problem, matrix = case
    plan = solve(problem, matrix, iterations=8000, time_limit_s=5)
    assert violations(problem, plan, matrix) == []
    assert plan.cost == cheapest_of_all(problem, table_for(problem, matrix))

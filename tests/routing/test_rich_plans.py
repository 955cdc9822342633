"""Plans with everything the model can say are sound, and where it can be known, the cheapest there are."""

from __future__ import annotations

import pytest
from cases import Matrix, rich_problems
from exhaustive import cheapest_of_all
from hypothesis import HealthCheck, given, settings

from routing.check import violations
from routing.layout import table_for
from routing.problem import Problem
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


@given(rich_problems())
@relaxed
def test_tiny_rich_plans_are_the_cheapest(case: tuple[Problem, Matrix]) -> None:
    problem, matrix = case
    plan = solve(problem, matrix, iterations=8000, time_limit_s=5)
    assert violations(problem, plan, matrix) == []
    assert plan.cost == cheapest_of_all(problem, table_for(problem, matrix))

"""Writes a route's times: every service as early as it can be, the start as late as that allows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from routing.plan import Pause, Route, Visit
from routing.problem import Break, Courier, Problem, Stop, Task
from routing.travel import Table


def ride(
    problem: Problem, table: Table, index: Mapping[str, int], courier: Courier, order: Iterable[Stop | Break]
) -> Route:
    """Ride visits and breaks in the given order; `index` is each location's row in the table.

    Nothing is refused: where a window is missed the service starts on arrival, for the judge to see.
    """
    visits: list[Visit] = []
    pauses: list[Pause] = []
    here, clock = problem.standing(courier)
    address = here if courier.has_left else ""
    leave, riding, metres = clock, 0, 0
    for item in order:
        if isinstance(item, Break):
            start = max(clock, item.window.start)
            clock = start + item.duration_s
            pauses.append(Pause(len(visits), start, clock))
            continue
        task = problem.request[item.request].task(item.kind)
        assert task is not None
        leg, leg_m = _leg(table, index[here], index[task.location])
        start = _begin(task, clock + leg)
        if not visits:
            leave = clock = start - leg
        departure = start + task.service_s + (0 if task.location == address else task.setup_s)
        visits.append(Visit(item.request, item.kind, task.location, clock + leg, start, departure, leg))
        here = address = task.location
        clock, riding, metres = departure, riding + leg, metres + leg_m
    leg, leg_m = _leg(table, index[here], index[courier.end])
    return Route(courier.id, tuple(visits), leave, clock + leg, riding + leg, metres + leg_m, tuple(pauses))


def _begin(task: Task, arrival: int) -> int:
    return next((max(arrival, window.start) for window in task.windows if arrival <= window.end), arrival)


def _leg(table: Table, a: int, b: int) -> tuple[int, int]:
    """Return seconds and metres from a to b."""
    return int(table.durations[a, b]), 0 if table.distances is None else int(table.distances[a, b])

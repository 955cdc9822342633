"""Finds the cheapest plan of a tiny problem by trying every order on every courier; shares nothing with the search."""

from __future__ import annotations

from itertools import permutations, product

from routing.check import _Judge
from routing.problem import Break, Courier, Problem, Request, Stop
from routing.timetable import ride
from routing.travel import UNREACHABLE, Table

type End = tuple[Request, str]


def cheapest(problem: Problem, table: Table) -> int:
    """Return the lowest cost of any plan."""
    index = {location.id: i for i, location in enumerate(problem.locations)}
    choices: list[Courier | None] = [None, *problem.couriers]
    best: dict[tuple[str, frozenset[str]], int | None] = {}
    lowest = sum(request.unassigned_price for request in problem.requests)
    for assignment in product(choices, repeat=len(problem.requests)):
        cost = 0
        for chosen in choices:
            group = [r for r, c in zip(problem.requests, assignment, strict=True) if c is chosen]
            if chosen is None:
                cost += sum(request.unassigned_price for request in group)
                continue
            key = (chosen.id, frozenset(request.id for request in group))
            if key not in best:
                best[key] = cheapest_route(group, chosen, table, index)
            part = best[key]
            if part is None:
                break
            cost += part
        else:
            lowest = min(lowest, cost)
    return lowest


def cheapest_route(group: list[Request], courier: Courier, table: Table, index: dict[str, int]) -> int | None:
    """Return the cost of the best order of a group's visits, None if no order is feasible."""
    if not group:
        return 0
    if any(request.skills - courier.skills for request in group):
        return None
    stops = [(r, kind) for r in group for kind in ("pickup", "delivery") if getattr(r, kind) is not None]
    load = tuple(sum(r.amounts[k] for r in group if r.pickup is None) for k in range(len(courier.capacity)))
    riding = quickest(stops, load, courier.start, None, courier.shift.start, courier, table, index)
    return None if riding is None else courier.fixed_price + courier.price_per_s * riding


def quickest(
    left: list[End],
    load: tuple[int, ...],
    here: str,
    last: str | None,
    clock: int,
    courier: Courier,
    table: Table,
    index: dict[str, int],
) -> int | None:
    """Return the fewest seconds of riding that the stops left and the way home take, None if no order is feasible."""
    if any(x > c for x, c in zip(load, courier.capacity, strict=True)):
        return None
    if not left:
        home = int(table.durations[index[here], index[courier.end]])
        return None if home == UNREACHABLE or clock + home > courier.shift.end else home
    found = []
    for request, kind in left:
        if kind == "delivery" and (request, "pickup") in left:
            continue
        task = getattr(request, kind)
        leg = int(table.durations[index[here], index[task.location]])
        starts = [max(clock + leg, w.start) for w in task.windows if clock + leg <= w.end]
        if leg == UNREACHABLE or not starts:
            continue
        done = min(starts) + task.service_s + (task.setup_s if last != task.location else 0)
        sign = 1 if kind == "pickup" else -1
        then = tuple(x + sign * a for x, a in zip(load, request.amounts, strict=True))
        rest = [stop for stop in left if stop != (request, kind)]
        riding = quickest(rest, then, task.location, task.location, done, courier, table, index)
        if riding is not None:
            found.append(leg + riding)
    return min(found, default=None)


def cheapest_of_all(problem: Problem, table: Table) -> int:
    """Return the lowest cost of any plan of a problem with everything the model can say, by the judge's own prices."""
    judge = _Judge(problem, table)
    index = {location.id: i for i, location in enumerate(problem.locations)}
    ahead = [request for request in problem.requests if problem.ahead(request)]
    best: dict[tuple[str, frozenset[str]], int | None] = {}
    lowest = sum(request.unassigned_price for request in ahead)
    for assignment in product([None, *problem.couriers], repeat=len(ahead)):
        cost = 0
        for courier in [None, *problem.couriers]:
            group = [r for r, c in zip(ahead, assignment, strict=True) if c is courier]
            if courier is None:
                cost += sum(request.unassigned_price for request in group)
            elif group:
                key = (courier.id, frozenset(request.id for request in group))
                if key not in best:
                    best[key] = _cheapest_ride(problem, judge, courier, group, table, index)
                cost += 10**12 if best[key] is None else best[key]
        lowest = min(lowest, cost)
    return lowest


def _cheapest_ride(
    problem: Problem, judge: _Judge, courier: Courier, group: list[Request], table: Table, index: dict[str, int]
) -> int | None:
    """Ride every order of a group's visits and breaks, let the judge refuse and price each."""
    visits = [Stop(request.id, kind) for request in group for kind, _ in problem.ahead(request)]
    rests = [rest for rest in courier.breaks if rest.window.end >= problem.standing(courier)[1]]
    prices = []
    for order in permutations([*visits, *rests]):
        if [item for item in order if isinstance(item, Break)] != rests:
            continue
        route = ride(problem, table, index, courier, order)
        if not list(judge.judge_route(route, courier)):
            prices.append(judge.price(route, courier))
    return min(prices, default=None)

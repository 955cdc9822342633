"""Answers "why is this job not in the plan?" and "what does this stop cost?", each answer checked by trying it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from routing.incumbent import Incumbent
from routing.layout import table_for
from routing.plan import Plan, Reason, Route
from routing.problem import LIMIT, Courier, Problem, Request, TimeWindow
from routing.travel import UNREACHABLE, Table, TravelTimes

NEAREST = 6
"""Couriers looked at for each request left out."""

STEP_S = 300
LONGEST_S = 4 * 3600
"""Times are changed by multiples of the step, up to the longest."""


class Constraint(StrEnum):
    """What keeps a request out."""

    NOBODY = "nobody"
    SKILLS = "skills"
    GONE = "gone"
    CAPACITY = "capacity"
    ROAD = "road"
    WINDOW = "window"
    SHIFT = "shift"
    LENGTH = "length"
    PRICE = "price"
    SEVERAL = "several"


@dataclass(frozen=True, slots=True)
class Remedy:
    """A change that lets the request in, tried and found to do so.

    `amount` is seconds for WINDOW and SHIFT, capacity in each dimension that lacks it for CAPACITY, metres or seconds
    for LENGTH, the price from which it pays for PRICE; `extra` is what serving the request then adds to the cost.
    """

    constraint: Constraint
    courier: str
    amount: int
    extra: int


@dataclass(frozen=True, slots=True)
class Explanation:
    """Why a request is left out: the courier that comes nearest, what keeps it out there, and what would let it in.

    `remedies` come in the order of what they add to the cost; empty where no single change of these kinds is enough.
    """

    request: str
    reason: Reason
    courier: str | None
    constraint: Constraint
    remedies: tuple[Remedy, ...]


@dataclass(frozen=True, slots=True)
class Alternative:
    """Another courier for a request, and what the plan would cost more."""

    courier: str
    extra: int


@dataclass(frozen=True, slots=True)
class StopCost:
    """What serving a request costs where it is: what the plan saves without it; and its cheapest other couriers."""

    request: str
    courier: str
    cost: int
    alternatives: tuple[Alternative, ...]


# --- what a stop costs ----------------------------------------------------------------------------------------------


def stop_costs(
    problem: Problem, plan: Plan, travel: TravelTimes | Table, courier: str, most: int = 3
) -> tuple[StopCost, ...]:
    """Return what each request on a courier's route costs, with at most `most` alternatives, in the order of visits."""
    incumbent = Incumbent(problem, table_for(problem, travel))
    incumbent.load(plan)
    names = dict.fromkeys(v.request for route in plan.routes if route.courier == courier for v in route.visits)
    answers = []
    for name in names:
        with_it = incumbent.standing_cost
        incumbent.remove(name)
        without = incumbent.standing_cost - problem.request[name].unassigned_price
        others = []
        for other in problem.couriers:
            if other.id != courier and (place := incumbent.insertion(name, other.id)):
                others.append(Alternative(other.id, without + place.extra - with_it))
        others.sort(key=lambda x: x.extra)
        answers.append(StopCost(name, courier, with_it - without, tuple(others[:most])))
        incumbent.back_to_best()
    return tuple(answers)


# --- why not --------------------------------------------------------------------------------------------------------


def explain(problem: Problem, plan: Plan, travel: TravelTimes | Table) -> tuple[Explanation, ...]:
    """Explain every request that a plan leaves out."""
    table = table_for(problem, travel)
    return tuple(
        _Case(problem, plan, table, problem.request[x.request], x.reason).explanation() for x in plan.unassigned
    )


class _Case:
    """One request that was left out, before each of the couriers who start nearest."""

    def __init__(self, problem: Problem, plan: Plan, table: Table, request: Request, reason: Reason) -> None:
        self.problem, self.table, self.request, self.reason = problem, table, request, reason
        self.routes = {route.courier: route for route in plan.routes}
        self.index = {location.id: i for i, location in enumerate(problem.locations)}

    def explanation(self) -> Explanation:
        couriers = self.nearest()
        if not couriers:
            return Explanation(self.request.id, self.reason, None, Constraint.NOBODY, ())
        found = [(courier, remedy) for courier in couriers for remedy in self.remedies(courier)]
        found.sort(key=lambda pair: (pair[1].constraint is not Constraint.PRICE, pair[1].extra))
        # Of each kind the cheapest.
        kinds: dict[Constraint, Remedy] = {}
        for _, remedy in found:
            kinds.setdefault(remedy.constraint, remedy)
        if found:
            courier, first = found[0]
            return Explanation(self.request.id, self.reason, courier.id, first.constraint, tuple(kinds.values()))
        return Explanation(self.request.id, self.reason, couriers[0].id, self.obstacle(couriers[0]), ())

    def nearest(self) -> list[Courier]:
        """Return the couriers whose routes come nearest to the request, the ablest of them first."""
        carrier = self.problem.carrier(self.request)
        couriers = [c for c in self.problem.couriers if carrier in (None, c.id)]
        return sorted(couriers, key=lambda c: (c.out, not self.request.skills <= c.skills, self.away(c)))[:NEAREST]

    def away(self, courier: Courier) -> int:
        """Return the seconds from the nearest place on a courier's round to the request's first stop ahead."""
        _, task = self.problem.ahead(self.request)[0]
        places = [self.problem.standing(courier)[0]]
        if route := self.routes.get(courier.id):
            places += [visit.location for visit in route.visits]
        rows = [self.index[place] for place in places]
        return int(np.min(self.table.durations[rows, self.index[task.location]]))

    def obstacle(self, courier: Courier) -> Constraint:
        """Return what stands in the way where no single change helps."""
        if courier.out:
            return Constraint.GONE
        if self.away(courier) == UNREACHABLE:
            return Constraint.ROAD
        if courier.done and self.request.pickup is None and self.problem.carrier(self.request) is None:
            return Constraint.GONE
        return Constraint.SEVERAL

    # --- trying -----------------------------------------------------------------------------------------------------

    def remedies(self, courier: Courier) -> Iterator[Remedy]:
        """Try each kind of change alone and yield the smallest one that lets the request in."""
        if (extra := self.added_by(courier, self.request)) is not None:
            yield Remedy(Constraint.PRICE, courier.id, extra + 1, extra)
            return
        skilled = replace(courier, skills=courier.skills | self.request.skills)
        if skilled != courier and (extra := self.added_by(skilled, self.request)) is not None:
            yield Remedy(Constraint.SKILLS, courier.id, len(self.request.skills - courier.skills), extra)
        more = [max(self.request.amounts[k], 1) for k in range(self.problem.dimensions)]
        roomy = replace(courier, capacity=tuple(min(LIMIT, c + m) for c, m in zip(courier.capacity, more, strict=True)))
        if (extra := self.added_by(roomy, self.request)) is not None:
            yield Remedy(Constraint.CAPACITY, courier.id, max(more), extra)
        if courier.max_travel_s is not None or courier.max_travel_m is not None:
            free = replace(courier, max_travel_s=None, max_travel_m=None)
            if (extra := self.added_by(free, self.request)) is not None:
                yield Remedy(Constraint.LENGTH, courier.id, 0, extra)
        yield from self.smallest(Constraint.SHIFT, courier, lambda s: (_longer(courier, s), self.request))
        yield from self.smallest(Constraint.WINDOW, courier, lambda s: (courier, _wider(self.request, s)))

    def smallest(
        self, kind: Constraint, courier: Courier, change: Callable[[int], tuple[Courier, Request]]
    ) -> Iterator[Remedy]:
        """Yield the fewest seconds, in steps, with which the request fits; by halving, since more never fits worse."""
        low, high = 0, LONGEST_S // STEP_S
        extra = self.added_by(*change(high * STEP_S))
        if extra is None:
            return
        while high - low > 1:
            middle = (low + high) // 2
            tried = self.added_by(*change(middle * STEP_S))
            if tried is None:
                low = middle
            else:
                high, extra = middle, tried
        yield Remedy(kind, courier.id, high * STEP_S, extra)

    def added_by(self, courier: Courier, request: Request) -> int | None:
        """Return what inserting the request into the courier's route costs, None if it does not fit; nothing moves."""
        route = self.routes.get(courier.id)
        visits = route.visits if route else ()
        done = {visit.request for visit in courier.done}
        wanted = {visit.request for visit in visits} | done | {request.id}
        wanted |= {r.id for r in self.problem.requests if self.problem.carrier(r) == courier.id}
        requests = tuple(request if r.id == request.id else r for r in self.problem.requests if r.id in wanted)
        alone = replace(courier, shown=())
        places = {t.location for r in requests for t in (r.pickup, r.delivery) if t} | {courier.start, courier.end}
        locations = tuple(x for x in self.problem.locations if x.id in places)
        rows = [self.index[location.id] for location in locations]
        distances = None if self.table.distances is None else self.table.distances[np.ix_(rows, rows)]
        table = Table(self.table.durations[np.ix_(rows, rows)], self.table.snapped_m[rows], distances)
        incumbent = Incumbent(Problem(locations, requests, (alone,)), table)
        incumbent.load(Plan((route,) if isinstance(route, Route) else (), (), 0))
        place = incumbent.insertion(request.id)
        return None if place is None else place.extra


def _longer(courier: Courier, seconds: int) -> Courier:
    return replace(courier, shift=TimeWindow(courier.shift.start, min(LIMIT, courier.shift.end + seconds)))


def _wider(request: Request, seconds: int) -> Request:
    """Let every window close later; windows that meet become one."""
    changed = {}
    for kind in ("pickup", "delivery"):
        task = request.task(kind)
        if task is not None:
            windows: list[TimeWindow] = []
            for window in task.windows:
                wider = TimeWindow(window.start, min(LIMIT, window.end + seconds))
                if windows and wider.start <= windows[-1].end:
                    wider = TimeWindow(windows.pop().start, wider.end)
                windows.append(wider)
            changed[kind] = replace(task, windows=tuple(windows))
    return replace(request, **changed)  # type: ignore[arg-type]  # tasks

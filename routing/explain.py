"""Answers "why is this job not in the plan?" and "what does this stop cost?", each answer checked by trying it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

import numpy as np

from routing.incumbent import Incumbent
from routing.layout import table_for
from routing.plan import Plan, Reason, Route
from routing.problem import LIMIT, Courier, Problem, ProblemError, Request, TimeWindow
from routing.travel import UNREACHABLE, Table, TravelTimes

NEAREST = 6
"""Couriers looked at for each request left out."""

STEP_S = 300
LONGEST_S = 4 * 3600
"""Times are changed by multiples of the step, up to the longest."""

STEP_M = 500
FURTHEST_M = 100_000
"""The same for distances."""


class Constraint(StrEnum):
    """What keeps a request out."""

    NOBODY = "nobody"
    SKILLS = "skills"
    GONE = "gone"
    CAPACITY = "capacity"
    ROAD = "road"
    WINDOW = "window"
    EARLIER = "earlier_window"
    SHIFT = "shift"
    RIDING = "riding"
    DISTANCE = "distance"
    PRICE = "price"
    SEVERAL = "several"


@dataclass(frozen=True, slots=True)
class Remedy:
    """A change that lets the request in, tried and found to do so.

    `amount` is how much more of it is needed: seconds for WINDOW (closing later), EARLIER (opening earlier), SHIFT and
    RIDING, metres for DISTANCE, capacity in
    every dimension for CAPACITY, the number of skills for SKILLS; for PRICE it is the price from which serving pays.
    `extra` is what serving the request then adds to the cost.
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
    """Return what each request on a courier's route costs, with at most `most` alternatives, in the order of visits.

    What no longer fits there without it (it paid a set-up, or made room) goes where it costs least. Visits that are
    done cost nothing any more and are left away. Raises ProblemError for an unknown courier.
    """
    if all(c.id != courier for c in problem.couriers):
        raise ProblemError("courier", courier, "is not in the problem")
    incumbent = Incumbent(problem, table_for(problem, travel))
    incumbent.load(plan)
    names = dict.fromkeys(v.request for route in plan.routes if route.courier == courier for v in route.visits)
    answers = []
    for name in names:
        if incumbent.serving(name) != courier:
            continue
        with_it, left_out = incumbent.standing_cost, incumbent.left_out
        incumbent.remove(name)
        for pushed_out in incumbent.left_out - left_out - {name}:
            incumbent.insert(pushed_out)
        without = incumbent.standing_cost - problem.request[name].unassigned_price
        others = []
        for other in problem.couriers:
            if other.id != courier and (place := incumbent.insertion(name, other.id)):
                others.append(Alternative(other.id, without + place.extra - with_it))
        others.sort(key=lambda x: x.extra)
        answers.append(StopCost(name, courier, with_it - without, tuple(others[:most])))
        incumbent.load(plan)
    return tuple(answers)


# --- why not --------------------------------------------------------------------------------------------------------


def explain(
    problem: Problem, plan: Plan, travel: TravelTimes | Table, time_limit_s: float = math.inf
) -> tuple[Explanation, ...]:
    """Explain every request that a plan leaves out, in the plan's order, as many as the time allows.

    One takes a tenth of a second or so.
    """
    table, ends = table_for(problem, travel), time.perf_counter() + time_limit_s
    return tuple(
        _Case(problem, plan, table, problem.request[x.request], x.reason).explanation()
        for x in plan.unassigned
        if time.perf_counter() < ends
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
        # Of each kind the smallest.
        kinds: dict[Constraint, Remedy] = {}
        for _, remedy in sorted(found, key=lambda pair: (pair[1].amount, pair[1].extra)):
            kinds.setdefault(remedy.constraint, remedy)
        remedies = tuple(sorted(kinds.values(), key=lambda remedy: remedy.extra))
        if found:
            courier, first = found[0]
            return Explanation(self.request.id, self.reason, courier.id, first.constraint, remedies)
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
        if courier.has_left and self.request.pickup is None and self.problem.carrier(self.request) is None:
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
        for kind, knob in _KNOBS.items():
            if remedy := self.smallest(kind, knob, courier):
                yield remedy

    def smallest(self, kind: Constraint, knob: _Knob, courier: Courier) -> Remedy | None:
        """Return the fewest steps with which the request fits; by halving, since more never fits worse."""
        low, high = 0, knob.most // knob.step
        extra = self.added_by(*knob.turn(courier, self.request, high * knob.step))
        if extra is None:
            return None
        while high - low > 1:
            middle = (low + high) // 2
            tried = self.added_by(*knob.turn(courier, self.request, middle * knob.step))
            if tried is None:
                low = middle
            else:
                high, extra = middle, tried
        return Remedy(kind, courier.id, high * knob.step, extra)

    def added_by(self, courier: Courier, request: Request) -> int | None:
        """Return what inserting the request into the courier's route costs, None if it does not fit; nothing moves."""
        route = self.routes.get(courier.id)
        visits = route.visits if route else ()
        done = {visit.request for visit in courier.done}
        wanted = {visit.request for visit in visits} | done | {request.id}
        wanted |= {r.id for r in self.problem.requests if self.problem.carrier(r) == courier.id}
        requests = tuple(request if r.id == request.id else r for r in self.problem.requests if r.id in wanted)
        alone = replace(courier, shown=tuple(stop for stop in courier.shown if stop.request in wanted))
        promised = sum(c.move_price for c in self.problem.couriers if c.id != courier.id and self.was_shown(c))
        places = {t.location for r in requests for t in (r.pickup, r.delivery) if t} | {courier.start, courier.end}
        locations = tuple(x for x in self.problem.locations if x.id in places)
        rows = [self.index[location.id] for location in locations]
        distances = None if self.table.distances is None else self.table.distances[np.ix_(rows, rows)]
        table = Table(self.table.durations[np.ix_(rows, rows)], self.table.snapped_m[rows], distances)
        incumbent = Incumbent(Problem(locations, requests, (alone,)), table)
        incumbent.load(Plan((route,) if isinstance(route, Route) else (), (), 0))
        place = incumbent.insertion(request.id)
        return None if place is None else place.extra + promised

    def was_shown(self, courier: Courier) -> bool:
        """Return whether a courier has seen the request as his."""
        return any(stop.request == self.request.id for stop in courier.shown)


# --- what can be changed, and how far -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Knob:
    """A number that can be made larger: by steps, up to a most."""

    step: int
    most: int
    turn: Callable[[Courier, Request, int], tuple[Courier, Request]]


def _more(value: int, amount: int) -> int:
    return min(LIMIT, value + amount)


def _roomier(courier: Courier, request: Request, amount: int) -> tuple[Courier, Request]:
    return replace(courier, capacity=tuple(_more(room, amount) for room in courier.capacity)), request


def _rides_longer(courier: Courier, request: Request, seconds: int) -> tuple[Courier, Request]:
    if courier.max_travel_s is None:
        return courier, request
    return replace(courier, max_travel_s=_more(courier.max_travel_s, seconds)), request


def _rides_further(courier: Courier, request: Request, metres: int) -> tuple[Courier, Request]:
    if courier.max_travel_m is None:
        return courier, request
    return replace(courier, max_travel_m=_more(courier.max_travel_m, metres)), request


def _back_later(courier: Courier, request: Request, seconds: int) -> tuple[Courier, Request]:
    return replace(courier, shift=TimeWindow(courier.shift.start, _more(courier.shift.end, seconds))), request


def _closing_later(courier: Courier, request: Request, seconds: int) -> tuple[Courier, Request]:
    return courier, _wider(request, 0, seconds)


def _opening_earlier(courier: Courier, request: Request, seconds: int) -> tuple[Courier, Request]:
    return courier, _wider(request, seconds, 0)


def _wider(request: Request, before: int, after: int) -> Request:
    """Let every window open and close so many seconds earlier and later; windows that meet become one."""
    changed = {}
    for kind in ("pickup", "delivery"):
        task = request.task(kind)
        if task is not None:
            windows: list[TimeWindow] = []
            for window in task.windows:
                wider = TimeWindow(max(-LIMIT, window.start - before), _more(window.end, after))
                if windows and wider.start <= windows[-1].end:
                    wider = TimeWindow(windows.pop().start, wider.end)
                windows.append(wider)
            changed[kind] = replace(task, windows=tuple(windows))
    return replace(request, **changed)  # type: ignore[arg-type]  # tasks


_KNOBS = {
    Constraint.CAPACITY: _Knob(1, LIMIT, _roomier),
    Constraint.RIDING: _Knob(STEP_S, LONGEST_S, _rides_longer),
    Constraint.DISTANCE: _Knob(STEP_M, FURTHEST_M, _rides_further),
    Constraint.SHIFT: _Knob(STEP_S, LONGEST_S, _back_later),
    Constraint.WINDOW: _Knob(STEP_S, LONGEST_S, _closing_later),
    Constraint.EARLIER: _Knob(STEP_S, LONGEST_S, _opening_earlier),
}

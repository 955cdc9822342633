"""Judges a plan: recomputes everything from the problem and the written plan alone and lists what does not hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import pairwise

from routing.plan import Plan, Reason, Route, Unassigned, Visit
from routing.problem import Courier, Problem, Request, Task
from routing.travel import UNREACHABLE, Table, TravelTimes


class Code(StrEnum):
    """What a plan can get wrong."""

    UNKNOWN_COURIER = "unknown_courier"
    COURIER_TWICE = "courier_twice"
    EMPTY_ROUTE = "empty_route"
    UNKNOWN_REQUEST = "unknown_request"
    NO_SUCH_VISIT = "no_such_visit"
    WRONG_LOCATION = "wrong_location"
    NO_ROAD = "no_road"
    TRAVEL = "travel"
    ARRIVAL = "arrival"
    STARTS_BEFORE_ARRIVAL = "starts_before_arrival"
    WINDOW = "window"
    DEPARTURE = "departure"
    SHIFT = "shift"
    ROUTE_END = "route_end"
    SKILLS = "skills"
    CAPACITY = "capacity"
    PAIR_SPLIT = "pair_split"
    PAIR_ORDER = "pair_order"
    VISITED_TWICE = "visited_twice"
    FORGOTTEN = "forgotten"
    SERVED_AND_UNASSIGNED = "served_and_unassigned"
    FALSE_REASON = "false_reason"
    COST = "cost"


@dataclass(frozen=True, slots=True)
class Violation:
    """One thing that does not hold; `item` is the id of the request or courier concerned, empty for the whole plan."""

    code: Code
    item: str
    detail: str


def violations(problem: Problem, plan: Plan, travel: TravelTimes | Table) -> list[Violation]:
    """Return everything wrong with a plan, an empty list for a sound one.

    `travel` is what the plan was made with, or its table over `problem.locations`. Waiting longer than needed is no
    violation, leaving a door later than the written work takes is one.
    """
    table = travel if isinstance(travel, Table) else travel.table(problem.locations)
    return list(_Judge(problem, table).judge(plan))


class _Judge:
    def __init__(self, problem: Problem, table: Table) -> None:
        self.requests = {request.id: request for request in problem.requests}
        self.couriers = {courier.id: courier for courier in problem.couriers}
        self.index = {location.id: i for i, location in enumerate(problem.locations)}
        self.table = table
        self.dimensions = problem.dimensions

    def judge(self, plan: Plan) -> Iterator[Violation]:
        used = Counter(route.courier for route in plan.routes)
        yield from (Violation(Code.COURIER_TWICE, c, f"has {n} routes") for c, n in used.items() if n > 1)
        cost = 0
        for route in plan.routes:
            courier = self.couriers.get(route.courier)
            if courier is None:
                yield Violation(Code.UNKNOWN_COURIER, route.courier, "is not in the problem")
                continue
            yield from self.judge_route(route, courier)
            cost += courier.fixed_price + courier.price_per_s * self.riding(route, courier)
        yield from self.judge_completeness(plan)
        for left_out in plan.unassigned:
            yield from self.judge_unassigned(left_out)
            cost += self.requests[left_out.request].unassigned_price if left_out.request in self.requests else 0
        if cost != plan.cost:
            yield Violation(Code.COST, "", f"is {cost}, not {plan.cost}")

    # --- one route --------------------------------------------------------------------------------------------------

    def judge_route(self, route: Route, courier: Courier) -> Iterator[Violation]:
        if not route.visits:
            yield Violation(Code.EMPTY_ROUTE, courier.id, "has no visits")
            return
        known = [visit for visit in route.visits if self.task(visit) is not None]
        for visit in route.visits:
            if visit.request not in self.requests:
                yield Violation(Code.UNKNOWN_REQUEST, visit.request, "is not in the problem")
            elif visit not in known:
                yield Violation(Code.NO_SUCH_VISIT, visit.request, f"has no {visit.kind}")
        yield from self.judge_times(route, courier)
        yield from self.judge_pairs(route)
        served = {visit.request: self.requests[visit.request] for visit in known}
        for request in served.values():
            if missing := request.skills - courier.skills:
                yield Violation(Code.SKILLS, request.id, f"{courier.id} lacks {', '.join(sorted(missing))}")
        yield from self.judge_load([(self.requests[v.request], v.kind) for v in known], courier)

    def judge_times(self, route: Route, courier: Courier) -> Iterator[Violation]:
        here, clock, riding = courier.start, route.start, 0
        visited: str | None = None
        for visit in route.visits:
            task = self.task(visit)
            if task is None:
                return
            if visit.location != task.location:
                yield Violation(Code.WRONG_LOCATION, visit.request, f"is at {task.location}, not {visit.location}")
            travel = self.seconds(here, task.location)
            if travel == UNREACHABLE:
                yield Violation(Code.NO_ROAD, visit.request, f"no way from {here} to {task.location}")
            if visit.travel_s != travel:
                yield Violation(Code.TRAVEL, visit.request, f"takes {travel} s from {here}, not {visit.travel_s}")
            if visit.arrival != clock + travel:
                yield Violation(Code.ARRIVAL, visit.request, f"is reached at {clock + travel}, not {visit.arrival}")
            yield from self.judge_service(visit, task, same_address=visited == task.location)
            here = visited = task.location
            clock, riding = visit.departure, riding + travel
        home = self.seconds(here, courier.end)
        if home == UNREACHABLE:
            yield Violation(Code.NO_ROAD, courier.id, f"no way from {here} to {courier.end}")
        if route.end != clock + home:
            yield Violation(Code.ROUTE_END, courier.id, f"is back at {clock + home}, not {route.end}")
        if route.travel_s != riding + home:
            yield Violation(Code.TRAVEL, courier.id, f"rides {riding + home} s, not {route.travel_s}")
        if route.start < courier.shift.start or max(route.end, clock + home) > courier.shift.end:
            yield Violation(Code.SHIFT, courier.id, f"{route.start}-{route.end} is not inside {courier.shift}")

    def judge_service(self, visit: Visit, task: Task, same_address: bool) -> Iterator[Violation]:
        if visit.start < visit.arrival:
            yield Violation(Code.STARTS_BEFORE_ARRIVAL, visit.request, f"{visit.start} before {visit.arrival}")
        if not any(window.start <= visit.start <= window.end for window in task.windows):
            yield Violation(Code.WINDOW, visit.request, f"{visit.kind} starts at {visit.start}, outside its windows")
        done = visit.start + task.service_s + (0 if same_address else task.setup_s)
        if visit.departure != done:
            yield Violation(Code.DEPARTURE, visit.request, f"is done at {done}, not {visit.departure}")

    def judge_pairs(self, route: Route) -> Iterator[Violation]:
        order = [(visit.request, visit.kind) for visit in route.visits]
        for name in dict.fromkeys(request for request, _ in order):
            request = self.requests.get(name)
            if request is None or request.pickup is None or request.delivery is None:
                continue
            if (name, "pickup") not in order or (name, "delivery") not in order:
                yield Violation(Code.PAIR_SPLIT, name, f"only one of its ends is on the route of {route.courier}")
            elif order.index((name, "pickup")) > order.index((name, "delivery")):
                yield Violation(Code.PAIR_ORDER, name, "is delivered before it is picked up")

    def judge_load(self, order: list[tuple[Request, str]], courier: Courier) -> Iterator[Violation]:
        for k in range(self.dimensions):
            load = sum(request.amounts[k] for request, _ in order if request.pickup is None)
            if load > courier.capacity[k]:
                yield Violation(Code.CAPACITY, courier.id, f"leaves with {load} in dimension {k}")
            for request, kind in order:
                load += request.amounts[k] if kind == "pickup" else -request.amounts[k]
                if load > courier.capacity[k]:
                    yield Violation(Code.CAPACITY, courier.id, f"carries {load} in dimension {k} after {request.id}")

    # --- the whole plan ---------------------------------------------------------------------------------------------

    def judge_completeness(self, plan: Plan) -> Iterator[Violation]:
        visits = Counter((visit.request, visit.kind) for route in plan.routes for visit in route.visits)
        left_out = Counter(unassigned.request for unassigned in plan.unassigned)
        for (name, kind), times in visits.items():
            if times > 1:
                yield Violation(Code.VISITED_TWICE, name, f"has {times} visits for its {kind}")
        served = {name for name, _ in visits}
        for name, times in left_out.items():
            if times > 1 or name in served:
                yield Violation(Code.SERVED_AND_UNASSIGNED, name, "is more than once in the plan")
            if name not in self.requests:
                yield Violation(Code.UNKNOWN_REQUEST, name, "is not in the problem")
        for name in self.requests.keys() - served - left_out.keys():
            yield Violation(Code.FORGOTTEN, name, "is neither on a route nor unassigned")

    def judge_unassigned(self, left_out: Unassigned) -> Iterator[Violation]:
        """Check the reasons that need no timetable: about skills and capacity."""
        request = self.requests.get(left_out.request)
        if request is None:
            return
        skilled = [courier for courier in self.couriers.values() if request.skills <= courier.skills]
        able = any(all(a <= c for a, c in zip(request.amounts, x.capacity, strict=True)) for x in skilled)
        truth = None
        if not skilled:
            truth = Reason.NO_COURIER_WITH_SKILLS
        elif not able:
            truth = Reason.OVER_CAPACITY
        claims = (Reason.NO_COURIER_WITH_SKILLS, Reason.OVER_CAPACITY)
        if left_out.reason != truth and (truth or left_out.reason in claims):
            yield Violation(Code.FALSE_REASON, request.id, f"{left_out.reason} is not why")

    # --- look-ups ---------------------------------------------------------------------------------------------------

    def task(self, visit: Visit) -> Task | None:
        request = self.requests.get(visit.request)
        if request is None:
            return None
        return request.pickup if visit.kind == "pickup" else request.delivery

    def seconds(self, a: str, b: str) -> int:
        return int(self.table.durations[self.index[a], self.index[b]])

    def riding(self, route: Route, courier: Courier) -> int:
        """Return the seconds of travel that the order of visits takes, whatever the route says of itself."""
        places = [courier.start, *(task.location for visit in route.visits if (task := self.task(visit))), courier.end]
        return sum(self.seconds(a, b) for a, b in pairwise(places)) if route.visits else 0

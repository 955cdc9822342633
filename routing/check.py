"""Judges a plan: recomputes everything from the problem and the written plan alone and lists what does not hold."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum

from routing.plan import Plan, Reason, Route, Unassigned, Visit
from routing.problem import Courier, Done, Problem, Request, Task
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
    DONE_ALREADY = "done_already"
    WRONG_CARRIER = "wrong_carrier"
    LEFT_ALREADY = "left_already"
    COURIER_OUT = "courier_out"
    BREAK = "break"
    LENGTH = "length"
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
    metres = any(courier.price_per_m or courier.max_travel_m is not None for courier in problem.couriers)
    table = travel if isinstance(travel, Table) else _ask(problem, travel, metres)
    if metres and table.distances is None:
        raise ValueError("prices by the metre cannot be judged without distances")
    return list(_Judge(problem, table).judge(plan))


def _ask(problem: Problem, travel: TravelTimes, metres: bool) -> Table:
    return travel.table(problem.locations, distances=True) if metres else travel.table(problem.locations)


@dataclass(slots=True)
class _Ridden:
    """What a route's order of visits comes to, whatever the route says of itself."""

    seconds: int = 0
    metres: int = 0
    work: int = 0
    late: int = 0


class _Judge:
    def __init__(self, problem: Problem, table: Table) -> None:
        self.problem = problem
        self.requests = {request.id: request for request in problem.requests}
        self.couriers = {courier.id: courier for courier in problem.couriers}
        self.index = {location.id: i for i, location in enumerate(problem.locations)}
        self.table = table
        self.dimensions = problem.dimensions
        self.done = {(visit.request, visit.kind): c.id for c in problem.couriers for visit in c.done}

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
            cost += self.price(route, courier)
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
        if courier.out:
            yield Violation(Code.COURIER_OUT, courier.id, "rides no more")
        known = [visit for visit in route.visits if self.task(visit) is not None]
        for visit in route.visits:
            if visit.request not in self.requests:
                yield Violation(Code.UNKNOWN_REQUEST, visit.request, "is not in the problem")
            elif visit not in known:
                yield Violation(Code.NO_SUCH_VISIT, visit.request, f"has no {visit.kind}")
            elif (visit.request, visit.kind) in self.done:
                yield Violation(Code.DONE_ALREADY, visit.request, f"its {visit.kind} is done")
        yield from self.judge_times(route, courier)
        yield from self.judge_breaks(route, courier)
        yield from self.judge_pairs(route)
        served = {visit.request: self.requests[visit.request] for visit in known}
        for request in served.values():
            yield from self.judge_courier(request, courier)
        yield from self.judge_load([(self.requests[v.request], v.kind) for v in known], courier)
        ridden, behind = self.ride(route, courier), self.behind(courier)
        seconds, metres = behind.seconds + ridden.seconds, behind.metres + ridden.metres
        if courier.max_travel_s is not None and seconds > courier.max_travel_s:
            yield Violation(Code.LENGTH, courier.id, f"rides {seconds} s of {courier.max_travel_s}")
        if courier.max_travel_m is not None and metres > courier.max_travel_m:
            yield Violation(Code.LENGTH, courier.id, f"rides {metres} m of {courier.max_travel_m}")

    def judge_courier(self, request: Request, courier: Courier) -> Iterator[Violation]:
        carrier = self.carrier(request)
        if missing := request.skills - courier.skills:
            yield Violation(Code.SKILLS, request.id, f"{courier.id} lacks {', '.join(sorted(missing))}")
        if carrier not in (None, courier.id):
            yield Violation(Code.WRONG_CARRIER, request.id, f"is on board of {carrier}, not {courier.id}")
        if carrier is None and request.pickup is None and self.is_away(courier):
            yield Violation(Code.LEFT_ALREADY, request.id, f"{courier.id} left without it")

    def judge_times(self, route: Route, courier: Courier) -> Iterator[Violation]:
        here, free = self.standing(courier)
        rests = self.rests(route)
        clock = max(route.start, rests.get(0, free))
        if route.start < max(free, rests.get(0, free)):
            yield Violation(Code.SHIFT, courier.id, f"leaves at {route.start}, is free at {rests.get(0, free)}")
        address = here if self.is_away(courier) else None
        ridden = self.ride(route, courier)
        for made, visit in enumerate(route.visits, 1):
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
            yield from self.judge_service(visit, task, same_address=address == task.location)
            here = address = task.location
            clock = rests.get(made, visit.departure)
        home = self.seconds(here, courier.end)
        if home == UNREACHABLE:
            yield Violation(Code.NO_ROAD, courier.id, f"no way from {here} to {courier.end}")
        if route.end != clock + home:
            yield Violation(Code.ROUTE_END, courier.id, f"is back at {clock + home}, not {route.end}")
        if route.travel_s != ridden.seconds:
            yield Violation(Code.TRAVEL, courier.id, f"rides {ridden.seconds} s, not {route.travel_s}")
        if route.travel_m != ridden.metres:
            yield Violation(Code.TRAVEL, courier.id, f"rides {ridden.metres} m, not {route.travel_m}")
        if max(route.end, clock + home) > courier.shift.end:
            yield Violation(Code.SHIFT, courier.id, f"{route.start}-{route.end} is not inside {courier.shift}")

    def judge_service(self, visit: Visit, task: Task, same_address: bool) -> Iterator[Violation]:
        if visit.start < visit.arrival:
            yield Violation(Code.STARTS_BEFORE_ARRIVAL, visit.request, f"{visit.start} before {visit.arrival}")
        if not any(window.start <= visit.start <= window.end for window in task.windows):
            yield Violation(Code.WINDOW, visit.request, f"{visit.kind} starts at {visit.start}, outside its windows")
        done = visit.start + task.service_s + (0 if same_address else task.setup_s)
        if visit.departure != done:
            yield Violation(Code.DEPARTURE, visit.request, f"is done at {done}, not {visit.departure}")

    def judge_breaks(self, route: Route, courier: Courier) -> Iterator[Violation]:
        _, free = self.standing(courier)
        due = [rest for rest in courier.breaks if rest.window.end >= free]
        if len(route.breaks) != len(due):
            yield Violation(Code.BREAK, courier.id, f"takes {len(route.breaks)} breaks, {len(due)} are due")
            return
        before = 0
        for rest, pause in zip(due, route.breaks, strict=True):
            if not rest.window.start <= pause.start <= rest.window.end:
                yield Violation(Code.BREAK, courier.id, f"rests at {pause.start}, outside {rest.window}")
            if pause.end != pause.start + rest.duration_s:
                yield Violation(Code.BREAK, courier.id, f"rests {pause.end - pause.start} s, not {rest.duration_s}")
            if not before <= pause.after <= len(route.visits):
                yield Violation(Code.BREAK, courier.id, f"rests after {pause.after} visits")
                return
            ready = route.visits[pause.after - 1].departure if pause.after else free
            ready = max([ready, *(p.end for p in route.breaks if p.after == pause.after and p.start < pause.start)])
            if pause.start < ready:
                yield Violation(Code.BREAK, courier.id, f"rests at {pause.start}, is free at {ready}")
            before = pause.after

    def judge_pairs(self, route: Route) -> Iterator[Violation]:
        order = [(visit.request, visit.kind) for visit in route.visits]
        for name in dict.fromkeys(request for request, _ in order):
            request = self.requests.get(name)
            if request is None or request.pickup is None or request.delivery is None or (name, "pickup") in self.done:
                continue
            if (name, "pickup") not in order or (name, "delivery") not in order:
                yield Violation(Code.PAIR_SPLIT, name, f"only one of its ends is on the route of {route.courier}")
            elif order.index((name, "pickup")) > order.index((name, "delivery")):
                yield Violation(Code.PAIR_ORDER, name, "is delivered before it is picked up")

    def judge_load(self, order: list[tuple[Request, str]], courier: Courier) -> Iterator[Violation]:
        """What is on board already may be too much; nothing may come on top of it then."""
        loaded = [request for request, _ in order if request.pickup is None and self.carrier(request) is None]
        for k in range(self.dimensions):
            load = sum(r.amounts[k] for r in self.requests.values() if self.is_on_board(r, courier))
            load += sum(request.amounts[k] for request in loaded)
            if load > courier.capacity[k] and any(request.amounts[k] for request in loaded):
                yield Violation(Code.CAPACITY, courier.id, f"leaves with {load} in dimension {k}")
            for request, kind in order:
                load += request.amounts[k] if kind == "pickup" else -request.amounts[k]
                if kind == "pickup" and request.amounts[k] and load > courier.capacity[k]:
                    yield Violation(Code.CAPACITY, courier.id, f"carries {load} in dimension {k} after {request.id}")

    # --- prices -----------------------------------------------------------------------------------------------------

    def price(self, route: Route, courier: Courier) -> int:
        ridden = self.ride(route, courier)
        price = 0 if courier.done or not route.visits else courier.fixed_price
        price += courier.price_per_s * ridden.seconds + courier.price_per_m * ridden.metres + ridden.late
        if courier.fair_work_s is not None:
            worked = self.behind(courier).work
            over = max(0, worked + ridden.work - courier.fair_work_s) - max(0, worked - courier.fair_work_s)
            price += courier.overwork_price * over
        names = {visit.request for visit in route.visits} & self.requests.keys()
        strange = [n for n in names if self.requests[n].territory not in {"", *courier.territories}]
        price += courier.away_price * len(strange)
        for other in self.couriers.values():
            if other.id != courier.id:
                price += other.move_price * len(names & {stop.request for stop in other.shown})
        return price + courier.move_price * self.moved(route, courier)

    def moved(self, route: Route, courier: Courier) -> int:
        """Return how few of the visits shown must move to explain their order: all but a longest run in order."""
        rank = {(stop.request, stop.kind): i for i, stop in enumerate(courier.shown)}
        ranks = [rank[v.request, v.kind] for v in route.visits if (v.request, v.kind) in rank]
        longest: list[int] = []
        for i, here in enumerate(ranks):
            longest.append(1 + max((longest[j] for j in range(i) if ranks[j] < here), default=0))
        return len(ranks) - max(longest, default=0)

    def ride(self, route: Route, courier: Courier) -> _Ridden:
        ridden = _Ridden()
        here, _ = self.standing(courier)
        address = here if self.is_away(courier) else None
        for visit in route.visits:
            task = self.task(visit)
            if task is None:
                continue
            ridden.seconds += self.seconds(here, task.location)
            ridden.metres += self.metres(here, task.location)
            ridden.work += task.service_s + (0 if address == task.location else task.setup_s)
            if task.due is not None:
                ridden.late += task.late_price * max(0, visit.start - task.due)
            here = address = task.location
        if route.visits:
            ridden.seconds += self.seconds(here, courier.end)
            ridden.metres += self.metres(here, courier.end)
        ridden.work += ridden.seconds
        return ridden

    def behind(self, courier: Courier) -> _Ridden:
        """Return what a courier rode and worked already; a way that is closed by now counts nothing."""
        behind, here = _Ridden(), courier.start
        stops = [(self.task(visit), visit.departure - visit.start) for visit in courier.done]
        if courier.done and not self.is_away(courier):
            stops.append((None, 0))
        for task, took in stops:
            there = courier.end if task is None else task.location
            if self.seconds(here, there) != UNREACHABLE:
                behind.seconds += self.seconds(here, there)
                behind.metres += self.metres(here, there)
            behind.work += took
            here = there
        behind.work += behind.seconds
        return behind

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
            elif not self.is_ahead(self.requests[name]):
                yield Violation(Code.DONE_ALREADY, name, "is left out, but nothing of it is ahead")
        ahead = {name for name, request in self.requests.items() if self.is_ahead(request)}
        for name in ahead - served - left_out.keys():
            yield Violation(Code.FORGOTTEN, name, "is neither on a route nor unassigned")

    def judge_unassigned(self, left_out: Unassigned) -> Iterator[Violation]:
        """Check the reasons that need no timetable: about skills, couriers gone and capacity."""
        request = self.requests.get(left_out.request)
        if request is None:
            return
        carrier = self.carrier(request)
        skilled = [c for c in self.couriers.values() if request.skills <= c.skills and carrier in (None, c.id)]
        late = carrier is None and request.pickup is None
        there = [courier for courier in skilled if not courier.out and not (late and self.is_away(courier))]
        able = carrier is not None or any(
            all(a <= c for a, c in zip(request.amounts, x.capacity, strict=True)) for x in there
        )
        truth = None
        if not skilled:
            truth = Reason.NO_COURIER_WITH_SKILLS
        elif not there:
            truth = Reason.COURIERS_GONE
        elif not able:
            truth = Reason.OVER_CAPACITY
        claims = (Reason.NO_COURIER_WITH_SKILLS, Reason.COURIERS_GONE, Reason.OVER_CAPACITY)
        if left_out.reason != truth and (truth or left_out.reason in claims):
            yield Violation(Code.FALSE_REASON, request.id, f"{left_out.reason} is not why")

    # --- look-ups ---------------------------------------------------------------------------------------------------

    def task(self, visit: Visit | Done) -> Task | None:
        request = self.requests.get(visit.request)
        if request is None:
            return None
        return request.pickup if visit.kind == "pickup" else request.delivery

    def carrier(self, request: Request) -> str | None:
        """Return who carries what is still to be delivered."""
        if request.delivery is None:
            return None
        return request.on_board or self.done.get((request.id, "pickup"))

    def is_on_board(self, request: Request, courier: Courier) -> bool:
        if (request.id, "delivery") in self.done:
            return False
        if request.delivery is None and not self.is_away(courier):
            return False
        return courier.id in (request.on_board, self.done.get((request.id, "pickup")))

    def is_away(self, courier: Courier) -> bool:
        """Return whether a courier has left and is not home again."""
        back = courier.home_at is not None and courier.free_at is not None and courier.home_at <= courier.free_at
        return bool(courier.done) and not back

    def is_ahead(self, request: Request) -> bool:
        ends = (("pickup", request.pickup), ("delivery", request.delivery))
        return any(task is not None and (request.id, kind) not in self.done for kind, task in ends)

    def standing(self, courier: Courier) -> tuple[str, int]:
        """Return where a courier is free and when."""
        place, moment = courier.start, courier.shift.start
        if courier.done and not self.is_away(courier):
            place = courier.end
        elif courier.done:
            last = courier.done[-1]
            task = self.requests[last.request].pickup if last.kind == "pickup" else self.requests[last.request].delivery
            assert task is not None
            place, moment = task.location, last.departure
        return place, max(moment, moment if courier.free_at is None else courier.free_at)

    def rests(self, route: Route) -> dict[int, int]:
        """Return when the last break after so many visits ends."""
        ends: dict[int, int] = {}
        for pause in route.breaks:
            ends[pause.after] = max(pause.end, ends.get(pause.after, pause.end))
        return ends

    def seconds(self, a: str, b: str) -> int:
        return int(self.table.durations[self.index[a], self.index[b]])

    def metres(self, a: str, b: str) -> int:
        if self.table.distances is None:
            return 0
        return int(self.table.distances[self.index[a], self.index[b]])

"""Repairs a plan while it is ridden: what is done stays, what was shown moves only for a price, and it says why.

Each event is answered as a dispatcher would: the new request goes where it costs least, what no longer fits goes where
it fits, and nothing else moves unless that pays for what the couriers have to relearn (`move_price`).
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from routing.incumbent import Incumbent
from routing.layout import table_for
from routing.plan import Plan, Route, Visit
from routing.problem import Courier, Done, Kind, Location, Problem, ProblemError, Request, Stop, Task, TimeWindow
from routing.solver import polish
from routing.travel import Table, TravelTimes

MOVES_PER_EVENT = 2
"""So many other requests may move for one event, beside those that must."""

PRICE_RISES = 8
"""How much dearer a move becomes for another try when too many moved."""

TRIES = 3


@dataclass(frozen=True, slots=True)
class Arrived:
    """A new request, with the locations that the problem did not have yet."""

    request: Request
    locations: tuple[Location, ...] = ()


@dataclass(frozen=True, slots=True)
class Cancelled:
    """A request that nobody wants served any more; what is on board of a courier who has left stays on board."""

    request: str


@dataclass(frozen=True, slots=True)
class CourierLate:
    """A courier who will not be free for the next ride before a moment."""

    courier: str
    free_at: int


@dataclass(frozen=True, slots=True)
class CourierOut:
    """A courier who rides no more: what was ahead goes to others, what is on board cannot.

    A visit he was still riding to is ahead again.
    """

    courier: str


@dataclass(frozen=True, slots=True)
class WindowChanged:
    """Other windows for one end of a request."""

    request: str
    kind: Kind
    windows: tuple[TimeWindow, ...]


@dataclass(frozen=True, slots=True)
class RoadClosed:
    """The travel times given are new ones: a road is closed, or open again."""


type Event = Arrived | Cancelled | CourierLate | CourierOut | WindowChanged | RoadClosed


class Why(StrEnum):
    """Why a request is somewhere else than it was."""

    NEW = "new"
    CANCELLED = "cancelled"
    COURIER_OUT = "courier_out"
    NO_LONGER_FITS = "no_longer_fits"
    MAKES_ROOM = "makes_room"
    FINDS_ROOM = "finds_room"


@dataclass(frozen=True, slots=True)
class Change:
    """A request that changed its courier, or its place in the order its courier has seen (`before` == `after`).

    `before` and `after` are couriers, None where nobody served it or nobody does now.
    """

    request: str
    before: str | None
    after: str | None
    why: Why


@dataclass(frozen=True, slots=True)
class Replanned:
    """The problem after the events, its plan, and what the people concerned have to be told."""

    problem: Problem
    plan: Plan
    changes: tuple[Change, ...]


def freeze(problem: Problem, plan: Plan, now: int, move_price: int) -> Problem:
    """Return the problem as it stands at a moment of the ride: begun is done, what is ahead has been shown.

    A visit is begun once its courier must be on the way to be there in time; whoever is on the way to his first has
    loaded what he is to deliver. A break is over once it has begun: the courier is free at its end. `plan` is the one
    that `problem` was planned or replanned with.
    """
    routes = {route.courier: route for route in plan.routes}
    couriers, on_board = [], dict[str, str]()
    for courier in problem.couriers:
        frozen = _frozen(problem, courier, routes.get(courier.id), now)
        couriers.append(replace(frozen, move_price=move_price))
        if frozen.has_left:
            # What he is riding to may be taken back, and is on board then as well.
            loaded = [stop.request for stop in frozen.shown] + [visit.request for visit in frozen.done if visit.riding]
            on_board |= {name: courier.id for name in loaded if problem.request[name].pickup is None}
    requests = (replace(r, on_board=on_board[r.id]) if r.id in on_board else r for r in problem.requests)
    return replace(problem, requests=tuple(requests), couriers=tuple(couriers))


def _frozen(problem: Problem, courier: Courier, route: Route | None, now: int) -> Courier:
    done = [replace(visit, riding=visit.riding and visit.start > now) for visit in courier.done]
    free_at = now if courier.free_at is None else max(now, courier.free_at)
    if route is None:
        return replace(courier, done=tuple(done), shown=(), free_at=free_at)
    ahead, begun_visits = list[Stop](), False
    for visit in route.visits:
        stop = Stop(visit.request, visit.kind)
        if stop in problem.done_by:
            continue
        if visit.start - visit.travel_s <= now:
            done.append(Done(visit.request, visit.kind, visit.start, visit.departure, riding=visit.start > now))
            begun_visits = True
        else:
            ahead.append(stop)
    # Pauses are written in the order of the breaks that are not over, the last of the courier's.
    first = len(courier.breaks) - len(route.breaks)
    begun = {first + i: pause.end for i, pause in enumerate(route.breaks) if pause.start <= now}
    return replace(
        courier,
        done=tuple(done),
        shown=tuple(ahead),
        breaks=tuple(rest for i, rest in enumerate(courier.breaks) if i not in begun),
        free_at=max([free_at, *begun.values()]),
        home_at=(None if ahead else route.end) if begun_visits else courier.home_at,
    )


def replan(
    problem: Problem,
    plan: Plan,
    events: Sequence[Event],
    travel: TravelTimes | Table,
    *,
    time_limit_s: float = 1.0,
    moves_per_event: int = MOVES_PER_EVENT,
    seed: int = 0,
    cancel: threading.Event | None = None,
) -> Replanned:
    """Answer events on a plan under way; `problem` is as `freeze` returns it, `plan` what the couriers have seen.

    First everything keeps its place, what breaks a rule comes out, and what is left out goes where it costs least.
    Then a search of at most `time_limit_s` may move other requests where that pays for their `move_price`; if more than
    `moves_per_event` move for each event, moves become dearer until they do not. Raises ProblemError for an event that
    names nothing in the problem or makes a request impossible to write down.
    """
    after = problem
    for event in events:
        after = _apply(after, event)
    table = table_for(after, travel)
    plan = _ahead(problem, after, plan)
    incumbent = Incumbent(after, table, seed)
    incumbent.load(plan)
    evicted = {v.request for route in plan.routes for v in route.visits if incumbent.serving(v.request) is None}
    incumbent.insert_absent()
    best = simple = incumbent.plan()
    allowed = moves_per_event * max(1, len(events))
    trial = incumbent
    for _ in range(TRIES if time_limit_s > 0 else 0):
        polish(trial, time_limit_s / TRIES, cancel)
        if trial is not incumbent:
            incumbent.load(trial.plan())
        improved = incumbent.plan()
        if improved.cost >= simple.cost:
            break
        if _others_moved(after, plan, improved, evicted) <= allowed:
            best = improved
            break
        trial = Incumbent(_dearer(trial.problem), table, seed)
        trial.load(simple)
    # What an event names itself moved because of it.
    named = evicted | {event.request for event in events if isinstance(event, WindowChanged)}
    return Replanned(after, best, _changes(problem, after, plan, best, named))


def _ahead(before: Problem, after: Problem, plan: Plan) -> Plan:
    """Leave away the visits that are done; put those back that a courier was riding to and that were taken back."""
    routes = {route.courier: route for route in plan.routes}
    for courier in before.couriers:
        route = routes.get(courier.id) or Route(courier.id, (), 0, 0, 0)
        visits = [v for v in route.visits if Stop(v.request, v.kind) not in after.done_by]
        for done in courier.done[-1:]:
            stop, task = Stop(done.request, done.kind), before.request[done.request].task(done.kind)
            taken_back = done.riding and stop not in after.done_by
            if taken_back and task and all((v.request, v.kind) != (done.request, done.kind) for v in visits):
                start = done.start
                visits.insert(0, Visit(done.request, done.kind, task.location, start, start, done.departure, 0))
        routes[courier.id] = replace(route, visits=tuple(visits))
    return replace(plan, routes=tuple(routes.values()))


def _dearer(problem: Problem) -> Problem:
    couriers = (replace(c, move_price=min(2**30, max(1, c.move_price) * PRICE_RISES)) for c in problem.couriers)
    return replace(problem, couriers=tuple(couriers))


# --- events ---------------------------------------------------------------------------------------------------------


def _apply(problem: Problem, event: Event) -> Problem:
    match event:
        case Arrived(request, locations):
            return replace(problem, locations=problem.locations + locations, requests=(*problem.requests, request))
        case Cancelled(name):
            return _cancel(problem, name)
        case CourierLate(name, free_at):
            courier = _courier(problem, name)
            later = free_at if courier.free_at is None else max(free_at, courier.free_at)
            return _with_courier(problem, courier, free_at=later)
        case CourierOut(name):
            problem = _turned_back(problem, lambda courier, _: courier.id == name)
            return _with_courier(problem, _courier(problem, name), out=True, shown=())
        case WindowChanged(name, kind, windows):
            problem = _turned_back(problem, lambda _, visit: (visit.request, visit.kind) == (name, kind))
            request = _known(problem, name)
            if Stop(name, kind) in problem.done_by:
                raise ProblemError("request", name, f"{kind} is done, its window cannot change")
            task = request.task(kind)
            if task is None:
                raise ProblemError("request", name, f"has no {kind} whose window could change")
            changed = replace(request, **{kind: replace(task, windows=windows)})  # type: ignore[arg-type]  # a Task
            return replace(problem, requests=tuple(changed if r is request else r for r in problem.requests))
        case RoadClosed():
            return problem


def _known(problem: Problem, name: str) -> Request:
    if name not in problem.request:
        raise ProblemError("request", name, "is not in the problem")
    return problem.request[name]


def _courier(problem: Problem, name: str) -> Courier:
    for courier in problem.couriers:
        if courier.id == name:
            return courier
    raise ProblemError("courier", name, "is not in the problem")


def _with_courier(problem: Problem, courier: Courier, **fields: object) -> Problem:
    changed = (replace(c, **fields) if c is courier else c for c in problem.couriers)  # type: ignore[arg-type]
    return replace(problem, couriers=tuple(changed))


def _turned_back(problem: Problem, concerns: Callable[[Courier, Done], bool]) -> Problem:
    """Take visits back that their couriers are only riding to; where they are on the way is not known, so the place
    they came from stands for it.
    """
    for courier in problem.couriers:
        if courier.done and courier.done[-1].riding and concerns(courier, courier.done[-1]):
            visit = courier.done[-1]
            shown = (Stop(visit.request, visit.kind), *courier.shown)
            problem = _with_courier(problem, courier, done=courier.done[:-1], shown=shown, home_at=None)
    return problem


def _cancel(problem: Problem, name: str) -> Problem:
    """Take a request out; one whose papers are with a courier becomes a lone pickup, done, that comes home."""
    problem = _turned_back(problem, lambda _, visit: visit.request == name)
    request = _known(problem, name)
    if Stop(name, "delivery") in problem.done_by:
        return problem
    couriers = tuple(
        replace(c, shown=tuple(stop for stop in c.shown if stop.request != name)) for c in problem.couriers
    )
    kept: Request | None = None
    if Stop(name, "pickup") in problem.done_by:
        kept = replace(request, delivery=None)
    for v, courier in enumerate(couriers):
        if courier.id == request.on_board and courier.has_left:
            loaded = min(courier.shift.start, courier.done[0].start)
            kept = replace(request, pickup=Task(courier.start, (TimeWindow(loaded, loaded),), 0), delivery=None)
            kept = replace(kept, on_board=None)
            done = (Done(name, "pickup", loaded, loaded), *courier.done)
            couriers = (*couriers[:v], replace(courier, done=done), *couriers[v + 1 :])
    requests = (kept if r is request else r for r in problem.requests)
    return replace(problem, couriers=couriers, requests=tuple(r for r in requests if r is not None))


# --- what changed ---------------------------------------------------------------------------------------------------


def _others_moved(problem: Problem, before: Plan, after: Plan, evicted: set[str]) -> int:
    """Count the requests that moved although they fitted where they were."""
    moved = {name for name, was, _ in _moves(problem, before, after) if was is not None}
    return len(moved - evicted)


def _moves(problem: Problem, before: Plan, after: Plan) -> list[tuple[str, str | None, str | None]]:
    """Return the requests whose courier changed, and the fewest that explain a new order of those that stayed."""
    was = {v.request: route.courier for route in before.routes for v in route.visits}
    now = {v.request: route.courier for route in after.routes for v in route.visits}
    names = [r.id for r in problem.requests if was.get(r.id) != now.get(r.id)]
    moves = [(name, was.get(name), now.get(name)) for name in names]
    order = {Stop(v.request, v.kind): i for route in before.routes for i, v in enumerate(route.visits)}
    for route in after.routes:
        stayed = [Stop(v.request, v.kind) for v in route.visits if was.get(v.request) == route.courier]
        moved = dict.fromkeys(stop.request for stop in out_of_order(stayed, [order[stop] for stop in stayed]))
        moves += [(name, route.courier, route.courier) for name in moved]
    return moves


def out_of_order(stops: Sequence[Stop], ranks: Sequence[int]) -> list[Stop]:
    """Return all stops but a longest run of increasing ranks (patience sorting, Fredman 1975)."""
    ends: list[int] = []
    last: list[int] = []
    previous: list[int] = []
    for i, rank in enumerate(ranks):
        pile = bisect_left(ends, rank)
        previous.append(last[pile - 1] if pile else -1)
        if pile == len(ends):
            ends.append(rank)
            last.append(i)
        else:
            ends[pile], last[pile] = rank, i
    keep, i = set[int](), last[-1] if last else -1
    while i >= 0:
        keep.add(i)
        i = previous[i]
    return [stop for i, stop in enumerate(stops) if i not in keep]


def _changes(before: Problem, problem: Problem, old: Plan, new: Plan, evicted: set[str]) -> tuple[Change, ...]:
    out = {courier.id for courier in problem.couriers if courier.out}
    was = {v.request: route.courier for route in old.routes for v in route.visits}
    fresh = set(problem.request) - set(before.request)
    changes = []
    for name, courier, now in _moves(problem, old, new):
        if name in fresh:
            why = Why.NEW
        elif courier in out:
            why = Why.COURIER_OUT
        elif name in evicted:
            why = Why.NO_LONGER_FITS
        elif courier is None:
            why = Why.FINDS_ROOM
        else:
            why = Why.MAKES_ROOM
        changes.append(Change(name, courier, now, why))
    gone = [
        r.id
        for r in before.requests
        if r.id in was and (r.id not in problem.request or not problem.ahead(problem.request[r.id]))
    ]
    changes += [Change(name, was[name], None, Why.CANCELLED) for name in gone]
    return tuple({change.request: change for change in changes}.values())

"""Repairs a plan while it is ridden: what is done stays, what was shown moves only for a price, and it says why.

Each event is answered as a dispatcher would: the new request goes where it costs least, what no longer fits goes where
it fits, and nothing else moves unless that pays for what the couriers have to relearn (`move_price`).
"""

from __future__ import annotations

import threading
from bisect import bisect_left
from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from routing.incumbent import Incumbent
from routing.layout import table_for
from routing.plan import Plan
from routing.problem import Break, Courier, Done, Kind, Location, Problem, ProblemError, Request, Stop, Task, TimeWindow
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
    """A request that nobody wants served any more; what is on board stays on board."""

    request: str


@dataclass(frozen=True, slots=True)
class CourierLate:
    """A courier who will not be free for the next ride before a moment."""

    courier: str
    free_at: int


@dataclass(frozen=True, slots=True)
class CourierOut:
    """A courier who rides no more: what was ahead goes to others, what is on board cannot."""

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

    A visit is begun once its courier is on the way there; whoever is on the way to his first has loaded what he is to
    deliver. A break is over when its end has come.
    """
    routes = {route.courier: route for route in plan.routes}
    couriers, on_board = [], dict[str, str]()
    for courier in problem.couriers:
        done, ahead, breaks = list(courier.done), list[Stop](), courier.breaks
        if route := routes.get(courier.id):
            for visit in route.visits:
                if visit.arrival - visit.travel_s <= now:
                    done.append(Done(visit.request, visit.kind, visit.start, visit.departure))
                else:
                    ahead.append(Stop(visit.request, visit.kind))
            breaks = _still_to_come(courier, plan, now)
        if done:
            on_board |= {stop.request: courier.id for stop in ahead if problem.request[stop.request].pickup is None}
        couriers.append(
            replace(courier, done=tuple(done), shown=tuple(ahead), breaks=breaks, move_price=move_price, free_at=now)
        )
    requests = (replace(r, on_board=on_board[r.id]) if r.id in on_board else r for r in problem.requests)
    return replace(problem, requests=tuple(requests), couriers=tuple(couriers))


def _still_to_come(courier: Courier, plan: Plan, now: int) -> tuple[Break, ...]:
    (route,) = (route for route in plan.routes if route.courier == courier.id)
    # Pauses are written in the order of the breaks that are not over, the last of the courier's.
    first = len(courier.breaks) - len(route.breaks)
    return tuple(rest for i, rest in enumerate(courier.breaks) if i < first or route.breaks[i - first].end > now)


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
    plan = _ahead(problem, plan)
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
    return Replanned(after, best, _changes(problem, after, plan, best, evicted))


def _ahead(problem: Problem, plan: Plan) -> Plan:
    """Leave away the visits that are done."""
    done = problem.done_by
    routes = (
        replace(route, visits=tuple(v for v in route.visits if Stop(v.request, v.kind) not in done))
        for route in plan.routes
    )
    return replace(plan, routes=tuple(routes))


def _dearer(problem: Problem) -> Problem:
    couriers = (replace(c, move_price=min(2**30, max(1, c.move_price) * PRICE_RISES)) for c in problem.couriers)
    return replace(problem, couriers=tuple(couriers))


# --- events ---------------------------------------------------------------------------------------------------------


def _apply(problem: Problem, event: Event) -> Problem:
    match event:
        case Arrived(request, locations):
            return replace(problem, locations=problem.locations + locations, requests=(*problem.requests, request))
        case Cancelled(name):
            return _cancel(problem, _known(problem, name))
        case CourierLate(name, free_at):
            return _with_courier(problem, name, free_at=free_at)
        case CourierOut(name):
            return _with_courier(problem, name, out=True, shown=())
        case WindowChanged(name, kind, windows):
            request = _known(problem, name)
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


def _with_courier(problem: Problem, name: str, **fields: object) -> Problem:
    if all(courier.id != name for courier in problem.couriers):
        raise ProblemError("courier", name, "is not in the problem")
    changed = (replace(c, **fields) if c.id == name else c for c in problem.couriers)  # type: ignore[arg-type]
    return replace(problem, couriers=tuple(changed))


def _cancel(problem: Problem, request: Request) -> Problem:
    """Take a request out; one whose papers are with a courier becomes a lone pickup, done, that comes home."""
    stays = [kind for kind in ("pickup", "delivery") if Stop(request.id, kind) in problem.done_by]
    couriers = tuple(
        replace(c, shown=tuple(stop for stop in c.shown if stop.request != request.id)) for c in problem.couriers
    )
    carrier = next((c for c in couriers if c.id == request.on_board and c.done), None)
    if carrier is not None:
        loaded = min(carrier.shift.start, carrier.done[0].start)
        kept = replace(
            request, pickup=Task(carrier.start, (TimeWindow(loaded, loaded),), 0), delivery=None, on_board=None
        )
        done = (Done(request.id, "pickup", loaded, loaded), *carrier.done)
        couriers = tuple(replace(c, done=done) if c is carrier else c for c in couriers)
        requests = tuple(kept if r is request else r for r in problem.requests)
    elif stays:
        kept = replace(request, delivery=request.delivery if "delivery" in stays else None)
        requests = tuple(kept if r is request else r for r in problem.requests)
    else:
        requests = tuple(r for r in problem.requests if r is not request)
    return replace(problem, couriers=couriers, requests=requests)


# --- what changed ---------------------------------------------------------------------------------------------------


def _others_moved(problem: Problem, before: Plan, after: Plan, evicted: set[str]) -> int:
    """Count the requests that moved although they fitted where they were."""
    moved = {name for name, _, _ in _moves(problem, before, after)}
    return len(moved - evicted - _new(problem, before))


def _new(problem: Problem, before: Plan) -> set[str]:
    known = {v.request for route in before.routes for v in route.visits} | {u.request for u in before.unassigned}
    return set(problem.request) - known


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
        else:
            why = Why.MAKES_ROOM
        changes.append(Change(name, courier, now, why))
    gone = [
        r.id
        for r in before.requests
        if r.id in was and (r.id not in problem.request or not problem.ahead(problem.request[r.id]))
    ]
    changes += [Change(name, was[name], None, Why.CANCELLED) for name in gone]
    return tuple({change.request: change for change in reversed(changes)}.values())

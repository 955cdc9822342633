"""Turns a problem into a plan: builds the flat arrays, runs the search until its limit, writes the routes out."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from routing import kernel
from routing.kernel import FITS, NEVER, NONE, Ints, Model, Search
from routing.plan import Kind, Plan, Reason, Route, Unassigned, Visit
from routing.problem import Courier, Location, Problem, Request, Task, TimeWindow
from routing.travel import GreatCircle, Table, TravelTimes

NEAR_REQUESTS = 60
NEAR_COURIERS = 16
CHUNK_S = 0.01
"""Seconds between two looks at the clock."""

ITERATIONS_PER_CHUNK = 64
ITERATIONS_AT_ONCE_MAX = 5000
SMALL_PROBLEM = 12
ITERATIONS_PER_SMALL_REQUEST = 2000
"""A problem of so few requests is not searched longer than this: it has long been solved to the optimum."""

HOT, COLD = 1.0, 0.01
"""First and last temperature, as shares of what a request costs on average in the first full plan."""

_REASONS = (
    Reason.NO_COURIER_WITH_SKILLS,
    Reason.OVER_CAPACITY,
    Reason.UNREACHABLE,
    Reason.WINDOW_UNREACHABLE,
    Reason.SHIFT_TOO_SHORT,
)


@dataclass(frozen=True, slots=True)
class Progress:
    """How far a search has come: seconds and iterations so far, the best plan's cost and requests left out."""

    elapsed_s: float
    iterations: int
    cost: int
    unassigned: int


def solve(
    problem: Problem,
    travel: TravelTimes,
    *,
    time_limit_s: float = 10.0,
    seed: int = 0,
    iterations: int | None = None,
    on_progress: Callable[[Progress], None] | None = None,
) -> Plan:
    """Plan a day at the lowest cost found within the limit.

    Every request is in exactly one route or among the unassigned, with a reason. The limit counts from the call, table
    included; the search stops within 50 ms of it, but never before there is a first full plan. With `iterations` the
    search also ends after so many, and is the same for the same seed as long as the limit does not cut it short.
    Travel times should keep the triangle inequality; where they do not, the plan is still sound but may leave out a
    request that only a detour reaches. `on_progress` is called about every tenth of a second.
    """
    started = time.perf_counter()
    table = travel.table(problem.locations)
    kept, model, outcome = _admit(problem, table)
    if not kept:
        left_out = tuple(_unassigned(problem, table, i, outcome) for i in range(len(problem.requests)))
        return Plan((), left_out, sum(request.unassigned_price for request in problem.requests))
    search = kernel.new_search(model, seed)
    _construct(model, search)
    deadline = started + time_limit_s - _writing_s(len(model.place))
    report = on_progress and _with_hopeless(on_progress, problem, kept)
    _anneal(model, search, _Clock(started, deadline), _budget(len(kept), iterations), report)
    _finish(model, search)
    return _plan(problem, table, kept, model, search, outcome)


def warm_up() -> None:
    """Compile the search, or load it from numba's cache: most of a minute the first time on a machine, then 0.6 s."""
    place = Location("a", 0.0, 0.0)
    task = Task("a", (TimeWindow(0, 9),), 1)
    requests = (Request("p", task, None), Request("d", None, task), Request("pd", task, task), Request("x", task, None))
    courier = Courier("c", "a", "a", TimeWindow(0, 9), (2,))
    solve(Problem((place,), requests, (courier,)), GreatCircle(), iterations=1, time_limit_s=600.0)


# --- arrays ---------------------------------------------------------------------------------------------------------


def _admit(problem: Problem, table: Table) -> tuple[list[int], Model, npt.NDArray[np.int8]]:
    """Return the requests that fit some courier's empty round, their model, and the outcome for all (int8, r x v)."""
    everything = list(range(len(problem.requests)))
    model = _model(problem, table, everything)
    outcome = _alone(model, setup_free=False)
    # Next to a neighbour at the same address a request may fit that would not fit alone.
    admitted = (_alone(model, setup_free=True) if model.setup.any() else outcome) == FITS
    kept = [int(r) for r in np.flatnonzero(admitted.any(axis=1))]
    if not kept:
        return [], model, outcome
    model = _model(problem, table, kept)._replace(allowed=np.ascontiguousarray(admitted[kept]))
    near_requests, near_couriers = _near_requests(model), _near_couriers(model)
    return kept, model._replace(near_requests=near_requests, near_couriers=near_couriers), outcome


def _alone(model: Model, setup_free: bool) -> npt.NDArray[np.int8]:
    outcome = np.empty(model.allowed.shape, dtype=np.int8)
    kernel.alone(model, setup_free, outcome)
    return outcome


def _model(problem: Problem, table: Table, kept: list[int]) -> Model:
    """Lay the requests of the given indices out in the kernel's arrays; `allowed` says as yet who is skilled."""
    requests = [problem.requests[r] for r in kept]
    couriers = problem.couriers
    index = {location.id: i for i, location in enumerate(problem.locations)}
    tasks = [(r, task) for r, request in enumerate(requests) for _, task in _ends(request)]
    ends = [index[c.start] for c in couriers] + [index[c.end] for c in couriers]
    places = [index[task.location] for _, task in tasks] + ends
    own = [-1 - v for v in range(2 * len(couriers))]
    windows = [[(w.start, w.end) for w in task.windows] for _, task in tasks]
    windows += [[(-NEVER, NEVER - 1)] for _ in couriers] + [[(-NEVER, c.shift.end)] for c in couriers]
    opens, closes = _pad(windows)
    first, second = _stops_of([r for r, _ in tasks], len(requests))
    no_work = [0] * len(ends)
    return Model(
        durations_to=np.ascontiguousarray(table.durations),
        durations_from=np.ascontiguousarray(table.durations.T),
        place=_ints(places),
        address=_ints(places[: len(tasks)] + own),
        service=_ints([task.service_s for _, task in tasks] + no_work),
        setup=_ints([task.setup_s for _, task in tasks] + no_work),
        opens=opens,
        closes=closes,
        last_close=_ints([ws[-1][1] for ws in windows]),
        request=_ints([r for r, _ in tasks] + [NONE] * len(ends)),
        first=first,
        second=second,
        shape=_ints([_shape(request) for request in requests]),
        amounts=_ints([x.amounts for x in requests]).reshape(len(requests), problem.dimensions),
        price=_ints([request.unassigned_price for request in requests]),
        shift_start=_ints([c.shift.start for c in couriers]),
        capacity=_ints([c.capacity for c in couriers]).reshape(len(couriers), problem.dimensions),
        price_per_s=_ints([c.price_per_s for c in couriers]),
        fixed_price=_ints([c.fixed_price for c in couriers]),
        allowed=_skilled(requests, couriers),
        near_requests=np.zeros((len(requests), 0), dtype=np.int32),
        near_couriers=np.zeros((len(requests), 0), dtype=np.int32),
    )


def _ints(values: object) -> Ints:
    return np.array(values, dtype=np.int64)


def _ends(request: Request) -> list[tuple[Kind, Task]]:
    ends: list[tuple[Kind, Task | None]] = [("pickup", request.pickup), ("delivery", request.delivery)]
    return [(kind, task) for kind, task in ends if task is not None]


def _shape(request: Request) -> int:
    if request.pickup is None:
        return kernel.DELIVERY
    return kernel.PICKUP if request.delivery is None else kernel.PAIR


def _pad(windows: list[list[tuple[int, int]]]) -> tuple[Ints, Ints]:
    """Return opening and closing times (int64, n x w); missing windows open NEVER and close before everything."""
    width = max(map(len, windows), default=1)
    opens = np.full((len(windows), width), NEVER, dtype=np.int64)
    closes = np.full((len(windows), width), -NEVER, dtype=np.int64)
    for n, ws in enumerate(windows):
        for w, (start, end) in enumerate(ws):
            opens[n, w], closes[n, w] = start, end
    return opens, closes


def _stops_of(owners: list[int], requests: int) -> tuple[Ints, Ints]:
    first, second = np.full((2, requests), NONE, dtype=np.int64)
    for stop, r in enumerate(owners):
        if first[r] == NONE:
            first[r] = stop
        else:
            second[r] = stop
    return first, second


def _skilled(requests: list[Request], couriers: tuple[Courier, ...]) -> npt.NDArray[np.bool_]:
    """Return who has the skills for what (r x v), comparing each different set of skills once."""
    wanted, which = _distinct([x.skills for x in requests])
    offered, whose = _distinct([x.skills for x in couriers])
    pairs = np.array([[w <= o for o in offered] for w in wanted], dtype=np.bool_).reshape(len(wanted), len(offered))
    return np.ascontiguousarray(pairs[which][:, whose])


def _distinct(sets: list[frozenset[str]]) -> tuple[list[frozenset[str]], Ints]:
    number: dict[frozenset[str], int] = {}
    which = _ints([number.setdefault(x, len(number)) for x in sets])
    return list(number), which


def _near_requests(model: Model) -> npt.NDArray[np.int32]:
    """Return for each request the others, nearest first by the way there and back between their first stops."""
    place = model.place[model.first]
    count = min(NEAR_REQUESTS, len(place) - 1)
    near = np.empty((len(place), count), dtype=np.int32)
    for r, here in enumerate(place):
        away = model.durations_to[here, place].astype(np.int64) + model.durations_from[here, place]
        away[r] = NEVER
        near[r] = _smallest(away, count)
    return near


def _near_couriers(model: Model) -> npt.NDArray[np.int32]:
    """Return for each request the couriers allowed to serve it, the nearest start first, filled up with NONE."""
    starts = model.place[-2 * len(model.shift_start) : -len(model.shift_start)]
    count = min(NEAR_COURIERS, len(starts))
    near = np.empty((len(model.first), count), dtype=np.int32)
    for r, here in enumerate(model.place[model.first]):
        away = np.where(model.allowed[r], model.durations_from[here, starts].astype(np.int64), NEVER)
        nearest = _smallest(away, count)
        near[r] = np.where(away[nearest] < NEVER, nearest, NONE)
    return near


def _smallest(values: Ints, count: int) -> Ints:
    """Return the indices of the smallest values in ascending order, ties by index."""
    if count < len(values):
        # A stable cut: everything below the threshold, then the first ones on it.
        threshold = np.partition(values, count)[count]
        candidates = np.flatnonzero(values <= threshold)
    else:
        candidates = np.arange(len(values))
    return candidates[np.argsort(values[candidates], kind="stable")][:count]


# --- search ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class _Clock:
    started: float
    deadline: float

    def elapsed(self) -> float:
        return time.perf_counter() - self.started

    def left(self) -> float:
        return self.deadline - time.perf_counter()


def _construct(model: Model, search: Search) -> None:
    """Build the first full plan: dear requests first, those that close early before the others."""
    order = np.lexsort((model.last_close[model.first], -model.price)).astype(np.int64)
    kernel.insert(model, search, order)


def _finish(model: Model, search: Search) -> None:
    """Go back to the best routes and insert what still fits anywhere, dearest first, until nothing does."""
    kernel.restore_best(model, search)
    while True:
        absent = search.absent[: search.total[kernel.ABSENT]].copy()
        if not kernel.insert(model, search, absent[np.argsort(-model.price[absent], kind="stable")]):
            return


def _budget(requests: int, iterations: int | None) -> int | None:
    """Return how many iterations to run at most, None for as many as the time allows."""
    if requests == 1:
        return 0
    small = ITERATIONS_PER_SMALL_REQUEST * requests if requests <= SMALL_PROBLEM else None
    if iterations is None or small is None:
        return small if iterations is None else iterations
    return min(iterations, small)


def _anneal(
    model: Model, search: Search, clock: _Clock, budget: int | None, on_progress: Callable[[Progress], None] | None
) -> None:
    """Run the search in chunks until budget or time is spent.

    With a budget the temperature follows the iterations, so that the result does not depend on the machine's speed;
    without one it follows the time.
    """
    hot = HOT * _mean_cost(model, search)
    done, reported = 0, 0.0
    chunk, begun = ITERATIONS_PER_CHUNK // 8, clock.elapsed()
    whole = max(clock.left(), 1e-3)
    while clock.left() > 0 and (budget is None or done < budget):
        if budget is None:
            total = int(chunk * whole / CHUNK_S) + 1
            at = int(total * (1 - clock.left() / whole))
        else:
            chunk = min(chunk, budget - done)
            total, at = budget, done
        kernel.improve(model, search, chunk, at, total, hot, hot * COLD / HOT)
        done += chunk
        now = clock.elapsed()
        chunk = _next_chunk(chunk, now - begun)
        begun = now
        if on_progress and now - reported >= 0.1:
            reported = now
            on_progress(_progress(search, now, done))
            begun = clock.elapsed()
    if on_progress:
        on_progress(_progress(search, clock.elapsed(), done))


def _mean_cost(model: Model, search: Search) -> float:
    served = len(model.first) - int(search.total[kernel.ABSENT])
    return max(1.0, float(search.cost.sum()) / max(1, served))


def _next_chunk(chunk: int, took: float) -> int:
    """Return how many iterations will take about CHUNK_S, never growing more than fourfold at once."""
    return int(min(max(1, chunk * CHUNK_S / max(took, 1e-6)), 4 * chunk, ITERATIONS_AT_ONCE_MAX))


def _writing_s(nodes: int) -> float:
    """Return seconds to keep for the end: last chunk, final insertion, writing the plan."""
    return 0.005 + nodes * 1.5e-5


def _with_hopeless(
    on_progress: Callable[[Progress], None], problem: Problem, kept: list[int]
) -> Callable[[Progress], None]:
    """Return a callback that counts in the requests which the search never saw because nobody could serve them."""
    hopeless = len(problem.requests) - len(kept)
    price = sum(request.unassigned_price for request in problem.requests)
    price -= sum(problem.requests[r].unassigned_price for r in kept)
    return lambda p: on_progress(Progress(p.elapsed_s, p.iterations, p.cost + price, p.unassigned + hopeless))


def _progress(search: Search, elapsed: float, done: int) -> Progress:
    return Progress(elapsed, done, int(search.total[kernel.BEST_COST]), int(search.total[kernel.BEST_ABSENT]))


# --- plan -----------------------------------------------------------------------------------------------------------


def _plan(
    problem: Problem,
    table: Table,
    kept: list[int],
    model: Model,
    search: Search,
    outcome: npt.NDArray[np.int8],
) -> Plan:
    stops = [(problem.requests[r], kind, task) for r in kept for kind, task in _ends(problem.requests[r])]
    following = search.following.tolist()
    starts, ends = len(stops), len(stops) + len(problem.couriers)
    index = {location.id: i for i, location in enumerate(problem.locations)}
    routes = []
    for v, courier in enumerate(problem.couriers):
        order, node = [], following[starts + v]
        while node != ends + v:
            order.append(stops[node])
            node = following[node]
        if order:
            routes.append(_route(courier, order, table, index))
    dropped = set(range(len(problem.requests))) - {kept[r] for r in np.flatnonzero(search.courier != NONE)}
    position = {r: i for i, r in enumerate(kept)}
    unassigned = []
    for r in sorted(dropped):
        extra = int(kernel.cheapest_insertion(model, search, position[r])) if r in position else NEVER
        unassigned.append(_unassigned(problem, table, r, outcome, extra))
    return Plan(
        tuple(routes),
        tuple(unassigned),
        int(search.total[kernel.COST])
        + sum(problem.requests[r].unassigned_price for r in dropped if r not in position),
    )


def _route(courier: Courier, order: list[tuple[Request, Kind, Task]], table: Table, index: dict[str, int]) -> Route:
    """Write a route's times: every service starts as early as it can, the courier leaves no earlier than needed."""
    visits: list[Visit] = []
    place, address, clock, leave, riding = index[courier.start], "", courier.shift.start, courier.shift.start, 0
    for request, kind, task in order:
        travel = int(table.durations[place, index[task.location]])
        arrival = clock + travel
        start = next(max(arrival, window.start) for window in task.windows if arrival <= window.end)
        if not visits:
            leave, arrival = start - travel, start
        departure = start + task.service_s + (task.setup_s if task.location != address else 0)
        visits.append(Visit(request.id, kind, task.location, arrival, start, departure, travel))
        place, address, clock, riding = index[task.location], task.location, departure, riding + travel
    home = int(table.durations[place, index[courier.end]])
    return Route(courier.id, tuple(visits), leave, clock + home, riding + home)


def _unassigned(
    problem: Problem, table: Table, r: int, outcome: npt.NDArray[np.int8], extra: int = NEVER
) -> Unassigned:
    """Say why a request is left out, for the courier that came nearest; `extra` is what inserting it would cost."""
    request = problem.requests[r]
    furthest = int(outcome[r].max(initial=kernel.NO_SKILL))
    if extra < NEVER:
        detail = f"serving it would add {extra} to the cost, leaving it out adds {request.unassigned_price}"
        return Unassigned(request.id, Reason.PRICE_BELOW_COST, detail)
    if furthest == FITS:
        able = int((outcome[r] == FITS).sum())
        detail = f"{able} of {len(problem.couriers)} couriers could serve it on an empty round, none beside the others"
        return Unassigned(request.id, Reason.CROWDED_OUT, detail)
    reason = _REASONS[furthest]
    return Unassigned(request.id, reason, _detail(problem, table, request, reason))


def _detail(problem: Problem, table: Table, request: Request, reason: Reason) -> str:
    if reason is Reason.NO_COURIER_WITH_SKILLS:
        wanted = ", ".join(sorted(request.skills))
        return f"no courier has all of: {wanted}" if problem.couriers else "there is no courier"
    if reason is Reason.OVER_CAPACITY:
        return f"amounts {list(request.amounts)} are more than any courier with the skills can carry"
    if reason is Reason.UNREACHABLE:
        index = {location.id: i for i, location in enumerate(problem.locations)}
        away = {task.location: int(table.snapped_m[index[task.location]]) for _, task in _ends(request)}
        return "no way by road; distance to the nearest road: " + ", ".join(f"{k} {m} m" for k, m in away.items())
    if reason is Reason.WINDOW_UNREACHABLE:
        return "no courier who could carry it gets there inside its windows"
    return "served alone it would bring every courier who could carry it back after the shift"

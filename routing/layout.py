"""Lays a problem out in the kernel's flat arrays, and says which courier could serve which request at all."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass, fields
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from routing.kernel.alone import alone
from routing.kernel.arrays import (
    CARRIED,
    DELIVERY,
    FITS,
    GIVEN_COURIER,
    GIVEN_NODE,
    GIVEN_REQUEST,
    GONE,
    NEAR_GROUPS,
    NEVER,
    NO_SKILL,
    NONE,
    PAIR,
    PICKUP,
    Bytes,
    Ints,
    Model,
    Records,
    SmallInts,
    transpose,
)
from routing.problem import Break, Courier, Kind, Problem, Request, Stop, Task
from routing.travel import UNREACHABLE, Table, TravelTimes


@dataclass(frozen=True)
class Layout:
    """A problem in arrays, and the way back from their numbers to its items."""

    problem: Problem
    table: Table
    index: dict[str, int]
    """Row of each location in the table."""
    ahead: tuple[Request, ...]
    """Requests with something left to do."""
    outcome: Bytes
    """How far each of them comes on an empty round of each kind of courier (int8, ahead x kinds)."""
    kept: tuple[Request, ...]
    """Those that fit somebody's empty round: the model's requests."""
    stops: tuple[tuple[Request, Kind, Task], ...]
    """What the model's stop nodes are."""
    rests: tuple[tuple[int, Break], ...]
    """What its break nodes are: the courier's number and the break."""
    model: Model

    @property
    def price_of_hopeless(self) -> int:
        """What the requests that nobody could serve cost by being left out."""
        return sum(r.unassigned_price for r in self.ahead) - sum(r.unassigned_price for r in self.kept)


def table_for(problem: Problem, travel: TravelTimes | Table) -> Table:
    """Ask for the travel times, and for distances where somebody is paid or bounded by them; a table is taken as it is.

    Raises ValueError for distances that are wanted and missing, a table of other locations than the problem's, and
    times below 0.
    """
    metres = needs_distances(problem)
    if isinstance(travel, Table):
        table = travel
    elif not problem.locations:
        table = Table(np.zeros((0, 0), dtype=np.int32), np.zeros(0, dtype=np.int32))
    else:
        table = travel.table(problem.locations, distances=True) if metres else travel.table(problem.locations)
    _check_table(problem, table.durations)
    if metres and problem.locations:
        if table.distances is None:
            raise ValueError("prices by the metre need distances, which the travel times do not give")
        _check_table(problem, table.distances)
    return table


def _check_table(problem: Problem, cells: SmallInts) -> None:
    n = len(problem.locations)
    if cells.shape != (n, n):
        raise ValueError(f"the travel table is {' x '.join(map(str, cells.shape))}, the problem has {n} locations")
    if n and int(cells.min()) < 0:
        a, b = divmod(int(cells.argmin()), n)
        ids = (problem.locations[a].id, problem.locations[b].id)
        raise ValueError(f"travel from {ids[0]} to {ids[1]} is below 0: {int(cells.min())}")


def needs_distances(problem: Problem) -> bool:
    """Return whether any courier is paid or bounded by the metre."""
    return any(c.price_per_m or c.max_travel_m is not None for c in problem.couriers)


def lay_out(problem: Problem, table: Table) -> Layout:
    """Build the arrays for all requests that fit somebody's empty round."""
    index = {location.id: i for i, location in enumerate(problem.locations)}
    ahead = tuple(r for r in problem.requests if problem.ahead(r)) if problem.done_by else problem.requests
    kinds = _Kinds(problem)
    everything = _stops(problem, ahead)
    model = _model(problem, table, index, ahead, everything, kinds)
    known = kinds.outcome(ahead)
    outcome = _alone(model, kinds, known, setup_free=False)
    # Next to a neighbour at the same address a request may fit that would not fit alone.
    admitted = (_alone(model, kinds, known, setup_free=True) if model.nodes.setup.any() else outcome) == FITS
    hopeful = np.flatnonzero(admitted.any(axis=1)) if len(ahead) else np.zeros(0, dtype=np.int64)
    kept = tuple(ahead[r] for r in hopeful)
    stops = everything
    if len(kept) < len(ahead):
        stops = _stops(problem, kept)
        model = _model(problem, table, index, kept, stops, kinds)
    model = model._replace(joining=_joining(problem, kept, kinds, admitted[hopeful]), near_groups=_near_groups(model))
    return Layout(problem, table, index, ahead, outcome, kept, stops, _rests(problem), model)


# --- couriers of a kind ---------------------------------------------------------------------------------------------


class _Kinds:
    """Couriers whose empty rounds are alike: what is true of one of them is worked out once."""

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.carrying = carrying = {name for r in problem.requests if (name := problem.carrier(r))}
        number: dict[Hashable, int] = {}
        self.of = ints([number.setdefault(_traits(c, c.id in carrying), len(number)) for c in problem.couriers])
        self.first = ints(np.unique(self.of, return_index=True)[1])
        self.couriers = [problem.couriers[v] for v in self.first]

    def outcome(self, requests: Sequence[Request]) -> Bytes:
        """Return FITS where a kind has the skills and can still take a request, else NO_SKILL or GONE (r x kinds)."""
        known = np.where(_skilled(requests, self.couriers), FITS, NO_SKILL).astype(np.int8)
        gone = np.array([c.out for c in self.couriers], dtype=np.bool_)
        left = gone | np.array([c.has_left for c in self.couriers], dtype=np.bool_)
        known[:, gone] = np.minimum(known[:, gone], GONE)
        if left.any():
            lone = [r for r, x in enumerate(requests) if x.pickup is None and self.problem.carrier(x) is None]
            closed = np.ix_(lone, np.flatnonzero(left))
            known[closed] = np.minimum(known[closed], GONE)
        if self.carrying:
            for r, request in enumerate(requests):
                if carrier := self.problem.carrier(request):
                    known[r, [c.id != carrier for c in self.couriers]] = NO_SKILL
        return known


def _traits(courier: Courier, carrying: bool) -> Hashable:
    """Return everything that a courier's empty round depends on; the id too where he differs by what he did or saw."""
    own = courier.id if courier.done or courier.shown or carrying else ""
    return own, *(getattr(courier, field.name) for field in fields(courier) if field.name != "id")


def _skilled(requests: Sequence[Request], couriers: Sequence[Courier]) -> npt.NDArray[np.bool_]:
    """Return who has the skills for what (r x c), comparing each different set of skills once."""
    wanted, which = _distinct([x.skills for x in requests])
    offered, whose = _distinct([x.skills for x in couriers])
    pairs = np.array([[w <= o for o in offered] for w in wanted], dtype=np.bool_).reshape(len(wanted), len(offered))
    return pairs[which][:, whose]


def _distinct(sets: Sequence[Hashable]) -> tuple[list[frozenset[str]], Ints]:
    number: dict[Hashable, int] = {}
    which = ints([number.setdefault(x, len(number)) for x in sets])
    return list(number), which  # type: ignore[arg-type]  # what went in comes out


def _alone(model: Model, kinds: _Kinds, known: Bytes, setup_free: bool) -> Bytes:
    outcome = known.copy()
    alone(model, setup_free, kinds.first, outcome)
    return outcome


def _joining(problem: Problem, requests: Sequence[Request], kinds: _Kinds, admitted: npt.NDArray[np.bool_]) -> Ints:
    """Return what serving each request costs each courier at all (r x v): strange ground and broken promises."""
    price = np.where(admitted, 0, NEVER).astype(np.int64)
    for k, courier in enumerate(kinds.couriers):
        if courier.away_price:
            away = [r.territory not in {"", *courier.territories} for r in requests]
            price[away, k] += courier.away_price
    joining = np.ascontiguousarray(price[:, kinds.of])
    row = {request.id: r for r, request in enumerate(requests)}
    for v, courier in enumerate(problem.couriers):
        if courier.move_price:
            for name in {stop.request for stop in courier.shown} & row.keys():
                others = np.arange(len(problem.couriers)) != v
                joining[row[name], others] += courier.move_price
    return np.minimum(joining, NEVER)


# --- arrays ---------------------------------------------------------------------------------------------------------


def ints(values: object) -> Ints:
    """Return an array of 64-bit integers."""
    return np.array(values, dtype=np.int64)


def _stops(problem: Problem, requests: Sequence[Request]) -> tuple[tuple[Request, Kind, Task], ...]:
    if not problem.done_by:
        ends: list[tuple[Request, Kind, Task]] = []
        for request in requests:
            if request.pickup is not None:
                ends.append((request, "pickup", request.pickup))
            if request.delivery is not None:
                ends.append((request, "delivery", request.delivery))
        return tuple(ends)
    return tuple((request, kind, task) for request in requests for kind, task in problem.ahead(request))


def _rests(problem: Problem) -> tuple[tuple[int, Break], ...]:
    """Return each courier's number and breaks, but for those whose window is over before the courier is free."""
    return tuple(
        (v, rest)
        for v, courier in enumerate(problem.couriers)
        for rest in courier.breaks
        if rest.window.end >= problem.standing(courier)[1]
    )


def _model(
    problem: Problem,
    table: Table,
    index: dict[str, int],
    requests: Sequence[Request],
    stops: tuple[tuple[Request, Kind, Task], ...],
    kinds: _Kinds,
) -> Model:
    couriers = problem.couriers
    tasks = [task for _, _, task in stops]
    standing = [problem.standing(c) for c in couriers]
    rests = _rests(problem)
    starts = [index[place] for place, _ in standing]
    own = [-1 - v for v in range(2 * len(couriers))]
    for v, courier in enumerate(couriers):
        if courier.has_left:
            own[v] = starts[v]
    places = [index[task.location] for task in tasks]
    windows = [[(w.start, w.end) for w in task.windows] for task in tasks]
    windows += [[(rest.window.start, rest.window.end)] for _, rest in rests]
    windows += [[(-NEVER, NEVER - 1)] for _ in couriers] + [[(-NEVER, c.shift.end)] for c in couriers]
    opens, closes = _pad(windows)
    numbers = {request.id: r for r, request in enumerate(requests)}
    owners = [numbers[request.id] for request, _, _ in stops]
    metres = table.distances if needs_distances(problem) else None
    none = np.zeros((0, 0), dtype=np.int32)
    groups, members = _groups(starts)
    nodes, idle = len(windows), [0] * (len(rests) + 2 * len(couriers))
    given = np.zeros(nodes, dtype=GIVEN_NODE).view(np.recarray)
    given.place = places + [starts[v] for v, _ in rests] + starts + [index[c.end] for c in couriers]
    given.address = places + [0] * len(rests) + own
    given.service = [task.service_s for task in tasks] + [rest.duration_s for _, rest in rests] + [0] * len(own)
    given.setup = [task.setup_s for task in tasks] + idle
    given.last_close = [ws[-1][1] for ws in windows]
    given.due = [NEVER if task.due is None else task.due for task in tasks] + [NEVER] * len(idle)
    given.late_price = [0 if task.due is None else task.late_price for task in tasks] + idle
    given.request = owners + [NONE] * len(idle)
    given.rank, given.shown_by = _shown(couriers, stops, nodes)
    return Model(
        durations_to=np.ascontiguousarray(table.durations),
        durations_from=_transposed(table.durations),
        metres_to=none if metres is None else np.ascontiguousarray(metres),
        metres_from=none if metres is None else _transposed(metres),
        nodes=given,
        opens=opens,
        closes=closes,
        requests=_requests(problem, requests, owners),
        amounts=ints([x.amounts for x in requests]).reshape(len(requests), problem.dimensions),
        joining=np.zeros((0, 0), dtype=np.int64),
        couriers=_couriers(problem, table, index, kinds, len(stops), rests),
        carried=_carried(problem),
        capacity=ints([c.capacity for c in couriers]).reshape(len(couriers), problem.dimensions),
        groups=groups,
        members=members,
        near_groups=np.zeros((len(requests), 0), dtype=np.int32),
        stop_count=len(stops),
        priced=_is_priced(problem),
    )


def _requests(problem: Problem, requests: Sequence[Request], owners: Sequence[int]) -> Records:
    given = np.zeros(len(requests), dtype=GIVEN_REQUEST).view(np.recarray)
    given.form = [_form(problem, request) for request in requests]
    given.price = [request.unassigned_price for request in requests]
    given.first, given.second = _ends_of(owners, len(requests))
    return given


def _couriers(
    problem: Problem,
    table: Table,
    index: dict[str, int],
    kinds: _Kinds,
    stops: int,
    rests: Sequence[tuple[int, Break]],
) -> Records:
    couriers = problem.couriers
    behind = ints([_behind(problem, table, index, c) for c in couriers]).reshape(len(couriers), 3)
    given = np.zeros(len(couriers), dtype=GIVEN_COURIER).view(np.recarray)
    given.standing = [problem.standing(c)[1] for c in couriers]
    given.price_per_s = [c.price_per_s for c in couriers]
    given.price_per_m = [c.price_per_m for c in couriers]
    given.fixed_price = [0 if c.done else c.fixed_price for c in couriers]
    given.max_travel_s = _or_never([c.max_travel_s for c in couriers]) - behind[:, 0]
    given.max_travel_m = _or_never([c.max_travel_m for c in couriers]) - behind[:, 1]
    given.fair_work = np.maximum(0, _or_never([c.fair_work_s for c in couriers]) - behind[:, 2])
    given.overwork_price = [c.overwork_price for c in couriers]
    given.move_price = [c.move_price for c in couriers]
    breaks = stops + np.searchsorted(ints([v for v, _ in rests]), np.arange(len(couriers) + 1))
    given.breaks_from, given.breaks_end = breaks[:-1], breaks[1:]
    given.alike = kinds.first[kinds.of]
    return given


def _behind(problem: Problem, table: Table, index: dict[str, int], courier: Courier) -> tuple[int, int, int]:
    """Return seconds and metres ridden and seconds worked in what is done; a road since closed counts nothing."""
    tasks = [problem.request[visit.request].task(visit.kind) for visit in courier.done]
    places = [index[courier.start], *(index[task.location] for task in tasks if task)]
    places += [index[courier.end]] if courier.done and courier.is_home else []
    seconds = metres = 0
    for a, b in pairwise(places):
        if table.durations[a, b] != UNREACHABLE:
            seconds += int(table.durations[a, b])
            metres += 0 if table.distances is None else int(table.distances[a, b])
    return seconds, metres, seconds + sum(visit.departure - visit.start for visit in courier.done)


def _transposed(matrix: SmallInts) -> SmallInts:
    turned = np.empty(matrix.shape[::-1], dtype=np.int32)
    transpose(np.ascontiguousarray(matrix), turned)
    return turned


def _is_priced(problem: Problem) -> bool:
    """Return whether anything beyond riding in seconds, joining and the fixed price has a price or a limit."""
    return (
        needs_distances(problem)
        or any(c.max_travel_s is not None or c.overwork_price or (c.shown and c.move_price) for c in problem.couriers)
        or any(
            task is not None and task.due is not None and task.late_price
            for request in problem.requests
            for task in (request.pickup, request.delivery)
        )
    )


def _or_never(values: Sequence[int | None]) -> Ints:
    return ints([NEVER if value is None else value for value in values])


def _form(problem: Problem, request: Request) -> int:
    if problem.carrier(request) is not None:
        return CARRIED
    if request.pickup is None:
        return DELIVERY
    return PICKUP if request.delivery is None else PAIR


def _carried(problem: Problem) -> Ints:
    """Return what is on board when the couriers are free (v x k): taken on and not yet delivered."""
    carried = np.zeros((len(problem.couriers), problem.dimensions), dtype=np.int64)
    row = {courier.id: v for v, courier in enumerate(problem.couriers)}
    for request in problem.requests:
        carrier = problem.carrier(request) if request.delivery else problem.done_by.get(Stop(request.id, "pickup"))
        if carrier is None or Stop(request.id, "delivery") in problem.done_by:
            continue
        if request.delivery or not problem.couriers[row[carrier]].is_home:
            carried[row[carrier]] += ints(request.amounts)
    return carried


def _pad(windows: list[list[tuple[int, int]]]) -> tuple[Ints, Ints]:
    """Return opening and closing times (int64, n x w); missing windows open NEVER and close before everything."""
    width = max(map(len, windows), default=1)
    rows = [ws + [(NEVER, -NEVER)] * (width - len(ws)) for ws in windows]
    both = ints(rows).reshape(len(windows), width, 2)
    return np.ascontiguousarray(both[:, :, 0]), np.ascontiguousarray(both[:, :, 1])


def _ends_of(owners: Sequence[int], requests: int) -> tuple[Ints, Ints]:
    first, second = np.full((2, requests), NONE, dtype=np.int64)
    for stop, r in enumerate(owners):
        if first[r] == NONE:
            first[r] = stop
        else:
            second[r] = stop
    return first, second


def _shown(couriers: Sequence[Courier], stops: Sequence[tuple[Request, Kind, Task]], nodes: int) -> tuple[Ints, Ints]:
    """Return for each node its place in the order that was shown to a courier, and that courier."""
    seen = {stop: (v, at) for v, c in enumerate(couriers) for at, stop in enumerate(c.shown)}
    rank, shown_by = np.full((2, nodes), NONE, dtype=np.int64)
    if seen:
        for node, (request, kind, _) in enumerate(stops):
            shown_by[node], rank[node] = seen.get(Stop(request.id, kind), (NONE, NONE))
    return rank, shown_by


def _groups(starts: list[int]) -> tuple[Ints, Ints]:
    """Return the couriers sorted by where they start, and where each place's couriers begin."""
    members = np.argsort(ints(starts), kind="stable").astype(np.int64)
    sorted_starts = ints(starts)[members]
    begins = np.flatnonzero(np.diff(sorted_starts, prepend=-1)) if len(starts) else np.zeros(0, dtype=np.int64)
    return ints([*begins, len(starts)]), members


def _near_groups(model: Model) -> SmallInts:
    """Return for each request the starting places of couriers, nearest first (r x b)."""
    if not len(model.members):
        return np.zeros((len(model.requests), 0), dtype=np.int32)
    couriers = len(model.couriers)
    starts = model.nodes.place[len(model.nodes) - 2 * couriers :][model.members[model.groups[:-1]]]
    away = model.durations_from[np.ix_(model.nodes.place[model.requests.first], starts)]
    near = np.argsort(away, axis=1, kind="stable")[:, :NEAR_GROUPS]
    return np.ascontiguousarray(near.astype(np.int32))

"""Searches for good routes, compiled: ruin strings of neighbouring stops, put them back where they cost least, anneal.

The method is SISR, "Slack Induction by String Removals" (Christiaens & Vanden Berghe, Transportation Science 2020);
that an insertion is tested in constant time comes from forward earliest and backward latest times (Savelsbergh 1992).

Routes are linked lists over *nodes*, so no route has a longest length. For S stops and V couriers the nodes are

      0 ........ S-1 | S ....... S+V-1 | S+V ..... S+2V-1
      stops            couriers' starts  couriers' ends

and courier v's route with stops 4 and 2 reads

      node       S+v ------> 4 ------> 2 ------> S+V+v       following[S+v] == 4, following[4] == 2, ...
      ready      shift start           when service at 2 ends at the earliest
      late_new             latest arrival at 4 with which all the rest still fits, when 4 pays its set-up
      late_same            the same when the stop before 4 is at the same address, so that set-up falls away
      load       on board when leaving the node; deliveries without a pickup are loaded at S+v
      load_before          largest load from S+v up to the node      load_after   largest from the node to the end

A request has one stop (`second[r] == NONE`) or two (pickup `first[r]`, delivery `second[r]`). All times, loads and
costs are integers; only the annealing temperature is a float.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple, cast

import numpy as np
import numpy.typing as npt
from numba import njit

from routing.travel import UNREACHABLE

type Ints = npt.NDArray[np.int64]
type SmallInts = npt.NDArray[np.int32]
type Flags = npt.NDArray[np.bool_]
type Bytes = npt.NDArray[np.int8]
type Words = npt.NDArray[np.uint64]

NONE = -1
NEVER = 2**40
"""A moment after everything; sums of a few of it still fit 64 bits."""

# What a request alone on a courier's round comes to; the larger, the nearer to being served.
NO_SKILL, TOO_BIG, NO_ROAD, WINDOW_MISSED, SHIFT_OVER, FITS = range(6)

# Lone pickups stay on board to the end, lone deliveries are on board from the start, pairs in between.
PICKUP, DELIVERY, PAIR = range(3)

# Settings of the search. The first four are those of the paper.
STRING_STOPS_MAX = 10.0
STOPS_REMOVED_MEAN = 12.0
SPLIT_SHARE = 0.5
BLINK = 0.01
ABSENT_TRIES = 16
"""How many requests that were already left out get another try in one iteration."""

# Indices into Search.total.
COST, ABSENT, TOUCHED, BEST_COST, BEST_ABSENT, SAVED = range(6)


def compiled[F: Callable[..., Any]](function: F) -> F:
    """Compile a function with numba, keep the machine code on disk, keep the type for the reader and the checker.

    Nothing compiled here allocates, so numba's reference counting is off: it took three quarters of the time.
    """
    # `_nrt` is missing from numba's own type stubs.
    options: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy", "_nrt": False}
    return cast(F, njit(**options)(function))


class Model(NamedTuple):
    """What never changes during a search; n nodes, r requests, v couriers, l locations, k load dimensions."""

    durations_to: SmallInts  # (l, l) [a, b] seconds from a to b
    durations_from: SmallInts  # (l, l) [b, a] the same, transposed: both ways a row is read, never a column
    place: Ints  # (n,) location
    address: Ints  # (n,) place, but of its own for couriers' nodes: leaving the office never saves a set-up
    service: Ints  # (n,) seconds
    setup: Ints  # (n,) seconds
    opens: Ints  # (n, w) windows ascending, filled up with NEVER..-NEVER
    closes: Ints  # (n, w)
    last_close: Ints  # (n,)
    request: Ints  # (n,) of a stop
    first: Ints  # (r,) stop
    second: Ints  # (r,) stop or NONE
    shape: Ints  # (r,) PICKUP, DELIVERY or PAIR
    amounts: Ints  # (r, k)
    price: Ints  # (r,) of leaving it out
    shift_start: Ints  # (v,)
    capacity: Ints  # (v, k)
    price_per_s: Ints  # (v,)
    fixed_price: Ints  # (v,)
    allowed: Flags  # (r, v) skills, size and an empty round admit it
    near_requests: SmallInts  # (r, a) nearest first
    near_couriers: SmallInts  # (r, b) allowed ones, nearest first, filled up with NONE


class Search(NamedTuple):
    """The routes as they stand, the best seen, and what an iteration needs to undo itself."""

    following: Ints  # (n,)
    leading: Ints  # (n,) the other way round
    travel: Ints  # (n,) seconds from the leading node
    ready: Ints  # (n,)
    late_new: Ints  # (n,)
    late_same: Ints  # (n,)
    load: Ints  # (n, k)
    load_before: Ints  # (n, k)
    load_after: Ints  # (n, k)
    courier: Ints  # (r,) that serves the request, or NONE
    stops: Ints  # (v,) number of stops
    cost: Ints  # (v,) of the route
    absent: Ints  # (r,) requests left out when the iteration began, the first total[ABSENT] of them
    is_absent: Flags  # (r,) the same
    touched: Ints  # (v,) couriers whose route changed in this iteration, the first total[TOUCHED]
    is_touched: Flags  # (v,)
    saved: Ints  # (n,) their stops before, one route after the other
    saved_from: Ints  # (v,) where in `saved` a touched courier's stops begin
    saved_count: Ints  # (v,)
    queue: Ints  # (r,) requests to be inserted in this iteration
    keys: npt.NDArray[np.float64]  # (r,) by which they are sorted
    candidates: Ints  # (v,) couriers whose routes are looked at for one request
    seen: Ints  # (v,) stamp of the last search for a place that had the courier among them
    best_following: Ints  # (n,)
    best_courier: Ints  # (r,)
    total: Ints  # (6,) see COST, ABSENT, ...
    random: Words  # (1,) state of the generator
    stamp: Ints  # (1,)


def new_search(model: Model, seed: int) -> Search:
    """Return empty routes, everything left out, the generator seeded (any integer)."""
    n, dimensions = len(model.place), model.amounts.shape[1]
    requests, couriers = len(model.first), len(model.shift_start)

    def ints(*shape: int) -> Ints:
        return np.zeros(shape, dtype=np.int64)

    word = (seed * 0x9E3779B97F4A7C15 + 0x2545F4914F6CDD1D) % 2**64 or 1
    search = Search(
        following=ints(n),
        leading=ints(n),
        travel=ints(n),
        ready=ints(n),
        late_new=ints(n),
        late_same=ints(n),
        load=ints(n, dimensions),
        load_before=ints(n, dimensions),
        load_after=ints(n, dimensions),
        courier=np.full(requests, NONE, dtype=np.int64),
        stops=ints(couriers),
        cost=ints(couriers),
        absent=ints(requests),
        is_absent=np.zeros(requests, dtype=np.bool_),
        touched=ints(couriers),
        is_touched=np.zeros(couriers, dtype=np.bool_),
        saved=ints(n),
        saved_from=ints(couriers),
        saved_count=ints(couriers),
        queue=ints(requests),
        keys=np.zeros(requests, dtype=np.float64),
        candidates=ints(couriers),
        seen=ints(couriers),
        best_following=ints(n),
        best_courier=np.full(requests, NONE, dtype=np.int64),
        total=ints(6),
        random=np.array([word], dtype=np.uint64),
        stamp=ints(1),
    )
    _clear(model, search)
    return search


# --- chance ---------------------------------------------------------------------------------------------------------


@compiled
def _draw(search: Search) -> float:
    """Return a number in [0, 1): xorshift64* (Vigna 2016), kept in the search so that threads never share a state."""
    x = search.random[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    search.random[0] = x
    return np.float64((x * np.uint64(2685821657736338717)) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@compiled
def _below(search: Search, n: int) -> int:
    """Return an integer in 0..n-1."""
    return int(_draw(search) * n)


# --- time and load along a route ------------------------------------------------------------------------------------


@compiled
def _earliest(model: Model, node: int, arrival: int) -> int:
    """Return the first moment at or after arrival at which service may start, NEVER if the last window is over."""
    for w in range(model.opens.shape[1]):
        if arrival <= model.closes[node, w]:
            return int(max(arrival, model.opens[node, w]))
    return NEVER


@compiled
def _latest(model: Model, node: int, moment: int) -> int:
    """Return the last moment at or before the given one at which service may start, -NEVER if none."""
    for w in range(model.opens.shape[1] - 1, -1, -1):
        if moment >= model.opens[node, w]:
            return int(min(moment, model.closes[node, w]))
    return -NEVER


@compiled
def _work(model: Model, before: int, node: int) -> int:
    """Return seconds of service at a node, with its set-up unless the node before is at the same address."""
    if model.address[before] == model.address[node]:
        return int(model.service[node])
    return int(model.service[node] + model.setup[node])


@compiled
def _late(model: Model, search: Search, before: int, node: int) -> int:
    """Return the latest arrival at a node coming from `before` with which the rest of its route still fits."""
    if model.address[before] == model.address[node]:
        return int(search.late_same[node])
    return int(search.late_new[node])


@compiled
def _start_of(model: Model, v: int) -> int:
    return len(model.place) - 2 * len(model.shift_start) + v


@compiled
def _end_of(model: Model, v: int) -> int:
    return len(model.place) - len(model.shift_start) + v


@compiled
def _link(search: Search, a: int, b: int) -> None:
    search.following[a] = b
    search.leading[b] = a


@compiled
def _refresh(model: Model, search: Search, v: int) -> bool:
    """Recompute times, loads and cost along a route from its links; return whether it keeps its windows and shift."""
    fits = _refresh_forward(model, search, v)
    _refresh_backward(model, search, v)
    _refresh_loads(model, search, v)
    return fits


@compiled
def _refresh_forward(model: Model, search: Search, v: int) -> bool:
    start, end = _start_of(model, v), _end_of(model, v)
    search.ready[start] = model.shift_start[v]
    before, node, stops, riding = start, search.following[start], 0, 0
    fits = True
    while True:
        travel = model.durations_to[model.place[before], model.place[node]]
        if stops == 0 and node == end:
            travel = 0
        search.travel[node] = travel
        riding += travel
        begin = _earliest(model, node, search.ready[before] + travel)
        fits = fits and begin < NEVER
        search.ready[node] = begin + _work(model, before, node)
        if node == end:
            break
        stops += 1
        before, node = node, search.following[node]
    search.stops[v] = stops
    search.cost[v] = model.fixed_price[v] + model.price_per_s[v] * riding if stops > 0 else 0
    return fits


@compiled
def _refresh_backward(model: Model, search: Search, v: int) -> None:
    start, node = _start_of(model, v), _end_of(model, v)
    search.late_new[node] = search.late_same[node] = model.last_close[node]
    after = node
    node = search.leading[node]
    while node != start:
        leave_by = _late(model, search, node, after) - search.travel[after] - model.service[node]
        search.late_same[node] = _latest(model, node, leave_by)
        search.late_new[node] = _latest(model, node, leave_by - model.setup[node])
        after, node = node, search.leading[node]


@compiled
def _refresh_loads(model: Model, search: Search, v: int) -> None:
    start, end = _start_of(model, v), _end_of(model, v)
    for k in range(model.amounts.shape[1]):
        on_board = 0
        node = search.following[start]
        while node != end:
            r = model.request[node]
            if model.shape[r] == DELIVERY:
                on_board += model.amounts[r, k]
            node = search.following[node]
        most = on_board
        search.load[start, k] = search.load_before[start, k] = on_board
        node = search.following[start]
        while node != end:
            r = model.request[node]
            loads = model.shape[r] == PICKUP or (model.shape[r] == PAIR and model.first[r] == node)
            on_board += model.amounts[r, k] if loads else -model.amounts[r, k]
            most = max(most, on_board)
            search.load[node, k] = on_board
            search.load_before[node, k] = most
            node = search.following[node]
        most = on_board
        while node != start:
            node = search.leading[node]
            most = max(most, search.load[node, k])
            search.load_after[node, k] = most


@compiled
def _room(model: Model, load: Ints, node: int, r: int, v: int) -> bool:
    """Return whether request r fits beside the load that one of the three load arrays gives for the node."""
    for k in range(model.amounts.shape[1]):  # noqa: SIM110  # a generator does not compile
        if load[node, k] + model.amounts[r, k] > model.capacity[v, k]:
            return False
    return True


# --- insertion ------------------------------------------------------------------------------------------------------


@compiled
def _best_single(model: Model, search: Search, r: int, v: int, bound: int, blink: float) -> tuple[int, int, int]:
    """Return the cheapest feasible insertion of a lone stop into a route that costs less than `bound`.

    The answer is (extra cost, node after which the stop goes, NONE), without one (bound, NONE, NONE).
    """
    stop = model.first[r]
    to, back = model.durations_from[model.place[stop]], model.durations_to[model.place[stop]]
    price = model.price_per_s[v]
    fixed = model.fixed_price[v] if search.stops[v] == 0 else 0
    best, where = bound, NONE
    node, end = _start_of(model, v), _end_of(model, v)
    while node != end:
        after = search.following[node]
        leave = search.ready[node]
        if leave > model.last_close[stop]:
            break
        if model.shape[r] == DELIVERY and not _room(model, search.load_before, node, r, v):
            break
        reach, onward = to[model.place[node]], back[model.place[after]]
        extra = price * (reach + onward - search.travel[after]) + fixed
        if extra < best:
            done = _earliest(model, stop, leave + reach) + _work(model, node, stop)
            if (
                done + onward <= _late(model, search, stop, after)
                and (model.shape[r] == DELIVERY or _room(model, search.load_after, node, r, v))
                and (blink == 0.0 or _draw(search) >= blink)
            ):
                best, where = extra, node
        node = after
    return best, where, NONE


@compiled
def _best_pair(model: Model, search: Search, r: int, v: int, bound: int, blink: float) -> tuple[int, int, int]:
    """Return the same for a pair: (extra cost, node after which the pickup goes, node after which the delivery goes).

    Nodes are named as the route is before, so that twice the same node means one stop directly after the other.
    """
    pickup, delivery = model.first[r], model.second[r]
    to, back = model.durations_from[model.place[pickup]], model.durations_to[model.place[pickup]]
    to2, back2 = model.durations_from[model.place[delivery]], model.durations_to[model.place[delivery]]
    between = back[model.place[delivery]]
    price = model.price_per_s[v]
    fixed = model.fixed_price[v] if search.stops[v] == 0 else 0
    best, where, where2 = bound, NONE, NONE
    node, end = _start_of(model, v), _end_of(model, v)
    while node != end:
        after = search.following[node]
        leave = search.ready[node]
        if leave > model.last_close[pickup]:
            break
        reach, onward = to[model.place[node]], back[model.place[after]]
        extra = price * (reach + onward - search.travel[after]) + fixed
        together = price * (reach + between + back2[model.place[after]] - search.travel[after]) + fixed
        if (extra < best or together < best) and _room(model, search.load, node, r, v):
            picked = _earliest(model, pickup, leave + reach) + _work(model, node, pickup)
            if picked < NEVER:
                if together < best:
                    done = _earliest(model, delivery, picked + between) + _work(model, pickup, delivery)
                    if done + back2[model.place[after]] <= _late(model, search, delivery, after) and (
                        blink == 0.0 or _draw(search) >= blink
                    ):
                        best, where, where2 = together, node, node
                # Walk on with the pickup on board. The triangle inequality says that delivering costs no less than 0.
                here, ahead, clock, leg = pickup, after, picked, onward
                while ahead != end and extra < best:
                    arrival = clock + leg
                    if arrival > _late(model, search, here, ahead) or not _room(model, search.load, ahead, r, v):
                        break
                    clock = _earliest(model, ahead, arrival) + _work(model, here, ahead)
                    if clock > model.last_close[delivery]:
                        break
                    here, ahead = ahead, search.following[ahead]
                    leg = search.travel[ahead]
                    reach2, onward2 = to2[model.place[here]], back2[model.place[ahead]]
                    both = extra + price * (reach2 + onward2 - leg)
                    if both < best:
                        done = _earliest(model, delivery, clock + reach2) + _work(model, here, delivery)
                        if done + onward2 <= _late(model, search, delivery, ahead) and (
                            blink == 0.0 or _draw(search) >= blink
                        ):
                            best, where, where2 = both, node, here
        node = after
    return best, where, where2


@compiled
def _insert(model: Model, search: Search, r: int, v: int, where: int, where2: int) -> None:
    """Put a request into a route after the given nodes and recompute the route."""
    _touch(model, search, v)
    first, second = model.first[r], model.second[r]
    if second != NONE:
        after = search.following[where2]
        _link(search, where2, second)
        _link(search, second, after)
    after = search.following[where]
    _link(search, where, first)
    _link(search, first, after)
    search.courier[r] = v
    search.total[COST] -= search.cost[v]
    _refresh(model, search, v)
    search.total[COST] += search.cost[v]


@compiled
def _add_candidate(model: Model, search: Search, r: int, v: int, count: int) -> int:
    """Note a courier to be looked at, once in each search for a place; return how many there are."""
    if search.seen[v] == search.stamp[0] or not model.allowed[r, v]:
        return count
    search.seen[v] = search.stamp[0]
    search.candidates[count] = v
    return count + 1


@compiled
def _candidates_near(model: Model, search: Search, r: int) -> int:
    """Gather the couriers of neighbouring requests and those who start near."""
    count = 0
    for i in range(model.near_requests.shape[1]):
        v = search.courier[model.near_requests[r, i]]
        if v != NONE:
            count = _add_candidate(model, search, r, v, count)
    for i in range(model.near_couriers.shape[1]):
        v = model.near_couriers[r, i]
        if v != NONE:
            count = _add_candidate(model, search, r, v, count)
    return count


@compiled
def _candidates_touched(model: Model, search: Search, r: int) -> int:
    count = 0
    for i in range(search.total[TOUCHED]):
        count = _add_candidate(model, search, r, search.touched[i], count)
    return count


@compiled
def _candidates_all(model: Model, search: Search, r: int) -> int:
    """Gather every allowed courier that was not looked at before."""
    count = 0
    for v in range(len(model.shift_start)):
        count = _add_candidate(model, search, r, v, count)
    return count


@compiled
def _best_of_candidates(
    model: Model, search: Search, r: int, count: int, bound: int, blink: float
) -> tuple[int, int, int, int]:
    """Return the cheapest insertion below the bound at the gathered couriers: (extra, courier, where, where2)."""
    extra, courier, where, where2 = bound, NONE, NONE, NONE
    for i in range(count):
        v = search.candidates[i]
        if model.second[r] == NONE:
            found = _best_single(model, search, r, v, extra, blink)
        else:
            found = _best_pair(model, search, r, v, extra, blink)
        if found[1] != NONE:
            extra, courier, where, where2 = found[0], v, found[1], found[2]
    return extra, courier, where, where2


@compiled
def _place_request(model: Model, search: Search, r: int, was_absent: bool, blink: float) -> bool:
    """Insert a request where it costs least, if that is less than its price; return whether it was.

    A request that was left out before this iteration fitted nowhere then, so only touched routes can have room for it.
    Others look at what is near first and, only when nothing there has room, everywhere.
    """
    search.stamp[0] += 1
    count = _candidates_touched(model, search, r) if was_absent else _candidates_near(model, search, r)
    for _ in range(2):
        _, v, where, where2 = _best_of_candidates(model, search, r, count, model.price[r], blink)
        if v != NONE:
            _insert(model, search, r, v, where, where2)
            search.total[COST] -= model.price[r]
            return True
        if was_absent:
            return False
        count = _candidates_all(model, search, r)
    return False


# --- undo -----------------------------------------------------------------------------------------------------------


@compiled
def _touch(model: Model, search: Search, v: int) -> None:
    """Save a route before its first change in this iteration."""
    if search.is_touched[v]:
        return
    search.is_touched[v] = True
    search.touched[search.total[TOUCHED]] = v
    search.total[TOUCHED] += 1
    at = search.total[SAVED]
    search.saved_from[v] = at
    search.saved_count[v] = search.stops[v]
    node, end = search.following[_start_of(model, v)], _end_of(model, v)
    while node != end:
        search.saved[at] = node
        at += 1
        node = search.following[node]
    search.total[SAVED] = at


@compiled
def _forget_touched(search: Search) -> None:
    for i in range(search.total[TOUCHED]):
        search.is_touched[search.touched[i]] = False
    search.total[TOUCHED] = 0
    search.total[SAVED] = 0


@compiled
def _undo(model: Model, search: Search, queued: int, cost: int) -> None:
    """Reject the iteration: bring back every touched route, the requests left out, and the cost that was."""
    for i in range(queued):
        search.courier[search.queue[i]] = NONE
    for i in range(search.total[TOUCHED]):
        v = search.touched[i]
        before = _start_of(model, v)
        for at in range(search.saved_from[v], search.saved_from[v] + search.saved_count[v]):
            node = search.saved[at]
            _link(search, before, node)
            search.courier[model.request[node]] = v
            before = node
        _link(search, before, _end_of(model, v))
        _refresh(model, search, v)
    search.total[COST] = cost


# --- ruin -----------------------------------------------------------------------------------------------------------


@compiled
def _take_out(model: Model, search: Search, r: int) -> None:
    """Unlink a request's stops and queue it for insertion; its route is recomputed later."""
    for stop in (model.first[r], model.second[r]):
        if stop != NONE:
            _link(search, search.leading[stop], search.following[stop])
    search.courier[r] = NONE
    search.total[COST] += model.price[r]


@compiled
def _ruin_string(model: Model, search: Search, v: int, stop: int, length: int, queued: int) -> int:
    """Take out `length` neighbouring stops around one (with their requests' other stops); return the queue's length.

    In half of the cases one or more stops inside the string stay ("split string" of the paper).
    """
    start, end = _start_of(model, v), _end_of(model, v)
    kept = 0
    if length > 1 and _draw(search) < SPLIT_SHARE:
        kept = 1
        while length + kept < search.stops[v] and _draw(search) < BLINK:
            kept += 1
        kept = min(kept, search.stops[v] - length)
    total = length + kept
    node = stop
    for _ in range(_below(search, total)):
        if search.leading[node] == start:
            break
        node = search.leading[node]
    skip_from = 1 + _below(search, length - 1) if kept else total
    # Links change while requests are taken out, so first write the string down at the queue's far end.
    count = 0
    for i in range(total):
        if node == end:
            break
        if i < skip_from or i >= skip_from + kept:
            r = model.request[node]
            if search.courier[r] == v:
                search.courier[r] = NONE
                search.queue[queued + count] = r
                count += 1
        node = search.following[node]
    for i in range(count):
        _take_out(model, search, search.queue[queued + i])
    return queued + count


@compiled
def _ruin(model: Model, search: Search) -> int:
    """Take strings out of routes near a random request; return how many requests are queued."""
    requests = len(model.first)
    stops, used = 0, 0
    for v in range(len(model.shift_start)):
        stops += search.stops[v]
        used += search.stops[v] > 0
    longest = max(1.0, min(STRING_STOPS_MAX, stops / max(1, used)))
    strings = int(_draw(search) * (4 * STOPS_REMOVED_MEAN / (1 + longest) - 1) + 1)
    seed = _below(search, requests)
    queued = 0
    for i in range(-1, model.near_requests.shape[1]):
        r = seed if i < 0 else model.near_requests[seed, i]
        v = search.courier[r]
        if v == NONE or search.is_touched[v]:
            continue
        _touch(model, search, v)
        length = int(_draw(search) * min(longest, search.stops[v]) + 1)
        stop = model.first[r]
        if model.second[r] != NONE and _draw(search) < 0.5:
            stop = model.second[r]
        queued = _ruin_string(model, search, v, stop, min(length, search.stops[v]), queued)
        queued = _settle(model, search, v, queued)
        strings -= 1
        if strings == 0:
            break
    return queued


@compiled
def _settle(model: Model, search: Search, v: int, queued: int) -> int:
    """Recompute a ruined route; where taking stops out made it late, empty it.

    That happens only where a detour is shorter than the direct way, or where a stop loses the set-up that a neighbour
    had paid for it.
    """
    search.total[COST] -= search.cost[v]
    if not _refresh(model, search, v):
        start, end = _start_of(model, v), _end_of(model, v)
        while search.following[start] != end:
            r = model.request[search.following[start]]
            _take_out(model, search, r)
            search.queue[queued] = r
            queued += 1
        _refresh(model, search, v)
    search.total[COST] += search.cost[v]
    return queued


# --- recreate -------------------------------------------------------------------------------------------------------


@compiled
def _queue_absent(search: Search, queued: int, absent: int) -> int:
    """Queue a few of the requests that were left out before, all in turn over the iterations; return the length."""
    tries = min(ABSENT_TRIES, absent)
    at = _below(search, max(1, absent))
    for i in range(tries):
        search.queue[queued + i] = search.absent[(at + i) % absent]
    return queued + tries


@compiled
def _sort_queue(model: Model, search: Search, queued: int) -> None:
    """Order the queue: at random, tight windows first, far ones first, dear ones first, or early closing first."""
    choice = _draw(search)
    for i in range(queued):
        r = search.queue[i]
        stop = model.first[r]
        if choice < 0.4:
            key = _draw(search)
        elif choice < 0.6:
            key = float(model.last_close[stop] - model.opens[stop, 0])
        elif choice < 0.8:
            key = -float(_reach(model, r))
        elif choice < 0.9 and search.total[ABSENT] > 0:
            key = -float(model.price[r])
        else:
            key = float(model.last_close[stop])
        search.keys[i] = key
    _sort_by_keys(search, queued)


@compiled
def _reach(model: Model, r: int) -> int:
    """Return how far a request leads: from pickup to delivery, or from the nearest courier's start to its stop."""
    if model.second[r] != NONE:
        return int(model.durations_to[model.place[model.first[r]], model.place[model.second[r]]])
    v = model.near_couriers[r, 0]
    if v == NONE:
        return 0
    return int(model.durations_to[model.place[_start_of(model, v)], model.place[model.first[r]]])


@compiled
def _sort_by_keys(search: Search, n: int) -> None:
    """Sort queue and keys together, in place, with Shell's gaps (1959): insertion sort while the queue is short."""
    gap = 1
    while gap < n // 9:
        gap = 3 * gap + 1
    while gap > 0:
        for i in range(gap, n):
            key, r, j = search.keys[i], search.queue[i], i
            while j >= gap and search.keys[j - gap] > key:
                search.keys[j], search.queue[j] = search.keys[j - gap], search.queue[j - gap]
                j -= gap
            search.keys[j], search.queue[j] = key, r
        gap //= 3


@compiled
def _keep(model: Model, search: Search, queued: int) -> None:
    """Accept the iteration: bring the list of requests left out up to date, remember the best."""
    count = 0
    for i in range(search.total[ABSENT]):
        r = search.absent[i]
        search.is_absent[r] = search.courier[r] == NONE
        if search.is_absent[r]:
            search.absent[count] = r
            count += 1
    for i in range(queued):
        r = search.queue[i]
        if search.courier[r] == NONE and not search.is_absent[r]:
            search.is_absent[r] = True
            search.absent[count] = r
            count += 1
    search.total[ABSENT] = count
    if search.total[COST] < search.total[BEST_COST]:
        search.total[BEST_COST] = search.total[COST]
        search.total[BEST_ABSENT] = count
        for node in range(len(model.place)):
            search.best_following[node] = search.following[node]
        for r in range(len(model.first)):
            search.best_courier[r] = search.courier[r]


# --- what the solver calls ------------------------------------------------------------------------------------------


@compiled
def _clear(model: Model, search: Search) -> None:
    for v in range(len(model.shift_start)):
        _link(search, _start_of(model, v), _end_of(model, v))
        _refresh(model, search, v)
    search.total[COST] = 0
    for r in range(len(model.first)):
        search.total[COST] += model.price[r]
    search.total[BEST_COST] = 2**62


@compiled
def insert(model: Model, search: Search, order: Ints) -> int:
    """Insert requests that are on no route, one after the other, where there is room; return how many found some."""
    inserted = 0
    for i in range(len(order)):
        search.queue[i] = order[i]
        inserted += _place_request(model, search, order[i], False, 0.0)
        _forget_touched(search)
    _keep(model, search, len(order))
    return inserted


@compiled
def improve(model: Model, search: Search, iterations: int, done: int, total: int, hot: float, cold: float) -> None:
    """Run iterations number done, done + 1, ... of `total`, over which the temperature falls from hot to cold.

    Worse routes are accepted with the probability of simulated annealing (Kirkpatrick et al. 1983).
    """
    for k in range(iterations):
        temperature = hot * (cold / hot) ** ((done + k) / total)
        cost = search.total[COST]
        queued = _ruin(model, search)
        queued = _queue_absent(search, queued, search.total[ABSENT])
        _sort_queue(model, search, queued)
        for i in range(queued):
            r = search.queue[i]
            _place_request(model, search, r, search.is_absent[r], BLINK)
        if search.total[COST] < cost - temperature * np.log(1.0 - _draw(search)):
            _keep(model, search, queued)
        else:
            _undo(model, search, queued, cost)
        _forget_touched(search)


@compiled
def restore_best(model: Model, search: Search) -> None:
    """Go back to the best routes seen."""
    for v in range(len(model.shift_start)):
        node, end = _start_of(model, v), _end_of(model, v)
        while node != end:
            _link(search, node, search.best_following[node])
            node = search.best_following[node]
        _refresh(model, search, v)
    count = 0
    for r in range(len(model.first)):
        search.courier[r] = search.best_courier[r]
        search.is_absent[r] = search.courier[r] == NONE
        if search.is_absent[r]:
            search.absent[count] = r
            count += 1
    search.total[ABSENT] = count
    search.total[COST] = search.total[BEST_COST]


@compiled
def cheapest_insertion(model: Model, search: Search, r: int) -> int:
    """Return what serving a request would add to the routes as they stand, at least; NEVER if it fits nowhere."""
    search.stamp[0] += 1
    count = _candidates_all(model, search, r)
    return int(_best_of_candidates(model, search, r, count, NEVER, 0.0)[0])


@compiled
def alone(model: Model, setup_free: bool, outcome: Bytes) -> None:
    """Write for each request and courier how far serving it on an empty round comes: NO_SKILL ... FITS (int8, r x v).

    Reads skills from `model.allowed`. With `setup_free` set-up takes no time, as beside a neighbour that paid for it.
    """
    for r in range(outcome.shape[0]):
        for v in range(outcome.shape[1]):
            outcome[r, v] = _alone(model, r, v, setup_free)


@compiled
def _alone(model: Model, r: int, v: int, setup_free: bool) -> int:
    if not model.allowed[r, v]:
        return NO_SKILL
    for k in range(model.amounts.shape[1]):
        if model.amounts[r, k] > model.capacity[v, k]:
            return TOO_BIG
    before, end, clock = _start_of(model, v), _end_of(model, v), model.shift_start[v]
    missed = False
    for stop in (model.first[r], model.second[r], end):
        if stop == NONE:
            continue
        leg = model.durations_to[model.place[before], model.place[stop]]
        if leg == UNREACHABLE:
            return NO_ROAD
        if stop == end:
            break
        begin = _earliest(model, stop, clock + leg)
        missed = missed or begin > model.last_close[end]
        clock = begin + (model.service[stop] if setup_free else _work(model, before, stop))
        before = stop
    if missed:
        return WINDOW_MISSED
    return FITS if clock + leg <= model.last_close[end] else SHIFT_OVER

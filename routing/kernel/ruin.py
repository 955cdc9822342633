"""Takes strings of neighbouring stops out of routes near each other (Christiaens & Vanden Berghe 2020)."""

from __future__ import annotations

from routing.kernel.arrays import COST, NONE, STOPS, USED, Model, Search, compiled, inlined
from routing.kernel.breaks import has_breaks, place_breaks
from routing.kernel.chance import below, draw
from routing.kernel.neighbours import know_near_requests
from routing.kernel.schedule import end_of, link, refresh, start_of, within_limits
from routing.kernel.undo import touch

# Settings of the paper.
STRING_STOPS_MAX = 10.0
STOPS_REMOVED_MEAN = 12.0
SPLIT_SHARE = 0.5
SPLIT_GROWS = 0.01

SEED_TRIES = 8


@compiled
def take_out(model: Model, search: Search, r: int) -> None:
    """Unlink a request's stops; its route is recomputed later."""
    for stop in (model.requests[r].first, model.requests[r].second):
        if stop != NONE:
            link(search, search.nodes[stop].leading, search.nodes[stop].following)
    search.requests[r].courier = NONE
    search.total[COST] += model.requests[r].price


@compiled
def _ruin_string(model: Model, search: Search, v: int, stop: int, length: int, queued: int) -> int:
    """Take out `length` neighbouring stops around one (with their requests' other stops); return the queue's length.

    In half of the cases one or more stops inside the string stay ("split string" of the paper).
    """
    start, end = start_of(model, v), end_of(model, v)
    kept = 0
    if length > 1 and draw(search) < SPLIT_SHARE:
        kept = 1
        while length + kept < search.couriers[v].stops and draw(search) < SPLIT_GROWS:
            kept += 1
        kept = min(kept, search.couriers[v].stops - length)
    total = length + kept
    node = stop
    for _ in range(below(search, total)):
        if search.nodes[node].leading == start:
            break
        node = search.nodes[node].leading
    skip_from = 1 + below(search, length - 1) if kept else total
    # Links change while requests are taken out, so first write the string down at the queue's far end.
    count, i = 0, 0
    while i < total and node != end:
        r = model.nodes[node].request
        if r != NONE:
            if (i < skip_from or i >= skip_from + kept) and search.requests[r].courier == v:
                search.requests[r].courier = NONE
                search.requests[queued + count].queue = r
                count += 1
            i += 1
        node = search.nodes[node].following
    for i in range(count):
        take_out(model, search, search.requests[queued + i].queue)
    return queued + count


@compiled
def random_request(model: Model, search: Search) -> int:
    """Return a random request, on a route that this search may change if a few tries find one."""
    r = 0
    for _ in range(SEED_TRIES):
        r = below(search, len(model.requests))
        v = search.requests[r].courier
        if v == NONE or search.couriers[v].mine:
            break
    return r


@compiled
def ruin(model: Model, search: Search, seed: int) -> int:
    """Take strings out of routes near a request; return how many requests are queued."""
    longest = max(1.0, min(STRING_STOPS_MAX, search.total[STOPS] / max(1, search.total[USED])))
    strings = int(draw(search) * (4 * STOPS_REMOVED_MEAN / (1 + longest) - 1) + 1)
    know_near_requests(model, search, seed)
    queued = 0
    for i in range(-1, search.near_requests.shape[1]):
        r = seed if i < 0 else search.near_requests[seed, i]
        v = search.requests[r].courier
        if v == NONE or search.couriers[v].is_touched or not search.couriers[v].mine:
            continue
        touch(model, search, v)
        length = int(draw(search) * min(longest, search.couriers[v].stops) + 1)
        stop = model.requests[r].first
        if model.requests[r].second != NONE and draw(search) < 0.5:
            stop = model.requests[r].second
        queued = _ruin_string(model, search, v, stop, min(length, search.couriers[v].stops), queued)
        queued = settle(model, search, v, queued)
        strings -= 1
        if strings == 0:
            break
    return queued


@inlined
def _carries(model: Model, v: int) -> bool:
    """Return whether a courier has something on board when he is free."""
    for k in range(model.carried.shape[1]):  # noqa: SIM110  # a generator does not compile
        if model.carried[v, k] > 0:
            return True
    return False


@compiled
def settle(model: Model, search: Search, v: int, queued: int) -> int:
    """Recompute a ruined route; where taking stops out made it break a rule, empty it.

    That happens only where a detour is shorter than the direct way, where a stop loses the set-up that a neighbour had
    paid for it, or where what was on board stays there and is in the way of what was to be picked up.
    """
    search.total[COST] -= search.couriers[v].cost
    fits = place_breaks(model, search, v) if has_breaks(model, v) else refresh(model, search, v)
    if model.priced or _carries(model, v):
        fits = fits and within_limits(model, search, v)
    if not fits:
        node, end = search.nodes[start_of(model, v)].following, end_of(model, v)
        while node != end:
            r = model.nodes[node].request
            node = search.nodes[node].following
            if r != NONE and search.requests[r].courier == v:
                # The other stop of a pair may be the very next node.
                while node != end and model.nodes[node].request == r:
                    node = search.nodes[node].following
                take_out(model, search, r)
                search.requests[queued].queue = r
                queued += 1
        refresh(model, search, v)
    search.total[COST] += search.couriers[v].cost
    return queued

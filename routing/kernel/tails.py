"""Lets two couriers swap the ends of their routes ("2-opt*", Potvin & Rousseau 1995), or their whole routes."""

from __future__ import annotations

from routing.kernel.arrays import COST, NEVER, NONE, Model, Search, compiled
from routing.kernel.breaks import has_breaks, place_breaks
from routing.kernel.chance import below, draw
from routing.kernel.neighbours import know_near_requests, know_neighbours
from routing.kernel.schedule import end_of, is_break, link, refresh, start_of, within_limits
from routing.kernel.undo import forget_touched, touch, undo

WHOLE_ROUTE_SHARE = 0.1
TRIES = 4
"""Swaps written out and timed in one iteration; what looks too dear by its new legs is not."""


@compiled
def exchange(model: Model, search: Search, ceiling: float) -> bool:
    """Swap tails near a random request so that the whole costs less than the ceiling; return whether one was found."""
    r = below(search, len(model.requests))
    v = search.requests[r].courier
    if v == NONE or not search.couriers[v].mine:
        return False
    if draw(search) < WHOLE_ROUTE_SHARE:
        return _exchange_whole(model, search, r, v, ceiling)
    stop = (
        model.requests[r].first if model.requests[r].second == NONE or draw(search) < 0.5 else model.requests[r].second
    )
    know_neighbours(model, search, stop)
    tries = 0
    for i in range(search.after.shape[1]):
        other = search.after[stop, i]
        if other == NONE or tries == TRIES:
            break
        w = search.requests[model.nodes[other].request].courier
        if w in (NONE, v) or not search.couriers[w].mine:
            continue
        cut = search.nodes[other].leading
        if _new_legs(model, search, v, stop, w, cut) >= ceiling - search.total[COST]:
            continue
        # Two routes that end at one place are timed at a glance.
        if search.nodes[end_of(model, v)].place == search.nodes[end_of(model, w)].place and search.nodes[
            stop
        ].ready + model.durations_to[search.nodes[stop].place, search.nodes[other].place] > max(
            search.nodes[other].late_new, search.nodes[other].late_same
        ):
            continue
        tries += 1
        if _try(model, search, v, stop, w, cut, ceiling):
            return True
    return False


@compiled
def _exchange_whole(model: Model, search: Search, r: int, v: int, ceiling: float) -> bool:
    """Swap whole routes with the courier of a near request, or with someone who has none yet."""
    know_near_requests(model, search, r)
    w = NONE
    if search.near_requests.shape[1] and draw(search) < 0.7:
        w = search.requests[search.near_requests[r, below(search, search.near_requests.shape[1])]].courier
    if w in (NONE, v):
        group = model.near_groups[r, below(search, model.near_groups.shape[1])]
        first = model.groups[group]
        w = model.members[first + below(search, model.groups[group + 1] - first)]
    if w in (NONE, v) or not search.couriers[w].mine:
        return False
    a, b = start_of(model, v), start_of(model, w)
    if _new_legs(model, search, v, a, w, b) >= ceiling - search.total[COST]:
        return False
    return _try(model, search, v, a, w, b, ceiling)


@compiled
def _leg(model: Model, search: Search, v: int, a: int, b: int) -> int:
    return int(model.couriers[v].price_per_s * model.durations_to[search.nodes[a].place, search.nodes[b].place])


@compiled
def _new_legs(model: Model, search: Search, v: int, a: int, w: int, b: int) -> int:
    """Return what the legs that a swap of the tails after a and b makes cost more than those it takes away."""
    end, end2 = end_of(model, v), end_of(model, w)
    x, y = search.nodes[a].following, search.nodes[b].following
    last, last2 = search.nodes[end].leading, search.nodes[end2].leading
    old = (
        model.couriers[v].price_per_s * search.nodes[x].travel + model.couriers[w].price_per_s * search.nodes[y].travel
    )
    new = 0
    if x != end:
        old += model.couriers[v].price_per_s * search.nodes[end].travel
        new += _leg(model, search, w, b, x) + _leg(model, search, w, last, end2)
    elif b != start_of(model, w):
        new += _leg(model, search, w, b, end2)
    if y != end2:
        old += model.couriers[w].price_per_s * search.nodes[end2].travel
        new += _leg(model, search, v, a, y) + _leg(model, search, v, last2, end)
    elif a != start_of(model, v):
        new += _leg(model, search, v, a, end)
    return int(new - old)


@compiled
def _try(model: Model, search: Search, v: int, a: int, w: int, b: int, ceiling: float) -> bool:
    """Swap the tails after a and b; keep it if all fits and costs less than the ceiling."""
    cost = search.total[COST]
    touch(model, search, v)
    touch(model, search, w)
    search.total[COST] -= search.couriers[v].cost + search.couriers[w].cost
    if _swap(model, search, v, a, w, b) and _fits(model, search, v) and _fits(model, search, w):
        search.total[COST] += search.couriers[v].cost + search.couriers[w].cost
        if search.total[COST] < ceiling:
            return True
    undo(model, search, 0, cost)
    forget_touched(search)
    return False


@compiled
def _swap(model: Model, search: Search, v: int, a: int, w: int, b: int) -> bool:
    """Link each tail behind the other head; return whether every request may go where it went.

    The breaks stay with their couriers, at the start of the route until they are placed.
    """
    if has_breaks(model, v):
        a = _set_breaks_aside(model, search, v, a)
    if has_breaks(model, w):
        b = _set_breaks_aside(model, search, w, b)
    end, end2 = end_of(model, v), end_of(model, w)
    x, y = search.nodes[a].following, search.nodes[b].following
    last, last2 = search.nodes[end].leading, search.nodes[end2].leading
    if y == end2:
        link(search, a, end)
    else:
        link(search, a, y)
        link(search, last2, end)
    if x == end:
        link(search, b, end2)
    else:
        link(search, b, x)
        link(search, last, end2)
    return _relabel(model, search, search.nodes[a].following, end, v) and _relabel(
        model, search, search.nodes[b].following, end2, w
    )


@compiled
def _set_breaks_aside(model: Model, search: Search, v: int, cut: int) -> int:
    """Move all breaks to the start of the route; return the last node of the head that ends in `cut`."""
    while is_break(model, cut):
        cut = search.nodes[cut].leading
    start = start_of(model, v)
    last = start
    for rest in range(model.couriers[v].breaks_from, model.couriers[v].breaks_end):
        link(search, search.nodes[rest].leading, search.nodes[rest].following)
        link(search, rest, search.nodes[last].following)
        link(search, last, rest)
        last = rest
    return last if cut == start else cut


@compiled
def _relabel(model: Model, search: Search, node: int, end: int, v: int) -> bool:
    """Give a tail's requests to its new courier; return whether he may serve them and no pair was torn apart."""
    while node != end:
        r = model.nodes[node].request
        if model.joining[r, v] >= NEVER:
            return False
        if model.requests[r].second == node and search.requests[r].courier != v:
            return False
        search.requests[r].courier = v
        node = search.nodes[node].following
    return True


@compiled
def _fits(model: Model, search: Search, v: int) -> bool:
    """Recompute a route and return whether it keeps windows, shift, breaks, capacity and length."""
    fits = place_breaks(model, search, v) if has_breaks(model, v) else refresh(model, search, v)
    return fits and within_limits(model, search, v)

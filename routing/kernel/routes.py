"""Builds, loads, remembers and exchanges whole routes: what happens between iterations."""

from __future__ import annotations

from routing.kernel.arrays import ABSENT, BEST_ABSENT, BEST_COST, COST, NEVER, NONE, Ints, Model, Search, compiled
from routing.kernel.breaks import has_breaks, place_breaks
from routing.kernel.insertion import insert_anywhere, insert_near_start
from routing.kernel.ruin import take_out
from routing.kernel.schedule import end_of, link, refresh, start_of, within_limits
from routing.kernel.undo import forget_touched


@compiled
def remember(model: Model, search: Search) -> None:
    """Make the routes as they stand the best seen."""
    search.total[BEST_COST] = search.total[COST]
    search.total[BEST_ABSENT] = search.total[ABSENT]
    for node in range(len(model.nodes)):
        search.nodes[node].best_following = search.nodes[node].following
    for r in range(len(model.requests)):
        search.requests[r].best_courier = search.requests[r].courier


@compiled
def clear(model: Model, search: Search) -> None:
    """Empty every route, leave every request out."""
    for node in range(len(model.nodes)):
        search.nodes[node].following = search.nodes[node].leading = NONE
    for v in range(len(model.couriers)):
        before = start_of(model, v)
        for rest in range(model.couriers[v].breaks_from, model.couriers[v].breaks_end):
            link(search, before, rest)
            before = rest
        link(search, before, end_of(model, v))
        refresh(model, search, v)
    search.total[COST] = 0
    search.total[ABSENT] = len(model.requests)
    for r in range(len(model.requests)):
        search.total[COST] += model.requests[r].price
        search.requests[r].courier = NONE
        search.requests[r].absent = r
        search.requests[r].is_absent = True
    search.total[BEST_COST] = 2**62


@compiled
def load(model: Model, search: Search, v: int, order: Ints) -> None:
    """Give an empty route the stops of a plan, in order; what makes it break a rule is taken out again.

    Of the stops that are late the one goes whose leaving mends most; both stops of a pair go together.
    """
    before = start_of(model, v)
    for rest in range(model.couriers[v].breaks_from, model.couriers[v].breaks_end):
        before = rest
    for stop in order:
        r = model.nodes[stop].request
        if model.requests[r].first == stop:
            search.requests[r].courier = v
            search.total[COST] -= model.requests[r].price
        link(search, before, stop)
        before = stop
    link(search, before, end_of(model, v))
    _mend(model, search, v)


@compiled
def _mend(model: Model, search: Search, v: int) -> None:
    """Recompute a route whose links changed; take requests out until it breaks no rule."""
    search.total[COST] -= search.couriers[v].cost
    fits = place_breaks(model, search, v) if has_breaks(model, v) else refresh(model, search, v)
    while not (fits and within_limits(model, search, v)):
        take_out(model, search, _worst(model, search, v))
        fits = place_breaks(model, search, v) if has_breaks(model, v) else refresh(model, search, v)
    search.total[COST] += search.couriers[v].cost


@compiled
def _worst(model: Model, search: Search, v: int) -> int:
    """Return the request that may not be here, else the one whose leaving saves most time for its price."""
    worst, most = NONE, -1.0
    node, end = search.nodes[start_of(model, v)].following, end_of(model, v)
    while node != end:
        r = model.nodes[node].request
        if r != NONE:
            if model.joining[r, v] >= NEVER:
                return int(r)
            before, after = search.nodes[node].leading, search.nodes[node].following
            saved = (
                search.nodes[node].travel
                + search.nodes[after].travel
                + model.nodes[node].service
                + model.nodes[node].setup
            )
            saved -= model.durations_to[search.nodes[before].place, search.nodes[after].place]
            gain = (1.0 + max(0, saved)) / (1.0 + model.requests[r].price)
            if gain > most:
                worst, most = r, gain
        node = search.nodes[node].following
    return int(worst)


@compiled
def settle_absent(model: Model, search: Search) -> None:
    """Write down anew which requests are left out, after routes were loaded or changed from outside."""
    count = 0
    for r in range(len(model.requests)):
        search.requests[r].is_absent = search.requests[r].courier == NONE
        if search.requests[r].is_absent:
            search.requests[count].absent = r
            count += 1
    search.total[ABSENT] = count


@compiled
def construct(model: Model, search: Search, order: Ints) -> None:
    """Insert requests one after the other into routes that start near: the first full plan."""
    for r in order:
        insert_near_start(model, search, r)
        forget_touched(search)
    settle_absent(model, search)
    remember(model, search)


@compiled
def insert(model: Model, search: Search, order: Ints) -> int:
    """Insert requests one after the other where they cost least of all; return how many found room."""
    inserted = 0
    for r in order:
        inserted += insert_anywhere(model, search, r)
        forget_touched(search)
    settle_absent(model, search)
    if search.total[COST] < search.total[BEST_COST]:
        remember(model, search)
    return inserted


@compiled
def remove(model: Model, search: Search, r: int) -> None:
    """Take a request out of its route, and what no longer fits there without it."""
    v = search.requests[r].courier
    take_out(model, search, r)
    _mend(model, search, v)
    settle_absent(model, search)
    forget_touched(search)


@compiled
def restore_best(model: Model, search: Search) -> None:
    """Go back to the best routes seen."""
    for v in range(len(model.couriers)):
        node, end = start_of(model, v), end_of(model, v)
        while node != end:
            link(search, node, search.nodes[node].best_following)
            node = search.nodes[node].best_following
        refresh(model, search, v)
    for r in range(len(model.requests)):
        search.requests[r].courier = search.requests[r].best_courier
    settle_absent(model, search)
    search.total[COST] = search.total[BEST_COST]


@compiled
def take_routes(model: Model, search: Search, other: Search) -> None:
    """Take over the routes that only the other search may change, and its share of the requests left out."""
    for v in range(len(model.couriers)):
        if not other.couriers[v].mine:
            continue
        search.total[COST] -= search.couriers[v].cost
        node, end = search.nodes[start_of(model, v)].following, end_of(model, v)
        while node != end:
            r = model.nodes[node].request
            if r != NONE and model.requests[r].first == node and search.requests[r].courier == v:
                search.requests[r].courier = NONE
                search.total[COST] += model.requests[r].price
            node = search.nodes[node].following
    for v in range(len(model.couriers)):
        if not other.couriers[v].mine:
            continue
        node, end = start_of(model, v), end_of(model, v)
        while node != end:
            after = other.nodes[node].following
            link(search, node, after)
            r = model.nodes[after].request
            if r != NONE and model.requests[r].first == after:
                search.requests[r].courier = v
                search.total[COST] -= model.requests[r].price
            node = after
        refresh(model, search, v)
        search.total[COST] += search.couriers[v].cost


@compiled
def copy_routes(model: Model, search: Search, other: Search) -> None:
    """Make the routes the same as the other search's."""
    for v in range(len(model.couriers)):
        node, end = start_of(model, v), end_of(model, v)
        while node != end:
            link(search, node, other.nodes[node].following)
            node = other.nodes[node].following
        refresh(model, search, v)
    for r in range(len(model.requests)):
        search.requests[r].courier = other.requests[r].courier
    search.total[COST] = other.total[COST]

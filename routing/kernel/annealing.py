"""The search itself: ruin, recreate, swap tails, and accept by simulated annealing (Kirkpatrick et al. 1983)."""

from __future__ import annotations

import numpy as np

from routing.kernel.arrays import (
    ABSENT,
    BEST_ABSENT,
    BEST_COST,
    CARRIED,
    COST,
    FITS,
    NEVER,
    NO_ROAD,
    NONE,
    SHIFT_OVER,
    TOO_BIG,
    TOO_LONG,
    WINDOW_MISSED,
    Bytes,
    Ints,
    Model,
    Search,
    compiled,
)
from routing.kernel.breaks import has_breaks, place_breaks
from routing.kernel.chance import below, draw
from routing.kernel.insertion import insert_anywhere, insert_near_start, place_request
from routing.kernel.ruin import random_request, ruin, settle, take_out
from routing.kernel.schedule import earliest, end_of, link, refresh, start_of, within_limits
from routing.kernel.tails import exchange
from routing.kernel.undo import forget_touched, undo
from routing.travel import UNREACHABLE

BLINK = 0.01
"""How often an insertion looks past a place, as in the paper."""

EXCHANGE_SHARE = 0.1
"""Share of iterations that swap tails instead of ruining."""

ABSENT_TRIES = 16
"""How many requests that were already left out get another try in one iteration."""

EAGER_SHARE = 0.05
"""Share of iterations, where requests are left out, that insert at any price: some pay only together."""

EAGER_BLINK = 0.5
"""How often those look past a place: a request may fit only where a neighbour costs more than it must."""


@compiled
def _queue_absent(search: Search, queued: int, absent: int) -> int:
    """Queue a few of the requests that were left out before, all in turn over the iterations; return the length."""
    tries = min(ABSENT_TRIES, absent)
    at = below(search, max(1, absent))
    for i in range(tries):
        search.requests[queued + i].queue = search.requests[(at + i) % absent].absent
    return queued + tries


@compiled
def _queue_absent_near(search: Search, seed: int, queued: int) -> int:
    """Queue a request that was left out and a few around it that were left out too; return the length."""
    search.requests[queued].queue = seed
    queued += 1
    tries = below(search, ABSENT_TRIES)
    for i in range(search.near_requests.shape[1]):
        r = search.near_requests[seed, i]
        if tries > 0 and search.requests[r].is_absent:
            search.requests[queued].queue = r
            queued += 1
            tries -= 1
    return queued


@compiled
def _sort_queue(model: Model, search: Search, queued: int) -> None:
    """Order the queue: at random, tight windows first, far ones first, dear ones first, or early closing first."""
    choice = draw(search)
    for i in range(queued):
        r = search.requests[i].queue
        stop = model.requests[r].first
        if choice < 0.4:
            key = draw(search)
        elif choice < 0.6:
            key = float(model.nodes[stop].last_close - model.opens[stop, 0])
        elif choice < 0.8:
            key = -float(_reach(model, r))
        elif choice < 0.9 and search.total[ABSENT] > 0:
            key = -float(model.requests[r].price)
        else:
            key = float(model.nodes[stop].last_close)
        search.requests[i].keys = key
    _sort_by_keys(search, queued)


@compiled
def _reach(model: Model, r: int) -> int:
    """Return how far a request leads: from pickup to delivery, or from the nearest courier's start to its stop."""
    if model.requests[r].second != NONE:
        return int(
            model.durations_to[model.nodes[model.requests[r].first].place, model.nodes[model.requests[r].second].place]
        )
    v = model.members[model.groups[model.near_groups[r, 0]]]
    return int(model.durations_to[model.nodes[start_of(model, v)].place, model.nodes[model.requests[r].first].place])


@compiled
def _sort_by_keys(search: Search, n: int) -> None:
    """Sort queue and keys together, in place, with Shell's gaps (1959): insertion sort while the queue is short."""
    gap = 1
    while gap < n // 9:
        gap = 3 * gap + 1
    while gap > 0:
        for i in range(gap, n):
            key, r, j = search.requests[i].keys, search.requests[i].queue, i
            while j >= gap and search.requests[j - gap].keys > key:
                search.requests[j].keys, search.requests[j].queue = (
                    search.requests[j - gap].keys,
                    search.requests[j - gap].queue,
                )
                j -= gap
            search.requests[j].keys, search.requests[j].queue = key, r
        gap //= 3


@compiled
def _keep(model: Model, search: Search, queued: int) -> None:
    """Accept the iteration: bring the list of requests left out up to date, remember the best."""
    count = 0
    for i in range(search.total[ABSENT]):
        r = search.requests[i].absent
        search.requests[r].is_absent = search.requests[r].courier == NONE
        if search.requests[r].is_absent:
            search.requests[count].absent = r
            count += 1
    for i in range(queued):
        r = search.requests[i].queue
        if search.requests[r].courier == NONE and not search.requests[r].is_absent:
            search.requests[r].is_absent = True
            search.requests[count].absent = r
            count += 1
    search.total[ABSENT] = count
    if search.total[COST] < search.total[BEST_COST]:
        remember(model, search)


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
    """Take a request out of its route."""
    v = search.requests[r].courier
    take_out(model, search, r)
    settle(model, search, v, 0)
    settle_absent(model, search)
    forget_touched(search)


@compiled
def improve(model: Model, search: Search, iterations: int, done: int, total: int, hot: float, cold: float) -> None:
    """Run iterations number done, done + 1, ... of `total`, over which the temperature falls from hot to cold."""
    for k in range(iterations):
        temperature = hot * (cold / hot) ** ((done + k) / total)
        cost = search.total[COST]
        ceiling = cost - temperature * np.log(1.0 - draw(search))
        if draw(search) < EXCHANGE_SHARE:
            if exchange(model, search, ceiling):
                _keep(model, search, 0)
            forget_touched(search)
            continue
        absent = search.total[ABSENT]
        eager = absent > 0 and draw(search) < EAGER_SHARE
        seed = search.requests[below(search, absent)].absent if eager else random_request(model, search)
        queued = ruin(model, search, seed)
        queued = _queue_absent_near(search, seed, queued) if eager else _queue_absent(search, queued, absent)
        _sort_queue(model, search, queued)
        for i in range(queued):
            r = search.requests[i].queue
            place_request(model, search, r, search.requests[r].is_absent, eager, EAGER_BLINK if eager else BLINK)
        if search.total[COST] < ceiling:
            _keep(model, search, queued)
        else:
            undo(model, search, queued, cost)
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


@compiled
def alone(model: Model, setup_free: bool, couriers: Ints, outcome: Bytes) -> None:
    """Write for each request and each of the couriers how far serving it on an empty round comes (int8, r x c).

    NO_SKILL ... FITS; reads skills from `model.joining`, where NONE stands for no skill and GONE for nobody to ask.
    With `setup_free` set-up takes no time, as beside a neighbour that paid for it.
    """
    for r in range(outcome.shape[0]):
        for c in range(len(couriers)):
            outcome[r, c] = _alone(model, r, couriers[c], setup_free, outcome[r, c])


@compiled
def _alone(model: Model, r: int, v: int, setup_free: bool, known: int) -> int:
    if known != FITS:
        return known
    if model.requests[r].form != CARRIED:
        for k in range(model.amounts.shape[1]):
            if model.amounts[r, k] > model.capacity[v, k]:
                return TOO_BIG
    before, end, clock = start_of(model, v), end_of(model, v), model.couriers[v].standing
    missed, riding, leg = False, 0, 0
    for stop in (model.requests[r].first, model.requests[r].second, end):
        if stop == NONE:
            continue
        leg = model.durations_to[model.nodes[before].place, model.nodes[stop].place]
        if leg == UNREACHABLE:
            return NO_ROAD
        riding += leg
        if stop == end:
            break
        begin = earliest(model, stop, clock + leg)
        missed = missed or begin > model.nodes[end].last_close
        own = model.nodes[stop].service
        if not setup_free and model.nodes[stop].address != model.nodes[before].address:
            own += model.nodes[stop].setup
        clock = begin + own
        before = stop
    if missed:
        return WINDOW_MISSED
    if riding > model.couriers[v].max_travel_s:
        return TOO_LONG
    return FITS if clock + leg <= model.nodes[end].last_close else SHIFT_OVER

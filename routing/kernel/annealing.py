"""The search itself: ruin, recreate, swap tails, and accept by simulated annealing (Kirkpatrick et al. 1983)."""

from __future__ import annotations

import numpy as np

from routing.kernel.arrays import ABSENT, BEST_COST, COST, NONE, Model, Search, compiled
from routing.kernel.chance import below, draw
from routing.kernel.insertion import place_request
from routing.kernel.routes import remember
from routing.kernel.ruin import random_request, ruin
from routing.kernel.schedule import start_of
from routing.kernel.tails import exchange
from routing.kernel.undo import forget_touched, undo

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

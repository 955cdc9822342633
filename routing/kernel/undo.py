"""Remembers the routes an iteration changes, and brings them back when it is rejected."""

from __future__ import annotations

from routing.kernel.arrays import COST, NONE, SAVED, TOUCHED, Model, Search, compiled
from routing.kernel.schedule import end_of, link, refresh, start_of


@compiled
def touch(model: Model, search: Search, v: int) -> None:
    """Save a route before its first change in this iteration."""
    if search.couriers[v].is_touched:
        return
    search.couriers[v].is_touched = True
    search.couriers[search.total[TOUCHED]].touched = v
    search.total[TOUCHED] += 1
    at = search.total[SAVED]
    search.couriers[v].saved_from = at
    node, end = search.nodes[start_of(model, v)].following, end_of(model, v)
    while node != end:
        search.nodes[at].saved = node
        at += 1
        node = search.nodes[node].following
    search.couriers[v].saved_count = at - search.couriers[v].saved_from
    search.total[SAVED] = at


@compiled
def forget_touched(search: Search) -> None:
    """Begin a new iteration: no route has changed."""
    for i in range(search.total[TOUCHED]):
        search.couriers[search.couriers[i].touched].is_touched = False
    search.total[TOUCHED] = 0
    search.total[SAVED] = 0


@compiled
def undo(model: Model, search: Search, queued: int, cost: int) -> None:
    """Reject the iteration: bring back every touched route, the requests left out, and the cost that was."""
    for i in range(queued):
        search.requests[search.requests[i].queue].courier = NONE
    for i in range(search.total[TOUCHED]):
        v = search.couriers[i].touched
        before = start_of(model, v)
        for at in range(search.couriers[v].saved_from, search.couriers[v].saved_from + search.couriers[v].saved_count):
            node = search.nodes[at].saved
            link(search, before, node)
            if model.nodes[node].request != NONE:
                search.requests[model.nodes[node].request].courier = v
            before = node
        link(search, before, end_of(model, v))
        refresh(model, search, v)
    search.total[COST] = cost

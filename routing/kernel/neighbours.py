"""Ranks which stops go well beside each other and which requests lie near, each row when it is first wanted."""

from __future__ import annotations

from routing.kernel.arrays import NEVER, NONE, Floats, Model, Search, SmallInts, compiled, inlined

WAIT_WEIGHT = 0.2
"""How much a second of waiting counts beside one of travel when neighbours are ranked (Vidal et al. 2013)."""


@compiled
def know_neighbours(model: Model, search: Search, stop: int) -> None:
    """Rank the stops that go well before and after a stop by travel, waiting and lateness, once (Vidal et al. 2013)."""
    if search.known[stop]:
        return
    search.known[stop] = True
    own = model.nodes[stop].request
    to, back = model.durations_from[model.nodes[stop].place], model.durations_to[model.nodes[stop].place]
    count = count2 = 0
    for other in range(model.stop_count):
        if model.nodes[other].request == own:
            continue
        key = _distance(model, other, stop, to[model.nodes[other].place])
        count = _rank(search.before[stop], search.nearness, count, other, key)
    search.before[stop, count:] = NONE
    for other in range(model.stop_count):
        if model.nodes[other].request == own:
            continue
        key = _distance(model, stop, other, back[model.nodes[other].place])
        count2 = _rank(search.after[stop], search.nearness, count2, other, key)
    search.after[stop, count2:] = NONE


@inlined
def _distance(model: Model, a: int, b: int, travel: int) -> float:
    """Return how far b is directly after a, waiting counted in; NEVER where it must come too late."""
    earliest_there = model.opens[a, 0] + model.nodes[a].service + travel
    if earliest_there > model.nodes[b].last_close:
        return float(NEVER)
    wait = model.opens[b, 0] - model.nodes[a].last_close - model.nodes[a].service - travel
    return float(travel) + WAIT_WEIGHT * max(0.0, float(wait))


@inlined
def _rank(row: SmallInts, keys: Floats, count: int, item: int, key: float) -> int:
    """Insert an item into the sorted front of a row if it is among the best that the row has room for."""
    if key >= NEVER:
        return count
    size = len(row)
    if count == size:
        if size == 0 or key >= keys[size - 1]:
            return count
        count -= 1
    at = count
    while at > 0 and keys[at - 1] > key:
        keys[at], row[at] = keys[at - 1], row[at - 1]
        at -= 1
    keys[at], row[at] = key, item
    return count + 1


@compiled
def know_near_requests(model: Model, search: Search, r: int) -> None:
    """Rank the other requests by the way there and back between the first stops, once."""
    if search.requests[r].has_near:
        return
    search.requests[r].has_near = True
    here, count = model.nodes[model.requests[r].first].place, 0
    for other in range(len(model.requests)):
        if other != r:
            there = model.nodes[model.requests[other].first].place
            away = float(model.durations_to[here, there]) + float(model.durations_from[here, there])
            count = _rank(search.near_requests[r], search.nearness, count, other, away)

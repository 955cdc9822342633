"""Puts a courier's breaks where they delay the round least."""

from __future__ import annotations

from routing.kernel.arrays import NEVER, NONE, Model, Search, compiled
from routing.kernel.schedule import earliest, end_of, late_at, link, refresh, start_of, work_at


@compiled
def has_breaks(model: Model, v: int) -> bool:
    """Return whether a courier has a break to take."""
    return bool(model.couriers[v].breaks_from < model.couriers[v].breaks_end)


@compiled
def place_breaks(model: Model, search: Search, v: int) -> bool:
    """Take all breaks out of a route and put each, in turn, at its best place; return whether the route fits."""
    for rest in range(model.couriers[v].breaks_from, model.couriers[v].breaks_end):
        link(search, search.nodes[rest].leading, search.nodes[rest].following)
    fits = refresh(model, search, v)
    before = start_of(model, v)
    for rest in range(model.couriers[v].breaks_from, model.couriers[v].breaks_end):
        where = _least_delay(model, search, v, rest, before)
        if where == NONE:
            where = before
        link(search, rest, search.nodes[where].following)
        link(search, where, rest)
        fits = refresh(model, search, v)
        before = rest
    return fits


@compiled
def _least_delay(model: Model, search: Search, v: int, rest: int, first: int) -> int:
    """Return the node, `first` or later, after which a break holds up what follows least; NONE if it fits nowhere."""
    best, where = NEVER, NONE
    node, end = first, end_of(model, v)
    while node != end:
        after = search.nodes[node].following
        begin = earliest(model, rest, search.nodes[node].ready)
        if begin >= NEVER:
            break
        arrival = begin + model.nodes[rest].service + search.nodes[after].travel
        if arrival <= late_at(model, search, node, after):
            planned = search.nodes[after].ready - work_at(model, search, node, after)
            delay = earliest(model, after, arrival) - planned
            if delay < best:
                best, where = delay, node
        node = after
    return where

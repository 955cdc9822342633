"""Finds the cheapest place for a request: exact on a route, among neighbouring stops first, everywhere if need be."""

from __future__ import annotations

from routing.kernel.arrays import COST, NEVER, NONE, STAMP, TOUCHED, Ints, Model, Search, compiled, inlined
from routing.kernel.chance import below, draw
from routing.kernel.neighbours import know_neighbours
from routing.kernel.placement import pair_at, single_at
from routing.kernel.schedule import end_of, is_break, link, refresh, start_of
from routing.kernel.undo import touch

ENOUGH_COURIERS = 12
"""With this many couriers around looked at, a request of the first plan goes to the cheapest."""


# --- the best of many places ----------------------------------------------------------------------------------------


@inlined
def _note(search: Search, count: int, v: int, node: int) -> int:
    """Put a place on the list of those to be tried; return how many there are."""
    search.places[count, 0], search.places[count, 1] = v, node
    return count + 1


@inlined
def _note_route(model: Model, search: Search, r: int, v: int, count: int) -> int:
    """Put every place of a courier's route that is not too late on the list."""
    node, end, last = start_of(model, v), end_of(model, v), model.nodes[model.requests[r].first].last_close
    while node != end and search.nodes[node].ready <= last:
        count = _note(search, count, v, node)
        node = search.nodes[node].following
    return count


@compiled
def _best_of(
    model: Model, search: Search, r: int, count: int, best: tuple[int, int, int, int], blink: float
) -> tuple[int, int, int, int]:
    """Return the best insertion at the places listed if it is below `best`: (extra, courier, where, where2).

    Of equals the first is taken; a search that blinks begins anywhere in the list, so that each gets its turn.
    """
    turn = below(search, count) if blink > 0.0 and count > 0 else 0
    if model.requests[r].second == NONE:
        for i in range(turn - count, turn):
            v, node = search.places[i + count if i < 0 else i, 0], search.places[i + count if i < 0 else i, 1]
            extra = single_at(model, search, r, v, node, best[0])
            if extra < best[0] and (blink == 0.0 or draw(search) >= blink):
                best = (extra, v, node, NONE)
    else:
        for i in range(turn - count, turn):
            v, node = search.places[i + count if i < 0 else i, 0], search.places[i + count if i < 0 else i, 1]
            extra, where2 = pair_at(model, search, r, v, node, best[0], blink)
            if where2 != NONE:
                best = (extra, v, node, where2)
    return best


@inlined
def _is_new(model: Model, search: Search, r: int, v: int) -> bool:
    """Return whether a courier may serve a request and was not looked at since the last stamp; note him.

    Of empty rounds that are alike one is enough.
    """
    if model.joining[r, v] >= NEVER or not search.couriers[v].mine:
        return False
    if search.couriers[v].stops == 0:
        like = model.couriers[v].alike
        new = search.couriers[like].seen_empty != search.total[STAMP]
        search.couriers[like].seen_empty = search.total[STAMP]
        return bool(new)
    new = search.couriers[v].seen != search.total[STAMP]
    search.couriers[v].seen = search.total[STAMP]
    return bool(new)


@compiled
def _list_all(model: Model, search: Search, r: int) -> int:
    search.total[STAMP] += 1
    count = 0
    for v in range(len(model.couriers)):
        if _is_new(model, search, r, v):
            count = _note_route(model, search, r, v, count)
    return count


@compiled
def _list_touched(model: Model, search: Search, r: int) -> int:
    count = 0
    for i in range(search.total[TOUCHED]):
        v = search.couriers[i].touched
        if model.joining[r, v] < NEVER:
            count = _note_route(model, search, r, v, count)
    return count


@compiled
def _list_near(model: Model, search: Search, r: int) -> int:
    """List the places beside the stops that go well before and after, and an empty round of each kind near by."""
    stop = model.requests[r].first
    know_neighbours(model, search, stop)
    count = 0
    for i in range(search.before.shape[1]):
        node = search.before[stop, i]
        if node == NONE:
            break
        v = search.requests[model.nodes[node].request].courier
        if v != NONE and search.couriers[v].mine and model.joining[r, v] < NEVER:
            count = _note(search, count, v, node)
            if is_break(model, search.nodes[node].following):
                count = _note(search, count, v, search.nodes[node].following)
    for i in range(search.after.shape[1]):
        node = search.after[stop, i]
        if node == NONE:
            break
        v = search.requests[model.nodes[node].request].courier
        if v != NONE and search.couriers[v].mine and model.joining[r, v] < NEVER:
            node = search.nodes[node].leading
            count = _note(search, count, v, node)
            if is_break(model, node):
                count = _note(search, count, v, search.nodes[node].leading)
    search.total[STAMP] += 1
    for i in range(model.near_groups.shape[1]):
        group = model.near_groups[r, i]
        for at in range(model.groups[group], model.groups[group + 1]):
            v = model.members[at]
            if search.couriers[v].stops == 0 and _is_new(model, search, r, v):
                count = _note_route(model, search, r, v, count)
    return count


@compiled
def best_anywhere(model: Model, search: Search, r: int, bound: int) -> tuple[int, int, int, int]:
    """Return the best insertion below the bound at any courier: exact."""
    return _best_of(model, search, r, _list_all(model, search, r), (bound, NONE, NONE, NONE), 0.0)


@compiled
def _best_around(model: Model, search: Search, r: int) -> tuple[int, int, int, int]:
    """Return the best on the routes of those who start nearest: of enough of them, and until one has room."""
    search.total[STAMP] += 1
    looked, best = 0, (model.requests[r].price, NONE, NONE, NONE)
    for i in range(model.near_groups.shape[1]):
        group = model.near_groups[r, i]
        count = 0
        for at in range(model.groups[group], model.groups[group + 1]):
            v = model.members[at]
            if _is_new(model, search, r, v):
                looked += 1
                count = _note_route(model, search, r, v, count)
        best = _best_of(model, search, r, count, best, 0.0)
        if looked >= ENOUGH_COURIERS and best[1] != NONE:
            break
    return best


# --- inserting ------------------------------------------------------------------------------------------------------


@compiled
def _link_in(model: Model, search: Search, r: int, v: int, where: int, where2: int) -> None:
    """Put a request into a route after the given nodes and recompute the route."""
    touch(model, search, v)
    first, second = model.requests[r].first, model.requests[r].second
    if second != NONE:
        after = search.nodes[where2].following
        link(search, where2, second)
        link(search, second, after)
    after = search.nodes[where].following
    link(search, where, first)
    link(search, first, after)
    search.requests[r].courier = v
    search.total[COST] -= search.couriers[v].cost + model.requests[r].price
    refresh(model, search, v)
    search.total[COST] += search.couriers[v].cost


@compiled
def place_request(model: Model, search: Search, r: int, was_absent: bool, eager: bool, blink: float) -> bool:
    """Insert a request where it costs least, if that is less than its price or we are eager; return whether it was.

    A request that was left out before this iteration was nowhere worth its price then, so only touched routes can have
    room for it, unless we are eager. Others look at what is near first and, only when nothing there has room,
    everywhere.
    """
    best = (NEVER if eager else model.requests[r].price, NONE, NONE, NONE)
    for turn in range(2):
        if was_absent and not eager:
            count = _list_touched(model, search, r)
        else:
            count = _list_near(model, search, r) if turn == 0 else _list_all(model, search, r)
        best = _best_of(model, search, r, count, best, blink)
        if best[1] != NONE:
            _link_in(model, search, r, best[1], best[2], best[3])
            return True
        if was_absent:
            break
    return False


@compiled
def insert_near_start(model: Model, search: Search, r: int) -> bool:
    """Insert a request into the cheapest route that starts near, else anywhere; return whether there was room."""
    best = _best_around(model, search, r)
    if best[1] == NONE:
        best = best_anywhere(model, search, r, model.requests[r].price)
    if best[1] == NONE:
        return False
    _link_in(model, search, r, best[1], best[2], best[3])
    return True


@compiled
def insert_anywhere(model: Model, search: Search, r: int) -> bool:
    """Insert a request where it costs least of all, if that is less than its price; return whether it was."""
    best = best_anywhere(model, search, r, model.requests[r].price)
    if best[1] == NONE:
        return False
    _link_in(model, search, r, best[1], best[2], best[3])
    return True


@compiled
def insertion(model: Model, search: Search, r: int, v: int, answer: Ints) -> None:
    """Write (extra, courier, where, where2) of the cheapest insertion at one courier, or at any if v is NONE.

    Whatever the request's price; the extra is NEVER if it fits nowhere.
    """
    best = (NEVER, NONE, NONE, NONE)
    if v == NONE:
        best = best_anywhere(model, search, r, NEVER)
    elif model.joining[r, v] < NEVER:
        best = _best_of(model, search, r, _note_route(model, search, r, v, 0), best, 0.0)
    for i in range(4):
        answer[i] = best[i]

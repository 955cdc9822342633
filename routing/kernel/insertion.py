"""Finds the cheapest place for a request: exact on a route, among neighbouring stops first, everywhere if need be."""

from __future__ import annotations

from routing.kernel.arrays import (
    AFTER,
    AT,
    BEFORE,
    COST,
    DELIVERY,
    NEVER,
    NONE,
    STAMP,
    TOUCHED,
    Floats,
    Ints,
    Model,
    Search,
    SmallInts,
    compiled,
    inlined,
)
from routing.kernel.chance import below, draw
from routing.kernel.schedule import earliest, end_of, has_room, is_break, late_at, link, refresh, start_of, work_at
from routing.kernel.undo import touch

ENOUGH_COURIERS = 12
"""With this many couriers around looked at, a request of the first plan goes to the cheapest."""

WAIT_WEIGHT = 0.2
"""How much a second of waiting counts beside one of travel when neighbours are ranked (Vidal et al. 2013)."""


# --- one place ------------------------------------------------------------------------------------------------------


@inlined
def _beyond_breaks(model: Model, search: Search, node: int) -> int:
    """Return the first node from this one on that is no break."""
    while is_break(model, node):
        node = search.nodes[node].following
    return node


@inlined
def _rested(model: Model, search: Search, node: int, clock: int) -> int:
    """Return when the courier is free again after the breaks from this node on, begun at `clock` at the earliest."""
    while is_break(model, node):
        clock = earliest(model, node, clock) + model.nodes[node].service
        node = search.nodes[node].following
    return clock


@inlined
def _base(model: Model, search: Search, r: int, v: int) -> int:
    """Return what a request costs on a route before a single second is ridden."""
    return int(model.joining[r, v] + (model.couriers[v].fixed_price if search.couriers[v].stops == 0 else 0))


@inlined
def _single_at(model: Model, search: Search, r: int, v: int, node: int, bound: int) -> int:
    """Return what a lone stop costs after a node, NEVER if it is not below the bound or does not fit."""
    stop = model.requests[r].first
    leave = search.nodes[node].ready
    if leave > model.nodes[stop].last_close:
        return NEVER
    after = search.nodes[node].following
    target = _beyond_breaks(model, search, after)
    here = model.nodes[stop].place
    reach = model.durations_from[here, search.nodes[node].place]
    onward = model.durations_to[here, search.nodes[target].place]
    extra = _base(model, search, r, v) + model.couriers[v].price_per_s * (reach + onward - search.nodes[target].travel)
    if extra >= bound:
        return NEVER
    if not has_room(model, search, BEFORE if model.requests[r].form == DELIVERY else AFTER, node, r, v):
        return NEVER
    done = earliest(model, stop, leave + reach) + work_at(model, search, node, stop)
    if target != after:
        done = _rested(model, search, after, done)
    if done + onward > late_at(model, search, stop, target):
        return NEVER
    if model.priced:
        extra += _prices(model, search, r, v, node, NONE)
    return int(extra) if extra < bound else NEVER


@inlined
def _pair_at(model: Model, search: Search, r: int, v: int, node: int, bound: int, blink: float) -> tuple[int, int]:
    """Return the same for a pair whose pickup comes after a node, and the node after which its delivery goes best.

    Nodes are named as the route is before, so that twice the same node means one stop directly after the other.
    """
    pickup, delivery = model.requests[r].first, model.requests[r].second
    leave = search.nodes[node].ready
    if leave > model.nodes[pickup].last_close or not has_room(model, search, AT, node, r, v):
        return NEVER, NONE
    after, end = search.nodes[node].following, end_of(model, v)
    target = _beyond_breaks(model, search, after)
    place, place2 = model.nodes[pickup].place, model.nodes[delivery].place
    price = model.couriers[v].price_per_s
    reach, onward = (
        model.durations_from[place, search.nodes[node].place],
        model.durations_to[place, search.nodes[target].place],
    )
    between = model.durations_to[place, place2]
    base = _base(model, search, r, v)
    extra = base + price * (reach + onward - search.nodes[target].travel)
    back = model.durations_to[place2, search.nodes[target].place]
    together = base + price * (reach + between + back - search.nodes[target].travel)
    if extra >= bound and together >= bound:
        return NEVER, NONE
    clock = earliest(model, pickup, leave + reach) + work_at(model, search, node, pickup)
    if clock >= NEVER:
        return NEVER, NONE
    best, where2 = bound, NONE
    if together < best:
        done = earliest(model, delivery, clock + between) + work_at(model, search, pickup, delivery)
        if target != after:
            done = _rested(model, search, after, done)
        if done + back <= late_at(model, search, delivery, target) and (blink == 0.0 or draw(search) >= blink):
            if model.priced:
                together += _prices(model, search, r, v, node, node)
            if together < best:
                best, where2 = together, node
    # Walk on with the pickup on board. The triangle inequality says that delivering costs no less than 0.
    spot, ahead = pickup, after
    while ahead != end and extra < best:
        if is_break(model, ahead):
            clock = earliest(model, ahead, clock) + model.nodes[ahead].service
        else:
            arrival = clock + (onward if spot == pickup else search.nodes[ahead].travel)
            if arrival > late_at(model, search, spot, ahead) or not has_room(model, search, AT, ahead, r, v):
                break
            clock = earliest(model, ahead, arrival) + work_at(model, search, spot, ahead)
            spot = ahead
        if clock > model.nodes[delivery].last_close:
            break
        here, ahead = ahead, search.nodes[ahead].following
        target = _beyond_breaks(model, search, ahead)
        leg = onward if spot == pickup else search.nodes[target].travel
        reach2 = model.durations_from[place2, search.nodes[spot].place]
        onward2 = model.durations_to[place2, search.nodes[target].place]
        both = extra + price * (reach2 + onward2 - leg)
        if both < best:
            done = earliest(model, delivery, clock + reach2) + work_at(model, search, spot, delivery)
            if target != ahead:
                done = _rested(model, search, ahead, done)
            if done + onward2 <= late_at(model, search, delivery, target) and (blink == 0.0 or draw(search) >= blink):
                if model.priced:
                    both += _prices(model, search, r, v, node, here)
                if both < best:
                    best, where2 = both, here
    return (best, where2) if where2 != NONE else (NEVER, NONE)


@compiled
def _prices(model: Model, search: Search, r: int, v: int, where: int, where2: int) -> int:
    """Return what a request costs there beyond seconds of riding, NEVER past a limit: by riding the route from there.

    That is lateness, metres, overwork and the order shown to the courier; only problems that price them ride.
    """
    first, second, end = model.requests[r].first, model.requests[r].second, end_of(model, v)
    riding, metres, work, late = 0, 0, 0, 0
    current, clock = where, search.nodes[where].ready
    spot, address = search.nodes[where].place, search.nodes[where].address
    placed = 0
    while True:
        if placed == 0:
            node, placed = first, 1
        elif placed == 1 and second != NONE and (current == where2 or (current == first and where2 == where)):
            node, placed = second, 2
        elif current == first:
            node = search.nodes[where].following
        elif current == second:
            node = search.nodes[where2].following
        else:
            node = search.nodes[current].following
        added = node in (first, second)
        place = spot if is_break(model, node) else search.nodes[node].place
        leg = model.durations_to[spot, place]
        begin = earliest(model, node, clock + leg)
        own = model.nodes[node].service + (model.nodes[node].setup if search.nodes[node].address != address else 0)
        riding += leg
        late += model.nodes[node].late_price * max(0, begin - model.nodes[node].due)
        if model.metres_to.shape[0]:
            metres += model.metres_to[spot, place]
        if not is_break(model, node):
            work += own
            address = search.nodes[node].address
        if not added:
            leading = search.nodes[node].leading
            own_before = work_at(model, search, leading, node)
            riding -= search.nodes[node].travel
            late -= model.nodes[node].late_price * max(0, search.nodes[node].ready - own_before - model.nodes[node].due)
            if model.metres_to.shape[0] and search.couriers[v].stops > 0:
                metres -= model.metres_to[search.nodes[leading].place, search.nodes[node].place]
            if not is_break(model, node):
                work -= own_before
        clock, spot, current = begin + own, place, node
        settled = placed == (1 if second == NONE else 2) and not added and not is_break(model, node)
        if node == end or (settled and clock == search.nodes[node].ready):
            break
    if (
        search.couriers[v].riding + riding > model.couriers[v].max_travel_s
        or search.couriers[v].metres + metres > model.couriers[v].max_travel_m
    ):
        return NEVER
    worked, fair = search.couriers[v].work, model.couriers[v].fair_work
    over = max(0, worked + work + riding - fair) - max(0, worked - fair)
    moves = _out_of_order(model, search, v, first, where)
    if second != NONE:
        moves += _out_of_order(model, search, v, second, where2)
    return int(
        late
        + model.couriers[v].price_per_m * metres
        + model.couriers[v].overwork_price * over
        + model.couriers[v].move_price * moves
    )


@inlined
def _out_of_order(model: Model, search: Search, v: int, stop: int, where: int) -> int:
    """Return 1 if a stop would come in another order than its courier has seen."""
    if model.nodes[stop].shown_by != v:
        return 0
    rank = model.nodes[stop].rank
    return int(search.nodes[where].rank_before > rank or search.nodes[search.nodes[where].following].rank_after < rank)


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
            extra = _single_at(model, search, r, v, node, best[0])
            if extra < best[0] and (blink == 0.0 or draw(search) >= blink):
                best = (extra, v, node, NONE)
    else:
        for i in range(turn - count, turn):
            v, node = search.places[i + count if i < 0 else i, 0], search.places[i + count if i < 0 else i, 1]
            extra, where2 = _pair_at(model, search, r, v, node, best[0], blink)
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


# --- neighbours -----------------------------------------------------------------------------------------------------


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

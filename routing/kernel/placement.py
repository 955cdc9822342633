"""Says what a request costs at one place of a route, breaks and prices counted in: exact, mostly in constant time."""

from __future__ import annotations

from routing.kernel.arrays import AFTER, AT, BEFORE, DELIVERY, NEVER, NONE, Model, Search, compiled, inlined
from routing.kernel.chance import draw
from routing.kernel.schedule import earliest, end_of, has_room, is_break, late_at, work_at


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
def single_at(model: Model, search: Search, r: int, v: int, node: int, bound: int) -> int:
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
        beyond = _prices(model, search, r, v, node, NONE)
        if beyond >= NEVER:  # a detour that saves seconds must not bring the sum below NEVER
            return NEVER
        extra += beyond
    return int(extra) if extra < bound else NEVER


@inlined
def pair_at(model: Model, search: Search, r: int, v: int, node: int, bound: int, blink: float) -> tuple[int, int]:
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
            beyond = _prices(model, search, r, v, node, node) if model.priced else 0
            together += beyond
            if together < best and beyond < NEVER:
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
                beyond = _prices(model, search, r, v, node, here) if model.priced else 0
                both += beyond
                if both < best and beyond < NEVER:
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

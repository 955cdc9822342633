"""Times, loads and cost along a route: what makes an insertion testable at once (Savelsbergh 1992)."""

from __future__ import annotations

from routing.kernel.arrays import (
    AFTER,
    AT,
    BEFORE,
    CARRIED,
    DELIVERY,
    NEVER,
    NONE,
    PAIR,
    PICKUP,
    STOPS,
    USED,
    Model,
    Search,
    compiled,
    inlined,
)


@inlined
def earliest(model: Model, node: int, arrival: int) -> int:
    """Return the first moment at or after arrival at which service may start, NEVER if the last window is over."""
    for w in range(model.opens.shape[1]):
        if arrival <= model.closes[node, w]:
            return int(max(arrival, model.opens[node, w]))
    return NEVER


@inlined
def latest(model: Model, node: int, moment: int) -> int:
    """Return the last moment at or before the given one at which service may start, -NEVER if none."""
    for w in range(model.opens.shape[1] - 1, -1, -1):
        if moment >= model.opens[node, w]:
            return int(min(moment, model.closes[node, w]))
    return -NEVER


@inlined
def work_at(model: Model, search: Search, before: int, node: int) -> int:
    """Return seconds of service at a node, with its set-up unless the node before is at the same address."""
    if search.nodes[before].address == search.nodes[node].address:
        return int(model.nodes[node].service)
    return int(model.nodes[node].service + model.nodes[node].setup)


@inlined
def late_at(model: Model, search: Search, before: int, node: int) -> int:
    """Return the latest arrival at a node coming from `before` with which the rest of its route still fits."""
    if search.nodes[before].address == search.nodes[node].address:
        return int(search.nodes[node].late_same)
    return int(search.nodes[node].late_new)


@inlined
def start_of(model: Model, v: int) -> int:
    """Return the node where courier v's route begins."""
    return len(model.nodes) - 2 * len(model.couriers) + v


@inlined
def end_of(model: Model, v: int) -> int:
    """Return the node where courier v's route ends."""
    return len(model.nodes) - len(model.couriers) + v


@inlined
def is_break(model: Model, node: int) -> bool:
    """Return whether a node is a break: between the stops and the couriers' own nodes."""
    return model.stop_count <= node < len(model.nodes) - 2 * len(model.couriers)


@inlined
def link(search: Search, a: int, b: int) -> None:
    """Let b follow a."""
    search.nodes[a].following = b
    search.nodes[b].leading = a


@compiled
def refresh(model: Model, search: Search, v: int) -> bool:
    """Recompute times, loads and cost along a route from its links; return whether it keeps its windows and shift."""
    fits = _forward(model, search, v)
    _backward(model, search, v)
    _loads(model, search, v)
    return fits


@inlined
def _forward(model: Model, search: Search, v: int) -> bool:
    start, end = start_of(model, v), end_of(model, v)
    search.nodes[start].ready = model.couriers[v].standing
    before, node = start, search.nodes[start].following
    stops, riding, metres, work, price = 0, 0, 0, 0, 0
    fits = True
    while True:
        if is_break(model, node):
            # Taken where the courier is.
            search.nodes[node].place, search.nodes[node].address = (
                search.nodes[before].place,
                search.nodes[before].address,
            )
        travel = model.durations_to[search.nodes[before].place, search.nodes[node].place]
        if stops == 0 and node == end:
            travel = 0
        elif model.priced and model.metres_to.shape[0]:
            metres += model.metres_to[search.nodes[before].place, search.nodes[node].place]
        search.nodes[node].travel = travel
        riding += travel
        begin = earliest(model, node, search.nodes[before].ready + travel)
        fits = fits and begin < NEVER
        done = begin + work_at(model, search, before, node)
        search.nodes[node].ready = done
        if node == end:
            break
        r = model.nodes[node].request
        if r != NONE:
            stops += 1
            work += done - begin
            if model.requests[r].first == node:
                price += model.joining[r, v]
            if model.priced and begin > model.nodes[node].due:
                price += model.nodes[node].late_price * (begin - model.nodes[node].due)
        before, node = node, search.nodes[node].following
    search.total[STOPS] += stops - search.couriers[v].stops
    search.total[USED] += int(stops > 0) - int(search.couriers[v].stops > 0)
    search.couriers[v].stops = stops
    search.couriers[v].riding, search.couriers[v].metres, search.couriers[v].work = riding, metres, work + riding
    if stops == 0:
        search.couriers[v].cost = 0
        if model.priced:
            _order(model, search, v)
        return True
    price += model.couriers[v].fixed_price + model.couriers[v].price_per_s * riding
    if model.priced:
        price += model.couriers[v].price_per_m * metres
        price += model.couriers[v].overwork_price * max(0, work + riding - model.couriers[v].fair_work)
        price += model.couriers[v].move_price * _order(model, search, v)
    search.couriers[v].cost = price
    return fits


@inlined
def _backward(model: Model, search: Search, v: int) -> None:
    start, node = start_of(model, v), end_of(model, v)
    search.nodes[node].late_new = search.nodes[node].late_same = model.nodes[node].last_close
    after = node
    node = search.nodes[node].leading
    while node != start:
        leave_by = late_at(model, search, node, after) - search.nodes[after].travel - model.nodes[node].service
        search.nodes[node].late_same = latest(model, node, leave_by)
        search.nodes[node].late_new = latest(model, node, leave_by - model.nodes[node].setup)
        after, node = node, search.nodes[node].leading


@compiled
def _order(model: Model, search: Search, v: int) -> int:
    """Return how few of the stops shown to a courier must move to explain their order, and note the ranks on the way.

    That is all of them but the longest increasing run, found by patience sorting (Fredman 1975).
    """
    shown, length, highest = 0, 0, NONE
    node, end = start_of(model, v), end_of(model, v)
    while node != end:
        if model.nodes[node].shown_by == v:
            rank = model.nodes[node].rank
            shown += 1
            highest = max(highest, rank)
            low, high = 0, length
            while low < high:
                middle = (low + high) // 2
                if search.nodes[middle].tails < rank:
                    low = middle + 1
                else:
                    high = middle
            search.nodes[low].tails = rank
            length = max(length, low + 1)
        search.nodes[node].rank_before = highest
        node = search.nodes[node].following
    lowest, start = NEVER, start_of(model, v)
    while True:
        if model.nodes[node].shown_by == v:
            lowest = min(lowest, model.nodes[node].rank)
        search.nodes[node].rank_after = lowest
        if node == start:
            return shown - length
        node = search.nodes[node].leading


@inlined
def _loads(model: Model, search: Search, v: int) -> None:
    start, end = start_of(model, v), end_of(model, v)
    for k in range(model.amounts.shape[1]):
        on_board = model.carried[v, k]
        node = search.nodes[start].following
        while node != end:
            r = model.nodes[node].request
            if r != NONE and model.requests[r].form == DELIVERY:
                on_board += model.amounts[r, k]
            node = search.nodes[node].following
        most = on_board
        search.load[AT, start, k] = search.load[BEFORE, start, k] = on_board
        node = search.nodes[start].following
        while node != end:
            r = model.nodes[node].request
            if r != NONE:
                loads = model.requests[r].form == PICKUP or (
                    model.requests[r].form == PAIR and model.requests[r].first == node
                )
                on_board += model.amounts[r, k] if loads else -model.amounts[r, k]
            most = max(most, on_board)
            search.load[AT, node, k] = on_board
            search.load[BEFORE, node, k] = most
            node = search.nodes[node].following
        most = on_board
        while node != start:
            node = search.nodes[node].leading
            most = max(most, search.load[AT, node, k])
            search.load[AFTER, node, k] = most


@inlined
def has_room(model: Model, search: Search, which: int, node: int, r: int, v: int) -> bool:
    """Return whether request r fits beside the load that search.load[which] gives for the node."""
    if model.requests[r].form == CARRIED:
        return True
    for k in range(model.amounts.shape[1]):  # a generator does not compile
        if model.amounts[r, k] > 0 and search.load[which, node, k] + model.amounts[r, k] > model.capacity[v, k]:
            return False
    return True


@compiled
def within_limits(model: Model, search: Search, v: int) -> bool:
    """Return whether a route's requests may all be there, with their loads and its length.

    What the courier carries already may be too much; nothing may come on top of it.
    """
    if search.couriers[v].stops == 0:
        return True
    node, end = start_of(model, v), end_of(model, v)
    while node != end:
        r = model.nodes[node].request
        if r != NONE and model.joining[r, v] >= NEVER:
            return False
        form = NONE if r == NONE else model.requests[r].form
        loaded = start_of(model, v) if form == DELIVERY else node
        if form in (DELIVERY, PICKUP) or (form == PAIR and model.requests[r].first == node):
            for k in range(model.amounts.shape[1]):
                if model.amounts[r, k] > 0 and search.load[AT, loaded, k] > model.capacity[v, k]:
                    return False
        node = search.nodes[node].following
    riding, metres = search.couriers[v].riding, search.couriers[v].metres
    return bool(riding <= model.couriers[v].max_travel_s and metres <= model.couriers[v].max_travel_m)

"""Asks how far each request comes on an empty round: the reasons for leaving it out, and who may serve it at all."""

from __future__ import annotations

from routing.kernel.arrays import (
    CARRIED,
    FITS,
    NO_ROAD,
    NONE,
    SHIFT_OVER,
    TOO_BIG,
    TOO_LONG,
    WINDOW_MISSED,
    Bytes,
    Ints,
    Model,
    compiled,
)
from routing.kernel.schedule import earliest, end_of, start_of
from routing.travel import UNREACHABLE


@compiled
def alone(model: Model, setup_free: bool, couriers: Ints, outcome: Bytes) -> None:
    """Write for each request and each of the couriers how far serving it on an empty round comes (int8, r x c).

    NO_SKILL ... FITS; only where `outcome` says FITS already; breaks are not looked at. With `setup_free`
    set-up takes no time, as beside a neighbour that paid for it.
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
    missed, riding, metres, leg = False, 0, 0, 0
    for stop in (model.requests[r].first, model.requests[r].second, end):
        if stop == NONE:
            continue
        leg = model.durations_to[model.nodes[before].place, model.nodes[stop].place]
        if leg == UNREACHABLE:
            return NO_ROAD
        riding += leg
        if model.metres_to.shape[0]:
            metres += model.metres_to[model.nodes[before].place, model.nodes[stop].place]
        if stop == end:
            break
        begin = earliest(model, stop, clock + leg)
        # Waiting past the shift's end is no less in vain than coming too late.
        missed = missed or (begin > model.nodes[end].last_close and begin > clock + leg)
        own = model.nodes[stop].service
        if not setup_free and model.nodes[stop].address != model.nodes[before].address:
            own += model.nodes[stop].setup
        clock = begin + own
        before = stop
    if missed:
        return WINDOW_MISSED
    if riding > model.couriers[v].max_travel_s or metres > model.couriers[v].max_travel_m:
        return TOO_LONG
    return FITS if clock + leg <= model.nodes[end].last_close else SHIFT_OVER

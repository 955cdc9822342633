"""Says why a request is left out, for the courier that comes nearest to serving it."""

from __future__ import annotations

from routing.kernel.arrays import FITS, GONE, NEVER, NO_ROAD, NO_SKILL, SHIFT_OVER, TOO_BIG, TOO_LONG, WINDOW_MISSED
from routing.layout import Layout
from routing.plan import Reason, Unassigned
from routing.problem import Request

_REASONS = {
    NO_SKILL: Reason.NO_COURIER_WITH_SKILLS,
    GONE: Reason.COURIERS_GONE,
    TOO_BIG: Reason.OVER_CAPACITY,
    NO_ROAD: Reason.UNREACHABLE,
    WINDOW_MISSED: Reason.WINDOW_UNREACHABLE,
    TOO_LONG: Reason.ROUTE_TOO_LONG,
    SHIFT_OVER: Reason.SHIFT_TOO_SHORT,
}


def unassigned(layout: Layout, row: int, extra: int = NEVER) -> Unassigned:
    """Say why the request in a row of `layout.ahead` is left out; `extra` is what inserting it would cost."""
    request = layout.ahead[row]
    outcome = layout.outcome[row]
    furthest = int(outcome.max(initial=NO_SKILL))
    if extra < NEVER:
        detail = f"serving it would add {extra} to the cost, leaving it out adds {request.unassigned_price}"
        return Unassigned(request.id, Reason.PRICE_BELOW_COST, detail)
    if furthest == FITS:
        detail = "some courier could serve it on an empty round, none beside the other requests and the breaks"
        return Unassigned(request.id, Reason.CROWDED_OUT, detail)
    return Unassigned(request.id, _REASONS[furthest], _detail(layout, request, furthest))


def _detail(layout: Layout, request: Request, furthest: int) -> str:
    if furthest == NO_SKILL:
        if not layout.problem.couriers:
            return "there is no courier"
        return f"no courier has all of: {', '.join(sorted(request.skills))}"
    if furthest == GONE:
        carrier = layout.problem.carrier(request)
        if carrier is not None:
            return f"it is on board of {carrier}, who rides no more"
        return "every courier with the skills is out or has left without it"
    if furthest == TOO_BIG:
        return f"amounts {list(request.amounts)} are more than any courier with the skills can carry"
    if furthest == NO_ROAD:
        tasks = [task for _, task in layout.problem.ahead(request)]
        away = {task.location: int(layout.table.snapped_m[layout.index[task.location]]) for task in tasks}
        return "no way by road; distance to the nearest road: " + ", ".join(f"{k} {m} m" for k, m in away.items())
    if furthest == WINDOW_MISSED:
        return "no courier who could carry it gets there inside its windows"
    if furthest == TOO_LONG:
        return "served alone it would be a longer ride than any courier who could carry it may make"
    return "served alone it would bring every courier who could carry it back after the shift"

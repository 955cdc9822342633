"""Says what was planned: the routes with the times of every visit, and what was left out with the reason."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Self

from routing import codec
from routing.problem import Kind as Kind


class Reason(StrEnum):
    """Why a request is not in the plan; the first that is true, for the courier that comes nearest to serving it."""

    NO_COURIER_WITH_SKILLS = "no_courier_with_skills"
    OVER_CAPACITY = "over_capacity"
    UNREACHABLE = "unreachable"
    WINDOW_UNREACHABLE = "window_unreachable"
    SHIFT_TOO_SHORT = "shift_too_short"
    ROUTE_TOO_LONG = "route_too_long"
    COURIERS_GONE = "couriers_gone"
    PRICE_BELOW_COST = "price_below_cost"
    CROWDED_OUT = "crowded_out"


@dataclass(frozen=True, slots=True)
class Visit:
    """One end of a request: ride `travel_s`, arrive, wait until `start`, set up and serve until `departure`."""

    request: str
    kind: Kind
    location: str
    arrival: int
    start: int
    departure: int
    travel_s: int


@dataclass(frozen=True, slots=True)
class Pause:
    """A break as planned: taken where the courier is after the first `after` visits of the route, `start` to `end`."""

    after: int
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Route:
    """A courier's visits ahead, in order, and the breaks between them; what is done is in the problem.

    `start` and `end` are the moments of leaving and coming back, `travel_s` and `travel_m` all riding in seconds and
    metres (0 where the travel times give no distances). `start` is as late as the first visit's start of service
    allows, so nobody waits at the first door.
    """

    courier: str
    visits: tuple[Visit, ...]
    start: int
    end: int
    travel_s: int
    travel_m: int = 0
    breaks: tuple[Pause, ...] = ()


@dataclass(frozen=True, slots=True)
class Unassigned:
    """A request that no route serves, with a reason for programs and a sentence for people."""

    request: str
    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Routes with at least one visit each, and all other requests that are not done.

    `cost` is, over the routes, the couriers' prices for riding, lateness, strange ground, overwork and moved visits
    (problem.Courier says how), plus the `unassigned_price` of what is left out. What is done costs nothing any more:
    a courier who has done something pays no `fixed_price` and only for the riding ahead.
    """

    routes: tuple[Route, ...]
    unassigned: tuple[Unassigned, ...]
    cost: int

    def to_json(self) -> str:
        """Write the plan as JSON: the dataclasses' fields under their own names."""
        return json.dumps(asdict(self), ensure_ascii=False)

    @classmethod
    def from_json(cls, text: str) -> Self:
        """Read what `to_json` wrote; raises ValueError for anything else."""
        try:
            data = json.loads(text)
        except ValueError as error:
            raise _unreadable("JSON", f"cannot be read: {error}") from None
        plan: Self = codec.read(cls, data, "", _unreadable)
        return plan

    @classmethod
    def json_schema(cls) -> dict[str, Any]:
        """Return the JSON Schema of what `to_json` writes."""
        return codec.schema(cls)


def _unreadable(path: str, reason: str) -> ValueError:
    return ValueError(f"not a plan: {path} {reason}")

"""Says what was planned: the routes with the times of every visit, and what was left out with the reason."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any, Literal, Self

type Kind = Literal["pickup", "delivery"]


class Reason(StrEnum):
    """Why a request is not in the plan; the first that is true, for the courier that comes nearest to serving it."""

    NO_COURIER_WITH_SKILLS = "no_courier_with_skills"
    OVER_CAPACITY = "over_capacity"
    UNREACHABLE = "unreachable"
    WINDOW_UNREACHABLE = "window_unreachable"
    SHIFT_TOO_SHORT = "shift_too_short"
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
class Route:
    """A courier's visits in order; `start` and `end` are the moments of leaving and coming back, `travel_s` all riding.

    `start` is as late as the first visit's start of service allows, so nobody waits at the first door.
    """

    courier: str
    visits: tuple[Visit, ...]
    start: int
    end: int
    travel_s: int


@dataclass(frozen=True, slots=True)
class Unassigned:
    """A request that no route serves, with a reason for programs and a sentence for people."""

    request: str
    reason: Reason
    detail: str


@dataclass(frozen=True, slots=True)
class Plan:
    """Routes with at least one visit each, and all other requests.

    `cost` is, over the routes, `fixed_price + price_per_s * travel_s`, plus the `unassigned_price` of what is left out.
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
            return cls(
                routes=tuple(_read_route(row) for row in data["routes"]),
                unassigned=tuple(_read_unassigned(row) for row in data["unassigned"]),
                cost=data["cost"],
            )
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(f"not a plan: {error}") from None


def _read_route(row: dict[str, Any]) -> Route:
    return Route(**row | {"visits": tuple(Visit(**visit) for visit in row["visits"])})


def _read_unassigned(row: dict[str, Any]) -> Unassigned:
    return Unassigned(**row | {"reason": Reason(row["reason"])})

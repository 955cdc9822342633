"""Says how long it takes from anywhere to anywhere: the interface of every road engine, and a great-circle stand-in."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt

from routing.problem import Location

UNREACHABLE = 2**31 - 1
"""Duration that stands for "no way at all"; longer than any shift, so a search needs no special case for it."""

MAX_SNAP_M = 1000
"""A location further than this from every road is off the network, unless the caller says otherwise."""

EARTH_RADIUS_M = 6_371_008.8


@dataclass(frozen=True, slots=True)
class Table:
    """Travel between n locations, in the order asked.

    `durations[a, b]` (int32, n x n) is seconds from a to b, UNREACHABLE where there is no way; `snapped_m` (int32, n)
    is how far each location lies from the road that was used for it, in metres. Durations are expected to keep the
    triangle inequality (a detour is never a short cut); engines therefore round up, which preserves it. `distances`
    (int32, n x n), there only if asked for, is the metres of those fastest ways, UNREACHABLE in the same cells; a
    fastest way need not be the shortest, so distances keep no triangle inequality.
    """

    durations: npt.NDArray[np.int32]
    snapped_m: npt.NDArray[np.int32]
    distances: npt.NDArray[np.int32] | None = None

    def off_network(self, locations: Sequence[Location], max_snap_m: int = MAX_SNAP_M) -> tuple[str, ...]:
        """Return the ids of the locations (those the table was asked for) further than so many metres from a road."""
        return tuple(x.id for x, metres in zip(locations, self.snapped_m, strict=True) if metres > max_snap_m)


class TravelTimes(Protocol):
    """Anything that fills tables; `source` names it for whoever reads the plan."""

    @property
    def source(self) -> str: ...

    def table(self, locations: Sequence[Location], distances: bool = False) -> Table: ...


class GreatCircle:
    """Straight lines stretched by a detour factor and ridden at one speed: for when there is no road graph."""

    def __init__(self, speed_kmh: float = 30.0, detour: float = 1.35) -> None:
        if not speed_kmh > 0 or not detour >= 1:
            raise ValueError(f"speed must be above 0 and detour at least 1, not {speed_kmh} and {detour}")
        self._detour = detour
        self._seconds_per_m = 3.6 / speed_kmh
        self.source = f"great-circle x {detour:g}"

    def table(self, locations: Sequence[Location], distances: bool = False) -> Table:
        """Fill the table by the haversine formula (Sinnott 1984), seconds and metres (detour included) rounded up."""
        lon, lat = np.radians(np.array([(x.lon, x.lat) for x in locations], dtype=np.float64).reshape(-1, 2)).T
        half = np.sin((lat[:, None] - lat) / 2) ** 2
        half += np.cos(lat)[:, None] * np.cos(lat) * np.sin((lon[:, None] - lon) / 2) ** 2
        metres = 2 * EARTH_RADIUS_M * np.arcsin(np.sqrt(np.clip(half, 0, 1))) * self._detour
        seconds = np.ceil(metres * self._seconds_per_m).astype(np.int32)
        snapped_m = np.zeros(len(locations), dtype=np.int32)
        return Table(seconds, snapped_m, np.ceil(metres).astype(np.int32) if distances else None)

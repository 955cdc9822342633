"""Keeps the travel times of one road graph, so that only places not asked for before are asked of it."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from routing.osrm import Osrm
from routing.problem import Location
from routing.travel import MAX_SNAP_M, Table

PLACES_KEPT = 6000
"""Places whose times to each other are kept: 144 MB, twice that with distances."""


class CachedOsrm(Osrm):
    """An Osrm that remembers its tables; another graph, say one with a road shut, is another object and knows nothing.

    A place is its longitude and latitude, whatever its id. Safe to share between threads, which take turns.
    """

    def __init__(self, base: Path, *, max_snap_m: int = MAX_SNAP_M, places_kept: int = PLACES_KEPT) -> None:
        """Open the graph; of more than `places_kept` places only those of the last table are kept."""
        super().__init__(base, max_snap_m=max_snap_m)
        self._places_kept = places_kept
        self._lock = threading.Lock()
        self._places: dict[tuple[float, float], int] = {}
        self._known = super().table([])

    def table(self, locations: Sequence[Location], distances: bool = False) -> Table:
        """Return what Osrm.table does; seconds and metres known already are copied."""
        with self._lock:
            self._learn(locations, distances)
            rows = [self._places[x.lon, x.lat] for x in locations]
            return _part(self._known, rows, distances)

    def _learn(self, locations: Sequence[Location], distances: bool) -> None:
        asked = {(x.lon, x.lat): x for x in locations}
        if distances and self._known.distances is None:
            self._forget_but([])
            self._known = super().table([], distances=True)
        new = [place for place in asked if place not in self._places]
        if not new:
            return
        if len(self._places) + len(new) > self._places_kept:
            self._forget_but([place for place in asked if place in self._places])
        places = [*self._places, *new]
        self._known = self.extend(self._known, [Location(f"{lon} {lat}", lon, lat) for lon, lat in places])
        self._places = {place: row for row, place in enumerate(places)}

    def _forget_but(self, places: Sequence[tuple[float, float]]) -> None:
        rows = [self._places[place] for place in places]
        self._known = _part(self._known, rows, self._known.distances is not None)
        self._places = {place: row for row, place in enumerate(places)}


def _part(table: Table, rows: Sequence[int], distances: bool) -> Table:
    """Return the rows and columns of some of a table's places, in the order given."""
    chosen = np.array(rows, dtype=np.intp)
    square = np.ix_(chosen, chosen)
    metres = table.distances[square] if distances and table.distances is not None else None
    return Table(table.durations[square], table.snapped_m[chosen], metres)

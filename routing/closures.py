"""Takes closed roads out of an OSM extract: whole ways by their id, and whatever runs through a drawn polygon."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import osmium
from osmium import osm
from osmium.filter import EntityFilter

type Ring = tuple[tuple[float, float], ...]
"""Corners of a polygon, (longitude, latitude) in degrees; the last may repeat the first."""

type Corners = npt.NDArray[np.float64]
"""Points in rows of longitude and latitude."""

CORNERS_MAX = 2000
"""Corners of one polygon; the outline of a commune has a few hundred."""

ROAD_KEYS = ("highway", "route")
"""Tags of the ways that people travel on; `route` is for ferries."""


class ClosureError(ValueError):
    """A closure makes no sense; the message begins with the way or the polygon (counted from 1) and says why."""


@dataclass(frozen=True, slots=True)
class Closures:
    """What is shut: ways by their OSM id, from end to end, and polygons.

    A polygon shuts every stretch of road that touches it, from one OSM node to the next (in Hưng Yên 85 m in the
    median); the rest of the road stays open. Raises ClosureError for a polygon of less than 3 or more than
    CORNERS_MAX corners, one that encloses nothing or crosses itself, and for numbers that are no place on Earth.
    """

    ways: frozenset[int] = frozenset()
    polygons: tuple[Ring, ...] = ()

    def __post_init__(self) -> None:
        for number, ring in enumerate(self.polygons, 1):
            reason = _wrong_with(ring)
            if reason:
                raise ClosureError(f"polygon {number}: {reason}")

    def __bool__(self) -> bool:
        return bool(self.ways or self.polygons)

    @property
    def key(self) -> str:
        """The same text for the same closures, whatever their order."""
        rings = sorted(_corners(ring).tolist() for ring in self.polygons)
        return f"{sorted(self.ways)} {rings}" if self else ""


def cut(extract: Path, closures: Closures, target: Path) -> None:
    """Write the extract to `target` (same format by its name) without the closed stretches of road.

    A way that is shut in the middle becomes several: the first piece keeps its id, the others get new ones, and turn
    restrictions follow the piece that reaches their crossing. Raises ClosureError for a way that is no road of this
    extract, a polygon that no road touches, and closures that leave no road at all.
    """
    # The engine can also shut stretches of a finished graph (speed 0), but then whoever stands on the open rest of such
    # a road, up to the next crossing, cannot leave it. Roads that are not in the extract trap nobody.
    roads = _read_roads(extract)
    shut = _shut(roads, closures, extract.name)
    if shut.all():
        raise ClosureError("the closures leave no road open")
    ways = roads.way[shut]
    closed = {int(way): {int(p) for p in roads.position[shut][ways == way]} for way in np.unique(ways)}
    _rewrite(extract, target, closed, roads.highest_id + 1)


def faults(extract: Path, each: Sequence[Closures]) -> dict[int, str]:
    """Return, by their place in the list, which closures cannot be cut out of this extract by themselves, and why."""
    roads = _read_roads(extract)
    found: dict[int, str] = {}
    for place, closures in enumerate(each):
        try:
            if _shut(roads, closures, extract.name).all():
                raise ClosureError("leaves no road open")
        except ClosureError as error:
            found[place] = str(error)
    return found


def _wrong_with(ring: Ring) -> str | None:
    if len(ring) > CORNERS_MAX:
        return f"has {len(ring)} corners, more than {CORNERS_MAX}"
    for point in ring:
        if len(point) != 2 or not all(map(math.isfinite, point)) or abs(point[0]) > 180 or abs(point[1]) > 90:
            return f"{point} is no longitude and latitude"
    corners = _corners(ring)
    if len(corners) < 3:
        return "needs 3 corners at least"
    ends = np.roll(corners, -1, axis=0)
    if not abs(np.sum(corners[:, 0] * ends[:, 1] - ends[:, 0] * corners[:, 1])) > 0:
        return "encloses nothing"
    for i in range(len(corners) - 2):
        # Neighbours meet by right; the last side is a neighbour of the first.
        others = slice(i + 2, len(corners) - (i == 0))
        met = np.flatnonzero(_meets(corners[others], ends[others], corners[i], ends[i]))
        if len(met):
            return f"crosses itself: the sides from corners {i + 1} and {i + 3 + int(met[0])} meet"
    return None


def _corners(ring: Ring) -> Corners:
    """Drop corners that the next one repeats; the first is next to the last."""
    points: Corners = np.array(ring, dtype=np.float64).reshape(-1, 2)
    new: npt.NDArray[np.bool_] = (points != np.roll(points, -1, axis=0)).any(axis=1)
    return points[new]


@dataclass(frozen=True, slots=True)
class _Roads:
    """All stretches of road: way id, position in the way (0 is from its first node to its second), both ends."""

    way: npt.NDArray[np.int64]
    position: npt.NDArray[np.int64]
    start: Corners
    end: Corners
    highest_id: int
    """Of all ways, roads or not."""


def _read_roads(extract: Path) -> _Roads:
    keys: list[tuple[int, int]] = []
    ends: list[tuple[float, float, float, float]] = []
    highest_id = 0
    ways: Iterable[Any] = osmium.FileProcessor(str(extract)).with_locations().with_filter(EntityFilter(osm.WAY))
    for way in ways:
        highest_id = max(highest_id, way.id)
        if any(key in way.tags for key in ROAD_KEYS):
            line = [_place(node) for node in way.nodes]
            keys += ((way.id, position) for position in range(len(line) - 1))
            ends += (a + b for a, b in pairwise(line))
    way_and_position = np.array(keys, dtype=np.int64).reshape(-1, 2)
    points = np.array(ends, dtype=np.float64).reshape(-1, 4)
    return _Roads(way_and_position[:, 0], way_and_position[:, 1], points[:, :2], points[:, 2:], highest_id)


def _place(node: Any) -> tuple[float, float]:
    """Return where a way's node lies; one that was cut off with the extract's edge lies nowhere (NaN)."""
    return (node.lon, node.lat) if node.location.valid() else (math.nan, math.nan)


def _shut(roads: _Roads, closures: Closures, name: str) -> npt.NDArray[np.bool_]:
    unknown = closures.ways - set(roads.way.tolist())
    if unknown:
        raise ClosureError(f"way {min(unknown)}: {name} has no road of this id")
    shut: npt.NDArray[np.bool_] = np.isin(roads.way, list(closures.ways))
    for number, ring in enumerate(closures.polygons, 1):
        touched = _touches(roads.start, roads.end, _corners(ring))
        if not touched.any():
            raise ClosureError(f"polygon {number}: touches no road of {name}")
        shut |= touched
    return shut


def _touches(start: Corners, end: Corners, corners: Corners) -> npt.NDArray[np.bool_]:
    """Return which of the lines from `start` to `end` touch the polygon: they begin inside or meet one of its sides."""
    near = (np.minimum(start, end) <= corners.max(axis=0)) & (np.maximum(start, end) >= corners.min(axis=0))
    touched: npt.NDArray[np.bool_] = near.all(axis=1)
    here = np.flatnonzero(touched)
    a, b = start[here], end[here]
    inside = np.zeros(len(here), dtype=np.bool_)
    met = np.zeros(len(here), dtype=np.bool_)
    for p, q in zip(corners, np.roll(corners, -1, axis=0), strict=True):
        met |= _meets(a, b, p, q)
        # A ray to the east crosses the sides an odd number of times from inside (Shimrat 1962).
        spans = (p[1] > a[:, 1]) != (q[1] > a[:, 1])
        if spans.any():
            inside ^= spans & (a[:, 0] < p[0] + (a[:, 1] - p[1]) / (q[1] - p[1]) * (q[0] - p[0]))
    touched[here] = inside | met
    return touched


def _meets(a: Corners, b: Corners, p: Corners, q: Corners) -> npt.NDArray[np.bool_]:
    """Return which of the lines from rows of a to rows of b have a point in common with the line from p to q."""
    a_side, b_side = _side(p, q, a), _side(p, q, b)
    p_side, q_side = _side(a, b, p), _side(a, b, q)
    apart = (np.maximum(a, b) < np.minimum(p, q)).any(axis=1) | (np.minimum(a, b) > np.maximum(p, q)).any(axis=1)
    met: npt.NDArray[np.bool_] = (a_side * b_side <= 0) & (p_side * q_side <= 0) & ~apart
    return met


def _side(p: Corners, q: Corners, x: Corners) -> npt.NDArray[np.float64]:
    """Return +1, 0 or -1 for x on the left of, on, or on the right of the line from p to q."""
    cross = (q[..., 0] - p[..., 0]) * (x[..., 1] - p[..., 1]) - (q[..., 1] - p[..., 1]) * (x[..., 0] - p[..., 0])
    side: npt.NDArray[np.float64] = np.sign(cross)
    return side


def _rewrite(extract: Path, target: Path, closed: Mapping[int, set[int]], first_new_id: int) -> None:
    new_ids = count(first_new_id)
    pieces: dict[int, list[tuple[int, list[int]]]] = defaultdict(list)
    items: Iterable[Any] = osmium.FileProcessor(str(extract))
    with osmium.SimpleWriter(str(target)) as writer:
        for item in items:
            if item.is_way() and item.id in closed:
                for refs in _open_pieces([node.ref for node in item.nodes], closed[item.id]):
                    id_ = next(new_ids) if pieces[item.id] else item.id
                    pieces[item.id].append((id_, refs))
                    writer.add_way(item.replace(id=id_, nodes=refs))
            elif item.is_relation() and item.tags.get("type") == "restriction":
                writer.add_relation(item.replace(members=_members(item.members, pieces)))
            else:
                writer.add(item)


def _open_pieces(refs: Sequence[int], closed: set[int]) -> Iterator[list[int]]:
    """Split a way's nodes at its closed stretches; a piece has two nodes at least."""
    piece = [refs[0]]
    for position, ref in enumerate(refs[1:]):
        if position not in closed:
            piece.append(ref)
            continue
        if len(piece) > 1:
            yield piece
        piece = [ref]
    if len(piece) > 1:
        yield piece


def _members(
    members: Sequence[Any], pieces: Mapping[int, Sequence[tuple[int, Sequence[int]]]]
) -> list[tuple[str, int, str]]:
    """Point a restriction at the pieces that reach its crossing."""
    crossings = {m.ref for m in members if m.type == "n" and m.role == "via"}
    return [
        (m.type, _piece_at(crossings, pieces[m.ref], m.ref) if m.type == "w" and m.ref in pieces else m.ref, m.role)
        for m in members
    ]


def _piece_at(crossings: set[int], pieces: Sequence[tuple[int, Sequence[int]]], otherwise: int) -> int:
    return next((id_ for id_, refs in pieces if not crossings.isdisjoint(refs)), otherwise)

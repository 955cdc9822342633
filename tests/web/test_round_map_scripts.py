"""The pure parts of the courier's map, run in node: the way from stop to stop, stops out of turn, tiles to be kept."""

import math
import random
import re
from datetime import datetime
from itertools import pairwise
from typing import Any

import pytest

from courier_api.web.tiles import MAX_ZOOM
from routing.problem import Location
from routing.travel import GreatCircle
from tests.web import node

run = node.script("round_map.mjs")
TEMPLATE = "/tiles/{z}/{x}/{y}.mvt?v=0f1e"
OFFICE = (106.0590, 20.6560)
KM = 0.01 / 1.1119508  # degrees of latitude
EAST_KM = KM / math.cos(math.radians(OFFICE[1]))


def at(east_km: float, north_km: float = 0) -> tuple[float, float]:
    """A place so far from the office."""
    return OFFICE[0] + east_km * EAST_KM, OFFICE[1] + north_km * KM


def line(*places: tuple[float, float]) -> dict[str, Any]:
    return {"type": "LineString", "coordinates": [list(place) for place in places]}


def point(place: tuple[float, float]) -> dict[str, float]:
    return {"lon": place[0], "lat": place[1]}


def along(line: Any, *places: tuple[float, float]) -> Any:
    return run({"do": "along", "line": line, "places": [point(place) for place in places]})[0]


def test_the_way_between_stops_is_as_long_as_the_line_between_them() -> None:
    bent = line(at(0), at(3), at(3, 4), at(10, 4))
    assert along(bent, at(0), at(2, 0.05), at(3.02, 1), at(8, 3.95)) == pytest.approx([2000, 2000, 8000], abs=15)


def test_a_road_ridden_out_and_back_is_met_in_the_order_of_the_stops() -> None:
    there_and_back = line(at(0), at(10), at(0))
    assert along(there_and_back, at(0), at(3), at(10), at(4), at(0)) == pytest.approx([3000, 7000, 6000, 4000], abs=15)
    # The nearest place of the line for the second would lie before the first.
    assert along(there_and_back, at(8), at(5), at(0)) == pytest.approx([7000, 5000], abs=30)
    # Either time would do: the first counts.
    assert along(there_and_back, at(0), at(3)) == pytest.approx([3000], abs=15)


def test_a_crossing_passed_twice_is_told_apart_by_what_comes_before_and_after() -> None:
    eight = line(at(0), at(4), at(4, 2), at(2, 2), at(2, -2))
    assert along(eight, at(0), at(2), at(4, 1), at(2, 0.001), at(2, -2)) == pytest.approx(
        [2000, 3000, 5000, 2000], abs=30
    )


def test_without_a_line_it_is_straight_times_a_detour() -> None:
    places = [at(0), at(2, 1), at(-4, 3)]
    table = GreatCircle(detour=1.3).table([Location(str(n), *place) for n, place in enumerate(places)], distances=True)
    assert table.distances is not None
    expected = [int(table.distances[0, 1]), int(table.distances[1, 2])]
    for nothing in (None, line(), line(at(0))):
        assert along(nothing, *places) == pytest.approx(expected, abs=2)
    assert along(None) == along(None, at(0)) == along(line(at(0), at(1)), at(0)) == []


def test_where_the_line_does_not_go_it_is_straight_and_the_other_ways_keep_to_the_line() -> None:
    winding = line(at(0), at(0, 2), at(4, 2), at(4, 0))
    assert along(winding, at(0), at(2, 2), at(2, -3), at(4, 0)) == pytest.approx(
        [4000, 6500, round(1300 * math.hypot(2, 3))], rel=0.002
    )
    assert along(winding, at(0), at(4, 0)) == pytest.approx([8000], abs=15)
    # Two that were put in far ahead do not drag those after them along.
    added = along(line(at(0), at(10)), at(2), at(9.5, 0.6), at(9.4, 0.6), at(4), at(6))
    assert added[-1] == pytest.approx(2000, abs=15)


def test_ways_are_never_shorter_than_straight_nor_together_longer_than_the_line() -> None:
    chance = random.Random(7)
    cases, ends = [], []
    for _ in range(40):
        walk, here = [at(0)], (0.0, 0.0)
        for _ in range(60):
            here = (here[0] + chance.uniform(-0.4, 0.4), here[1] + chance.uniform(-0.4, 0.4))
            walk.append(at(*here))
        places = [walk[n] for n in sorted(chance.sample(range(61), 12))]
        cases.append({"do": "along", "line": line(*walk), "places": [point(place) for place in places]})
        ends.append((walk, places))
    for (walk, places), found in zip(ends, run(*cases), strict=True):
        length = sum(metres(a, b) for a, b in pairwise(walk))
        assert sum(found) <= length + len(found)
        for (a, b), way in zip(pairwise(places), found, strict=True):
            assert way >= metres(a, b) - 2


def metres(a: tuple[float, float], b: tuple[float, float]) -> float:
    return 1000 * math.hypot((a[0] - b[0]) / EAST_KM, (a[1] - b[1]) / KM)


def clock(hour: int, minute: int = 0) -> str:
    return f"2026-11-30T{hour:02}:{minute:02}:00+07:00"


def stop(position: int, place: tuple[float, float], begins: str, ends: str, **more: Any) -> dict[str, Any]:
    job = {"point": point(place), "window_start": None, "window_end": None} | more.pop("job", {})
    times = {"arrival": begins, "service_start": begins, "departure": ends}
    return {"id": f"s{position}", "position": position, "state": "pending", "job": job} | times | more


def waits(stops: list[dict[str, Any]], chosen: dict[str, Any], **more: Any) -> list[tuple[int, bool, str]]:
    found = run({"do": "order", "stops": stops, "chosen": chosen, **more})[0]
    return [(one["position"], one["at_risk"], one["expected"]) for one in found]


def test_stops_passed_over_are_named_with_the_windows_that_would_be_missed() -> None:
    # 10 km there and back at 30 km/h with detours, and ten minutes at the door: about an hour.
    stops = [
        stop(1, at(1), clock(8), clock(8, 10), state="completed"),
        stop(2, at(0), clock(8, 20), clock(8, 30), job={"window_start": clock(8), "window_end": clock(9)}),
        stop(3, at(0, 1), clock(8, 35), clock(8, 45), job={"window_start": clock(8), "window_end": clock(10)}),
        stop(4, at(0, 2), clock(8, 50), clock(9)),
        stop(5, at(10), clock(10), clock(10, 10)),
        stop(6, at(11), clock(10, 15), clock(10, 25)),
    ]
    found = waits(stops, stops[4])
    assert [(position, risk) for position, risk, _ in found] == [(2, True), (3, False), (4, False)]
    late = datetime.fromisoformat(found[0][2]) - datetime.fromisoformat(clock(8, 20))
    assert late.total_seconds() == pytest.approx(60 * (26 + 10 + 26), abs=10)
    assert waits(stops, stops[1]) == []
    assert [position for position, *_ in waits(list(reversed(stops)), stops[5])] == [2, 3, 4, 5]


def test_a_courier_who_leaves_earlier_or_from_near_by_misses_no_window() -> None:
    window = {"window_start": clock(8), "window_end": clock(9)}
    first, far = stop(1, at(0), clock(8, 50), clock(9), job=window), stop(2, at(5), clock(9, 20), clock(9, 30))
    assert waits([first, far], far)[0][1]
    early = 1000 * 60 * 60 * 24 * 20787  # 2026-11-30T00:00Z, 7:00 there
    assert waits([first, far], far, now=early, **{"from": point(at(5))}) == [(1, False, "2026-11-30T01:00:00.000Z")]


def test_time_until_the_chosen_one_s_window_opens_is_waited_for() -> None:
    first = stop(1, at(0), clock(8), clock(8, 5), job={"window_start": None, "window_end": clock(10)})
    late = stop(2, at(0.5), clock(11), clock(11, 5), job={"window_start": clock(11), "window_end": clock(12)})
    [(_, risk, expected)] = waits([first, late], late)
    assert risk
    assert expected > "2026-11-30T04:05"


def tile_at(lon: float, lat: float, z: int) -> tuple[float, float]:
    north = math.asinh(math.tan(math.radians(lat))) / math.pi
    return (lon + 180) / 360 * 2**z, (1 - north) / 2 * 2**z


def tiles(**case: Any) -> list[tuple[int, int, int]]:
    urls = run({"do": "tiles", "template": TEMPLATE, **case})[0]
    found = [re.fullmatch(r"/tiles/(\d+)/(\d+)/(\d+)\.mvt\?v=0f1e", url) for url in urls]
    assert len(set(urls)) == len(urls)
    return [(int(m[1]), int(m[2]), int(m[3])) for m in found if m]


ROUND = {
    "line": line(at(0), at(12), at(12, 9), at(0)),
    "stops": [{"job": {"point": point(place)}} for place in (at(3, 0.3), at(12, 9), at(-2, 4))],
    "office": {"point": point(OFFICE)},
}


def test_line_and_stops_lie_on_tiles_of_every_zoom_with_half_a_screen_around() -> None:
    found = set(tiles(round=ROUND))
    assert len(found) <= 400
    assert {z for z, *_ in found} == set(range(8, MAX_ZOOM + 1))
    corners = [at(0), at(12), at(12, 9), at(0)]
    on_line = [
        tuple(a + (b - a) * n / 100 for a, b in zip(from_, to, strict=True))
        for from_, to in pairwise(corners)
        for n in range(101)
    ]
    for lon, lat in [*on_line, at(3, 0.3), at(12, 9), at(-2, 4)]:
        for z in range(8, MAX_ZOOM + 1):
            x, y = tile_at(lon, lat, z)
            for aside, down in ((0, 0), (0.6, 0), (-0.6, 0), (0, 0.6), (0, -0.6)):
                assert (z, int(x + aside), int(y + down)) in found


def test_too_many_tiles_lose_the_deep_ones_and_the_stops_keep_theirs() -> None:
    long_way = ROUND | {"line": line(at(0), at(0, 60), at(60, 60), at(60, 0), at(0))}
    whole = tiles(round=long_way, most=100_000)
    found = tiles(round=long_way)
    assert len(found) == 400 < len(whole)
    assert found == whole[:400]
    for z in range(8, 13):
        assert {t for t in whole if t[0] == z} <= set(found)
    few = set(tiles(points=[at(3), at(30), at(60)], zooms=[14], most=3))
    assert few == {(14, *map(int, tile_at(*place, 14))) for place in (at(3), at(30), at(60))}


def test_tiles_outside_the_ground_and_outside_the_world_are_not_asked_for() -> None:
    west, south, east, north = *at(-1, -1), *at(4, 4)
    inside = tiles(round=ROUND, bounds=[west, south, east, north], zooms=[13])
    assert inside
    left, top = (math.floor(n) for n in tile_at(west, north, 13))
    right, bottom = (math.ceil(n) for n in tile_at(east, south, 13))
    assert all(left <= x < right and top <= y < bottom for _, x, y in inside)
    assert len(inside) < len(tiles(round=ROUND, zooms=[13]))
    for edge in ([180, 0], [-180, 0], [0, 85.05], [0, -85.05]):
        assert all(0 <= x < 2**9 and 0 <= y < 2**9 for _, x, y in tiles(points=[edge], zooms=[9]))
    assert tiles(points=[]) == tiles(round={"line": None, "stops": [], "office": None}) == []

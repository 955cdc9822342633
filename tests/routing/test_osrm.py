"""The graph is built once, whole or not at all; the motorbike keeps off motorways and takes lanes, tracks and paths."""

from __future__ import annotations

import math
import threading
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import extracts
import numpy as np
import pytest
from osmium import FileProcessor

from routing import graph
from routing.graph import FILE_LIST, SPEEDS_KMH
from routing.osrm import GraphError, Leg, NoWay, Osrm, _blocks, build_graph
from routing.osrm_cache import CachedOsrm
from routing.problem import Location
from routing.travel import UNREACHABLE, Table

ROOT = Path(__file__).parents[2]
HUNG_YEN = ROOT / "scripts" / "data" / "hung_yen" / "roads.osm.pbf"
REAL = [
    ROOT.parent / "shared" / "data" / name
    for name in ("osm_hanoi_center_2023-12-13.osm.pbf", "osm_namdinh_rural_2024-05-13.osm.pbf")
]

# A ladder: nodes 1-2-3-4 run east along the south, 5-6-7-8 along the north, 0.01 degrees (1.04 / 1.11 km) apart.
NODES = {1 + i + 4 * j: (106.0 + i / 100, 20.6 + j / 100) for j in range(2) for i in range(4)}


def osm(path: Path, *ways: extracts.Way) -> Path:
    """Write a tiny extract of the ladder's nodes and the given ways."""
    return extracts.write(path, NODES, {100 + n: way for n, way in enumerate(ways)})


def spot(node: int) -> Location:
    return Location(str(node), *NODES[node])


RUNGS: tuple[extracts.Way, ...] = (
    ([1, 2, 3, 4], {"highway": "motorway"}),
    ([1, 5], {"highway": "service", "man_made": "dyke"}),
    ([5, 6], {"highway": "trunk", "maxspeed": "100"}),
    ([6, 7], {"highway": "primary", "oneway": "yes"}),
    ([7, 6], {"highway": "track"}),
    ([7, 8], {"highway": "path"}),
    ([8, 4], {"highway": "residential", "maxspeed": "10"}),
    ([3, 7], {"highway": "path", "motor_vehicle": "no"}),
    ([2, 6], {"highway": "footway", "motorcycle": "yes"}),
)


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return osm(tmp_path_factory.mktemp("ladder") / "ladder.osm", *RUNGS)


@pytest.fixture(scope="module")
def ladder(extract: Path) -> Osrm:
    return Osrm(build_graph(extract, extract.parent / "graphs"), max_snap_m=300)


def kmh(roads: Osrm, a: int, b: int) -> float:
    (leg,) = roads.geometry([NODES[a], NODES[b]])
    return leg.distance_m / leg.duration_s * 3.6


def test_speeds_by_class(ladder: Osrm) -> None:
    assert kmh(ladder, 1, 5) == pytest.approx(20, rel=0.03)
    assert kmh(ladder, 5, 6) == pytest.approx(50, rel=0.03)  # not the 100 that is allowed
    assert kmh(ladder, 6, 7) == pytest.approx(45, rel=0.03)
    assert kmh(ladder, 7, 6) == pytest.approx(15, rel=0.03)  # against the one-way: back along the track
    assert kmh(ladder, 7, 8) == pytest.approx(10, rel=0.03)
    assert kmh(ladder, 8, 4) == pytest.approx(10, rel=0.03)
    assert kmh(ladder, 2, 6) == pytest.approx(10, rel=0.03)


def test_speeds_and_factors_are_settings(extract: Path) -> None:
    graphs = extract.parent / "graphs"
    base = build_graph(extract, graphs, speeds={"trunk": 60, "path": 6}, factors={"trunk": 0.5, "residential": 0.5})
    with Osrm(base) as roads:
        assert kmh(roads, 5, 6) == pytest.approx(30, rel=0.03)  # half of 60
        assert kmh(roads, 6, 5) == pytest.approx(30, rel=0.03)
        assert kmh(roads, 7, 8) == pytest.approx(6, rel=0.03)
        assert kmh(roads, 8, 4) == pytest.approx(5, rel=0.03)  # half of the 10 that is allowed
        assert kmh(roads, 1, 5) == pytest.approx(20, rel=0.03)  # as usual
    usual = build_graph(extract, graphs)
    assert base != usual
    assert build_graph(extract, graphs, speeds=SPEEDS_KMH, factors={"path": 1.0}) == usual


@pytest.mark.parametrize(
    ("settings", "reason"),
    [
        ({"speeds": {"motorway": 80}}, "speed of motorway: no such road class"),
        ({"factors": {"lane": 0.5}}, "factor of lane: no such road class"),
        ({"speeds": {"trunk": 0}}, "speed of trunk: must be above 0 and at most 120, not 0"),
        ({"speeds": {"trunk": 900}}, "speed of trunk: .* not 900"),
        ({"factors": {"path": -1.0}}, "factor of path: must be above 0 and at most 3, not -1"),
        ({"factors": {"path": math.nan}}, "factor of path: .* not nan"),
    ],
)
def test_senseless_speeds(extract: Path, settings: Mapping[str, Mapping[str, int]], reason: str) -> None:
    with pytest.raises(ValueError, match=reason):
        build_graph(extract, extract.parent / "graphs", **settings)  # type: ignore[arg-type]  # either of the two


def test_motorways_are_closed(ladder: Osrm) -> None:
    table = ladder.table([spot(1), spot(4)])
    straight_s = 3130 / (50 / 3.6)
    assert table.durations[0, 1] > 2 * straight_s
    # Only a motorway and a closed path touch node 3: off the network.
    table = ladder.table([spot(1), spot(3), spot(4)])
    assert table.snapped_m[1] > 300
    assert table.durations[1].tolist() == [UNREACHABLE, 0, UNREACHABLE]
    assert table.durations[:, 1].tolist() == [UNREACHABLE, 0, UNREACHABLE]


def test_table_in_blocks_is_the_table(ladder: Osrm, monkeypatch: pytest.MonkeyPatch) -> None:
    spots = [spot(n) for n in (1, 5, 6, 7, 8, 4)]
    whole = ladder.table(spots)
    assert whole.durations.dtype == np.int32
    assert (whole.durations[~np.eye(6, dtype=bool)] > 0).all()
    for cells in (1, 4, 12, 35, 36):
        monkeypatch.setattr("routing.osrm.CELLS_PER_BLOCK", cells)
        pieces = ladder.table(spots)
        assert (whole.durations == pieces.durations).all()
        assert (whole.snapped_m == pieces.snapped_m).all()


@pytest.mark.parametrize(("n", "cells"), [(0, 10), (1, 1), (5, 1), (5, 24), (5, 25), (100, 3000), (100, 5001)])
@pytest.mark.parametrize("old", [0, 1, 3, 99])
def test_blocks_cover_each_cell_once(n: int, cells: int, old: int) -> None:
    old = min(n, old)
    asked = np.zeros((n, n), dtype=int)
    asked[:old, :old] = 1
    for new in ((range(old, n), range(n)), (range(old), range(old, n))):
        for rows, columns in _blocks(*new, cells):
            asked[rows, columns] += 1
            assert len(range(n)[rows]) * len(range(n)[columns]) <= 1.1 * max(cells, 10)
    assert (asked == 1).all()


def test_a_table_grows_without_asking_again(ladder: Osrm, monkeypatch: pytest.MonkeyPatch) -> None:
    spots = [spot(n) for n in (1, 5, 3, 7, 8, 4)]
    whole = ladder.table(spots, distances=True)
    asked = count_cells(ladder, monkeypatch)
    for old in range(7):
        asked.clear()
        grown = ladder.extend(ladder.table(spots[:old], distances=True), spots)
        assert same(grown, whole)
        assert sum(asked) == 36


def count_cells(roads: Osrm, monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Note the size of every question put to OSRM."""
    asked: list[int] = []
    ask = Osrm._ask_table

    def counted(self: Osrm, coordinates: object, rows: range, columns: range, distances: bool) -> object:
        if self is roads:
            asked.append(len(rows) * len(columns))
        return ask(self, coordinates, rows, columns, distances)  # type: ignore[arg-type]  # passed on

    monkeypatch.setattr(Osrm, "_ask_table", counted)
    return asked


def same(a: Table, b: Table) -> bool:
    return (
        np.array_equal(a.durations, b.durations)
        and np.array_equal(a.snapped_m, b.snapped_m)
        and (a.distances is None) == (b.distances is None)
        and (a.distances is None or b.distances is None or np.array_equal(a.distances, b.distances))
    )


@pytest.fixture
def remembering(extract: Path) -> CachedOsrm:
    return CachedOsrm(build_graph(extract, extract.parent / "graphs"), max_snap_m=300, places_kept=5)


def test_what_was_asked_once_is_remembered(
    ladder: Osrm, remembering: CachedOsrm, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = count_cells(remembering, monkeypatch)

    def check(nodes: list[int], cells: int, distances: bool = False) -> None:
        asked.clear()
        spots = [spot(n) for n in nodes]
        assert same(remembering.table(spots, distances), ladder.table(spots, distances))
        assert sum(asked) == cells

    check([], 0)
    check([1, 5, 6], 9)
    check([6, 1], 0)
    check([6, 6, 1], 0)
    check([7, 1], 7)  # one row and one column beside three places
    check([1, 5], 4, distances=True)  # metres were not asked for before
    check([5, 1], 0)
    check([8, 4, 3, 5], 21)
    check([7, 8], 3)  # six places would be too many: only 8 is kept
    check([8], 0)
    check([1, 5, 6, 7, 8, 4], 36 - 4)  # more than are kept at any time
    check([4, 1], 0)


def test_what_is_remembered_is_nobodys_to_change(remembering: CachedOsrm) -> None:
    spots = [spot(1), spot(5)]
    first = remembering.table(spots)
    first.durations[:] = -1
    first.snapped_m[:] = -1
    again = remembering.table(spots)
    assert (again.durations >= 0).all()
    assert (again.snapped_m >= 0).all()


def test_threads_share_what_is_remembered(ladder: Osrm, extract: Path) -> None:
    roads = CachedOsrm(build_graph(extract, extract.parent / "graphs"), max_snap_m=300, places_kept=4)
    pairs = [[spot(a), spot(b), spot(c)] for a in (1, 5, 6) for b in (7, 8, 4) for c in (1, 8, 3)]
    with ThreadPoolExecutor(4) as threads:
        assert all(map(same, threads.map(roads.table, pairs * 4), [ladder.table(x) for x in pairs] * 4))


def test_few_or_equal_places(ladder: Osrm) -> None:
    nobody = ladder.table([], distances=True)
    assert nobody.durations.shape == (0, 0)
    assert nobody.distances is not None
    assert nobody.distances.shape == (0, 0)
    assert nobody.snapped_m.shape == (0,)
    assert ladder.table([spot(5)]).durations.tolist() == [[0]]
    twice = ladder.table([spot(5), spot(6), spot(5)], distances=True)
    assert twice.durations[0, 2] == twice.durations[2, 0] == 0
    assert twice.durations[0, 1] == twice.durations[2, 1] == pytest.approx(75, abs=2)


def test_far_and_impossible_places(ladder: Osrm) -> None:
    home = spot(5)
    far = [Location("null", 0, 0), Location("pole", 180, 90), Location("edge", -180, -90)]
    table = ladder.table([home, *far])
    assert table.off_network([home, *far], 300) == ("null", "pole", "edge")
    assert (table.durations[0, 1:] == UNREACHABLE).all()
    for lon, lat in ((181, 0), (0, 91), (math.nan, 20), (106, math.inf)):
        with pytest.raises(ValueError, match=r"location odd: .* is no longitude and latitude"):
            ladder.table([home, Location("odd", lon, lat)])


def test_threads_share_a_graph(ladder: Osrm) -> None:
    spots = [spot(n) for n in (1, 5, 6, 7, 8, 4)]
    whole = ladder.table(spots).durations
    with ThreadPoolExecutor(4) as threads:
        assert all((table.durations == whole).all() for table in threads.map(ladder.table, [spots] * 40))


def test_distances_are_those_of_the_fastest_way(ladder: Osrm) -> None:
    spots = [spot(n) for n in (1, 5, 6, 3)]
    assert ladder.table(spots).distances is None
    table = ladder.table(spots, distances=True)
    assert table.distances is not None
    assert table.distances.dtype == np.int32
    (leg,) = ladder.geometry([NODES[1], NODES[6]])
    assert table.distances[0, 2] == pytest.approx(leg.distance_m, abs=1)
    assert (table.durations == ladder.table(spots).durations).all()
    assert ((table.distances == UNREACHABLE) == (table.durations == UNREACHABLE)).all()
    assert table.distances[3].tolist() == [UNREACHABLE, UNREACHABLE, UNREACHABLE, 0]
    alone = ladder.table(spots[:1], distances=True).distances
    assert alone is not None
    assert alone.tolist() == [[0]]


def test_geometry_follows_the_road(ladder: Osrm) -> None:
    legs = ladder.geometry([NODES[1], NODES[5], NODES[6]])
    assert all(isinstance(leg, Leg) for leg in legs)
    assert [leg.points[0] for leg in legs] == [pytest.approx(NODES[1]), pytest.approx(NODES[5])]
    assert legs[-1].points[-1] == pytest.approx(NODES[6])
    assert legs[0].distance_m == pytest.approx(1112, abs=5)
    assert ladder.geometry([NODES[1]]) == []
    with pytest.raises(NoWay):
        ladder.geometry([(500.0, 100.0), NODES[1]])


def test_graph_is_built_once_and_rebuilt_for_other_roads(tmp_path: Path) -> None:
    extract = osm(tmp_path / "x.osm", ([1, 2], {"highway": "residential"}))
    base = build_graph(extract, tmp_path / "graphs")
    stamp = base.parent.stat().st_mtime_ns
    assert build_graph(extract, tmp_path / "graphs") == base
    assert base.parent.stat().st_mtime_ns == stamp
    osm(extract, ([1, 2, 3], {"highway": "residential"}))
    assert build_graph(extract, tmp_path / "graphs") != base
    assert len(list((tmp_path / "graphs").iterdir())) == 2


def test_failures_say_what_the_engine_said(tmp_path: Path) -> None:
    with pytest.raises(GraphError, match=r"osrm extract .* failed"):
        build_graph(osm(tmp_path / "empty.osm"), tmp_path / "graphs")
    (tmp_path / "broken.osm.pbf").write_bytes(b"rubbish")
    with pytest.raises(GraphError, match="PBF"):
        build_graph(tmp_path / "broken.osm.pbf", tmp_path / "graphs")
    assert list((tmp_path / "graphs").iterdir()) == []
    with pytest.raises(FileNotFoundError):
        build_graph(tmp_path / "none.osm.pbf", tmp_path / "graphs")
    with pytest.raises(GraphError, match="no contracted graph"):
        Osrm(tmp_path / "none" / "roads.osrm")


def test_a_graph_cut_short_is_named_and_built_again(tmp_path: Path) -> None:
    # OSRM itself crashes on some of these.
    extract = osm(tmp_path / "x.osm", ([1, 2], {"highway": "residential"}))
    base = build_graph(extract, tmp_path / "graphs")
    index = base.with_name(base.name + ".fileIndex")
    for harm in (lambda: index.write_bytes(index.read_bytes()[:-1]), index.unlink):
        harm()
        with pytest.raises(GraphError, match=r"roads\.osrm\.fileIndex missing or cut short"):
            Osrm(base)
        assert build_graph(extract, tmp_path / "graphs") == base
        with Osrm(base) as roads:
            assert 0 < roads.table([spot(1), spot(2)]).durations[0, 1] < UNREACHABLE
    # A graph from before there was a list of files still opens.
    base.with_name(FILE_LIST).unlink()
    Osrm(base).close()


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    extract = osm(tmp_path / "x.osm", ([1, 2], {"highway": "residential"}))
    (tmp_path / "file").write_text("no folder")
    for folder in (tmp_path / "file", tmp_path / "file" / "graphs"):
        with pytest.raises(GraphError, match=f"cannot build a graph in {folder}"):
            build_graph(extract, folder)


def test_two_builders_of_one_graph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    extract = osm(tmp_path / "x.osm", ([1, 2], {"highway": "residential"}))
    both_built = threading.Barrier(2)

    def publish_together(built: Path, target: Path) -> None:
        both_built.wait(60)
        graph_publish(built, target)

    graph_publish = graph._publish
    monkeypatch.setattr(graph, "_publish", publish_together)
    with ThreadPoolExecutor(2) as builders:
        bases = list(builders.map(lambda _: build_graph(extract, tmp_path / "graphs"), range(2)))
    assert bases[0] == bases[1]
    assert [path.name for path in (tmp_path / "graphs").iterdir()] == [bases[0].parent.name]
    with Osrm(bases[0]) as roads:
        assert roads.table([spot(1), spot(2)]).durations[0, 1] < UNREACHABLE


@pytest.mark.parametrize("extract", [HUNG_YEN, *REAL], ids=lambda path: path.name.partition(".")[0])
def test_whole_extracts(extract: Path, tmp_path: Path) -> None:
    if not extract.exists():
        pytest.skip(f"{extract.name} is not here")
    spots = [Location(str(node.id), node.lon, node.lat) for node in FileProcessor(str(extract)) if node.is_node()]
    spots = spots[:: max(1, len(spots) // 40)]
    with Osrm(build_graph(extract, tmp_path), max_snap_m=10**8) as roads:
        durations = roads.table(spots).durations
    reached = durations[durations != UNREACHABLE]
    assert len(reached) > 0.7 * durations.size
    assert 60 < reached.mean() < 3 * 3600

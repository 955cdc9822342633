"""The graph is built once, whole or not at all; the motorbike keeps off motorways and takes lanes, tracks and paths."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from osmium import FileProcessor

from routing.osrm import GraphError, Leg, NoWay, Osrm, build_graph
from routing.problem import Location
from routing.travel import UNREACHABLE

ROOT = Path(__file__).parents[2]
HUNG_YEN = ROOT / "scripts" / "data" / "hung_yen" / "roads.osm.pbf"
REAL = [
    ROOT.parent / "shared" / "data" / name
    for name in ("osm_hanoi_center_2023-12-13.osm.pbf", "osm_namdinh_rural_2024-05-13.osm.pbf")
]

# A ladder: nodes 1-2-3-4 run east along the south, 5-6-7-8 along the north, 0.01 degrees (1.04 / 1.11 km) apart.
NODES = {1 + i + 4 * j: (106.0 + i / 100, 20.6 + j / 100) for j in range(2) for i in range(4)}


def osm(path: Path, *ways: tuple[list[int], dict[str, str]]) -> Path:
    """Write a tiny extract of the ladder's nodes and the given ways."""
    nodes = "".join(f'<node id="{i}" lon="{x:.3f}" lat="{y:.3f}" version="1"/>' for i, (x, y) in NODES.items())
    lines = "".join(
        f'<way id="{100 + n}" version="1">'
        + "".join(f'<nd ref="{ref}"/>' for ref in refs)
        + "".join(f'<tag k="{k}" v="{v}"/>' for k, v in tags.items())
        + "</way>"
        for n, (refs, tags) in enumerate(ways)
    )
    path.write_text(f'<osm version="0.6">{nodes}{lines}</osm>')
    return path


def spot(node: int) -> Location:
    return Location(str(node), *NODES[node])


@pytest.fixture(scope="module")
def ladder(tmp_path_factory: pytest.TempPathFactory) -> Osrm:
    folder = tmp_path_factory.mktemp("ladder")
    extract = osm(
        folder / "ladder.osm",
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
    return Osrm(build_graph(extract, folder / "graphs"), max_snap_m=300)


def test_speeds_by_class(ladder: Osrm) -> None:
    def kmh(a: int, b: int) -> float:
        (leg,) = ladder.geometry([NODES[a], NODES[b]])
        return leg.distance_m / leg.duration_s * 3.6

    assert kmh(1, 5) == pytest.approx(20, rel=0.03)
    assert kmh(5, 6) == pytest.approx(50, rel=0.03)  # not the 100 that is allowed
    assert kmh(6, 7) == pytest.approx(45, rel=0.03)
    assert kmh(7, 6) == pytest.approx(15, rel=0.03)  # against the one-way: back along the track
    assert kmh(7, 8) == pytest.approx(10, rel=0.03)
    assert kmh(8, 4) == pytest.approx(10, rel=0.03)
    assert kmh(2, 6) == pytest.approx(10, rel=0.03)


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
    monkeypatch.setattr("routing.osrm.CELLS_PER_BLOCK", 12)
    pieces = ladder.table(spots)
    assert whole.durations.dtype == np.int32
    assert (whole.durations == pieces.durations).all()
    assert (whole.snapped_m == pieces.snapped_m).all()
    assert ladder.table([]).durations.shape == (0, 0)
    assert ladder.table(spots[:1]).durations.tolist() == [[0]]


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

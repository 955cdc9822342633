"""Closed is what was named or drawn and nothing else; nobody is trapped; what fits no road is refused by name."""

from __future__ import annotations

import math
from pathlib import Path

import extracts
import numpy as np
import pytest
from osmium import FileProcessor

from routing.closures import CORNERS_MAX, ClosureError, Closures, Ring, cut
from routing.osrm import Osrm, build_graph
from routing.problem import Location
from routing.travel import UNREACHABLE, Table

# Street 100 runs east over nodes 1 to 6, 1,041 m from each to the next; lane 101 is the long way round by node 7 in the
# north; lanes 102 and 103 lead north from both ends of the street.
NODES = {i: (106 + (i - 1) / 100, 20.6) for i in range(1, 7)} | {
    7: (106.025, 20.62),
    8: (106.0, 20.65),
    9: (106.05, 20.65),
}
WAYS: dict[int, extracts.Way] = {
    100: ([1, 2, 3, 4, 5, 6], {"highway": "residential"}),
    101: ([1, 7, 6], {"highway": "residential"}),
    102: ([1, 8], {"highway": "residential"}),
    103: ([6, 9], {"highway": "residential"}),
    104: ([7, 8, 9, 7], {"building": "yes"}),
}
EVERYWHERE = ((105.0, 20.0), (107.0, 20.0), (107.0, 21.0), (105.0, 21.0))


def box(west: float, south: float, east: float, north: float) -> Ring:
    return ((west, south), (east, south), (east, north), (west, north))


MIDDLE = box(106.023, 20.599, 106.027, 20.601)
"""Holds no node, only the street between nodes 3 and 4."""


@pytest.fixture(scope="module")
def extract(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return extracts.write(tmp_path_factory.mktemp("closures") / "street.osm", NODES, WAYS)


def asked(extract: Path, closures: Closures, max_snap_m: int = 100) -> Table:
    """The table of all nodes, by node id less one."""
    with Osrm(build_graph(extract, extract.parent / "graphs", closures=closures), max_snap_m=max_snap_m) as roads:
        return roads.table([Location(str(i), *place) for i, place in NODES.items()])


def lines(extract: Path, closures: Closures) -> dict[int, list[int]]:
    """What is left of the ways."""
    target = extract.parent / "cut.osm"
    target.unlink(missing_ok=True)
    cut(extract, closures, target)
    return {way.id: [node.ref for node in way.nodes] for way in FileProcessor(str(target)) if way.is_way()}


def test_a_polygon_shuts_the_stretches_it_touches(extract: Path) -> None:
    usual = {i: list(refs) for i, (refs, _) in WAYS.items()}
    assert lines(extract, Closures()) == usual
    assert lines(extract, Closures(polygons=(MIDDLE,))) == usual | {100: [1, 2, 3], 105: [4, 5, 6]}
    two = (box(106.004, 20.599, 106.005, 20.601), MIDDLE)
    assert lines(extract, Closures(polygons=two)) == usual | {100: [2, 3], 105: [4, 5, 6]}
    # A corner on the street's edge touches it; the building is left alone.
    at_two = ((106.01, 20.6), (106.012, 20.605), (106.008, 20.605))
    assert lines(extract, Closures(polygons=(at_two,))) == usual | {100: [3, 4, 5, 6]}
    around_eight = box(105.99, 20.64, 106.01, 20.66)
    assert lines(extract, Closures(polygons=(around_eight,))) == {i: refs for i, refs in usual.items() if i != 102}


def test_a_way_is_shut_from_end_to_end(extract: Path) -> None:
    left = lines(extract, Closures(ways=frozenset({100, 102})))
    assert left.keys() == {101, 103, 104}


def test_a_hollow_keeps_what_is_outside(extract: Path) -> None:
    # A U around the stretch from 3 to 4: its box covers the stretch, the polygon does not.
    hollow = (
        (106.0, 20.59),
        (106.05, 20.59),
        (106.05, 20.598),
        (106.022, 20.598),
        (106.022, 20.5995),
        (106.0, 20.5995),
    )
    with pytest.raises(ClosureError, match="polygon 1: touches no road"):
        lines(extract, Closures(polygons=(hollow,)))


def test_who_stands_beside_the_closure_is_not_trapped(extract: Path) -> None:
    usual, shut = asked(extract, Closures()), asked(extract, Closures(polygons=(MIDDLE,)))
    assert (shut.durations != UNREACHABLE).all()
    assert (shut.snapped_m == 0).all()
    # 3 to 4 is 1 km by the street, 13 km round by node 7.
    assert usual.durations[2, 3] == pytest.approx(171, abs=2)
    assert shut.durations[2, 3] == pytest.approx(1810, abs=30)
    assert shut.durations[3, 2] == pytest.approx(1810, abs=30)
    assert (shut.durations >= usual.durations).all()
    untouched = [0, 6, 7]
    assert (shut.durations[np.ix_(untouched, untouched)] == usual.durations[np.ix_(untouched, untouched)]).all()


def test_stops_inside_are_reached_from_the_edge_or_named(extract: Path) -> None:
    whole = Closures(ways=frozenset({100}))
    names = [Location(str(i), *place) for i, place in NODES.items()]
    near = asked(extract, whole, max_snap_m=3000)
    assert near.off_network(names, 3000) == ()
    assert (near.durations != UNREACHABLE).all()
    assert near.snapped_m[2] > 500
    strict = asked(extract, whole, max_snap_m=100)
    assert strict.off_network(names, 100) == ("2", "3", "4", "5")
    assert (strict.durations[2, [0, 5, 6]] == UNREACHABLE).all()
    assert strict.durations[0, 5] != UNREACHABLE


def test_a_small_island_is_left_aside(tmp_path: Path) -> None:
    """A town of one street with 700 lanes, and a hamlet beyond its end: with the causeway shut it has no road."""
    n = 700
    nodes = {1 + i: (106 + i / 10_000, 20.6) for i in range(n)}
    nodes |= {1 + n + i: (106 + i / 10_000, 20.601) for i in range(n)}
    nodes |= {9001: (106.075, 20.6), 9002: (106.077, 20.6)}
    road = {"highway": "residential"}
    ways: dict[int, extracts.Way] = {1: (range(1, n + 1), road)}
    ways |= {2 + i: ([1 + i, 1 + n + i], road) for i in range(n)}
    ways |= {900: ([n, 9001], road), 901: ([9001, 9002], road)}
    extract = extracts.write(tmp_path / "town.osm", nodes, ways)
    stops = [Location("town", *nodes[1]), Location("hamlet", *nodes[9002])]
    with Osrm(build_graph(extract, tmp_path / "graphs", closures=Closures(ways=frozenset({900})))) as roads:
        table = roads.table(stops)
    assert table.snapped_m[1] == pytest.approx(739, abs=5)  # to the end of the street
    assert table.durations[0, 1] != UNREACHABLE


def test_turn_restrictions_follow_the_piece_at_their_crossing(tmp_path: Path) -> None:
    """No left turn from the street into lane 103 at its east end, with the street shut further west too."""
    ban: extracts.Relation = (
        [("way", 100, "from"), ("node", 6, "via"), ("way", 103, "to")],
        {"type": "restriction", "restriction": "no_left_turn"},
    )
    extract = extracts.write(tmp_path / "banned.osm", NODES, WAYS, {1: ban})
    free = extracts.write(tmp_path / "free.osm", NODES, WAYS)
    west = Closures(polygons=(box(106.004, 20.599, 106.005, 20.601),))
    from_five_to_nine = (4, 8)
    for closures in (Closures(), west, Closures(polygons=(MIDDLE,))):
        assert (
            asked(extract, closures).durations[from_five_to_nine] > asked(free, closures).durations[from_five_to_nine]
        )


def test_the_same_closures_are_the_same_graph(extract: Path) -> None:
    graphs = extract.parent / "graphs"
    ring = tuple(reversed(MIDDLE))
    bases = [
        build_graph(extract, graphs, closures=closures)
        for closures in (
            Closures(),
            Closures(polygons=(MIDDLE, ring)),
            Closures(polygons=(ring, MIDDLE)),
            Closures(polygons=((*MIDDLE, MIDDLE[0]), ring)),
            Closures(ways=frozenset({102, 103})),
            Closures(ways=frozenset([103, 102])),
        )
    ]
    assert len(set(bases)) == 3
    assert bases[1] == bases[2] == bases[3]
    assert bases[4] == bases[5]


@pytest.mark.parametrize(
    ("ring", "reason"),
    [
        ((), "needs 3 corners"),
        (((106.0, 20.6), (106.1, 20.6)), "needs 3 corners"),
        (((106.0, 20.6), (106.1, 20.6), (106.0, 20.6)), "needs 3 corners|encloses nothing"),
        (((106.0, 20.6), (106.0, 20.6), (106.1, 20.6), (106.1, 20.6)), "needs 3 corners"),
        (((106.0, 20.6), (106.1, 20.6), (106.2, 20.6)), "encloses nothing"),
        (
            ((106.0, 20.6), (106.1, 20.7), (106.1, 20.6), (106.0, 20.75)),
            "crosses itself: the sides from corners 1 and 3",
        ),
        (((106.0, math.nan), (106.1, 20.7), (106.1, 20.6)), "no longitude and latitude"),
        (((20.6, 106.0), (20.7, 106.1), (20.6, 106.1)), "no longitude and latitude"),  # the wrong way round
        (((106.0,), (106.1, 20.7), (106.1, 20.6)), "no longitude and latitude"),
        (tuple((106 + math.cos(i), 20 + math.sin(i)) for i in range(CORNERS_MAX + 1)), "2001 corners, more than 2000"),
    ],
)
def test_senseless_polygons(ring: Ring, reason: str) -> None:
    with pytest.raises(ClosureError, match=rf"^polygon 2: .*({reason})"):
        Closures(polygons=(MIDDLE, ring))


def test_a_round_polygon_of_many_corners_is_none_of_these() -> None:
    turns = np.linspace(0, 2 * math.pi, CORNERS_MAX, endpoint=False)
    Closures(polygons=(tuple((106 + math.cos(t) / 100, 20.6 + math.sin(t) / 100) for t in turns),))


@pytest.mark.parametrize(
    ("closures", "reason"),
    [
        (Closures(ways=frozenset({100, 999})), "way 999: street.osm has no road of this id"),
        (Closures(ways=frozenset({104})), "way 104: street.osm has no road of this id"),
        (Closures(polygons=(MIDDLE, box(107, 21, 108, 22))), "polygon 2: touches no road of street.osm"),
        (Closures(polygons=(EVERYWHERE,)), "leave no road open"),
        (Closures(ways=frozenset({100, 101, 102, 103})), "leave no road open"),
    ],
)
def test_closures_that_do_not_fit_the_roads(extract: Path, closures: Closures, reason: str) -> None:
    before = sorted((extract.parent / "graphs").glob("*"))
    with pytest.raises(ClosureError, match=reason):
        build_graph(extract, extract.parent / "graphs", closures=closures)
    assert sorted((extract.parent / "graphs").glob("*")) == before

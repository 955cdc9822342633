"""Great-circle times and means over the parts of a day: known values, rounding that keeps the triangle inequality."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
from cases import Matrix, line, matrices, places
from hypothesis import given
from hypothesis import strategies as st

from routing.problem import Location
from routing.travel import DAY_S, UNREACHABLE, DayPart, DayParts, GreatCircle, Mean, Table


class Steps:
    """Places in a row, so many seconds and 100 m from one to the next; `cut` leaves no way between any."""

    def __init__(self, seconds: int, snapped_m: int = 0) -> None:
        self.seconds = seconds
        self.snapped_m = snapped_m
        self.cut = False
        self.source = f"steps of {seconds}"

    def table(self, locations: Sequence[Location], distances: bool = False) -> Table:
        index = np.arange(len(locations), dtype=np.int32)
        steps = abs(index[:, None] - index)
        durations = np.where((steps > 0) & self.cut, UNREACHABLE, steps * self.seconds).astype(np.int32)
        return Table(durations, np.full(len(locations), self.snapped_m, np.int32), steps * 100 if distances else None)


class Plain:
    """A written matrix, which knows no distances."""

    source = "matrix"

    def __init__(self, matrix: Matrix) -> None:
        self.matrix = matrix

    def table(self, locations: Sequence[Location], distances: bool = False) -> Table:
        return Table(self.matrix.durations.copy(), np.zeros(len(locations), dtype=np.int32))


def test_known_distance() -> None:
    # One degree of latitude is 111.195 km; at 60 km/h a kilometre takes a minute.
    table = GreatCircle(speed_kmh=60, detour=1).table((Location("a", 106, 20), Location("b", 106, 21)))
    assert table.durations.tolist() == [[0, 6672], [6672, 0]]
    assert table.durations.dtype == np.int32
    assert table.snapped_m.tolist() == [0, 0]


def test_distances_on_request() -> None:
    spots = (Location("a", 106, 20), Location("b", 106, 21))
    assert GreatCircle().table(spots).distances is None
    metres = GreatCircle(speed_kmh=60, detour=1.5).table(spots, distances=True).distances
    assert metres is not None
    assert metres.dtype == np.int32
    assert metres.tolist() == [[0, 166_793], [166_793, 0]]  # 1.5 x 111.195 km


def test_source_names_the_detour() -> None:
    assert GreatCircle().source == "great-circle x 1.35"


def test_triangle_inequality() -> None:
    rng = np.random.default_rng(1)
    spots = tuple(Location(str(i), *rng.uniform((105.9, 20.2), (106.5, 21.0))) for i in range(40))
    d = GreatCircle().table(spots).durations.astype(int)
    assert (d[:, :, None] <= d[:, None, :] + d.T[None, :, :]).all()


def test_empty_and_nonsense() -> None:
    assert GreatCircle().table(()).durations.shape == (0, 0)
    assert GreatCircle().table(places(1)).durations.tolist() == [[0]]
    with pytest.raises(ValueError, match="speed"):
        GreatCircle(speed_kmh=0)


def test_off_network_by_id() -> None:
    table = Table(np.zeros((3, 3), dtype=np.int32), np.array([0, 1001, 400], dtype=np.int32))
    assert table.off_network(places(3)) == ("L1",)
    assert table.off_network(places(3), max_snap_m=399) == ("L1", "L2")


def test_a_shift_in_one_part_has_its_times() -> None:
    calm, rush = GreatCircle(30), GreatCircle(15)
    day = DayParts([DayPart(0, 7 * 3600, calm), DayPart(9 * 3600, DAY_S, calm), DayPart(7 * 3600, 9 * 3600, rush)])
    assert day.during(7 * 3600, 9 * 3600) is rush
    assert day.during(9 * 3600, 12 * 3600) is calm
    assert day.during(20 * 3600, 30 * 3600) is calm  # past midnight
    assert day.during(-3600, 0) is calm


def test_a_shift_over_two_parts_has_the_mean() -> None:
    calm, rush = Steps(10), Steps(21)
    day = DayParts([DayPart(0, 9 * 3600, rush), DayPart(9 * 3600, DAY_S, calm)])
    both = day.during(8 * 3600, 11 * 3600)
    assert both.source == "mean of 3600 s of steps of 21, 7200 s of steps of 10"
    table = both.table(places(3), distances=True)
    # (21 + 2 x 10) / 3 = 13.67 and (42 + 2 x 20) / 3 = 27.33, both rounded up
    assert table.durations.tolist() == [[0, 14, 28], [14, 0, 14], [28, 14, 0]]
    assert table.durations.dtype == np.int32
    assert table.distances is not None
    assert table.distances.tolist() == [[0, 100, 200], [100, 0, 100], [200, 100, 0]]
    assert both.table(places(2)).distances is None
    # Two days and a half: 2 x 9 h + 3 h of rush against 2 x 15 h + 9 h of calm.
    week = day.during(6 * 3600, 66 * 3600)
    assert week.source.startswith(f"mean of {21 * 3600} s of steps of 21, {39 * 3600} s")


def test_the_mean_is_cautious() -> None:
    far = Steps(10)
    far.cut = True
    mean = Mean([(1, Steps(10, snapped_m=5)), (1000, far)])
    table = mean.table(places(2))
    assert table.durations.tolist() == [[0, UNREACHABLE], [UNREACHABLE, 0]]
    assert table.snapped_m.tolist() == [5, 5]


@given(matrices(5), matrices(5), st.integers(1, 10**5), st.integers(1, 10**5))
def test_the_mean_keeps_the_triangle_inequality(one: Matrix, other: Matrix, a: int, b: int) -> None:
    d = Mean([(a, Plain(one)), (b, Plain(other))]).table(places(5)).durations.astype(np.int64)
    assert (d[:, :, None] <= d[:, None, :] + d.T[None, :, :]).all()


@pytest.mark.parametrize(
    ("times", "message"),
    [
        ([], "end at 0"),
        ([(0, 100)], "end at 100"),
        ([(0, 50_000), (60_000, DAY_S)], "60000-86400 does not follow on 50000"),
        ([(0, 50_000), (40_000, DAY_S)], "40000-86400 does not follow"),
        ([(0, 0), (0, DAY_S)], "0-0 does not follow"),
    ],
)
def test_parts_fill_the_day(times: list[tuple[int, int]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        DayParts([DayPart(start, end, GreatCircle()) for start, end in times])


def test_senseless_shifts_and_means() -> None:
    with pytest.raises(ValueError, match="no length"):
        DayParts([DayPart(0, DAY_S, GreatCircle())]).during(100, 100)
    with pytest.raises(ValueError, match="more than 0 s"):
        Mean([])
    with pytest.raises(ValueError, match="more than 0 s"):
        Mean([(0, GreatCircle())])
    with pytest.raises(ValueError, match="matrix gives no distances"):
        Mean([(1, Plain(line(1, 2)))]).table(places(2), distances=True)

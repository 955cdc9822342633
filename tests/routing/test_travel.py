"""Great-circle times: known distances, rounding that keeps the triangle inequality."""

from __future__ import annotations

import numpy as np
import pytest
from cases import places

from routing.problem import Location
from routing.travel import GreatCircle


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

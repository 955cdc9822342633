"""The search's own dice."""

from __future__ import annotations

import numpy as np

from routing.kernel.arrays import Search, inlined


@inlined
def draw(search: Search) -> float:
    """Return a number in [0, 1): xorshift64* (Vigna 2016), kept in the search so that threads never share a state."""
    x = search.random[0]
    x ^= x >> np.uint64(12)
    x ^= x << np.uint64(25)
    x ^= x >> np.uint64(27)
    search.random[0] = x
    return np.float64((x * np.uint64(2685821657736338717)) >> np.uint64(11)) * (1.0 / 9007199254740992.0)


@inlined
def below(search: Search, n: int) -> int:
    """Return an integer in 0..n-1."""
    return int(draw(search) * n)

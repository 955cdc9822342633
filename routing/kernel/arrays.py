"""The arrays that the compiled search works on, and how a function is compiled."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from pathlib import Path
from typing import Any, NamedTuple, cast

import numba
import numpy as np
import numpy.typing as npt

type Records = Any
"""An array of records, (n,): `records[i].field`."""
type Ints = npt.NDArray[np.int64]
type SmallInts = npt.NDArray[np.int32]
type Flags = npt.NDArray[np.bool_]
type Bytes = npt.NDArray[np.int8]
type Words = npt.NDArray[np.uint64]
type Floats = npt.NDArray[np.float64]

NONE = -1
NEVER = 2**40
"""A moment after everything, a price nobody pays; sums of a few of it still fit 64 bits."""

# What a request alone on a courier's round comes to; the larger, the nearer to being served.
NO_SKILL, GONE, TOO_BIG, NO_ROAD, WINDOW_MISSED, TOO_LONG, SHIFT_OVER, FITS = range(8)

# Lone pickups stay on board to the end, lone deliveries are loaded at the start, pairs are on board in between, and
# what a courier carries already can only come off.
PICKUP, DELIVERY, PAIR, CARRIED = range(4)

# Indices into Search.total.
COST, ABSENT, TOUCHED, BEST_COST, BEST_ABSENT, SAVED, STOPS, USED, STAMP = range(9)

# First index of Search.load: leaving the node; the most from the start up to it; the most from it to the end.
AT, BEFORE, AFTER = range(3)

NEAR_REQUESTS = 60
NEAR_STOPS = 60
NEAR_GROUPS = 6


def _use_own_cache() -> None:
    """Keep machine code by a hash of these sources.

    Numba looks at a function's own file alone when it decides whether its machine code is still good; what the function
    calls from other files could be years older.
    """
    here = Path(__file__).parent
    digest = hashlib.sha256(b"".join(path.read_bytes() for path in sorted(here.glob("*.py")))).hexdigest()[:12]
    config: Any = numba.config
    config.CACHE_DIR = str(Path(config.CACHE_DIR or here / "__pycache__") / f"kernel-{digest}")


_use_own_cache()


def compiled[F: Callable[..., Any]](function: F) -> F:
    """Compile a function with numba, keep the machine code on disk, keep the type for the reader and the checker.

    Nothing compiled here allocates, so numba's reference counting is off: it took three quarters of the time.
    """
    # `_nrt` is missing from numba's own type stubs.
    options: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy", "_nrt": False}
    return cast(F, numba.njit(**options)(function))


def inlined[F: Callable[..., Any]](function: F) -> F:
    """Compile a function into whatever calls it: for the innermost loop, where a call costs more than the work."""
    options: dict[str, Any] = {"cache": True, "nogil": True, "error_model": "numpy", "_nrt": False, "forceinline": True}
    return cast(F, numba.njit(**options)(function))


@compiled
def transpose(matrix: SmallInts, turned: SmallInts) -> None:
    """Write a matrix transposed, square by square: whole columns would miss the cache at every cell."""
    rows, columns = matrix.shape
    for top in range(0, rows, 32):
        for left in range(0, columns, 32):
            for i in range(top, min(top + 32, rows)):
                for j in range(left, min(left + 32, columns)):
                    turned[j, i] = matrix[i, j]


def _records(**fields: str) -> np.dtype[np.void]:
    """Return a record type: a name to each letter of numpy's (i 64-bit integer, b true or false, f float)."""
    letters = {"i": np.int64, "b": np.bool_, "f": np.float64}
    return np.dtype([(name, letters[letter]) for name, letter in fields.items()], align=True)


# Records keep what is read together in one line of the processor's cache, and the number of arrays small: numba hands
# every array of the two tuples below from call to call in nine registers of its own.
GIVEN_NODE = _records(
    place="i",  # location; of a break, where the courier happens to be: see NODE
    address="i",  # place, but of its own for couriers' nodes: leaving the office never saves a set-up
    service="i",  # seconds; of a break, its duration
    setup="i",  # seconds
    last_close="i",
    due="i",  # deadline that may be broken, NEVER for none
    late_price="i",  # for each second after it
    request="i",  # of a stop, NONE for other nodes
    rank="i",  # place in the order shown to its courier, NONE for what nobody has seen
    shown_by="i",  # that courier, or NONE
)
GIVEN_REQUEST = _records(
    first="i",  # stop
    second="i",  # stop or NONE
    form="i",  # PICKUP, DELIVERY, PAIR or CARRIED
    price="i",  # of leaving it out
)
GIVEN_COURIER = _records(
    standing="i",  # moment at which the courier is free
    price_per_s="i",
    price_per_m="i",
    fixed_price="i",
    max_travel_s="i",
    max_travel_m="i",
    fair_work="i",  # seconds
    overwork_price="i",
    move_price="i",
    breaks_from="i",  # the courier's breaks are the nodes breaks_from to breaks_end - 1
    breaks_end="i",
    alike="i",  # the first courier whose empty round is just like this one's
)
NODE = _records(
    following="i",
    leading="i",  # the other way round
    place="i",  # as given; a break's is that of the node before it
    address="i",  # the same
    travel="i",  # seconds from the leading node
    ready="i",
    late_new="i",
    late_same="i",
    rank_before="i",  # highest rank shown from the start up to the node
    rank_after="i",  # lowest from the node to the end
    best_following="i",
    saved="i",  # list: nodes of the touched routes before, one route after the other
    tails="i",  # work space: the longest increasing run of ranks shown
)
REQUEST = _records(
    courier="i",  # that serves it, or NONE
    best_courier="i",
    is_absent="b",  # left out when the iteration began
    has_near="b",  # its row of near requests is written
    absent="i",  # list: the requests left out, the first total[ABSENT]
    queue="i",  # list: requests to be inserted in this iteration
    keys="f",  # list: by which they are sorted
)
COURIER = _records(
    stops="i",  # number of stops
    cost="i",  # of the route
    riding="i",  # seconds
    metres="i",
    work="i",  # seconds of travel and service
    mine="b",  # this search may change the route: with two searches at work each has its own
    is_touched="b",  # changed in this iteration
    touched="i",  # list: the couriers whose routes changed, the first total[TOUCHED]
    saved_from="i",  # where in `saved` a touched courier's nodes begin
    saved_count="i",
    seen="i",  # stamp of the last look for a place that had the courier's route among those tried
    seen_empty="i",  # the same for his empty round, by the first courier who has one alike
)


class Model(NamedTuple):
    """What never changes during a search; n nodes, s stops, r requests, v couriers, l places, k load dimensions."""

    durations_to: SmallInts  # (l, l) [a, b] seconds from a to b
    durations_from: SmallInts  # (l, l) [b, a] the same, transposed: both ways a row is read, never a column
    metres_to: SmallInts  # (l, l) or (0, 0) where nobody pays for metres
    metres_from: SmallInts  # (l, l) or (0, 0)
    nodes: Records  # (n,) GIVEN_NODE
    opens: Ints  # (n, w) windows ascending, filled up with NEVER..-NEVER
    closes: Ints  # (n, w)
    requests: Records  # (r,) GIVEN_REQUEST
    amounts: Ints  # (r, k)
    joining: Ints  # (r, v) price of serving it there at all; NEVER where skills, size or an empty round forbid it
    couriers: Records  # (v,) GIVEN_COURIER
    carried: Ints  # (v, k) on board when the courier is free
    capacity: Ints  # (v, k)
    groups: Ints  # (g + 1,) the couriers who start at one place are members[groups[g]] to members[groups[g + 1] - 1]
    members: Ints  # (v,)
    near_groups: SmallInts  # (r, b) nearest first
    stop_count: int
    priced: bool  # whether anything beyond riding in seconds, joining and fixed price has a price or a limit


class Search(NamedTuple):
    """The routes as they stand, the best seen, and what an iteration needs to undo itself."""

    nodes: Records  # (n,) NODE
    load: Ints  # (3, n, k) see AT, BEFORE, AFTER
    requests: Records  # (r,) REQUEST
    couriers: Records  # (v,) COURIER
    near_requests: SmallInts  # (r, a) nearest first; a row is written when it is first wanted
    before: SmallInts  # (s, b) stops that a stop may well come after, best first, filled up with NONE; the same
    after: SmallInts  # (s, b) stops that it may well come before
    known: Flags  # (s,) both rows are written
    nearness: Floats  # (a,) work space
    places: Ints  # (m, 2) work space: couriers and nodes after which a request may go
    total: Ints  # (9,) see COST, ABSENT, ...
    random: Words  # (1,) state of the generator


def new_search(model: Model, seed: int) -> Search:
    """Return a search without routes, the generator seeded (any integer)."""
    nodes, requests, couriers, stops = len(model.nodes), len(model.requests), len(model.couriers), model.stop_count
    word = (seed * 0x9E3779B97F4A7C15 + 0x2545F4914F6CDD1D) % 2**64 or 1
    search = Search(
        nodes=np.zeros(nodes, dtype=NODE).view(np.recarray),
        load=np.zeros((3, nodes, model.amounts.shape[1]), dtype=np.int64),
        requests=np.zeros(requests, dtype=REQUEST).view(np.recarray),
        couriers=np.zeros(couriers, dtype=COURIER).view(np.recarray),
        near_requests=np.empty((requests, max(0, min(NEAR_REQUESTS, requests - 1))), dtype=np.int32),
        before=np.empty((stops, NEAR_STOPS), dtype=np.int32),
        after=np.empty((stops, NEAR_STOPS), dtype=np.int32),
        known=np.zeros(stops, dtype=np.bool_),
        nearness=np.zeros(max(NEAR_REQUESTS, NEAR_STOPS), dtype=np.float64),
        places=np.zeros((2 * nodes + 4 * NEAR_STOPS, 2), dtype=np.int64),
        total=np.zeros(9, dtype=np.int64),
        random=np.array([word], dtype=np.uint64),
    )
    search.nodes.place = model.nodes.place
    search.nodes.address = model.nodes.address
    search.couriers.mine = True
    return search

"""The Merkle tree of RFC 6962: the root, kept up leaf by leaf; proofs out of tiles (C2SP tlog-tiles); their checks."""

import hashlib
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

EMPTY = hashlib.sha256().digest()  # the root of a tree without leaves
HEIGHT = 8
WIDTH = 1 << HEIGHT
_INDEX = re.compile(r"((?:x[0-9]{3}/)*[0-9]{3})(?:\.p/([1-9][0-9]{0,2}))?")

Hashes = Callable[[int, int, int], Sequence[bytes]]
"""Stored hashes by level, start and end: of level L, entry i is the root of the 256^L leaves from i x 256^L on."""


def leaf_hash(content: bytes) -> bytes:
    """The hash of a leaf."""
    return hashlib.sha256(b"\0" + content).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two halves."""
    return hashlib.sha256(b"\1" + left + right).digest()


def ledger_leaf(core: bytes, signature: bytes, received_us: int) -> bytes:
    """The hash of a leaf of our ledger; the server's time is in microseconds since 1970."""
    return leaf_hash(core + signature + received_us.to_bytes(8))


def root(hashes: Iterable[bytes]) -> bytes:
    """The root over leaf hashes."""
    frontier = Frontier()
    for one in hashes:
        frontier.append(one)
    return frontier.root()


@dataclass(slots=True)
class Frontier:
    """The right edge of a growing tree: the roots of its perfect subtrees, the largest first.

    Raises ValueError when built with another number of roots than the size has ones in binary.
    """

    size: int = 0
    peaks: list[bytes] = field(default_factory=list)

    def __post_init__(self) -> None:
        if self.size < 0 or len(self.peaks) != self.size.bit_count():
            raise ValueError(f"{self.size} leaves do not have {len(self.peaks)} perfect subtrees")

    @classmethod
    def at(cls, size: int, hashes: Hashes) -> "Frontier":
        """The edge of a stored tree, as it was at a size; raises ValueError where a hash is missing."""
        tiles = _Tiles(size, hashes)
        return cls(size, [tiles.perfect(start, height) for start, height in _perfect_parts(0, size)])

    def append(self, leaf: bytes) -> list[tuple[int, int, bytes]]:
        """Add a leaf hash; gives what tiles now store more: level, index and hash, the leaf itself first."""
        stored = [(0, self.size, leaf)]
        node, height, index = leaf, 0, self.size
        while index & 1:
            node, height, index = node_hash(self.peaks.pop(), node), height + 1, index >> 1
            if height % HEIGHT == 0:
                stored.append((height // HEIGHT, index, node))
        self.peaks.append(node)
        self.size += 1
        return stored

    def root(self) -> bytes:
        """The root of the tree."""
        return _fold(self.peaks)


def root_at(size: int, hashes: Hashes) -> bytes:
    """The root of a stored tree as it was at a size; raises ValueError where a hash is missing."""
    return Frontier.at(size, hashes).root()


def inclusion_proof(index: int, size: int, hashes: Hashes) -> list[bytes]:
    """Prove that a leaf is in the tree of a size: at most two tiles of each level are read.

    Raises ValueError for a leaf outside the tree or where a hash is missing.
    """
    if not 0 <= index < size:
        raise ValueError(f"no leaf {index} among {size}")
    beside: list[tuple[int, int]] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _left(end - start)
        if index < middle:
            beside.append((middle, end))
            end = middle
        else:
            beside.append((start, middle))
            start = middle
    tiles = _Tiles(size, hashes)
    return [tiles.root(*part) for part in reversed(beside)]


def consistency_proof(old: int, new: int, hashes: Hashes) -> list[bytes]:
    """Prove that the tree of the old size is the beginning of that of the new size; empty from nothing or to itself.

    Raises ValueError for sizes the wrong way round or where a hash is missing.
    """
    if not 0 <= old <= new:
        raise ValueError(f"{old} leaves do not grow to {new}")
    if old in (0, new):
        return []
    parts: list[tuple[int, int]] = []
    start, end = 0, new
    while end != old:
        middle = start + _left(end - start)
        if old <= middle:
            parts.append((middle, end))
            end = middle
        else:
            parts.append((start, middle))
            start = middle
    if start > 0:  # else this is the old root itself, which the other side has
        parts.append((start, end))
    tiles = _Tiles(new, hashes)
    return [tiles.root(*part) for part in reversed(parts)]


def verify_inclusion(leaf: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Check that a leaf hash is in the tree with this size and root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size or not _all_hashes([leaf, root, *proof]):
        return False
    node, place, last = leaf, index, size - 1
    for other in proof:
        if last == 0:
            return False
        if place & 1 or place == last:
            node = node_hash(other, node)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            node = node_hash(node, other)
        place, last = place >> 1, last >> 1
    return last == 0 and node == root


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Check that the old tree is the beginning of the new one (RFC 9162, 2.1.4.2)."""
    if not 0 <= old <= new or not _all_hashes([old_root, new_root, *proof]):
        return False
    if old == new:
        return not proof and old_root == new_root and (old > 0 or old_root == EMPTY)
    if old == 0:
        return not proof and old_root == EMPTY
    if not proof:
        return False
    path = [old_root, *proof] if old.bit_count() == 1 else list(proof)  # the old tree is one perfect subtree
    place, last = old - 1, new - 1
    while place & 1:
        place, last = place >> 1, last >> 1
    before = after = path[0]
    for other in path[1:]:
        if last == 0:
            return False
        if place & 1 or place == last:
            before, after = node_hash(other, before), node_hash(other, after)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            after = node_hash(after, other)
        place, last = place >> 1, last >> 1
    return last == 0 and before == old_root and after == new_root


def tile_width(level: int, index: int, size: int) -> int:
    """How many hashes a tile has in a tree of a size: 256, fewer at the right edge, 0 outside."""
    return max(0, min(WIDTH, (size >> HEIGHT * level) - index * WIDTH))


def tile_path(level: int | Literal["entries"], index: int, width: int = WIDTH) -> str:
    """Where a tile, or a bundle of entries, is served; raises ValueError for what no tile has."""
    if level != "entries" and not 0 <= level < 64:
        raise ValueError(f"no tile level {level}")
    return f"tile/{level}/{write_index(index, width)}"


def write_index(index: int, width: int = WIDTH) -> str:
    """The number of a tile as a path, `x001/234`, and `.p/W` behind it for a partial one; raises ValueError."""
    if index < 0 or not 1 <= width <= WIDTH:
        raise ValueError(f"no tile {index} of {width}")
    digits = str(index)
    digits = digits.zfill((len(digits) + 2) // 3 * 3)
    *front, last = (digits[n : n + 3] for n in range(0, len(digits), 3))
    return "".join(f"x{part}/" for part in front) + last + (f".p/{width}" if width < WIDTH else "")


def read_index(path: str) -> tuple[int, int]:
    """Number and width of a tile from its path; raises ValueError for any but the one spelling."""
    found = _INDEX.fullmatch(path)
    if found is None or len(path) > 40:
        raise ValueError(f"no path of a tile: {path[:40]}")
    index, width = int(found[1].replace("x", "").replace("/", "")), int(found[2] or WIDTH)
    if write_index(index, width) != path:
        raise ValueError(f"no path of a tile: {path}")
    return index, width


class _Tiles:
    """The hashes of a tree of a size, read a tile at a time and each tile once."""

    def __init__(self, size: int, hashes: Hashes) -> None:
        self._size, self._hashes = size, hashes
        self._read: dict[tuple[int, int], Sequence[bytes]] = {}

    def root(self, start: int, end: int) -> bytes:
        """The root over the leaves from start to before end, start being where a subtree of that size may begin."""
        return _fold([self.perfect(*part) for part in _perfect_parts(start, end)])

    def perfect(self, start: int, height: int) -> bytes:
        """The root over 2^height leaves."""
        level, inside = divmod(height, HEIGHT)
        first, count = start >> HEIGHT * level, 1 << inside
        tile = self._tile(level, first // WIDTH)
        nodes = tile[first % WIDTH : first % WIDTH + count]
        while len(nodes) > 1:
            nodes = [node_hash(nodes[n], nodes[n + 1]) for n in range(0, len(nodes), 2)]
        return nodes[0]

    def _tile(self, level: int, index: int) -> Sequence[bytes]:
        if (level, index) not in self._read:
            start = index * WIDTH
            end = start + tile_width(level, index, self._size)
            found = self._hashes(level, start, end)
            if len(found) != end - start:
                raise ValueError(f"of level {level}, {len(found)} hashes are there from {start} to before {end}")
            self._read[level, index] = found
        return self._read[level, index]


def _left(size: int) -> int:
    """The leaves in the left half: the largest power of two below the size."""
    return 1 << ((size - 1).bit_length() - 1)


def _perfect_parts(start: int, end: int) -> Iterator[tuple[int, int]]:
    """Start and height of the perfect subtrees that a subtree is made of, the largest first."""
    while start < end:
        height = (end - start).bit_length() - 1
        yield start, height
        start += 1 << height


def _fold(peaks: Sequence[bytes]) -> bytes:
    """The root over perfect subtrees, the largest first."""
    if not peaks:
        return EMPTY
    node = peaks[-1]
    for left in reversed(peaks[:-1]):
        node = node_hash(left, node)
    return node


def _all_hashes(values: Iterable[bytes]) -> bool:
    """Whether each is 32 bytes: of another length, two nodes could be read as one."""
    return all(len(value) == 32 for value in values)

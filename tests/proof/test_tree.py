"""The Merkle tree against the vectors of RFC 6962's reference, against its definition, and against changed proofs."""

import hashlib
from itertools import combinations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from courier_api.proof import tree
from courier_api.proof.tree import Frontier, leaf_hash, node_hash, verify_consistency, verify_inclusion
from tests.proof.samples import Store, leaves

# The tests of certificate-transparency and of every implementation since: eight leaves and the roots of each size.
LEAVES = [
    bytes.fromhex(one)
    for one in ("", "00", "10", "2021", "3031", "40414243", "5051525354555657", "606162636465666768696a6b6c6d6e6f")
]
ROOTS = [
    bytes.fromhex(one)
    for one in (
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
        "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
        "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
        "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
        "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
        "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
    )
]
INCLUSION = {
    (0, 1): (),
    (0, 8): (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (5, 8): (
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 3): ("fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",),
    (1, 5): (
        "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
}
CONSISTENCY = {
    (1, 1): (),
    (1, 8): (
        "96a296d224f285c67bee93c30f8a309157f0daa35dc5b87e410b78630a09cfc7",
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "6b47aaf29ee3c2af9af889bc1fb9254dabd31177f16232dd6aab035ca39bf6e4",
    ),
    (6, 8): (
        "0ebc5d3437fbe2db158b9f126a1d118e308181031d0a949f8dededebc558ef6a",
        "ca854ea128ed050b41b35ffc1b87b8eb2bde461e9e3b5596ece6b9d5975a0ae0",
        "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    ),
    (2, 5): (
        "5f083f0a1a33ca076a95279832580db3e0ef4584bdff1f54c8a360f50de3031e",
        "bc1a0643b12e4d2d7c77918f44e0f4f79a838b6cf9ec5b5c283e1f4d88599e6b",
    ),
}
HASHES = [leaf_hash(one) for one in LEAVES]
STORE = Store(HASHES)
LARGE = leaves(300)
LARGE_STORE = Store(LARGE)


def written(proof: list[bytes]) -> tuple[str, ...]:
    """A proof in hex."""
    return tuple(one.hex() for one in proof)


# The definitions of RFC 6962, 2.1, word for word: slow, and nothing in common with what they judge.
def defined_root(of: list[bytes]) -> bytes:
    """MTH."""
    if not of:
        return hashlib.sha256().digest()
    if len(of) == 1:
        return of[0]
    k = largest_below(len(of))
    return node_hash(defined_root(of[:k]), defined_root(of[k:]))


def defined_path(m: int, of: list[bytes]) -> list[bytes]:
    """PATH."""
    if len(of) == 1:
        return []
    k = largest_below(len(of))
    if m < k:
        return [*defined_path(m, of[:k]), defined_root(of[k:])]
    return [*defined_path(m - k, of[k:]), defined_root(of[:k])]


def defined_proof(m: int, of: list[bytes], whole: bool = True) -> list[bytes]:
    """SUBPROOF."""
    if m == len(of):
        return [] if whole else [defined_root(of)]
    k = largest_below(len(of))
    if m <= k:
        return [*defined_proof(m, of[:k], whole), defined_root(of[k:])]
    return [*defined_proof(m - k, of[k:], False), defined_root(of[:k])]


def largest_below(n: int) -> int:
    """The largest power of two below a number."""
    k = 1
    while k * 2 < n:
        k *= 2
    return k


@pytest.mark.parametrize("size", range(9))
def test_known_roots(size: int) -> None:
    assert tree.root(HASHES[:size]) == ROOTS[size]
    assert tree.root_at(size, STORE) == ROOTS[size]


@pytest.mark.parametrize(("index", "size"), INCLUSION)
def test_known_inclusion(index: int, size: int) -> None:
    proof = tree.inclusion_proof(index, size, STORE)
    assert written(proof) == INCLUSION[index, size]
    assert verify_inclusion(HASHES[index], index, size, proof, ROOTS[size])


@pytest.mark.parametrize(("old", "new"), CONSISTENCY)
def test_known_consistency(old: int, new: int) -> None:
    proof = tree.consistency_proof(old, new, STORE)
    assert written(proof) == CONSISTENCY[old, new]
    assert verify_consistency(old, new, ROOTS[old], ROOTS[new], proof)


def test_the_example_of_rfc_6962() -> None:
    # 2.1.3: the tree of seven leaves, and the one when it had three, four and six.
    a, b, c, d, e, f, j = leaves(7)
    g, h, i = node_hash(a, b), node_hash(c, d), node_hash(e, f)
    k, l = node_hash(g, h), node_hash(i, j)  # noqa: E741
    store = Store([a, b, c, d, e, f, j])
    assert tree.inclusion_proof(0, 7, store) == [b, h, l]
    assert tree.inclusion_proof(3, 7, store) == [c, g, l]
    assert tree.inclusion_proof(4, 7, store) == [f, j, k]
    assert tree.inclusion_proof(6, 7, store) == [i, k]
    assert tree.consistency_proof(3, 7, store) == [c, d, g, l]
    assert tree.consistency_proof(4, 7, store) == [l]
    assert tree.consistency_proof(6, 7, store) == [i, j, k]


def test_every_small_size_is_as_defined() -> None:
    for size in range(1, 41):
        known = LARGE[:size]
        whole = defined_root(known)
        assert tree.root(known) == tree.root_at(size, LARGE_STORE) == whole
        for index in range(size):
            proof = tree.inclusion_proof(index, size, LARGE_STORE)
            assert proof == defined_path(index, known)
            assert verify_inclusion(known[index], index, size, proof, whole)
        for old in range(1, size + 1):
            proof = tree.consistency_proof(old, size, LARGE_STORE)
            assert proof == defined_proof(old, known)
            assert verify_consistency(old, size, defined_root(known[:old]), whole, proof)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_every_size_over_several_tiles_is_as_defined(data: st.DataObject) -> None:
    size = data.draw(st.integers(200, 300))
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(1, size))
    assert tree.inclusion_proof(index, size, LARGE_STORE) == defined_path(index, LARGE[:size])
    assert tree.consistency_proof(old, size, LARGE_STORE) == defined_proof(old, LARGE[:size])


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_changed_inclusion_holds(data: st.DataObject) -> None:
    size = data.draw(st.integers(2, 80))
    index = data.draw(st.integers(0, size - 1))
    proof, whole = tree.inclusion_proof(index, size, LARGE_STORE), tree.root_at(size, LARGE_STORE)
    other = data.draw(st.integers(0, size - 1).filter(lambda n: n != index))
    place = data.draw(st.integers(0, len(proof) - 1))
    assert not verify_inclusion(LARGE[other], index, size, proof, whole)
    assert not verify_inclusion(LARGE[index], other, size, proof, whole)
    assert not verify_inclusion(LARGE[index], index + size, size, proof, whole)
    assert not verify_inclusion(LARGE[index], index, size, proof, LARGE[0])
    assert not verify_inclusion(LARGE[index], index, size, flipped(proof, place, data), whole)
    for changed in changed_lengths(proof, place):
        assert not verify_inclusion(LARGE[index], index, size, changed, whole)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_no_changed_consistency_holds(data: st.DataObject) -> None:
    new = data.draw(st.integers(2, 80))
    old = data.draw(st.integers(1, new - 1))
    proof = tree.consistency_proof(old, new, LARGE_STORE)
    before, after = tree.root_at(old, LARGE_STORE), tree.root_at(new, LARGE_STORE)
    place = data.draw(st.integers(0, len(proof) - 1))
    assert not verify_consistency(old, new, after, after, proof)
    assert not verify_consistency(old, new, before, before, proof)
    assert not verify_consistency(new, old, after, before, proof)
    assert not verify_consistency(old, new, before, after, flipped(proof, place, data))
    for changed in changed_lengths(proof, place):
        assert not verify_consistency(old, new, before, after, changed)


def flipped(proof: list[bytes], place: int, data: st.DataObject) -> list[bytes]:
    """A proof with one bit of one hash changed."""
    bit = data.draw(st.integers(0, 255))
    return [*proof[:place], (int.from_bytes(proof[place]) ^ 1 << bit).to_bytes(32), *proof[place + 1 :]]


def changed_lengths(proof: list[bytes], place: int) -> list[list[bytes]]:
    """A proof with a hash too few, too many, and two written as one."""
    return [
        proof[:place] + proof[place + 1 :],
        [*proof[:place], proof[place], *proof[place:]],
        [*proof, bytes(32)],
        [*proof[:place], proof[place] + bytes(32), *proof[place + 1 :]],
        [*proof[:place], proof[place][:31], *proof[place + 1 :]],
        [],
    ]


def test_trees_of_nothing() -> None:
    assert tree.root_at(0, STORE) == tree.root([]) == tree.EMPTY
    assert tree.consistency_proof(0, 5, STORE) == []
    assert verify_consistency(0, 5, tree.EMPTY, ROOTS[5], [])
    assert verify_consistency(0, 0, tree.EMPTY, tree.EMPTY, [])
    assert not verify_consistency(0, 5, ROOTS[1], ROOTS[5], [])
    assert not verify_consistency(0, 0, ROOTS[1], ROOTS[1], [])
    assert not verify_consistency(0, 5, tree.EMPTY, ROOTS[5], [ROOTS[1]])
    assert not verify_consistency(5, 5, ROOTS[5], ROOTS[5], [ROOTS[1]])
    assert not verify_consistency(5, 5, ROOTS[5], ROOTS[4], [])
    assert not verify_inclusion(HASHES[0], 0, 0, [], tree.EMPTY)
    assert not verify_inclusion(HASHES[0], -1, 1, [], ROOTS[1])


@pytest.mark.parametrize(("index", "size"), [(0, 0), (-1, 5), (5, 5), (2, -1)])
def test_no_proof_of_a_leaf_outside(index: int, size: int) -> None:
    with pytest.raises(ValueError, match="no leaf"):
        tree.inclusion_proof(index, size, STORE)


@pytest.mark.parametrize(("old", "new"), [(-1, 5), (6, 5)])
def test_no_proof_of_shrinking(old: int, new: int) -> None:
    with pytest.raises(ValueError, match="do not grow"):
        tree.consistency_proof(old, new, STORE)


def test_missing_hashes_are_named() -> None:
    with pytest.raises(ValueError, match="of level 0, 8 hashes are there from 0 to before 9"):
        tree.inclusion_proof(3, 9, STORE)
    with pytest.raises(ValueError, match="of level 0, 8 hashes"):
        tree.root_at(9, STORE)


def test_a_frontier_goes_on_where_it_was_written_out() -> None:
    whole = Frontier()
    for n, leaf in enumerate(LARGE):
        again = Frontier(whole.size, list(whole.peaks))
        assert again.append(leaf) == whole.append(leaf)
        assert again == whole == Frontier.at(n + 1, LARGE_STORE)
        assert len(whole.peaks) <= (n + 1).bit_length()
    assert whole.root() == defined_root(LARGE)


@pytest.mark.parametrize(("size", "peaks"), [(1, 0), (3, 1), (4, 2), (0, 1), (-1, 1)])
def test_a_frontier_of_the_wrong_number_of_roots_is_refused(size: int, peaks: int) -> None:
    with pytest.raises(ValueError, match="perfect subtrees"):
        Frontier(size, [bytes(32)] * peaks)


def test_what_is_stored_of_each_level() -> None:
    store = Store(leaves(256))
    assert {level: len(rows) for level, rows in store.levels.items()} == {0: 256, 1: 1}
    assert store.levels[1] == [tree.root(leaves(256))]


class Endless:
    """A tree of any size in which all leaves are alike, so that no hash is stored at all."""

    def __init__(self) -> None:
        self.perfect = [leaf_hash(b"")]
        self.reads: list[tuple[int, int, int]] = []
        for _ in range(64):
            self.perfect.append(node_hash(self.perfect[-1], self.perfect[-1]))

    def __call__(self, level: int, start: int, end: int) -> list[bytes]:
        """Hashes of a level."""
        self.reads.append((level, start, end))
        return [self.perfect[8 * level]] * (end - start)


@pytest.mark.parametrize("size", [5_000_000, 2**24 - 1, 10**12 + 7])
def test_a_large_tree_is_proven_from_a_few_tiles(size: int) -> None:
    levels = (size.bit_length() + 7) // 8
    for index in (0, size // 3, size - 1):
        store = Endless()
        proof = tree.inclusion_proof(index, size, store)
        assert len(store.reads) <= 2 * levels
        assert all(end - start <= 256 for _, start, end in store.reads)
        assert verify_inclusion(store.perfect[0], index, size, proof, tree.root_at(size, Endless()))
    for old in (1, size // 3, size - 1):
        store = Endless()
        proof = tree.consistency_proof(old, size, store)
        assert len(store.reads) <= 2 * levels
        before, after = tree.root_at(old, Endless()), tree.root_at(size, Endless())
        assert verify_consistency(old, size, before, after, proof)


def test_two_sizes_are_never_taken_for_each_other() -> None:
    roots = [tree.root_at(size, LARGE_STORE) for size in range(20)]
    for one, other in combinations(range(1, 20), 2):
        proof = tree.consistency_proof(one, 20, LARGE_STORE)
        assert not verify_consistency(other, 20, roots[one], tree.root_at(20, LARGE_STORE), proof)


def test_a_leaf_of_the_ledger_is_bound_to_its_time() -> None:
    made = tree.ledger_leaf(b"core", b"signature", 258)
    assert made == hashlib.sha256(b"\0coresignature\0\0\0\0\0\0\1\2").digest()


# The examples of C2SP tlog-tiles.
def test_paths_of_the_specification() -> None:
    assert tree.write_index(1234067) == "x001/x234/067"
    assert tree.read_index("x001/x234/067") == (1234067, 256)
    assert tree.tile_path(0, 5) == "tile/0/005"
    assert tree.tile_path("entries", 273, 112) == "tile/entries/273.p/112"


def test_widths_of_the_specification() -> None:
    # A tree of 70,000: 273 full tiles and one of 112 at level 0; one and one of 17 at level 1; one of 1 at level 2.
    widths = [[tree.tile_width(level, index, 70_000) for index in range(275)] for level in range(4)]
    assert widths[0] == [256] * 273 + [112, 0]
    assert widths[1][:3] == [256, 17, 0]
    assert widths[2][:2] == [1, 0]
    assert widths[3][0] == 0


@given(st.integers(0, 2**63), st.integers(1, 256))
def test_paths_read_back(index: int, width: int) -> None:
    assert tree.read_index(tree.write_index(index, width)) == (index, width)


@pytest.mark.parametrize(
    "path",
    [
        "", "5", "05", "0005", "x001", "001/234", "x000/005", "x1/234", "x001/x234", "005.p/", "005.p/0", "005.p/256",
        "005.p/07", "005.p/-1", "005/", "/005", "../005", "٠٠٥", "005.p/1/2", "x001/234\n", "X001/234",
        "x999/" * 20 + "999",
    ],
)  # fmt: skip
def test_other_spellings_of_a_path_are_refused(path: str) -> None:
    with pytest.raises(ValueError, match="no path"):
        tree.read_index(path)


@pytest.mark.parametrize(
    ("level", "index", "width"), [(-1, 0, 256), (64, 0, 256), (0, -1, 256), (0, 0, 0), (0, 0, 257)]
)
def test_tiles_that_cannot_be(level: int, index: int, width: int) -> None:
    with pytest.raises(ValueError, match="no tile"):
        tree.tile_path(level, index, width)

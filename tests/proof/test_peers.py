"""Proofs, notes, cosignatures and tiles held to an implementation that is not ours: aics-tlog."""

import aics_tlog as peer
import pytest

from courier_api.proof import tree
from courier_api.proof.note import COSIGNATURE, Checkpoint, VerifierKey, cosign, open_checkpoint, sign
from tests.proof.samples import OPERATOR, OPERATOR_KEY, ORIGIN, Store, private

CONTENTS = [f"entry {n}".encode() for n in range(600)]
STORE = Store([tree.leaf_hash(one) for one in CONTENTS])
SIZES = (1, 2, 3, 7, 8, 100, 255, 256, 257, 511, 512, 600)


@pytest.mark.parametrize("size", SIZES)
def test_the_peer_accepts_our_proofs(size: int) -> None:
    root = tree.root_at(size, STORE)
    for index in {0, 1, size // 3, size // 2, size - 2, size - 1} & set(range(size)):
        proof = tree.inclusion_proof(index, size, STORE)
        assert peer.verify_leaf_inclusion(CONTENTS[index], index, size, proof, root)
        assert not peer.verify_leaf_inclusion(CONTENTS[index] + b".", index, size, proof, root)
    for old in {1, size // 3, size // 2, size - 1, size} & set(range(1, size + 1)):
        proof = tree.consistency_proof(old, size, STORE)
        assert peer.verify_consistency(old, size, tree.root_at(old, STORE), root, proof)


def test_we_accept_the_peer_s_proofs() -> None:
    theirs = peer.MerkleTree(CONTENTS)
    for size in SIZES:
        assert theirs.root(size) == tree.root_at(size, STORE)
        for index in range(0, size, 37):
            proof, leaf = theirs.inclusion_proof(index, size), tree.leaf_hash(CONTENTS[index])
            assert tree.verify_inclusion(leaf, index, size, proof, theirs.root(size))
        for old in range(1, size + 1, 37):
            proof = theirs.consistency_proof(old, size)
            assert tree.verify_consistency(old, size, theirs.root(old), theirs.root(size), proof)


def test_the_peer_reads_our_tiles() -> None:
    size = 600
    tiles = {
        tree.tile_path(level, index, width): b"".join(STORE(level, index * 256, index * 256 + width))
        for level in range(3)
        for index in range(3)
        if (width := tree.tile_width(level, index, size))
    }
    assert len(tiles) == 4
    reader = peer.MemoryTileReader(tiles)
    assert peer.tree_root_from_tiles(reader, size) == tree.root_at(size, STORE)
    assert peer.inclusion_proof_from_tiles(reader, 299, size) == tree.inclusion_proof(299, size, STORE)
    assert peer.consistency_proof_from_tiles(reader, 300, size) == tree.consistency_proof(300, size, STORE)


def test_the_peer_verifies_our_checkpoint_and_cosignature() -> None:
    witness = private(2)
    witness_key = VerifierKey.of("witness.example/w1", witness, COSIGNATURE)
    note = cosign(STORE.note(), witness_key, witness, 1_795_317_300)
    log, by = peer.parse_vkey(OPERATOR_KEY.write()), peer.parse_vkey(witness_key.write())
    assert peer.verify_checkpoint(peer.parse_note(note), log, [by], 1, expected_origin=ORIGIN).ok
    changed = peer.parse_note(note.replace("\n600\n", "\n601\n"))
    assert not peer.verify_checkpoint(changed, log, [by], 1, expected_origin=ORIGIN).ok


def test_we_verify_the_peer_s_checkpoint_and_cosignature() -> None:
    root = tree.root_at(600, STORE)
    signed = peer.sign_checkpoint(peer.Checkpoint(ORIGIN, 600, root), OPERATOR, ORIGIN)
    witness = private(2)
    _, line = peer.sign_cosignature(witness, "witness.example/w1", 1_795_317_300, ORIGIN, 600, root)
    note = peer.Note(text=signed.text, signatures=(*signed.signatures, line)).to_bytes()
    witness_key = VerifierKey.of("witness.example/w1", witness, COSIGNATURE)
    checkpoint, signers = open_checkpoint(note, [OPERATOR_KEY], [witness_key])
    assert checkpoint == Checkpoint(ORIGIN, 600, root)
    assert [(one.key, one.time_s) for one in signers] == [(OPERATOR_KEY, None), (witness_key, 1_795_317_300)]
    assert note.decode() == cosign(
        sign(checkpoint.write(), OPERATOR_KEY, OPERATOR), witness_key, witness, 1_795_317_300
    )

"""Checks the tree: rebuilt leaf by leaf, held against every stored node, every checkpoint, and those seen before."""

from collections import defaultdict
from collections.abc import Iterator, Sequence
from typing import Any

from courier_api.custody.audit.report import Report
from courier_api.custody.audit.snapshot import Snapshot
from courier_api.custody.audit.trust import Trust
from courier_api.proof import note
from courier_api.proof.tree import EMPTY, Frontier


def check(snapshot: Snapshot, trust: Trust, report: Report, seen: Sequence[str] = ()) -> None:
    """Rebuild the tree; raises NoteError for a checkpoint from outside that the operator did not sign."""
    # Whether a leaf is the hash of its entry is checked with the entry.
    Rebuilding(snapshot, trust, report, seen).run()
    _check_cosignatures(snapshot, trust, report)


class Rebuilding:
    """The tree as it grows again, and what must be found on the way."""

    def __init__(self, snapshot: Snapshot, trust: Trust, report: Report, seen: Sequence[str]) -> None:
        self._snapshot, self._trust, self._report = snapshot, trust, report
        self._frontier = Frontier()
        nodes = snapshot.rows("SELECT level, index, hash FROM ledger_node")
        self._nodes = {(level, index): hashed for level, index, hashed in nodes}
        report.count("ledger_node", len(self._nodes))
        self._checkpoints: Iterator[tuple[Any, ...]] = snapshot.rows(
            "SELECT size, root, note FROM checkpoint ORDER BY size"
        )
        self._next = next(self._checkpoints, None)
        self._newest: tuple[int, str] | None = None
        self._seen: dict[int, list[bytes]] = defaultdict(list)
        for text in seen:
            checkpoint, _ = note.open_checkpoint(text, trust.log_keys, trust.witness_keys)
            self._seen[checkpoint.size].append(checkpoint.root)

    def run(self) -> None:
        """Let it grow, and compare."""
        expected = 0
        for index, hashed in self._snapshot.rows("SELECT index, hash FROM ledger_leaf ORDER BY index"):
            if index != expected:
                self._report.find("leaf_gap", "ledger_leaf", index, index=expected)
            expected = index + 1
            for level, at, value in self._frontier.append(hashed):
                if level > 0:
                    self._check_node(level, at, value)
            self._check_size()
        self._end()

    def _check_node(self, level: int, index: int, value: bytes) -> None:
        stored = self._nodes.pop((level, index), None)
        if stored is None:
            self._report.find("node_missing", "ledger_node", f"{level} {index}")
        elif stored != value:
            self._report.find("node_differs", "ledger_node", f"{level} {index}")

    def _check_size(self) -> None:
        size = self._frontier.size
        while self._next is not None and self._next[0] <= size:
            self._check_checkpoint(*self._next)
            self._next = next(self._checkpoints, None)
        if size in self._seen:
            root = self._frontier.root()
            if any(one != root for one in self._seen.pop(size)):
                self._report.find("history_rewritten", "checkpoint", size)

    def _check_checkpoint(self, size: int, root: bytes, text: str) -> None:
        self._report.count("checkpoint")
        self._newest = (size, text)
        try:
            signed, _ = note.open_checkpoint(text, self._trust.log_keys)
        except note.NoteError as fault:
            self._report.find("checkpoint_unsigned", "checkpoint", size, fault=fault)
            return
        if (signed.size, signed.root) != (size, root):
            self._report.find("checkpoint_differs", "checkpoint", size)
        if signed.size != self._frontier.size or signed.root != self._frontier.root():
            self._report.find("checkpoint_of_other_tree", "checkpoint", size)

    def _end(self) -> None:
        size = self._frontier.size
        self._report.size = size
        for level, index in self._nodes:
            self._report.find("node_surplus", "ledger_node", f"{level} {index}")
        while self._next is not None:
            self._report.find("checkpoint_beyond", "checkpoint", self._next[0], size=size)
            self._next = next(self._checkpoints, None)
        for known, roots in sorted(self._seen.items()):
            if known == 0 and all(root == EMPTY for root in roots):
                continue
            self._report.find("history_lost", "checkpoint", known, size=size)
        newest = self._newest
        if newest is not None and newest[0] == size:
            self._report.checkpoint = newest[1]
        elif size:
            self._report.find("checkpoint_stale", "checkpoint", newest[0] if newest else 0, size=size)


def _check_cosignatures(snapshot: Snapshot, trust: Trust, report: Report) -> None:
    query = """SELECT c.size, c.witness, c.line, p.note FROM cosignature c JOIN checkpoint p ON p.size = c.size
        ORDER BY c.size, c.witness"""
    names = {key.name for key in trust.witness_keys}
    for size, witness, line, text in snapshot.rows(query):
        report.count("cosignature")
        row = f"{size} {witness}"
        if witness not in names:
            report.notice("witness_unknown", "cosignature", row)
            continue
        try:
            # The line alone under the text: what other witnesses signed is not this one's word.
            body = note.split(text)[0]
            signed = note.open_note(f"{body}\n{line}", trust.witness_keys)[1]
        except note.NoteError:
            signed = []
        if [one.key.name for one in signed] != [witness]:
            report.find("cosignature_wrong", "cosignature", row)

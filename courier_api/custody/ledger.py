"""The ledger: gives every entry its place in the Merkle tree, signs checkpoints over it, proves what stands in it."""

import base64
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from uuid import UUID

from sqlalchemy import delete, func, insert, select
from sqlalchemy.dialects import postgresql
from sqlalchemy.orm import Session

from courier_api.custody.models import Checkpoint, Cosignature, Entry, Leaf, Node, Waiting
from courier_api.db import now
from courier_api.errors import Invalid, NotFound, Unavailable
from courier_api.people import devices
from courier_api.proof import note, tree
from courier_api.proof.files import operator_key, verifier_keys
from courier_api.settings import settings

LOCK = 0x6C6564676572  # one keeper at a time, whoever runs
AT_ONCE = 10_000
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


def microseconds(at: datetime) -> int:
    """A moment as leaves hold it: microseconds since 1970."""
    return (at - EPOCH) // MICROSECOND


def leaf_of(entry: Entry) -> bytes:
    """The hash of an entry's leaf."""
    return tree.ledger_leaf(entry.core, entry.signature, microseconds(entry.received_at))


def grow(session: Session) -> Checkpoint | None:
    """Give what waits its place and sign the tree as it is then; None when nothing waits, or another is at it.

    What waits is a table of its own, not "what came after the last": an entry that commits late is there the next time.
    """
    if not session.scalar(select(func.pg_try_advisory_xact_lock(LOCK))):
        return None
    waiting = session.scalars(
        select(Waiting.entry_id).order_by(Waiting.entry_id).limit(AT_ONCE).with_for_update(skip_locked=True)
    ).all()
    if not waiting:
        return None
    rows = session.execute(
        select(Entry.id, Entry.core, Entry.signature, Entry.received_at)
        .where(Entry.id.in_(waiting))
        .order_by(Entry.received_at, Entry.id)
    ).all()
    frontier = tree.Frontier.at(size(session), _hashes(session))
    leaves, nodes = [], []
    for row in rows:
        hashed = tree.ledger_leaf(row.core, row.signature, microseconds(row.received_at))
        for level, index, value in frontier.append(hashed):
            if level == 0:
                leaves.append({"index": index, "entry_id": row.id, "hash": value})
            else:
                nodes.append({"level": level, "index": index, "hash": value})
    session.execute(insert(Leaf), leaves)
    if nodes:
        session.execute(insert(Node), nodes)
    session.execute(delete(Waiting).where(Waiting.entry_id.in_(waiting)))
    return _sign(session, frontier)


def _sign(session: Session, frontier: tree.Frontier) -> Checkpoint:
    key = operator_key()
    _same_operator(session)
    # By the key in use and not by the last line: a rotation writes the public half first.
    name = next(known for known in map(note.VerifierKey.read, verifier_keys()) if known.public == key.public)
    root = frontier.root()
    text = note.Checkpoint(name.name, frontier.size, root).write()
    checkpoint = Checkpoint(size=frontier.size, root=root, note=note.sign(text, name, key.sign), at=now())
    session.add(checkpoint)
    session.flush()
    return checkpoint


def size(session: Session) -> int:
    """How many leaves the tree has."""
    last = session.scalar(select(func.max(Leaf.index)))
    return 0 if last is None else last + 1


def _hashes(session: Session) -> tree.Hashes:
    def read(level: int, start: int, end: int) -> Sequence[bytes]:
        if level == 0:
            query = select(Leaf.hash).where(Leaf.index >= start, Leaf.index < end).order_by(Leaf.index)
        else:
            query = (
                select(Node.hash).where(Node.level == level, Node.index >= start, Node.index < end).order_by(Node.index)
            )
        return session.scalars(query).all()

    return read


def latest(session: Session) -> Checkpoint:
    """The newest checkpoint; raises NotFound before there is one."""
    found = session.scalar(select(Checkpoint).order_by(Checkpoint.size.desc()).limit(1))
    if found is None:
        raise NotFound
    return found


def _same_operator(session: Session) -> None:
    """Raise Unavailable unless we know the last checkpoint's key: else the folder of keys is another operator's."""
    last = session.scalar(select(Checkpoint.note).order_by(Checkpoint.size.desc()).limit(1))
    if last is None:
        return
    try:
        note.open_note(last, map(note.VerifierKey.read, verifier_keys()))
    except note.NoteError:
        raise Unavailable("keys_of_another_ledger", folder=str(settings().operator_keys)) from None


def anchor(session: Session) -> str | None:
    """The SHA-256 in hex of the newest checkpoint's text, by which an event shows that it is not older."""
    newest = session.scalar(select(Checkpoint.note).order_by(Checkpoint.size.desc()).limit(1))
    return hashlib.sha256(note.split(newest)[0].encode()).hexdigest() if newest is not None else None


def with_cosignatures(session: Session, checkpoint: Checkpoint) -> str:
    """A checkpoint's note with the witnesses' lines beneath ours."""
    lines = session.scalars(
        select(Cosignature.line).where(Cosignature.size == checkpoint.size).order_by(Cosignature.witness)
    )
    return checkpoint.note + "".join(lines)


def consistency(session: Session, old: int, new: int) -> list[bytes]:
    """Prove that the tree of one size is the beginning of that of a later one; raises NotFound beyond ours."""
    if not 0 <= old <= new <= size(session):
        raise NotFound
    return tree.consistency_proof(old, new, _hashes(session))


def tile(session: Session, level: int, index: int, width: int) -> bytes:
    """The hashes of a C2SP tile, one after the other; raises NotFound for one that is not there in this width."""
    found = _hashes(session)(level, index * tree.WIDTH, index * tree.WIDTH + width)
    if len(found) != width:
        raise NotFound
    return b"".join(found)


@dataclass(frozen=True, slots=True)
class Proven:
    """An entry, and the proof that it stands in the tree of a signed checkpoint."""

    entry: Entry
    index: int
    size: int
    inclusion: list[bytes]
    checkpoint: str
    certificate: bytes | None

    @property
    def received_us(self) -> int:
        """The server's time in microseconds since 1970."""
        return microseconds(self.entry.received_at)


def proven(session: Session, entry_id: UUID) -> Proven:
    """Prove that an entry stands in the ledger; raises NotFound while it has no place in a checkpoint."""
    row = session.execute(
        select(Entry, Leaf.index).join(Leaf, Leaf.entry_id == Entry.id).where(Entry.id == entry_id)
    ).one_or_none()
    if row is None:
        raise NotFound
    entry, index = row
    checkpoint = latest(session)
    return Proven(
        entry,
        index,
        checkpoint.size,
        tree.inclusion_proof(index, checkpoint.size, _hashes(session)),
        with_cosignatures(session, checkpoint),
        devices.certificate_at(session, entry.kid, entry.signed_at),
    )


def cosign(session: Session, sent: str) -> int:
    """Keep witnesses' signatures under one of our checkpoints and give its size.

    Raises Invalid for a witness that we do not know, a signature that does not hold, or a checkpoint that is not ours.
    """
    keys = [note.VerifierKey.read(line) for line in witness_keys()]
    try:
        text, signatures = note.open_note(sent, keys)
        claimed = note.Checkpoint.read(text)
    except note.NoteError:
        raise Invalid("cosignature_wrong", "/note") from None
    checkpoint = session.get(Checkpoint, claimed.size)
    if checkpoint is None or note.split(checkpoint.note)[0] != text:
        raise Invalid("checkpoint_unknown", "/note")
    # Only the lines of witnesses that we know, as they were sent.
    known = {(signed.key.name, signed.key.hash) for signed in signatures}
    lines = [line for line in note.split(sent)[1] if (line.name, line.hash) in known]
    session.execute(
        postgresql.insert(Cosignature)
        .values([{"size": claimed.size, "witness": one.name, "line": one.write(), "at": now()} for one in lines])
        .on_conflict_do_nothing()
    )
    return claimed.size


def witness_keys() -> list[str]:
    """The verifier keys of the witnesses we take cosignatures of: `witness.keys` beside the operator's."""
    path = settings().operator_keys / "witness.keys"
    return [x for x in path.read_text().splitlines() if x and not x.startswith("#")] if path.exists() else []


def encoded(hashes: Sequence[bytes]) -> list[str]:
    """Hashes in base64, as they are sent."""
    return [base64.b64encode(one).decode() for one in hashes]

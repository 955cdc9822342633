"""Evidence beside events: sealed with a key of its own, put into the store, read back, checked, made unreadable."""

import hashlib
from functools import cache

from sqlalchemy import event
from sqlalchemy.orm import Session

from courier_api.custody.models import Entry, Evidence, EvidenceKind
from courier_api.custody.sealing import MasterKeys, Sealed, seal, unseal
from courier_api.custody.stores import Store, open_store
from courier_api.db import new_id, now
from courier_api.errors import NotFound
from courier_api.settings import settings

PENDING = "evidence"  # in a session's info


@cache
def store() -> Store:
    """The evidence store of this process."""
    return open_store(settings().evidence_store)


@cache
def master_keys() -> MasterKeys:
    """The keys that wrap the keys of the evidence."""
    return MasterKeys.read(settings().operator_keys)


def keep(
    session: Session, entry: Entry, kind: EvidenceKind, content: bytes, salt: bytes, proof: Entry | None = None
) -> Evidence:
    """Seal a content and write its row; the file goes into the store when the transaction is about to commit.

    Before the row and not after it: should the commit fail then, what is left in the store is noise: its key was in the
    row. And not at once: what a savepoint takes back is never put there.
    """
    evidence_id = new_id()
    sealed = seal(master_keys(), content, evidence_id.bytes)
    row = Evidence(
        id=evidence_id,
        entry_id=entry.id,
        kind=kind,
        digest=hashlib.sha256(salt + content).digest(),
        size=len(content),
        key_id=sealed.key_id,
        wrapped_key=sealed.wrapped_key,
        stored_at=now(),
        proof_id=proof.id if proof else None,
    )
    session.add(row)
    session.info.setdefault(PENDING, []).append((row, sealed.content))
    return row


@event.listens_for(Session, "before_commit")
def _put_before_commit(session: Session) -> None:
    if session.in_nested_transaction():  # a savepoint: the outer one decides
        return
    for row, content in session.info.pop(PENDING, []):
        if row in session:
            store().put(row.id.hex, content)


@event.listens_for(Session, "after_rollback")
def _forget(session: Session) -> None:
    if not session.in_nested_transaction():
        session.info.pop(PENDING, None)


def content_of(row: Evidence) -> bytes:
    """Open a kept content; raises NotFound when it was erased, sealing.Tampered when it is not what was put there."""
    if row.wrapped_key is None:
        raise NotFound
    return unseal(master_keys(), Sealed(row.key_id, row.wrapped_key, store().get(row.id.hex)), row.id.bytes)


def make_unreadable(row: Evidence, erasure: Entry) -> None:
    """Throw the key away, which erases the content wherever a copy of it lies; the file goes after the commit."""
    row.wrapped_key = None
    row.erased_by = erasure.id

"""Evidence that comes by itself, in pieces, over a bad network: taken in sealed, kept if it is what was signed."""

import hashlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from datetime import timedelta
from uuid import UUID

from sqlalchemy import CompoundSelect, delete, exists, func, or_, select, union
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from courier_api.custody import entries, events, evidence, evidence_receipts, images
from courier_api.custody.models import (
    Case,
    CaseKind,
    Entry,
    Evidence,
    EvidenceKind,
    Opening,
    Operation,
    OperationState,
    Upload,
    UploadChunk,
)
from courier_api.custody.sealing import Sealed, seal, unseal
from courier_api.db import new_id, now
from courier_api.errors import Invalid, NotFound, Refused, TooMany
from courier_api.people.models import Device, Person
from courier_api.queue import later

MOST_BYTES = 15_000_000
MOST_OPEN = 500  # of one person: a shift has some 200 photos
KEPT_FOR = timedelta(days=30)  # what was never finished, or whose event never came
OVERDUE_AFTER = timedelta(hours=24)
TASK = "keep_upload"


def begin(session: Session, person: Person, entry_id: UUID, kind: EvidenceKind, length: int) -> Upload:
    """Announce an upload; the same one announced again is the one that is there, to be resumed."""
    if not 0 < length <= MOST_BYTES:
        raise Invalid("upload_too_large", "Upload-Length", most=MOST_BYTES)
    if not _may_send(session, person, entry_id):
        raise NotFound
    mine = (Upload.person_id == person.id, Upload.fault.is_(None))
    # What waits longer than that for a dispatcher is no burden of whoever sends: it stays, and shuts nobody out.
    lately = (Upload.kept_at.is_(None), Upload.created_at > now() - KEPT_FOR)
    open_ = select(func.count()).select_from(Upload).where(*mine, *lately)
    if (session.scalar(open_) or 0) >= MOST_OPEN:
        raise TooMany("too_many_uploads", retry_after=3600)
    session.execute(
        insert(Upload)
        .values(
            id=new_id(), person_id=person.id, entry_id=entry_id, kind=kind, length=length, offset=0, created_at=now()
        )
        .on_conflict_do_nothing()
    )
    same = (Upload.entry_id == entry_id, Upload.kind == kind, Upload.length == length)
    return session.scalars(select(Upload).where(*mine, *same)).one()


def _may_send(session: Session, person: Person, entry_id: UUID) -> bool:
    """Evidence comes from who signed the event, and none for one that was erased; an event may come later."""
    entry = session.get(Entry, entry_id)
    if entry is None:
        return True
    device = session.get(Device, entry.kid)
    return device is not None and device.person_id == person.id and not _is_erased(session, entry_id)


def _is_erased(session: Session, entry_id: UUID) -> bool:
    """Whether an event was erased; of one that was never done the bytes went, and nothing was opened."""
    opening, operation = session.get(Opening, entry_id), session.get(Operation, entry_id)
    if opening is not None:
        return opening.erased_by is not None
    return operation is not None and operation.content is None and operation.state is not OperationState.applied


def of_person(session: Session, person: Person, upload_id: UUID, *, lock: bool = False) -> Upload:
    """A person's own upload; raises NotFound."""
    query = select(Upload).where(Upload.id == upload_id, Upload.person_id == person.id)
    found = session.scalar(query.with_for_update() if lock else query)
    if found is None:
        raise NotFound
    return found


def known(session: Session, person: Person, entry_id: UUID, kind: EvidenceKind, digest: bytes) -> Upload | None:
    """A person's upload of just these bytes that is complete, whatever became of it."""
    same = (Upload.entry_id == entry_id, Upload.kind == kind, Upload.digest == digest)
    return session.scalars(select(Upload).where(Upload.person_id == person.id, *same).limit(1)).first()


def add(session: Session, upload: Upload, offset: int, content: bytes) -> None:
    """Take the next piece in; raises Refused for one that does not follow on, Invalid for more than was announced."""
    if offset != upload.offset:
        raise Refused("upload_offset", offset=upload.offset)
    if upload.offset + len(content) > upload.length:
        raise Invalid("upload_too_large", "Upload-Offset", most=upload.length)
    if not content:
        return
    sealed = seal(evidence.master_keys(), content, _bound_to(upload.id, offset))
    session.add(
        UploadChunk(
            upload_id=upload.id,
            start=offset,
            key_id=sealed.key_id,
            wrapped_key=sealed.wrapped_key,
            content=sealed.content,
        )
    )
    upload.offset += len(content)
    if upload.offset == upload.length:
        digest = hashlib.sha256()
        for piece in _pieces(session, upload.id):
            digest.update(piece)
        evidence_receipts.sign(upload, digest.digest(), now())
        later(session, TASK, upload.id)
    session.flush()


def _pieces(session: Session, upload_id: UUID) -> Iterator[bytes]:
    chunks = select(UploadChunk).where(UploadChunk.upload_id == upload_id).order_by(UploadChunk.start)
    for c in session.scalars(chunks.execution_options(yield_per=1)):
        sealed = Sealed(c.key_id, c.wrapped_key, c.content)
        yield unseal(evidence.master_keys(), sealed, _bound_to(upload_id, c.start))


def bind(session: Session, entry_ids: Collection[UUID]) -> None:
    """Events have come: what was uploaded for them before can be looked at now."""
    waiting = select(Upload.id).where(
        Upload.entry_id.in_(entry_ids),
        Upload.offset == Upload.length,
        Upload.kept_at.is_(None),
        Upload.fault.is_(None),
    )
    for upload_id in session.scalars(waiting):
        later(session, TASK, upload_id)


@dataclass(frozen=True, slots=True)
class Complete:
    """An upload with all its bytes and the event that it belongs to."""

    upload_id: UUID
    kind: EvidenceKind
    content: bytes
    salt: bytes
    signed: bool


def complete(session: Session, upload_id: UUID) -> Complete | None:
    """Put an upload together; None when its event has not come, or it is dealt with already."""
    upload = session.get(Upload, upload_id)
    if upload is None or upload.kept_at is not None or upload.fault is not None:
        return None
    entry, opening = session.get(Entry, upload.entry_id), session.get(Opening, upload.entry_id)
    if entry is None or entry.event is None or opening is None or opening.content is None:
        return None
    content = b"".join(_pieces(session, upload_id))
    salt = bytes.fromhex(opening.content["salts"].get(upload.kind.value, ""))
    committed = events.read(entry.event).commitments.get(upload.kind.value)
    signed = hashlib.sha256(salt + content).hexdigest() == committed and len(salt) == 32
    signed = signed and _may_send(session, session.get_one(Person, upload.person_id), entry.id)
    return Complete(upload_id, upload.kind, content, salt, signed)


def cleaned(found: Complete) -> bytes:
    """What is kept of it: a photo is encoded anew, without where and with what it was taken. Raises images.BadImage."""
    return images.clean(found.content) if found.kind is EvidenceKind.photo else found.content


def keep(session: Session, found: Complete, content: bytes) -> None:
    """Keep an upload as evidence of its event; for a re-encoded photo the operator signs what became of which."""
    upload = session.get_one(Upload, found.upload_id, with_for_update=True)
    entry = session.get_one(Entry, upload.entry_id)
    there = select(Evidence.id).where(Evidence.entry_id == entry.id, Evidence.kind == found.kind)
    if session.scalar(there) is not None:  # it came beside its event as well
        session.execute(delete(UploadChunk).where(UploadChunk.upload_id == upload.id))
        upload.kept_at = now()
        return
    proof = None
    if found.kind is EvidenceKind.photo:
        proof = entries.by_operator(
            session,
            "custody.evidence",
            entry.id,
            kind=found.kind.value,
            original=hashlib.sha256(found.salt + found.content).hexdigest(),
            stored=hashlib.sha256(found.salt + content).hexdigest(),
        )
    evidence.keep(session, entry, found.kind, content, found.salt, proof)
    session.execute(delete(UploadChunk).where(UploadChunk.upload_id == upload.id))
    upload.kept_at = now()


def refuse(session: Session, upload_id: UUID, code: str) -> None:
    """What came is not what was signed, or no picture: its bytes stay as they came, and a dispatcher is told."""
    upload = session.get_one(Upload, upload_id, with_for_update=True)
    upload.fault = code
    _ask(session, upload.entry_id, upload.person_id, code, upload=str(upload.id), kind=upload.kind.value)


def _ask(session: Session, entry_id: UUID, person_id: UUID, code: str, **detail: str) -> None:
    session.execute(
        insert(Case)
        .values(
            id=new_id(), kind=CaseKind.evidence, operation_id=entry_id, person_id=person_id, code=code, detail=detail
        )
        .on_conflict_do_nothing()
    )


def report_missing(session: Session) -> None:
    """Tell a dispatcher of events whose signature by hand or photo was signed for and has not come for a day.

    What was parked counts from the day of its decision, however late that is: until then nobody was to look for it, and
    what lay here is being looked at now.
    """
    at = now()
    since, until = at - KEPT_FOR, at - OVERDUE_AFTER
    looked_for: CompoundSelect[tuple[UUID | None]] = union(
        select(Entry.id).where(Entry.received_at.between(since, until)),
        select(Case.operation_id).where(Case.decided_at.between(since, until)),
    )
    for kind in EvidenceKind:
        overdue = (
            select(Entry.id, Device.person_id)
            .join(Opening, Opening.entry_id == Entry.id)
            .join(Device, Device.kid == Entry.kid)
            .where(
                Entry.id.in_(looked_for),
                Opening.content["salts"].has_key(kind.value),
                ~exists().where(Evidence.entry_id == Entry.id, Evidence.kind == kind),
                ~exists().where(Case.operation_id == Entry.id, Case.kind == CaseKind.evidence),
                ~exists().where(Case.operation_id == Entry.id, Case.decided_at > until),
            )
        )
        for entry_id, person_id in session.execute(overdue).all():
            _ask(session, entry_id, person_id, "evidence_missing", kind=kind.value)


def forget_unasked(session: Session) -> int:
    """Drop uploads that no event ever asked for, and what was never finished; return how many.

    What is complete and whose event we know stays, whatever became of that: the phone has our receipt and has let the
    bytes go, and a dispatcher may decide about a parked event after months.
    """
    event_came = or_(exists().where(Entry.id == Upload.entry_id), exists().where(Operation.id == Upload.entry_id))
    done = session.execute(
        delete(Upload).where(
            *(Upload.kept_at.is_(None), Upload.created_at < now() - KEPT_FOR, Upload.fault.is_(None)),
            or_(Upload.offset < Upload.length, ~event_came),
        )
    )
    return int(done.rowcount)  # type: ignore[attr-defined]


def _bound_to(upload_id: UUID, start: int) -> bytes:
    return upload_id.bytes + start.to_bytes(8)


def end(session: Session, upload: Upload) -> None:
    """Forget an upload that is not complete; raises Refused for one that is."""
    if upload.offset == upload.length:
        raise Refused("upload_complete")
    session.delete(upload)
    session.flush()

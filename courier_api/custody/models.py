"""Tables of custody. What is signed is append-only: the database refuses UPDATE, DELETE and TRUNCATE."""

from datetime import UTC, datetime, timedelta
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    Text,
    UniqueConstraint,
    text,
)
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from courier_api.db import Base, Created, Id, OptionalPoint, enum
from courier_api.dossiers.models import PostalItem
from courier_api.people.models import Person
from courier_api.proof.core import Core


class PartyRole(StrEnum):
    """In what capacity someone gives or takes."""

    citizen = "citizen"
    courier = "courier"
    office = "office"
    agency = "agency"


class Receiver(StrEnum):
    """Who stood at the door for the citizen."""

    self_ = "self"
    family = "family"
    authorized = "authorized"


class IdentityCheck(StrEnum):
    """How the courier made sure who it was."""

    card_seen = "card_seen"
    card_scanned = "card_scanned"
    known_person = "known_person"
    none = "none"


class ExtraReason(StrEnum):
    """Why a paper beyond the checklist goes along."""

    citizen_insists = "citizen_insists"
    agency_letter = "agency_letter"


class Entry(Base):
    """One signature in the ledger: an event with its exact bytes, or a countersignature of one."""

    __tablename__ = "ledger_entry"
    __table_args__ = (
        UniqueConstraint("kid", "counter"),
        Index("ix_ledger_entry_countersigned", "of", "kid", unique=True, postgresql_where=text("kind = 2")),
        Index("ix_ledger_entry_of", "of"),
        Index("ix_ledger_entry_received_at", "received_at", postgresql_using="brin"),
        CheckConstraint("kind <> 2 OR event IS NULL", name="countersignature_has_no_event"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)  # the event's, made by the device
    kind: Mapped[int] = mapped_column(SmallInteger)  # proof.core.Kind
    kid: Mapped[str] = mapped_column(String(16))  # a device's, or the operator's
    counter: Mapped[int | None]  # 1, 2, 3 ... for each device; none beside its chain (a copied key), or no event
    event: Mapped[bytes | None]  # none of a malformed one: its bytes are in the inbox, where they can be erased
    of: Mapped[UUID | None]  # what is countersigned, corrected, or given evidence
    core: Mapped[bytes] = mapped_column(LargeBinary(114))
    signature: Mapped[bytes] = mapped_column(LargeBinary(64))
    received_at: Mapped[datetime]

    @property
    def signed_at(self) -> datetime:
        """When it was signed, by the device's clock."""
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=Core.unpack(self.core).time_ms)

    opening: Mapped["Opening | None"] = relationship(
        primaryjoin="foreign(Opening.entry_id) == Entry.id", viewonly=True, uselist=False
    )


class Opening(Base):
    """The salts and contents behind an entry's commitments; erasing a person takes the content and leaves the entry."""

    __tablename__ = "opening"

    entry_id: Mapped[UUID] = mapped_column(ForeignKey("ledger_entry.id"), primary_key=True)
    content: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    erased_by: Mapped[UUID | None] = mapped_column(ForeignKey("ledger_entry.id"))


class Waiting(Base):
    """An entry that has no place in the tree yet; written with it, taken away by whoever gives it a place."""

    __tablename__ = "ledger_waiting"

    entry_id: Mapped[UUID] = mapped_column(ForeignKey("ledger_entry.id"), primary_key=True)


class Leaf(Base):
    """An entry's place in the tree."""

    __tablename__ = "ledger_leaf"

    index: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    entry_id: Mapped[UUID] = mapped_column(ForeignKey("ledger_entry.id"), unique=True)
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))


class Node(Base):
    """The root of 256^level leaves, complete ones only: what tiles above the lowest are made of."""

    __tablename__ = "ledger_node"

    level: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    index: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    hash: Mapped[bytes] = mapped_column(LargeBinary(32))


class Checkpoint(Base):
    """The size and root of the tree at a moment, signed by the operator (C2SP signed-note)."""

    __tablename__ = "checkpoint"

    size: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    root: Mapped[bytes] = mapped_column(LargeBinary(32))
    note: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]


class Cosignature(Base):
    """A witness's signature line under a checkpoint."""

    __tablename__ = "cosignature"

    size: Mapped[int] = mapped_column(ForeignKey("checkpoint.size"), primary_key=True)
    witness: Mapped[str] = mapped_column(String(200), primary_key=True)
    line: Mapped[str] = mapped_column(Text)
    at: Mapped[datetime]


class Handover(Base):
    """One change of custody of one postal item, from one named party to another. Never edited, only followed."""

    __tablename__ = "handover"
    __table_args__ = (
        UniqueConstraint("item_id", "leg"),
        Index("ix_handover_at", "at"),
        CheckConstraint("leg >= 1", name="leg"),
        CheckConstraint("from_role <> to_role OR from_id <> to_id", name="two_parties"),
        Index("ix_handover_to_id", "to_role", "to_id"),
    )

    id: Mapped[UUID] = mapped_column(ForeignKey("ledger_entry.id"), primary_key=True)
    item_id: Mapped[UUID] = mapped_column(ForeignKey("postal_item.id"))
    leg: Mapped[int] = mapped_column(SmallInteger)  # 1, 2, 3 ... for each item, without gaps
    from_role: Mapped[PartyRole] = mapped_column(enum(PartyRole, "from_role"))
    from_id: Mapped[UUID]  # a person, or the service point for office and agency
    to_role: Mapped[PartyRole] = mapped_column(enum(PartyRole, "to_role"))
    to_id: Mapped[UUID]
    recorded_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    recorded_role: Mapped[str] = mapped_column(String(20))
    device_at: Mapped[datetime]  # the device's claim
    at: Mapped[datetime]  # the server's
    point: Mapped[OptionalPoint]
    accuracy_m: Mapped[int | None] = mapped_column(Integer)
    identity_check: Mapped[IdentityCheck | None] = mapped_column(enum(IdentityCheck))
    receiver: Mapped[Receiver | None] = mapped_column(enum(Receiver))
    fee_collected: Mapped[int] = mapped_column(default=0)
    request_digest: Mapped[bytes] = mapped_column(LargeBinary(32))  # same id again must carry the same bytes

    item: Mapped[PostalItem] = relationship()
    entry: Mapped[Entry] = relationship()
    opening: Mapped["Opening | None"] = relationship(
        primaryjoin="foreign(Handover.id) == Opening.entry_id", viewonly=True, uselist=False
    )

    @property
    def lines(self) -> "list[HandoverLine]":
        """The papers as they were counted; none once they are erased."""
        content = self.opening.content if self.opening else None
        return [HandoverLine(*line) for line in (content or {}).get("documents", ())]

    @property
    def seal_number(self) -> str | None:
        """The number of the bag's seal."""
        number: str | None = self.opened("seal")
        return number

    @property
    def receiver_name(self) -> str | None:
        """Who received in the citizen's place."""
        return (self.opened("third_party") or {}).get("name")

    @property
    def authorization_reference(self) -> str | None:
        """The written authorisation that was seen."""
        return (self.opened("third_party") or {}).get("authorization")

    def opened(self, name: str) -> Any:
        """A content behind a commitment; None where there was none or it is erased."""
        content = self.opening.content if self.opening else None
        return (content or {}).get(name)


class HandoverLine:
    """One paper of a handover, counted as originals and copies by the one who received it."""

    __slots__ = ("copies", "name", "originals", "position", "reason")

    def __init__(self, position: int, name: str, originals: int, copies: int, reason: str | None = None) -> None:
        self.position = position
        self.name = name
        self.originals = originals
        self.copies = copies
        self.reason = reason  # why a paper beyond the checklist was taken


class EvidenceKind(StrEnum):
    """What is kept beside an event."""

    strokes = "strokes"
    photo = "photo"


class Evidence(Base):
    """A sealed file in the evidence store; its key is wrapped by the master key, and without it nothing can be read."""

    __tablename__ = "evidence"
    __table_args__ = (UniqueConstraint("entry_id", "kind"),)

    id: Mapped[Id]
    entry_id: Mapped[UUID] = mapped_column(ForeignKey("ledger_entry.id"))
    kind: Mapped[EvidenceKind] = mapped_column(enum(EvidenceKind))
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))  # SHA-256 of salt and content as kept
    size: Mapped[int]
    key_id: Mapped[str] = mapped_column(String(16))
    wrapped_key: Mapped[bytes | None]
    stored_at: Mapped[datetime]
    proof_id: Mapped[UUID | None] = mapped_column(ForeignKey("ledger_entry.id"))  # of a photo
    erased_by: Mapped[UUID | None] = mapped_column(ForeignKey("ledger_entry.id"))


class Upload(Base):
    """Evidence on its way (tus 1.0.0): chunks come in order and are sealed as they come."""

    __tablename__ = "upload"
    __table_args__ = (
        Index("ix_upload_entry_id", "entry_id"),
        Index(
            "ix_upload_once",
            *("person_id", "entry_id", "kind", "length"),
            unique=True,
            postgresql_where=text("fault IS NULL"),
        ),
    )

    id: Mapped[Id]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    entry_id: Mapped[UUID]  # the event that it belongs to, which may come later
    kind: Mapped[EvidenceKind] = mapped_column(enum(EvidenceKind))
    length: Mapped[int]
    offset: Mapped[int] = mapped_column(default=0)
    created_at: Mapped[datetime]
    kept_at: Mapped[datetime | None]
    fault: Mapped[str | None] = mapped_column(String(40))
    # Of the bytes as they came, once all are here; none on what was complete before there were receipts.
    digest: Mapped[bytes | None] = mapped_column(LargeBinary(32))
    receipt: Mapped[str | None] = mapped_column(Text)
    receipt_signature: Mapped[bytes | None] = mapped_column(LargeBinary(64))


class UploadChunk(Base):
    """A piece of an upload, sealed."""

    __tablename__ = "upload_chunk"

    upload_id: Mapped[UUID] = mapped_column(ForeignKey("upload.id", ondelete="CASCADE"), primary_key=True)
    start: Mapped[int] = mapped_column(primary_key=True)
    key_id: Mapped[str] = mapped_column(String(16))
    wrapped_key: Mapped[bytes]
    content: Mapped[bytes]


class OperationState(StrEnum):
    """What became of an operation."""

    received = "received"  # in the inbox, and nothing more yet
    waiting = "waiting"  # an earlier one of the same device is still to come
    applied = "applied"
    parked = "parked"  # it happened, but our rules have no place for it: a dispatcher decides
    rejected = "rejected"


class Operation(Base):
    """The inbox: what came from a phone, committed before anything is done with it."""

    __tablename__ = "operation"
    __table_args__ = (
        Index("ix_operation_unapplied", "kid", "counter", postgresql_where=text("state IN ('received', 'waiting')")),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)  # the event's id, else made here
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    kid: Mapped[str | None] = mapped_column(String(16))
    counter: Mapped[int | None]
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))  # of the operation's bytes
    content: Mapped[bytes | None]  # as sent; once applied its parts live in the entry and the opening
    received_at: Mapped[datetime]
    state: Mapped[OperationState] = mapped_column(enum(OperationState))
    code: Mapped[str | None] = mapped_column(String(40))
    detail: Mapped[dict[str, Any] | None] = mapped_column(JSONB(none_as_null=True))
    receipt: Mapped[str]  # the server's signed words that it has these bytes; the same for ever
    receipt_signature: Mapped[bytes] = mapped_column(LargeBinary(64))


class RemarkWhy(StrEnum):
    """What a courier finds wrong with something that he signed."""

    wrong_count = "wrong_count"
    wrong_person = "wrong_person"
    wrong_amount = "wrong_amount"
    wrong_seal = "wrong_seal"
    wrong_reason = "wrong_reason"
    other = "other"


class CaseKind(StrEnum):
    """Why a dispatcher must look."""

    parked = "parked"
    id_reused = "id_reused"  # one id with two contents
    key_cloned = "key_cloned"  # one counter with two contents
    gap = "gap"  # an operation of the device never came
    malformed = "malformed"  # really signed by the device, and no event of ours
    evidence = "evidence"  # what was uploaded is not what was signed
    remark = "remark"  # a courier asks for a correction of what he signed


class Case(Base):
    """Something that a dispatcher must decide, by a correction that is appended and signed."""

    __tablename__ = "custody_case"
    __table_args__ = (
        Index("ix_custody_case_open", "id", postgresql_where=text("decision IS NULL")),
        UniqueConstraint("operation_id", "kind"),
    )

    id: Mapped[Id]
    kind: Mapped[CaseKind] = mapped_column(enum(CaseKind))
    operation_id: Mapped[UUID | None]
    kid: Mapped[str | None] = mapped_column(String(16))
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    code: Mapped[str] = mapped_column(String(40))
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    opened_at: Mapped[Created]
    decision: Mapped[str | None] = mapped_column(String(20))
    decided_at: Mapped[datetime | None]
    correction_id: Mapped[UUID | None] = mapped_column(ForeignKey("ledger_entry.id"))

    person: Mapped[Person] = relationship(lazy="joined")


APPEND_ONLY = tuple(model.__tablename__ for model in (Entry, Leaf, Node, Checkpoint, Cosignature, Handover))

"""Tables of custody: append-only, the database itself refuses UPDATE, DELETE and TRUNCATE (see the migration)."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, Integer, LargeBinary, SmallInteger, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from courier_api.db import Base, OptionalPoint, enum
from courier_api.dossiers.models import PostalItem


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


class Handover(Base):
    """One change of custody of one postal item, from one named party to another. Never edited, only followed."""

    __tablename__ = "handover"
    __table_args__ = (
        UniqueConstraint("item_id", "leg"),
        CheckConstraint("leg >= 1", name="leg"),
        CheckConstraint("from_role <> to_role OR from_id <> to_id", name="two_parties"),
        Index("ix_handover_to_id", "to_role", "to_id"),
    )

    id: Mapped[UUID] = mapped_column(primary_key=True)  # made by the device that recorded it
    item_id: Mapped[UUID] = mapped_column(ForeignKey("postal_item.id"))
    leg: Mapped[int] = mapped_column(SmallInteger)  # 1, 2, 3 ... for each item, without gaps
    from_role: Mapped[PartyRole] = mapped_column(enum(PartyRole, "from_role"))
    from_id: Mapped[UUID]  # a person, or the service point for office and agency
    from_name: Mapped[str] = mapped_column(String(120))
    to_role: Mapped[PartyRole] = mapped_column(enum(PartyRole, "to_role"))
    to_id: Mapped[UUID]
    to_name: Mapped[str] = mapped_column(String(120))
    recorded_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    recorded_role: Mapped[str] = mapped_column(String(20))
    device_at: Mapped[datetime]  # the device's claim
    at: Mapped[datetime]  # the server's
    point: Mapped[OptionalPoint]
    accuracy_m: Mapped[int | None] = mapped_column(Integer)
    seal_number: Mapped[str | None] = mapped_column(String(40))
    identity_check: Mapped[IdentityCheck | None] = mapped_column(enum(IdentityCheck))
    receiver: Mapped[Receiver | None] = mapped_column(enum(Receiver))
    receiver_name: Mapped[str | None] = mapped_column(String(120))
    authorization_reference: Mapped[str | None] = mapped_column(String(120))
    fee_collected: Mapped[int] = mapped_column(default=0)
    # How many there are of each: the database takes no more, so nothing is slipped in later.
    line_count: Mapped[int] = mapped_column(SmallInteger)
    signature_count: Mapped[int] = mapped_column(SmallInteger)
    request_digest: Mapped[bytes] = mapped_column(LargeBinary(32))  # same id again must carry the same bytes

    item: Mapped[PostalItem] = relationship()
    lines: Mapped[list["HandoverLine"]] = relationship(order_by="HandoverLine.position")
    signatures: Mapped[list["Signature"]] = relationship(order_by="Signature.position")


class HandoverLine(Base):
    """One paper of a handover, counted as originals and copies by the one who received it."""

    __tablename__ = "handover_line"
    __table_args__ = (CheckConstraint("originals >= 0 AND copies >= 0", name="counts"),)

    handover_id: Mapped[UUID] = mapped_column(ForeignKey("handover.id"), primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    document_id: Mapped[UUID | None] = mapped_column(ForeignKey("document.id"))
    name: Mapped[str] = mapped_column(String(300))
    originals: Mapped[int] = mapped_column(SmallInteger)
    copies: Mapped[int] = mapped_column(SmallInteger)


class Signature(Base):
    """A signature by hand: strokes of (x, y, milliseconds, pressure), bound by hash to this handover."""

    __tablename__ = "signature"

    handover_id: Mapped[UUID] = mapped_column(ForeignKey("handover.id"), primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True)
    signer_name: Mapped[str] = mapped_column(String(120))
    relationship_: Mapped[str] = mapped_column("relationship", String(40))
    strokes: Mapped[list[Any]] = mapped_column(JSONB)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))  # SHA-256 of the canonical strokes and the handover's id


APPEND_ONLY = (Handover.__tablename__, HandoverLine.__tablename__, Signature.__tablename__)

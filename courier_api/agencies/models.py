"""Tables of manifests: the list with which a post office hands dossiers to a one-stop unit."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from courier_api.db import Base, Created, Id, enum
from courier_api.dossiers.models import PostalItem
from courier_api.places.models import ServicePoint


class LineState(StrEnum):
    """The agency's answer to one line."""

    pending = "pending"
    accepted = "accepted"
    refused = "refused"


class Manifest(Base):
    """One handing over of many items to one agency; closed when each line has its answer."""

    __tablename__ = "manifest"
    __table_args__ = (
        Index("ix_manifest_centre_id_id", "centre_id", "id"),
        Index("ix_manifest_office_id_id", "office_id", "id"),
    )

    id: Mapped[Id]
    number: Mapped[str] = mapped_column(String(40), unique=True)
    office_id: Mapped[UUID] = mapped_column(ForeignKey("service_point.id"))
    centre_id: Mapped[UUID] = mapped_column(ForeignKey("service_point.id"))
    made_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[Created]
    closed_at: Mapped[datetime | None]

    office: Mapped[ServicePoint] = relationship(foreign_keys=[office_id], lazy="joined")
    centre: Mapped[ServicePoint] = relationship(foreign_keys=[centre_id], lazy="joined")
    lines: Mapped[list["ManifestLine"]] = relationship(
        back_populates="manifest", order_by="ManifestLine.position", lazy="selectin"
    )


class ManifestLine(Base):
    """One item on a manifest, and what the agency said of it."""

    __tablename__ = "manifest_line"
    __table_args__ = (
        UniqueConstraint("manifest_id", "item_id"),
        # An item waits on one manifest at a time.
        Index("ix_manifest_line_waiting", "item_id", unique=True, postgresql_where=text("state = 'pending'")),
        CheckConstraint("state <> 'accepted' OR (dossier_code IS NOT NULL AND due_date IS NOT NULL)", name="accepted"),
        CheckConstraint("state <> 'refused' OR reason IS NOT NULL", name="refused"),
    )

    manifest_id: Mapped[UUID] = mapped_column(ForeignKey("manifest.id"), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True)
    item_id: Mapped[UUID] = mapped_column(ForeignKey("postal_item.id"))
    state: Mapped[LineState] = mapped_column(enum(LineState), default=LineState.pending)
    dossier_code: Mapped[str | None] = mapped_column(String(60))
    due_date: Mapped[date | None]
    reason: Mapped[str | None] = mapped_column(String(300))
    answered_at: Mapped[datetime | None]

    manifest: Mapped[Manifest] = relationship(back_populates="lines")
    item: Mapped[PostalItem] = relationship(lazy="joined")

"""Tables of dossiers, their documents, postal items, tracking numbers and timeline."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ARRAY, CheckConstraint, ForeignKey, Identity, Index, Integer, String, UniqueConstraint
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from courier_api.db import Base, Created, Id, Point, enum
from courier_api.dossiers.states import DossierState, ItemKind, Service
from courier_api.people.models import Person
from courier_api.places.models import Commune, PointQuality, ServicePoint
from courier_api.procedures.models import DocumentRequirement, ProcedureVersion


class Dossier(Base):
    """One citizen's case with an agency, opened under one version of a procedure."""

    __tablename__ = "dossier"
    __table_args__ = (
        CheckConstraint("window_end > window_start", name="window"),
        Index("ix_dossier_citizen_id_id", "citizen_id", "id"),
        Index("ix_dossier_centre_state", "centre_id", "state"),
        Index("ix_dossier_code", "dossier_code"),
    )

    id: Mapped[Id]
    citizen_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    procedure_version_id: Mapped[UUID] = mapped_column(ForeignKey("procedure_version.id"))
    service: Mapped[Service] = mapped_column(enum(Service))
    state: Mapped[DossierState] = mapped_column(enum(DossierState))
    version: Mapped[int] = mapped_column(default=1)
    link_secret: Mapped[str] = mapped_column(String(43), unique=True)  # 256 bits: the tracking link
    contact_name: Mapped[str] = mapped_column(String(120))
    contact_phone: Mapped[str] = mapped_column(String(16))
    address: Mapped[str] = mapped_column(String(300))
    note: Mapped[str] = mapped_column(String(300), default="")  # for the courier
    cautions: Mapped[list[str]] = mapped_column(ARRAY(String(20)), default=list, server_default="{}")  # of Caution
    commune_code: Mapped[str] = mapped_column(ForeignKey("commune.code"))
    point: Mapped[Point]
    point_quality: Mapped[PointQuality] = mapped_column(enum(PointQuality))
    office_id: Mapped[UUID] = mapped_column(ForeignKey("service_point.id"), index=True)
    centre_id: Mapped[UUID] = mapped_column(ForeignKey("service_point.id"))
    competent_agency: Mapped[str] = mapped_column(String(200))
    window_start: Mapped[datetime | None]
    window_end: Mapped[datetime | None]
    dossier_code: Mapped[str | None] = mapped_column(String(60))
    due_date: Mapped[date | None]
    refusal_reason: Mapped[str | None] = mapped_column(String(300))
    created_at: Mapped[Created]

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own name

    citizen: Mapped[Person] = relationship()
    procedure_version: Mapped[ProcedureVersion] = relationship(lazy="joined")
    commune: Mapped[Commune] = relationship()
    office: Mapped[ServicePoint] = relationship(foreign_keys=[office_id])
    centre: Mapped[ServicePoint] = relationship(foreign_keys=[centre_id])
    documents: Mapped[list["Document"]] = relationship(order_by="Document.position")
    items: Mapped[list["PostalItem"]] = relationship(back_populates="dossier")
    events: Mapped[list["DossierEvent"]] = relationship(order_by="DossierEvent.seq")


class Document(Base):
    """One paper of a dossier as the citizen announced it, against a line of the checklist."""

    __tablename__ = "document"
    __table_args__ = (
        UniqueConstraint("dossier_id", "position"),
        CheckConstraint("originals >= 0 AND copies >= 0 AND originals + copies > 0", name="counts"),
    )

    id: Mapped[Id]
    dossier_id: Mapped[UUID] = mapped_column(ForeignKey("dossier.id"))
    requirement_id: Mapped[UUID] = mapped_column(ForeignKey("document_requirement.id"))
    position: Mapped[int]
    originals: Mapped[int]
    copies: Mapped[int]

    requirement: Mapped[DocumentRequirement] = relationship(lazy="joined")


class PostalItem(Base):
    """A sealed bag of one dossier's papers: what custody is about. Its holder follows from custody alone."""

    __tablename__ = "postal_item"
    __table_args__ = (UniqueConstraint("dossier_id", "kind"),)

    id: Mapped[Id]
    dossier_id: Mapped[UUID] = mapped_column(ForeignKey("dossier.id"))
    kind: Mapped[ItemKind] = mapped_column(enum(ItemKind))
    tracking_number: Mapped[str] = mapped_column(String(13), unique=True)
    created_at: Mapped[Created]

    dossier: Mapped[Dossier] = relationship(back_populates="items")


class NumberRange(Base):
    """A range of S10 serial numbers given to us; numbers are taken from it in order and never twice."""

    __tablename__ = "number_range"
    __table_args__ = (
        UniqueConstraint("prefix", "first"),
        CheckConstraint(
            "first >= 0 AND last <= 99999999 AND first <= last AND next BETWEEN first AND last + 1", name="range"
        ),
        CheckConstraint("prefix ~ '^[A-Z]{2}$'", name="prefix"),
    )

    id: Mapped[Id]
    prefix: Mapped[str] = mapped_column(String(2))
    first: Mapped[int] = mapped_column(Integer)
    last: Mapped[int] = mapped_column(Integer)
    next: Mapped[int] = mapped_column(Integer)


class DossierEvent(Base):
    """A line of the timeline that the citizen reads: what happened, when, where."""

    __tablename__ = "dossier_event"
    __table_args__ = (Index("ix_dossier_event_dossier_id_seq", "dossier_id", "seq"),)

    id: Mapped[Id]
    seq: Mapped[int] = mapped_column(Identity())
    dossier_id: Mapped[UUID] = mapped_column(ForeignKey("dossier.id"))
    kind: Mapped[str] = mapped_column(String(40))
    at: Mapped[datetime]
    device_at: Mapped[datetime | None]
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)

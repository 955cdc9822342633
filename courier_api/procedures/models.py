"""Tables of the procedure catalogue; a version is what held between two dates."""

from datetime import date
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, Text, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column, relationship

from courier_api.db import Base, Id, enum
from courier_api.places.models import trigram_index


class Eligibility(StrEnum):
    """Which way a procedure's papers may go by post."""

    send = "send"
    return_ = "return"
    both = "both"
    none = "none"  # in person only, biometrics for one


class AgencyLevel(StrEnum):
    """The level of the agency that decides."""

    commune = "commune"
    province = "province"
    ministry = "ministry"


class Authorization(StrEnum):
    """Who may hand over or receive in the applicant's place."""

    anyone_written = "anyone_written"  # with a written authorisation
    family_exempt = "family_exempt"  # parents, spouse, children need none; others a written one
    forbidden = "forbidden"


class Procedure(Base):
    """An administrative procedure by its national code, e.g. 1.004203; an agency's suffix is kept apart."""

    __tablename__ = "procedure"
    __table_args__ = (
        UniqueConstraint("code", "suffix"),
        CheckConstraint(r"code ~ '^[0-9]\.[0-9]{6}$'", name="code"),
    )

    id: Mapped[Id]
    code: Mapped[str] = mapped_column(String(8))
    suffix: Mapped[str] = mapped_column(String(30), default="")

    versions: Mapped[list["ProcedureVersion"]] = relationship(
        back_populates="procedure", order_by="ProcedureVersion.valid_from"
    )


class ProcedureVersion(Base):
    """What a procedure asks and costs from one day on; a dossier keeps the version it was opened under."""

    __tablename__ = "procedure_version"
    __table_args__ = (
        UniqueConstraint("procedure_id", "valid_from"),
        Index("ix_procedure_version_current", "procedure_id", unique=True, postgresql_where=text("valid_to IS NULL")),
        CheckConstraint("valid_to IS NULL OR valid_to > valid_from", name="validity"),
        CheckConstraint("state_fee IS NULL OR state_fee >= 0", name="state_fee"),
        CheckConstraint("working_days IS NULL OR working_days >= 0", name="working_days"),
        CheckConstraint("NOT bookable OR (state_fee IS NOT NULL AND working_days IS NOT NULL)", name="bookable"),
        trigram_index("procedure_version", "search_name"),
    )

    id: Mapped[Id]
    procedure_id: Mapped[UUID] = mapped_column(ForeignKey("procedure.id"))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    name: Mapped[str] = mapped_column(Text)
    name_en: Mapped[str | None] = mapped_column(Text)
    search_name: Mapped[str] = mapped_column(Text)
    field: Mapped[str] = mapped_column(String(200))
    level: Mapped[AgencyLevel] = mapped_column(enum(AgencyLevel))
    competent_agency: Mapped[str] = mapped_column(String(200))
    eligibility: Mapped[Eligibility] = mapped_column(enum(Eligibility))
    authorization: Mapped[Authorization] = mapped_column(enum(Authorization))
    working_days: Mapped[int | None]
    state_fee: Mapped[int | None]  # đồng; None where the source does not say
    bookable: Mapped[bool]  # complete enough that a courier can be sent: checklist, fee and days known
    source_digest: Mapped[str] = mapped_column(String(64))

    procedure: Mapped[Procedure] = relationship(back_populates="versions", lazy="joined")
    requirements: Mapped[list["DocumentRequirement"]] = relationship(
        order_by="DocumentRequirement.position", cascade="all, delete-orphan"
    )


class DocumentRequirement(Base):
    """One line of the checklist: a paper, and how many originals and copies of it."""

    __tablename__ = "document_requirement"
    __table_args__ = (
        UniqueConstraint("version_id", "position"),
        CheckConstraint("originals >= 0 AND copies >= 0 AND originals + copies > 0", name="counts"),
    )

    id: Mapped[Id]
    version_id: Mapped[UUID] = mapped_column(ForeignKey("procedure_version.id"))
    position: Mapped[int]
    name: Mapped[str] = mapped_column(String(300))
    name_en: Mapped[str | None] = mapped_column(String(300))
    originals: Mapped[int]
    copies: Mapped[int]
    mandatory: Mapped[bool]
    recalled_original: Mapped[bool] = mapped_column(default=False)  # taken back when the result is delivered

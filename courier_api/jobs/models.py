"""Tables of jobs and of the attempts made at them."""

from datetime import datetime
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, mapped_column, relationship

from courier_api.db import Base, Created, Id, OptionalPoint, Point, enum
from courier_api.dossiers.models import Dossier, PostalItem
from courier_api.jobs.states import FailureReason, JobKind, JobState, NextAction, Outcome
from courier_api.people.models import Person


class Job(Base):
    """One pickup or delivery of one postal item at one door, by a courier of one post office."""

    __tablename__ = "job"
    __table_args__ = (
        # One open job for each leg of a dossier: the database says so, whoever asks at the same time.
        Index("ix_job_open_leg", "dossier_id", "kind", unique=True, postgresql_where=text("state = 'open'")),
        Index("ix_job_open_office", "office_id", "window_start", postgresql_where=text("state = 'open'")),
        CheckConstraint("(state = 'closed') = (outcome IS NOT NULL)", name="outcome_when_closed"),
        CheckConstraint("window_end > window_start", name="window"),
        CheckConstraint("service_seconds > 0", name="service_seconds"),
    )

    id: Mapped[Id]
    dossier_id: Mapped[UUID] = mapped_column(ForeignKey("dossier.id"), index=True)
    item_id: Mapped[UUID] = mapped_column(ForeignKey("postal_item.id"))
    kind: Mapped[JobKind] = mapped_column(enum(JobKind))
    state: Mapped[JobState] = mapped_column(enum(JobState), default=JobState.open)
    outcome: Mapped[Outcome | None] = mapped_column(enum(Outcome))
    reason: Mapped[FailureReason | None] = mapped_column(enum(FailureReason))
    office_id: Mapped[UUID] = mapped_column(ForeignKey("service_point.id"))
    point: Mapped[Point]
    window_start: Mapped[datetime | None]
    window_end: Mapped[datetime | None]
    service_seconds: Mapped[int]
    created_at: Mapped[Created]
    closed_at: Mapped[datetime | None]

    dossier: Mapped[Dossier] = relationship(lazy="joined")
    item: Mapped[PostalItem] = relationship(lazy="joined")
    attempts: Mapped[list["Attempt"]] = relationship(order_by="Attempt.at")


class Attempt(Base):
    """One failed visit to a door: why, where, when, and what comes next."""

    __tablename__ = "attempt"

    id: Mapped[Id]
    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id"), index=True)
    courier_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    reason: Mapped[FailureReason] = mapped_column(enum(FailureReason))
    note: Mapped[str] = mapped_column(String(300))
    next_action: Mapped[NextAction] = mapped_column(enum(NextAction))
    missing: Mapped[list[list[int]] | None] = mapped_column(JSONB(none_as_null=True))  # [position, originals, copies]
    called: Mapped[list[str] | None] = mapped_column(JSONB(none_as_null=True))  # when, as the event says it
    point: Mapped[OptionalPoint]
    device_at: Mapped[datetime]
    at: Mapped[datetime]

    courier: Mapped[Person] = relationship()

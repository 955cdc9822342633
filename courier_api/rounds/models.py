"""Tables of shifts, plans, rounds, stops, and of what a plan left out."""

from datetime import date, datetime
from typing import Any
from uuid import UUID

from geoalchemy2 import Geometry
from sqlalchemy import (
    CheckConstraint,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    String,
    Text,
    UniqueConstraint,
    func,
    select,
    text,
)
from sqlalchemy.dialects.postgresql import ExcludeConstraint
from sqlalchemy.orm import Mapped, column_property, mapped_column, relationship

from courier_api.db import SRID, Base, Created, Id, OptionalPoint, enum
from courier_api.jobs.models import Job
from courier_api.people.models import Person
from courier_api.places.models import ServicePoint
from courier_api.rounds.states import ArrivedWhy, Half, PlanState, RemedyKind, RoundState, StopState


class Shift(Base):
    """When a courier works, from which post office, with room for how many dossiers; shifts never overlap."""

    __tablename__ = "shift"
    __table_args__ = (
        CheckConstraint("ends_at > starts_at", name="period"),
        CheckConstraint("capacity BETWEEN 1 AND 1000", name="capacity"),
        ExcludeConstraint(
            ("courier_id", "="),
            (func.tstzrange(text("starts_at"), text("ends_at")), "&&"),
            name="ex_shift_overlap",
            using="gist",
        ),
        Index("ix_shift_starts_at", "starts_at"),
    )

    id: Mapped[Id]
    courier_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    office_id: Mapped[UUID] = mapped_column(ForeignKey("service_point.id"))
    starts_at: Mapped[datetime]
    ends_at: Mapped[datetime]
    capacity: Mapped[int]

    courier: Mapped[Person] = relationship(lazy="joined")
    office: Mapped[ServicePoint] = relationship(lazy="joined")


class DayPlan(Base):
    """One run of planning for a day and half-day: progress while it runs, figures when it is done."""

    __tablename__ = "day_plan"
    __table_args__ = (
        Index(
            "ix_day_plan_one_running",
            "day",
            "half",
            unique=True,
            postgresql_where=text("state IN ('queued', 'running')"),
        ),
    )

    id: Mapped[Id]
    day: Mapped[date]
    half: Mapped[Half] = mapped_column(enum(Half))
    state: Mapped[PlanState] = mapped_column(enum(PlanState), default=PlanState.queued)
    progress: Mapped[int] = mapped_column(default=0)  # per cent
    requested_by: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    created_at: Mapped[Created]
    finished_at: Mapped[datetime | None]
    travel_source: Mapped[str | None] = mapped_column(String(80))
    jobs: Mapped[int | None]
    planned: Mapped[int | None]
    metres: Mapped[int | None]
    seconds: Mapped[float | None]
    fault: Mapped[str | None] = mapped_column(Text)

    unplanned: Mapped[list["UnplannedJob"]] = relationship(order_by="UnplannedJob.job_id")


class UnplannedJob(Base):
    """A job that a plan left out, and why."""

    __tablename__ = "unplanned_job"

    plan_id: Mapped[UUID] = mapped_column(ForeignKey("day_plan.id"), primary_key=True)
    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id"), primary_key=True)
    reason: Mapped[str] = mapped_column(String(40))
    detail: Mapped[str] = mapped_column(String(300))

    job: Mapped[Job] = relationship()
    remedies: Mapped[list["Remedy"]] = relationship(order_by="Remedy.riding_seconds", lazy="selectin")


class Remedy(Base):
    """A change that would let a job in that a plan left out: seconds of a shift or a window, or items of a load."""

    __tablename__ = "remedy"
    __table_args__ = (ForeignKeyConstraint(["plan_id", "job_id"], ["unplanned_job.plan_id", "unplanned_job.job_id"]),)

    plan_id: Mapped[UUID] = mapped_column(primary_key=True)
    job_id: Mapped[UUID] = mapped_column(primary_key=True)
    kind: Mapped[RemedyKind] = mapped_column(enum(RemedyKind), primary_key=True)
    shift_id: Mapped[UUID] = mapped_column(ForeignKey("shift.id"))
    amount: Mapped[int]
    riding_seconds: Mapped[int]

    shift: Mapped[Shift] = relationship(lazy="joined")

    @property
    def courier(self) -> Person:
        """Whose shift it is."""
        return self.shift.courier


class Round(Base):
    """What one courier rides in one half-day: stops in order, from the office and back."""

    __tablename__ = "round"
    __table_args__ = (
        UniqueConstraint("shift_id", "half", "plan_id"),
        Index("ix_round_day_half", "day", "half"),
        Index("ix_round_courier_id_day", "courier_id", "day"),
    )

    id: Mapped[Id]
    plan_id: Mapped[UUID] = mapped_column(ForeignKey("day_plan.id"), index=True)
    shift_id: Mapped[UUID] = mapped_column(ForeignKey("shift.id"))
    courier_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    office_id: Mapped[UUID] = mapped_column(ForeignKey("service_point.id"))
    day: Mapped[date]
    half: Mapped[Half] = mapped_column(enum(Half))
    state: Mapped[RoundState] = mapped_column(enum(RoundState), default=RoundState.draft)
    version: Mapped[int] = mapped_column(default=1)
    departs_at: Mapped[datetime]
    returns_at: Mapped[datetime]
    metres: Mapped[int]
    travel_seconds: Mapped[int]
    line: Mapped[Any | None] = mapped_column(Geometry("LINESTRING", srid=SRID, spatial_index=True))
    started_at: Mapped[datetime | None]
    finished_at: Mapped[datetime | None]
    seen_version: Mapped[int | None]  # the newest plan of it that its courier has signed for
    seen_at: Mapped[datetime | None]

    __mapper_args__ = {"version_id_col": version}  # noqa: RUF012 - SQLAlchemy's own name

    line_geojson: Mapped[str | None] = column_property(func.ST_AsGeoJSON(line, 6), deferred=True)
    courier: Mapped[Person] = relationship(lazy="joined")
    office: Mapped[ServicePoint] = relationship(lazy="joined")
    shift: Mapped[Shift] = relationship()
    stops: Mapped[list["Stop"]] = relationship(back_populates="round", order_by="Stop.position")


class Stop(Base):
    """One job's place in a round, with the times planned and the times that were."""

    __tablename__ = "stop"
    __table_args__ = (
        UniqueConstraint("round_id", "position", deferrable=True, initially="DEFERRED"),
        # A job stands in one living round at most; a failed or cancelled stop frees it.
        Index("ix_stop_job_once", "job_id", unique=True, postgresql_where=text("state IN ('pending', 'arrived')")),
    )

    id: Mapped[Id]
    round_id: Mapped[UUID] = mapped_column(ForeignKey("round.id"))
    job_id: Mapped[UUID] = mapped_column(ForeignKey("job.id"))
    position: Mapped[int]
    state: Mapped[StopState] = mapped_column(enum(StopState), default=StopState.pending)
    arrival: Mapped[datetime]
    service_start: Mapped[datetime]
    departure: Mapped[datetime]
    arrived_at: Mapped[datetime | None]
    arrived_device_at: Mapped[datetime | None]
    arrived_point: Mapped[OptionalPoint]
    arrived_metres: Mapped[int | None]  # from the door, by PostGIS
    arrived_why: Mapped[ArrivedWhy | None] = mapped_column(enum(ArrivedWhy))
    ended_at: Mapped[datetime | None]

    round: Mapped[Round] = relationship(back_populates="stops")
    job: Mapped[Job] = relationship(lazy="joined")


# Counted by the database: a list of rounds shows how many stops each has without loading them.
Round.stop_count = column_property(
    select(func.count(Stop.id)).where(Stop.round_id == Round.id).correlate_except(Stop).scalar_subquery()
)

"""Tables of the phones that tell where a courier is, and of what they told."""

from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from geoalchemy2 import Geometry
from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, SmallInteger
from sqlalchemy.orm import Mapped, mapped_column

from courier_api.db import SRID, Base, enum


class Source(StrEnum):
    """What sends the positions."""

    app = "app"  # our own page for couriers
    traccar = "traccar"  # Traccar Client, or whatever speaks as it does


class TrackingDevice(Base):
    """Who may tell where a courier is: one of each kind, known by a secret that is kept as a hash."""

    __tablename__ = "tracking_device"

    courier_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    kind: Mapped[Source] = mapped_column(enum(Source), primary_key=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary(32), unique=True)
    made_at: Mapped[datetime]
    last_fix_at: Mapped[datetime | None]  # when the newest that was kept was captured


class Position(Base):
    """Where a courier was in one second of his duty; two fixes of the same second are one."""

    __tablename__ = "position"
    __table_args__ = (
        CheckConstraint("heading BETWEEN 0 AND 359", name="heading"),
        CheckConstraint("battery BETWEEN 0 AND 100", name="battery"),
        # Rows come nearly in the order of their time: enough to find the old ones, at a thousandth of the size.
        Index("ix_position_captured_at", "captured_at", postgresql_using="brin"),
    )

    courier_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    captured_at: Mapped[datetime] = mapped_column(primary_key=True)
    received_at: Mapped[datetime]
    # Asked for by courier and time only: a spatial index would cost more than all the rest.
    point: Mapped[Any] = mapped_column(Geometry("POINT", srid=SRID, spatial_index=False))
    accuracy_m: Mapped[int | None] = mapped_column(SmallInteger)
    speed_mps: Mapped[float | None]
    heading: Mapped[int | None] = mapped_column(SmallInteger)  # degrees from north
    battery: Mapped[int | None] = mapped_column(SmallInteger)  # per cent
    moving: Mapped[bool | None]
    source: Mapped[Source] = mapped_column(enum(Source))

"""Tables of tariffs, charges, the vouchers given for cash, and their settlement at the post office."""

from datetime import date, datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, SmallInteger, String, UniqueConstraint, text
from sqlalchemy.orm import Mapped, mapped_column

from courier_api.db import Base, Created, Id, enum
from courier_api.dossiers.states import Service


class ChargeKind(StrEnum):
    """Money is three lines, never one."""

    state_fee = "state_fee"
    postage = "postage"
    fee_transfer = "fee_transfer"


class Tariff(Base):
    """What a service costs from one day on, in đồng."""

    __tablename__ = "tariff"
    __table_args__ = (
        UniqueConstraint("service", "valid_from"),
        Index("ix_tariff_current", "service", unique=True, postgresql_where=text("valid_to IS NULL")),
        CheckConstraint("postage >= 0 AND fee_transfer >= 0", name="amounts"),
    )

    id: Mapped[Id]
    service: Mapped[Service] = mapped_column(enum(Service))
    valid_from: Mapped[date]
    valid_to: Mapped[date | None]
    postage: Mapped[int]
    fee_transfer: Mapped[int]  # only where a state fee is carried


class Charge(Base):
    """One line of what a dossier costs its citizen, fixed when it was booked."""

    __tablename__ = "charge"
    __table_args__ = (CheckConstraint("amount >= 0", name="amount"),)

    dossier_id: Mapped[UUID] = mapped_column(ForeignKey("dossier.id"), primary_key=True)
    kind: Mapped[ChargeKind] = mapped_column(enum(ChargeKind), primary_key=True)
    amount: Mapped[int]


class Voucher(Base):
    """The slip for cash that a courier took at the door, one for each handover."""

    __tablename__ = "voucher"
    __table_args__ = (
        CheckConstraint("amount > 0", name="amount"),
        Index("ix_voucher_unsettled", "courier_id", postgresql_where=text("settlement_id IS NULL")),
    )

    id: Mapped[Id]
    handover_id: Mapped[UUID] = mapped_column(unique=True)
    dossier_id: Mapped[UUID] = mapped_column(ForeignKey("dossier.id"), index=True)
    courier_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    amount: Mapped[int]
    taken_at: Mapped[datetime]
    created_at: Mapped[Created]
    number: Mapped[str] = mapped_column(String(24), unique=True)
    settlement_id: Mapped[UUID | None] = mapped_column(ForeignKey("settlement.id"), index=True)


class Settlement(Base):
    """Cash that a courier paid in at a post office against vouchers, as he signed it; its id is the event's."""

    __tablename__ = "settlement"
    __table_args__ = (CheckConstraint("amount >= 0", name="amount"),)

    id: Mapped[UUID] = mapped_column(primary_key=True)
    courier_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    office_id: Mapped[UUID] = mapped_column(ForeignKey("service_point.id"))
    clerk_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    amount: Mapped[int]
    device_at: Mapped[datetime]  # the device's claim
    at: Mapped[datetime]  # the server's


class Recalled(Base):
    """An old original that a courier took back as he delivered the result, until he gives it in with a settlement."""

    __tablename__ = "recalled"
    __table_args__ = (CheckConstraint("originals >= 0", name="originals"),)

    handover_id: Mapped[UUID] = mapped_column(primary_key=True)
    position: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)  # on the checklist
    originals: Mapped[int] = mapped_column(SmallInteger)  # none where an optional paper was not there
    courier_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    settlement_id: Mapped[UUID | None] = mapped_column(ForeignKey("settlement.id"), index=True)

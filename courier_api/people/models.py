"""Tables of persons, what they may do, and how they sign in."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, Sequence, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from courier_api.db import Base, Created, Id, enum


class Role(StrEnum):
    """What a person may do here; each role sees its own part of the API."""

    citizen = "citizen"
    courier = "courier"
    clerk = "clerk"
    dispatcher = "dispatcher"
    officer = "officer"


LETTERS = {Role.courier: "C", Role.clerk: "G", Role.dispatcher: "D", Role.officer: "O"}


STAFF_NUMBERS = Sequence("staff_number", metadata=Base.metadata)


class Person(Base):
    """A human being, known by a phone number in E.164."""

    __tablename__ = "person"
    __table_args__ = (
        # An erased person has no phone; his id stays in the phone's place, since it must be one of a kind.
        CheckConstraint(r"phone ~ '^\+[1-9][0-9]{7,14}$' OR erased_at IS NOT NULL", name="phone_e164"),
    )

    id: Mapped[Id]
    phone: Mapped[str] = mapped_column(String(16), unique=True)
    full_name: Mapped[str] = mapped_column(String(120), default="")
    staff_number: Mapped[int | None] = mapped_column(unique=True)  # on the badge; from the sequence staff_number
    erased_at: Mapped[datetime | None]
    created_at: Mapped[Created]

    def staff_code(self, role: "Role") -> str:
        """How custody names a member of staff: a letter for the role and the number of the badge."""
        return f"{LETTERS[role]}-{self.staff_number or 0:05d}"

    grants: Mapped[list["Grant"]] = relationship(back_populates="person", cascade="all, delete-orphan")


class Grant(Base):
    """A role that a person holds; where it is held stands in `places.Posting`."""

    __tablename__ = "role_grant"

    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), primary_key=True)
    role: Mapped[Role] = mapped_column(enum(Role), primary_key=True)
    created_at: Mapped[Created]

    person: Mapped[Person] = relationship(back_populates="grants")


class OneTimeCode(Base):
    """A sign-in code on its way to a phone, kept as a keyed hash; three wrong tries end it."""

    __tablename__ = "one_time_code"
    __table_args__ = (Index("ix_one_time_code_phone_created_at", "phone", "created_at"),)

    id: Mapped[Id]
    phone: Mapped[str] = mapped_column(String(16))
    digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    wrong_tries: Mapped[int] = mapped_column(default=0)
    used_at: Mapped[datetime | None]


class AccessToken(Base):
    """A bearer token of one person in one role, kept as a hash."""

    __tablename__ = "access_token"

    digest: Mapped[bytes] = mapped_column(LargeBinary(32), primary_key=True)
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    role: Mapped[Role] = mapped_column(enum(Role))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    kid: Mapped[str | None] = mapped_column(ForeignKey("device.kid"), index=True)  # dies with the device

    person: Mapped[Person] = relationship(lazy="joined")


class Device(Base):
    """A key that a browser made and cannot give away; each thing it signs names the one before."""

    __tablename__ = "device"

    kid: Mapped[str] = mapped_column(String(16), primary_key=True)  # hex of the key id
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    role: Mapped[Role] = mapped_column(enum(Role))
    public_key: Mapped[bytes] = mapped_column(LargeBinary(33))
    label: Mapped[str] = mapped_column(String(120), default="")
    created_at: Mapped[datetime]
    certified_until: Mapped[datetime]
    revoked_at: Mapped[datetime | None]
    quarantined_at: Mapped[datetime | None]  # two devices sign with this key
    last_counter: Mapped[int] = mapped_column(default=0)
    last_digest: Mapped[bytes] = mapped_column(LargeBinary(32), default=bytes(32))

    person: Mapped[Person] = relationship(lazy="joined")
    certificates: Mapped[list["DeviceCertificate"]] = relationship(order_by="DeviceCertificate.issued_at")


class DeviceCertificate(Base):
    """One certificate of a device, 121 bytes; a later one does not replace it, old receipts carry it."""

    __tablename__ = "device_certificate"

    kid: Mapped[str] = mapped_column(ForeignKey("device.kid"), primary_key=True)
    issued_at: Mapped[datetime] = mapped_column(primary_key=True)
    content: Mapped[bytes] = mapped_column(LargeBinary(121))


class Consent(Base):
    """A person's agreement to one purpose of processing, with the text agreed to (Law 91/2025)."""

    __tablename__ = "consent"

    id: Mapped[Id]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    purpose: Mapped[str] = mapped_column(String(40))
    text_version: Mapped[str] = mapped_column(String(20))
    given_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]

"""Tables of persons, what they may do, and how they sign in."""

from datetime import datetime
from enum import StrEnum
from uuid import UUID

from sqlalchemy import CheckConstraint, ForeignKey, Index, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from courier_api.db import Base, Created, Id, enum


class Role(StrEnum):
    """What a person may do here; each role sees its own part of the API."""

    citizen = "citizen"
    courier = "courier"
    clerk = "clerk"
    dispatcher = "dispatcher"
    officer = "officer"


class Person(Base):
    """A human being, known by a phone number in E.164."""

    __tablename__ = "person"
    __table_args__ = (CheckConstraint(r"phone ~ '^\+[1-9][0-9]{7,14}$'", name="phone_e164"),)

    id: Mapped[Id]
    phone: Mapped[str] = mapped_column(String(16), unique=True)
    full_name: Mapped[str] = mapped_column(String(120), default="")
    created_at: Mapped[Created]

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

    person: Mapped[Person] = relationship(lazy="joined")


class Consent(Base):
    """A person's agreement to one purpose of processing, with the text agreed to (Law 91/2025)."""

    __tablename__ = "consent"

    id: Mapped[Id]
    person_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"), index=True)
    purpose: Mapped[str] = mapped_column(String(40))
    text_version: Mapped[str] = mapped_column(String(20))
    given_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]

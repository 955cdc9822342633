"""The change feed of a courier: what happened to his rounds behind his back, in commit order and without gaps."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import ForeignKey, Index, String, text
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Mapped, Session, mapped_column

from courier_api.db import Base, Id, Xid8, new_id, now


class CourierChange(Base):
    """One change; `txid` is the transaction that made it."""

    __tablename__ = "courier_change"
    __table_args__ = (Index("ix_courier_change_feed", "courier_id", "txid", "id"),)

    id: Mapped[Id]
    courier_id: Mapped[UUID] = mapped_column(ForeignKey("person.id"))
    kind: Mapped[str] = mapped_column(String(40))
    subject_id: Mapped[UUID]
    detail: Mapped[dict[str, Any]] = mapped_column(JSONB, default=dict)
    at: Mapped[datetime]
    txid: Mapped[int] = mapped_column(Xid8, server_default=text("pg_current_xact_id()"))


@dataclass(frozen=True, slots=True)
class Changes:
    """Some changes, and from where to ask on."""

    items: Sequence[Any]
    cursor: str
    more: bool


def add(session: Session, courier_id: UUID, kind: str, subject_id: UUID, **detail: Any) -> None:
    """Add a change to a courier's feed."""
    session.add(
        CourierChange(id=new_id(), courier_id=courier_id, kind=kind, subject_id=subject_id, detail=detail, at=now())
    )


def since(session: Session, courier_id: UUID, cursor: tuple[int, UUID] | None, limit: int) -> Changes:
    """The changes after a cursor, oldest first.

    Only those of transactions before which no other is still open: one that is numbered lower and commits later would
    be passed over by a cursor for ever.
    """
    txid, after = cursor or (0, UUID(int=0))
    rows = session.execute(
        text(
            "SELECT id, kind, subject_id, detail, at, txid::text AS txid FROM courier_change"
            " WHERE courier_id = :courier AND txid < pg_snapshot_xmin(pg_current_snapshot())"
            " AND (txid, id) > (CAST(:txid AS xid8), CAST(:after AS uuid)) ORDER BY txid, id LIMIT :limit"
        ),
        {"courier": courier_id, "txid": str(txid), "after": after, "limit": limit + 1},
    ).all()
    shown = rows[:limit]
    last = f"{shown[-1].txid}.{shown[-1].id}" if shown else f"{txid}.{after}"
    return Changes(shown, last, len(rows) > limit)

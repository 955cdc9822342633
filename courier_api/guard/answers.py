"""Answers to creating requests, kept so that the same request sent again gets the same answer."""

import hashlib
from datetime import timedelta
from uuid import UUID

from flask import Request, Response
from sqlalchemy import LargeBinary, String, delete, func, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from courier_api.db import Base, Created, now
from courier_api.errors import Invalid, Refused

HEADER = "Idempotency-Key"
KEPT = timedelta(days=7)


class StoredAnswer(Base):
    """The first answer given to a caller's key."""

    __tablename__ = "stored_answer"

    caller: Mapped[UUID] = mapped_column(primary_key=True)
    key: Mapped[str] = mapped_column(String(100), primary_key=True)
    request_digest: Mapped[bytes] = mapped_column(LargeBinary(32))
    status: Mapped[int]
    etag: Mapped[str | None] = mapped_column(String(80))
    body: Mapped[bytes]
    created_at: Mapped[Created]


def key_of(request: Request) -> str:
    """The caller's key, with or without the quotes of a structured field; raises Invalid when it is missing."""
    key = request.headers.get(HEADER, "").strip().strip('"')
    if not 8 <= len(key) <= 100:
        raise Invalid("idempotency_key_missing", HEADER)
    return key


def digest_of(request: Request) -> bytes:
    """What makes two requests the same: method, path and body."""
    return hashlib.sha256(f"{request.method} {request.path}\n".encode() + request.get_data()).digest()


def find(session: Session, caller: UUID, key: str, request_digest: bytes) -> Response | None:
    """Return the stored answer; raises Refused while the first is running, Invalid for the key with another body."""
    lock = func.pg_try_advisory_xact_lock(func.hashtextextended(f"{caller} {key}", 0))
    if not session.scalar(select(lock)):
        raise Refused("request_running")
    stored = session.get(StoredAnswer, (caller, key))
    if stored is None:
        return None
    if stored.request_digest != request_digest:
        raise Invalid("idempotency_key_reused", HEADER)
    response = Response(stored.body, stored.status, mimetype="application/json")
    response.headers["Idempotent-Replayed"] = "true"
    if stored.etag:
        response.headers["ETag"] = stored.etag
    return response


def keep(session: Session, caller: UUID, key: str, request_digest: bytes, response: Response) -> None:
    """Store the answer in the transaction of what it tells about: both are there or neither."""
    session.add(
        StoredAnswer(
            caller=caller,
            key=key,
            request_digest=request_digest,
            status=response.status_code,
            etag=response.headers.get("ETag"),
            body=response.get_data(),
        )
    )


def forget_old(session: Session) -> None:
    """Drop answers that nobody will ask for again."""
    session.execute(delete(StoredAnswer).where(StoredAnswer.created_at < now() - KEPT))

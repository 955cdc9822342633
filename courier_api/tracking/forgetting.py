"""Where somebody was is sensitive: it goes by itself after a while, and at once with the person."""

from datetime import timedelta

from sqlalchemy import delete
from sqlalchemy.orm import Session

from courier_api.db import now
from courier_api.people.models import Person
from courier_api.tracking.models import Position, TrackingDevice

KEPT_FOR = timedelta(days=30)  # long enough to see what went wrong on a round


def forget_old(session: Session) -> int:
    """Drop positions that have been kept long enough; how many there were."""
    return _gone(session, Position.captured_at < now() - KEPT_FOR)


def forget_person(session: Session, person: Person) -> int:
    """Drop all positions of a person and take no more; how many there were."""
    # Devices first: a batch that is just being taken in holds its device, and is waited for.
    session.execute(delete(TrackingDevice).where(TrackingDevice.courier_id == person.id))
    return _gone(session, Position.courier_id == person.id)


def _gone(session: Session, where: object) -> int:
    return session.execute(delete(Position).where(where)).rowcount  # type: ignore[arg-type, attr-defined]

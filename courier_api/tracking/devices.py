"""The phones that may tell where a courier is: each has an id that is a secret, and is worth nothing else."""

import hashlib
import hmac
import re

from sqlalchemy import delete, exists, select
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from courier_api.db import now
from courier_api.people.models import Grant, Person, Role
from courier_api.settings import settings
from courier_api.tracking.models import Source, TrackingDevice

SECRET_BYTES = 16
WRITTEN = re.compile(r"[0-9a-f]{32}")


def make(session: Session, courier: Person, kind: Source, key: str) -> str:
    """Give a courier a new device id of this kind, and end the one before; the same `key` gives the same id.

    So a request that is sent again is answered alike, and the id is written down nowhere.
    """
    told = f"tracking {courier.id} {kind} {key}".encode()
    device_id = hmac.digest(settings().secret_key, told, "sha256")[:SECRET_BYTES].hex()
    values = {"digest": _digest(device_id), "made_at": now(), "last_fix_at": None}
    row = insert(TrackingDevice).values(courier_id=courier.id, kind=kind, **values)
    same = TrackingDevice.digest == row.excluded.digest
    session.execute(row.on_conflict_do_update(index_elements=["courier_id", "kind"], set_=values, where=~same))
    return device_id


def of_courier(session: Session, courier: Person, kind: Source) -> TrackingDevice | None:
    """A courier's device of this kind."""
    return session.get(TrackingDevice, (courier.id, kind), populate_existing=True)


def end(session: Session, courier: Person, kind: Source) -> None:
    """Take nothing more from a courier's device of this kind; where there is none nothing changes."""
    mine = (TrackingDevice.courier_id == courier.id, TrackingDevice.kind == kind)
    session.execute(delete(TrackingDevice).where(*mine))


def sending(session: Session, device_id: str) -> TrackingDevice | None:
    """The device that has this id, locked; None where nobody has it, or who has it is no courier any more."""
    written = device_id.strip().lower()  # people type it in
    if not WRITTEN.fullmatch(written):
        return None
    courier = exists().where(Grant.person_id == TrackingDevice.courier_id, Grant.role == Role.courier)
    query = select(TrackingDevice).where(TrackingDevice.digest == _digest(written), courier)
    return session.scalar(query.with_for_update(of=TrackingDevice).execution_options(populate_existing=True))


def _digest(device_id: str) -> bytes:
    return hashlib.sha256(device_id.encode()).digest()

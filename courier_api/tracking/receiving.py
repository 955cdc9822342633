"""Taking positions in: what may be kept is kept, and for the rest no phone is told why."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.orm import Session

from courier_api.db import point
from courier_api.tracking import devices, duty
from courier_api.tracking.fixes import Fix, Sent
from courier_api.tracking.models import Position, TrackingDevice

OLDEST = timedelta(days=7)
WORST_ACCURACY_M = 500


@dataclass(frozen=True, slots=True)
class Received:
    """How many fixes were kept, and how many not."""

    kept: int
    dropped: int


def receive(session: Session, sent: Sent, at: datetime) -> Received:
    """Keep what a known phone captured while its courier was on duty; everything else is dropped without a word."""
    told = {fix.captured_at: fix for fix in reversed(sent.fixes) if fix is not None and _believable(fix, at)}
    device = devices.sending(session, sent.device_id) if told else None
    kept = _keep(session, device, told, at) if device else 0
    return Received(kept, len(sent.fixes) - kept)


def _believable(fix: Fix, at: datetime) -> bool:
    in_time = at - OLDEST <= fix.captured_at <= at + duty.SLACK  # nobody has been on duty later than now
    return in_time and (fix.accuracy_m is None or fix.accuracy_m <= WORST_ACCURACY_M)


def _keep(session: Session, device: TrackingDevice, told: Mapping[datetime, Fix], at: datetime) -> int:
    on_duty = duty.times(session, device.courier_id, min(told), max(told))
    rows = [
        _row(device, told[moment], at)
        for moment in sorted(told)  # two phones of one courier must not wait for each other crosswise
        if any(start <= moment <= end for start, end in on_duty)
    ]
    if not rows:
        return 0
    new = insert(Position).values(rows).on_conflict_do_nothing().returning(Position.captured_at)
    kept = session.scalars(new).all()
    if kept:
        device.last_fix_at = max([*kept, *([device.last_fix_at] if device.last_fix_at else [])])
    return len(kept)


def _row(device: TrackingDevice, fix: Fix, at: datetime) -> dict[str, object]:
    return {
        "courier_id": device.courier_id,
        "captured_at": fix.captured_at,
        "received_at": at,
        "point": point(fix.lon, fix.lat),
        "accuracy_m": None if fix.accuracy_m is None else round(fix.accuracy_m),
        "speed_mps": fix.speed_mps,
        "heading": fix.heading,
        "battery": fix.battery,
        "moving": fix.moving,
        "source": device.kind,
    }

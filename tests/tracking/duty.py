"""Rounds that were ridden at given times, written straight into the database, and phones that tell of them."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import select

from courier_api.db import new_id, now
from courier_api.rounds.models import DayPlan, Round, Shift
from courier_api.rounds.states import Half, PlanState, RoundState
from courier_api.tracking.models import Position
from tests.cast import Actor, Cast

HOUR = timedelta(hours=1)
NETWORK = iter(range(1, 1 << 16))


def ride(
    cast: Cast,
    started: datetime,
    finished: datetime | None = None,
    *,
    state: RoundState | None = None,
    shift_end: datetime | None = None,
    courier: Actor | None = None,
    office_id: UUID | None = None,
) -> Round:
    """A courier of the office was out from one time to another, or is out still."""
    courier = courier or cast.courier
    day = started.date()
    end = shift_end or (finished or now()) + HOUR
    plan = DayPlan(
        id=new_id(), day=day, half=Half.morning, state=PlanState.done, requested_by=UUID(cast.dispatcher.person_id)
    )
    office = {"courier_id": UUID(courier.person_id), "office_id": office_id or cast.office.id}
    shift = Shift(id=new_id(), starts_at=min(started, end - HOUR), ends_at=end, capacity=60, **office)
    cast.session.add_all((plan, shift))
    cast.session.flush()
    round_ = Round(
        id=new_id(),
        plan_id=plan.id,
        shift_id=shift.id,
        day=day,
        half=Half.morning,
        state=state or (RoundState.finished if finished else RoundState.started),
        departs_at=started,
        returns_at=end,
        metres=1,
        travel_seconds=1,
        started_at=started,
        finished_at=finished,
        **office,
    )
    cast.session.add(round_)
    cast.session.commit()
    return round_


def device(courier: Actor, kind: str = "traccar") -> str:
    """A new device of a courier; its id."""
    made: str = courier.post("/tracking-device", {"kind": kind})["device_id"]
    return made


def tell(cast: Cast, said: dict[str, Any] | str | bytes, status: int = 200, *, network: str | None = None) -> Any:
    """A phone sends something, each time from elsewhere: in the address, as JSON, or as the bytes that they are."""
    if isinstance(said, str):
        sent: dict[str, Any] = {"query_string": said}
    elif isinstance(said, dict):
        sent = {"json": said}
    else:
        sent = {"data": said, "content_type": "application/json"}
    n = next(NETWORK)
    answer = cast.client.post("/positions", environ_base={"REMOTE_ADDR": network or f"10.7.{n >> 8}.{n & 255}"}, **sent)
    assert answer.status_code == status, answer.get_data(as_text=True)
    return answer.get_json()


def kept(cast: Cast) -> list[Position]:
    """All positions, oldest first."""
    cast.session.expire_all()
    return list(cast.session.scalars(select(Position).order_by(Position.captured_at)))

"""Where somebody was is not kept for ever: it goes after thirty days, and with the person."""

from datetime import timedelta
from uuid import UUID

from sqlalchemy import select

from courier_api import keeper
from courier_api.db import now, point
from courier_api.journey import erasing
from courier_api.people import signing_in
from courier_api.people.models import Role
from courier_api.tracking.forgetting import KEPT_FOR
from courier_api.tracking.models import Position, Source, TrackingDevice
from tests.cast import Actor, Cast
from tests.custody.test_erasure import everything
from tests.tracking.captures import HERE, query
from tests.tracking.duty import HOUR, device, kept, ride, tell


def was_here(cast: Cast, days_ago: float, courier: Actor) -> None:
    """A courier was here some days ago."""
    at = now() - timedelta(days=days_ago)
    who = UUID(courier.person_id)
    row = Position(courier_id=who, captured_at=at, received_at=at, point=point(*HERE), source=Source.app)
    cast.session.add(row)
    cast.session.commit()


def test_old_positions_go_by_themselves(cast: Cast) -> None:
    assert timedelta(days=30) == KEPT_FOR
    for days in (0, 29.99, 30.01, 300):
        was_here(cast, days, cast.courier)
    keeper.forget_positions()
    assert [round((now() - row.captured_at).days) for row in kept(cast)] == [29, 0]
    keeper.forget_positions()
    assert len(kept(cast)) == 2


def test_the_keeper_does_it() -> None:
    assert keeper.forget_positions in {work for work, _ in keeper.WORK}


def test_who_is_erased_was_nowhere(cast: Cast) -> None:
    other = cast.outsider[Role.courier]
    for courier in (cast.courier, other):
        was_here(cast, 1, courier)
        was_here(cast, 2, courier)
    at = now().replace(microsecond=0) - HOUR
    ride(cast, at)
    phone = device(cast.courier)
    device(other)
    tell(cast, query(phone, at))
    assert len(kept(cast)) == 5
    signing_in.dismiss(cast.session, "0912000002", Role.courier)
    erasing.erase(cast.session, "0912000002")
    cast.session.commit()
    assert {str(row.courier_id) for row in kept(cast)} == {other.person_id}
    left = cast.session.scalars(select(TrackingDevice.courier_id)).all()
    assert [str(one) for one in left] == [other.person_id]
    assert tell(cast, query(phone, at)) == {"kept": 0, "dropped": 1}
    assert "Trần Văn Nam" not in everything(cast.session)

"""Where the couriers of a post office are now."""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import select, true
from sqlalchemy.orm import Session, aliased

from courier_api.db import now
from courier_api.places.models import ServicePoint
from courier_api.rounds.models import Round
from courier_api.rounds.states import RoundState
from courier_api.tracking import duty
from courier_api.tracking.models import Position


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """The round that a courier is out on, and the last that is known of where he is."""

    round: Round
    position: Position


def of_office(session: Session, office: ServicePoint) -> Sequence[Whereabouts]:
    """The newest position of each courier of an office who is on duty; who has not told any is not among them."""
    newest = (
        select(Position)
        .where(Position.courier_id == Round.courier_id, Position.captured_at >= Round.started_at - duty.SLACK)
        .order_by(Position.captured_at.desc())
        .limit(1)
        .lateral()
    )
    position = aliased(Position, newest)
    query = (
        select(Round, position)
        .join(Round.shift)
        .join(position, true())
        .where(Round.office_id == office.id, Round.state == RoundState.started, duty.ends() >= now())
        .order_by(Round.courier_id)
    )
    return [Whereabouts(round_, found) for round_, found in session.execute(query)]

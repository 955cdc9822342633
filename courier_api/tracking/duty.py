"""When a courier is on duty: nobody is followed on his own time."""

from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session

from courier_api.rounds.models import Round, Shift
from courier_api.rounds.states import RoundState

# A phone's clock is a little off, and its first fixes may be older than its start.
SLACK = timedelta(minutes=15)
# A round that nobody finished ends then: forgetting a button must not take a phone home with its courier.
OVERTIME = timedelta(hours=2)

# Of a round that was withdrawn nobody knows when the courier turned round, so it counts no more.
RIDDEN = (RoundState.started, RoundState.finished)


def times(session: Session, courier_id: UUID, first: datetime, last: datetime) -> list[tuple[datetime, datetime]]:
    """The times of a courier's duty, slack included, that touch those between two moments."""
    query = (
        select(Round.started_at, ends())
        .join(Round.shift)
        .where(
            Round.courier_id == courier_id,
            Round.state.in_(RIDDEN),
            Round.started_at <= last + SLACK,
            ends() >= first - SLACK,
        )
    )
    return [(start - SLACK, end + SLACK) for start, end in session.execute(query) if start is not None]


def ends() -> ColumnElement[datetime]:
    """When the duty of a round ends, or will at the latest; in a query that joins the shift."""
    return func.coalesce(Round.finished_at, Shift.ends_at + OVERTIME)

"""Working days follow the national holidays, the government's swaps, and the 15:00 cut-off."""

from datetime import UTC, date, datetime, time
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy.orm import Session

from courier_api.errors import Invalid
from courier_api.places.calendar import OFFICE_HOURS, add_working_days, is_working_day
from courier_api.places.models import CalendarDay

pytestmark = pytest.mark.usefixtures("ground")

HERE = ZoneInfo("Asia/Ho_Chi_Minh")


@pytest.mark.parametrize(
    ("day", "worked"),
    [
        ("2026-08-22", True),  # a Saturday worked for Monday the 31st
        ("2026-08-31", False),
        ("2026-01-02", False),  # the swap that only our own table knows
        ("2026-01-10", True),
        ("2026-11-24", False),  # a holiday from 2026
        ("2025-11-24", True),
        ("2026-02-17", False),  # Tết
        ("2026-04-27", False),  # in lieu of a Sunday
        ("2026-03-07", False),  # Saturday
        ("2026-03-08", False),  # Sunday
        ("2026-03-09", True),
    ],
)
def test_days(session: Session, day: str, worked: bool) -> None:
    assert is_working_day(session, date.fromisoformat(day)) is worked


@pytest.mark.parametrize(
    ("received", "days", "due"),
    [
        ("2026-03-09 09:00", 0, "2026-03-09"),
        ("2026-03-09 09:00", 1, "2026-03-10"),
        ("2026-03-09 15:00", 1, "2026-03-10"),  # 15:00 itself is in time
        ("2026-03-09 15:01", 1, "2026-03-11"),
        ("2026-03-07 09:00", 1, "2026-03-10"),  # on a Saturday: as if on Monday
        ("2026-01-09 16:00", 0, "2026-01-10"),  # the Saturday is worked
        ("2026-02-13 09:00", 1, "2026-02-23"),  # over Tết
        ("2025-12-31 15:30", 1, "2026-01-06"),  # over New Year and the swap
    ],
)
def test_due_dates(session: Session, received: str, days: int, due: str) -> None:
    start = datetime.fromisoformat(received).replace(tzinfo=HERE)
    assert add_working_days(session, start, days) == date.fromisoformat(due)
    assert add_working_days(session, start.astimezone(UTC), days) == date.fromisoformat(due)


def test_a_long_due_date_is_what_counting_gives(session: Session) -> None:
    start = datetime(2026, 1, 5, 9, tzinfo=HERE)
    due = add_working_days(session, start, 250)
    after = map(date.fromordinal, range(start.date().toordinal() + 1, due.toordinal() + 1))
    counted = [day for day in after if is_working_day(session, day)]
    assert len(counted) == 250
    assert counted[-1] == due


def test_our_own_table_goes_before_the_package(session: Session) -> None:
    session.add(CalendarDay(day=date(2026, 3, 10), working=False, name="Bão"))
    session.flush()
    assert add_working_days(session, datetime(2026, 3, 9, 9, tzinfo=HERE), 1) == date(2026, 3, 11)


@pytest.mark.parametrize(("start", "days"), [(datetime(2026, 3, 9), 1), (datetime(2026, 3, 9, tzinfo=UTC), -1)])  # noqa: DTZ001
def test_a_time_without_zone_or_a_negative_count_is_invalid(session: Session, start: datetime, days: int) -> None:
    with pytest.raises(Invalid):
        add_working_days(session, start, days)


def test_office_hours_are_two_halves() -> None:
    assert ((time(7, 30), time(11, 30)), (time(13, 30), time(17))) == OFFICE_HOURS

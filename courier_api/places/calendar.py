"""Working days and office hours of the state's agencies.

A day is worked when a row of `calendar_day` says so. Without a row it is as the `holidays` package has it for Vietnam:
Monday to Friday less public holidays and their days in lieu, plus the Saturdays worked in exchange for a day off. Other
Saturdays are not working days here, though some one-stop units open then: a due date must not lean on them.
"""

from collections.abc import Iterator
from datetime import date, datetime, time, timedelta
from functools import cache

import holidays
from sqlalchemy import select
from sqlalchemy.orm import Session

from courier_api.errors import Invalid
from courier_api.places.models import CalendarDay
from courier_api.settings import settings

# When agencies take dossiers, on working days.
OFFICE_HOURS = ((time(7, 30), time(11, 30)), (time(13, 30), time(17, 0)))
CUT_OFF = time(15, 0)  # what arrives later counts from the next working day

_LONGEST = 1000  # working days; more than any procedure takes


def is_working_day(session: Session, day: date) -> bool:
    """Whether agencies work on that day."""
    override = session.get(CalendarDay, day)
    return override.working if override else _national(day)


def add_working_days(session: Session, start: datetime, days: int) -> date:
    """The day on which `days` working days after the day of receipt are over.

    Received after 15:00 local time, or on a day off, it counts as received on the next working day; that day itself is
    not counted, so 1 gives the working day after it and 0 the day itself.
    """
    if start.tzinfo is None or not 0 <= days <= _LONGEST:
        raise Invalid("bad_working_days")
    local = start.astimezone(settings().timezone)
    first = local.date() + timedelta(days=1) if local.time() > CUT_OFF else local.date()
    worked = _working_days(session, first)
    for _ in range(days):
        next(worked)
    return next(worked)


def _working_days(session: Session, first: date) -> Iterator[date]:
    """Working days from `first` on; the overrides are read a quarter at a time."""
    while True:
        until = first + timedelta(days=90)
        rows = session.execute(
            select(CalendarDay.day, CalendarDay.working).where(CalendarDay.day >= first, CalendarDay.day < until)
        )
        overrides = {row.day: row.working for row in rows}
        while first < until:
            if overrides.get(first, _national(first)):
                yield first
            first += timedelta(days=1)


def _national(day: date) -> bool:
    calendar = _vietnam()
    holiday = day in calendar  # asked first: it makes the package work out that year, its worked Saturdays too
    return day in calendar.weekend_workdays or (not holiday and day.weekday() < 5)


@cache
def _vietnam() -> holidays.HolidayBase:
    return holidays.country_holidays("VN")

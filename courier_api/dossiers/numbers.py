"""Tracking numbers in UPU's S10 form (standard S10-12): two letters, eight digits, check digit, country."""

import logging
import re

from sqlalchemy import case, func, select, update
from sqlalchemy.orm import Session

from courier_api.db import new_id
from courier_api.dossiers.models import NumberRange
from courier_api.errors import Refused

log = logging.getLogger(__name__)

COUNTRY = "VN"
WEIGHTS = (8, 6, 4, 2, 3, 5, 9, 7)
LOW_WATER = 1_000
_FORM = re.compile(r"[A-Z]{2}[0-9]{9}[A-Z]{2}")


def check_digit(serial: int) -> int:
    """The check digit of an eight-digit serial number."""
    remainder = sum(w * int(d) for w, d in zip(WEIGHTS, f"{serial:08d}", strict=True)) % 11
    return {10: 0, 11: 5}.get(11 - remainder, 11 - remainder)


def tracking_number(prefix: str, serial: int) -> str:
    """Put an S10 identifier together."""
    return f"{prefix}{serial:08d}{check_digit(serial)}{COUNTRY}"


def is_valid(number: str) -> bool:
    """Whether `number` has the form and the check digit of S10, whatever the country."""
    return bool(_FORM.fullmatch(number)) and check_digit(int(number[2:10])) == int(number[10])


def allocate(session: Session, prefix: str) -> str:
    """Take the next number of a range that has one left; raises Refused when none has.

    The range's row stays locked until the transaction ends: two callers can never take one number, and a number whose
    transaction is undone goes to the next caller. Who finds a range locked takes the next one, and waits only when all
    are: an operator who splits his range in a few lets as many book at the same moment.
    """
    taken = _take(session, prefix, skip_locked=True) or _take(session, prefix, skip_locked=False)
    if taken is None:
        raise Refused("tracking_numbers_used_up")
    serial, left = taken
    if left in (LOW_WATER, LOW_WATER // 10, 0):
        log.error("tracking numbers run low: %d left in a range of prefix %s", left, prefix)
    return tracking_number(prefix, serial)


def _take(session: Session, prefix: str, *, skip_locked: bool) -> tuple[int, int] | None:
    """Move one range on; return the serial number taken and how many are left in that range."""
    unused = (
        select(NumberRange.id)
        .where(NumberRange.prefix == prefix, NumberRange.next <= NumberRange.last)
        .order_by(NumberRange.first)
        .limit(1)
        .with_for_update(skip_locked=skip_locked)
        .scalar_subquery()
    )
    row = session.execute(
        update(NumberRange)
        .where(NumberRange.id == unused)
        .values(next=NumberRange.next + 1)
        .returning(NumberRange.next - 1, NumberRange.last - NumberRange.next + 1)
        .execution_options(synchronize_session=False)
    ).one_or_none()
    return (row[0], row[1]) if row else None


def add_range(session: Session, prefix: str, first: int, last: int) -> NumberRange:
    """Add a range that the operator was given; raises Refused when it overlaps one that is there."""
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext("number_range"))))
    overlap = session.scalar(
        select(NumberRange).where(NumberRange.prefix == prefix, NumberRange.first <= last, NumberRange.last >= first)
    )
    if overlap is not None:
        raise Refused("number_range_overlaps", "/first")
    row = NumberRange(id=new_id(), prefix=prefix, first=first, last=last, next=first)
    session.add(row)
    session.flush()
    return row


def numbers_left(session: Session, prefix: str) -> int:
    """How many numbers of a prefix are still free."""
    return (
        session.scalar(
            select(
                func.coalesce(
                    func.sum(
                        case((NumberRange.next <= NumberRange.last, NumberRange.last - NumberRange.next + 1), else_=0)
                    ),
                    0,
                )
            ).where(NumberRange.prefix == prefix)
        )
        or 0
    )

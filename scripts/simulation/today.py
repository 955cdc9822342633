"""A courier's round of today, with pickups and deliveries, for the app to ride in a real browser."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import select, text
from sqlalchemy.orm import Session

from courier_api.db import now
from courier_api.people.models import Person
from courier_api.settings import settings
from scripts.simulation.cohort import Cohort, Rider

STREETS = ("Điện Biên", "Chùa Chuông", "Phạm Ngũ Lão", "Nguyễn Thiện Thuật", "Bạch Đằng", "Tô Hiệu", "Lê Lai")


@dataclass(frozen=True)
class Day:
    """Who rides, and what."""

    rider: Rider
    phone: str
    round_id: str


def today(cohort: Cohort, stops: int = 8, *, loaded: bool = True) -> Day:
    """A published round that leaves soon, with promised windows, cautions and a line through its doors."""
    session = cohort.session
    (rider,) = cohort.ride(1, 1, stops, loaded=loaded)
    round_id = rider.rides[0].round_id
    zone = settings().timezone
    local = now().astimezone(zone)
    # Late in the evening the round still lies within the day.
    departs = min(local, local.replace(hour=14, minute=0)).replace(minute=0, second=0, microsecond=0)
    _move(session, round_id, departs.date() - rider.rides[0].departs_at.astimezone(zone).date(), departs)
    _furnish(session, round_id, cohort.rng)
    phone = session.scalars(select(Person.phone).where(Person.id == rider.person_id)).one()
    assert phone
    return Day(rider, "0" + phone.removeprefix("+84"), round_id)


def _move(session: Session, round_id: str, days: timedelta, departs: datetime) -> None:
    values = {"round": round_id, "days": days, "departs": departs}
    session.execute(
        text(
            "UPDATE stop SET (arrival, service_start, departure) = (arrival + d, service_start + d, departure + d)"
            " FROM (SELECT CAST(:departs AS timestamptz) - departs_at AS d FROM round WHERE id = :round) AS by"
            " WHERE round_id = :round"
        ),
        values,
    )
    session.execute(
        text(
            "UPDATE shift SET starts_at = starts_at + :days, ends_at = ends_at + :days"
            " WHERE id = (SELECT shift_id FROM round WHERE id = :round)"
        ),
        values,
    )
    session.execute(
        text(
            "UPDATE round SET day = CAST(:departs AS timestamptz) AT TIME ZONE 'Asia/Ho_Chi_Minh',"
            " returns_at = returns_at + (CAST(:departs AS timestamptz) - departs_at), departs_at = :departs"
            " WHERE id = :round"
        ),
        values,
    )


def _furnish(session: Session, round_id: str, rng: random.Random) -> None:
    rows = session.execute(
        text(
            "SELECT d.id, j.id, s.service_start FROM stop s JOIN job j ON j.id = s.job_id"
            " JOIN dossier d ON d.id = j.dossier_id WHERE s.round_id = :round ORDER BY s.position"
        ),
        {"round": round_id},
    ).all()
    for n, (dossier, job, starts) in enumerate(rows):
        session.execute(
            text("UPDATE dossier SET address = :address, note = :note, cautions = :cautions WHERE id = :id"),
            {
                "id": dossier,
                "address": f"Số {rng.randint(1, 240)} {rng.choice(STREETS)}",
                "note": "Nhà trong ngõ, cổng xanh" if n % 4 == 1 else "",
                "cautions": ["dog", "call_first"] if n % 4 == 1 else [],
            },
        )
        if n % 3 == 0:
            session.execute(
                text("UPDATE job SET window_start = :start, window_end = :end WHERE id = :id"),
                {"id": job, "start": starts - timedelta(minutes=10), "end": starts + timedelta(minutes=50)},
            )
    session.execute(
        text(
            "UPDATE round SET line = (SELECT ST_MakeLine(j.point ORDER BY s.position) FROM stop s"
            " JOIN job j ON j.id = s.job_id WHERE s.round_id = :round) WHERE id = :round"
        ),
        {"round": round_id},
    )

"""What done stops teach the next plan: how long a commune's doors take, and which communes a courier knows."""

from datetime import timedelta
from typing import Any
from uuid import UUID

from sqlalchemy import Float, Select, cast, extract, func, select
from sqlalchemy.orm import Session

from courier_api.db import now
from courier_api.jobs.models import Job
from courier_api.jobs.states import JobKind
from courier_api.jobs.work import SERVICE_SECONDS
from courier_api.places.models import Commune
from courier_api.rounds.models import Round, Stop
from courier_api.rounds.states import StopState

SETUP_S = 60
"""Park, find the door; once for neighbours at one door."""

MEMORY = timedelta(days=120)
"""Older stops teach nothing: roads, couriers and procedures change."""

DEFAULT_COUNTS_AS = 20
"""The default time weighs as much as so many stops: a commune with few done stops stays near it."""

SHORTEST_S, LONGEST_S = 60, 1800
"""A stop outside of these was recorded wrongly, or says nothing about the next."""

KNOWN_FROM = 10
KNOWN_SHARE = 0.2
"""A courier knows a commune in which he did so many stops, and so large a share of all."""


def service_seconds(session: Session) -> dict[tuple[str, JobKind], int]:
    """Seconds at a door by commune and kind of job, set-up included: the median, drawn towards the default.

    The median, because one forgotten phone must not slow a commune's plans for months.
    """
    # Waiting for the agreed window to open is no service.
    took = extract("epoch", Stop.ended_at - func.greatest(Stop.arrived_at, Job.window_start))
    done = _done_stops(Commune.code, Job.kind, took.label("took")).where(took.between(SHORTEST_S, LONGEST_S)).subquery()
    middle = func.percentile_cont(0.5).within_group(cast(done.c.took, Float))
    rows = session.execute(select(done.c.code, done.c.kind, middle, func.count()).group_by(done.c.code, done.c.kind))
    learnt = {}
    for code, kind, median, count in rows:
        default = SERVICE_SECONDS[kind] + SETUP_S
        learnt[code, kind] = round((count * median + DEFAULT_COUNTS_AS * default) / (count + DEFAULT_COUNTS_AS))
    return learnt


def known_communes(session: Session) -> dict[UUID, frozenset[str]]:
    """The codes of the communes that each courier knows by having served them."""
    done = _done_stops(Commune.code, Round.courier_id).subquery()
    count = func.count()
    share = count / func.sum(count).over(partition_by=done.c.code)
    counted = (
        select(done.c.code, done.c.courier_id, count.label("stops"), cast(share, Float).label("share"))
        .group_by(done.c.code, done.c.courier_id)
        .subquery()
    )
    rows = session.execute(
        select(counted.c.courier_id, func.array_agg(counted.c.code))
        .where(counted.c.stops >= KNOWN_FROM, counted.c.share >= KNOWN_SHARE)
        .group_by(counted.c.courier_id)
    )
    return {courier: frozenset(codes) for courier, codes in rows}


def _done_stops(*columns: Any) -> Select[Any]:
    """Stops that were done lately, each with the commune its door lies in."""
    return (
        select(*columns)
        .select_from(Stop)
        .join(Round, Round.id == Stop.round_id)
        .join(Job, Job.id == Stop.job_id)
        .join(Commune, func.ST_Covers(Commune.outline, Job.point))
        .where(Stop.state == StopState.done, Stop.arrived_at.is_not(None), Stop.ended_at >= now() - MEMORY)
    )

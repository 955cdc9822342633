"""Opening and closing jobs, and what a failed attempt leads to."""

from collections.abc import Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from courier_api.db import new_id, now, refused_by
from courier_api.dossiers.models import Dossier, PostalItem
from courier_api.errors import Refused
from courier_api.jobs.models import Attempt, Job
from courier_api.jobs.states import NOT_VISITED, FailureReason, JobKind, JobState, NextAction, Outcome
from courier_api.people.models import Person

# Seconds at the door until couriers' own times are learned: a pickup counts papers and seals, a delivery signs.
SERVICE_SECONDS = {JobKind.pickup: 480, JobKind.delivery: 240}
MAX_ATTEMPTS = 3


def open_job(
    session: Session,
    dossier: Dossier,
    item: PostalItem,
    kind: JobKind,
    window: tuple[datetime, datetime] | None = None,
) -> Job:
    """Open a job for one leg of a dossier; raises Refused while that leg has an open one."""
    job = Job(
        id=new_id(),
        dossier_id=dossier.id,
        dossier=dossier,
        item_id=item.id,
        item=item,
        kind=kind,
        office_id=dossier.office_id,
        point=dossier.point,
        window_start=window[0] if window else None,
        window_end=window[1] if window else None,
        service_seconds=SERVICE_SECONDS[kind],
    )
    with refused_by(session, "ix_job_open_leg", Refused("job_already_open", kind=kind.value)):
        session.add(job)
    return job


def close(job: Job, outcome: Outcome, reason: FailureReason | None = None) -> None:
    """End a job; raises Refused when it has ended already."""
    if job.state is JobState.closed:
        raise Refused("job_closed")
    job.state = JobState.closed
    job.outcome = outcome
    job.reason = reason
    job.closed_at = now()


def open_job_of(session: Session, dossier: Dossier, kind: JobKind, *, lock: bool = False) -> Job | None:
    """The open job of one leg; locked, it is neither planned nor ended by others until the transaction ends."""
    query = select(Job).where(Job.dossier_id == dossier.id, Job.kind == kind, Job.state == JobState.open)
    return session.scalar(query.with_for_update(of=Job, key_share=True) if lock else query)


def renew_expired(
    session: Session, dossier: Dossier, kind: JobKind, window: tuple[datetime, datetime] | None
) -> Job | None:
    """Give the leg's open job a new window if its last one passed without a visit; None where there is no such job."""
    job = open_job_of(session, dossier, kind, lock=True)
    if job is None or job.window_end is None or job.window_end > now():
        return None
    job.window_start, job.window_end = window or (None, None)
    return job


def fail_attempt(
    session: Session,
    job: Job,
    courier: Person,
    reason: FailureReason,
    next_action: NextAction,
    note: str,
    device_at: datetime,
    point: object | None,
    missing: list[list[int]] | None = None,
    called: Sequence[str] = (),
    attempt_id: UUID | None = None,
    window: tuple[datetime, datetime] | None = None,
) -> Attempt:
    """Write down a failed visit; the job stays open for another try until `give_up` or the last attempt.

    `window` is what was agreed with the citizen for the next one.
    """
    attempt = Attempt(
        id=attempt_id or new_id(),
        job_id=job.id,
        courier_id=courier.id,
        reason=reason,
        note=note,
        next_action=next_action,
        missing=missing,
        called=list(called) or None,
        point=point,
        device_at=device_at,
        at=now(),
    )
    session.add(attempt)
    session.flush()
    visits = select(func.count()).where(Attempt.job_id == job.id, Attempt.reason.not_in(NOT_VISITED))
    tries = session.scalar(visits) or 0
    if next_action is NextAction.give_up or tries >= MAX_ATTEMPTS:
        close(job, Outcome.failed, reason)
    else:
        # The booked window is over with this visit; unless another was agreed, the next plan is free to choose.
        job.window_start, job.window_end = window or (None, None)
    return attempt

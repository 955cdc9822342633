"""The agency officer's part: answer a manifest line by line, give results back."""

from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import and_, or_, select
from sqlalchemy.orm import Session, joinedload, selectinload

from courier_api.agencies import manifests
from courier_api.agencies.models import LineState, Manifest, ManifestLine
from courier_api.custody import holding
from courier_api.custody.holding import Line, Party, Proof
from courier_api.custody.models import Handover
from courier_api.db import now
from courier_api.dossiers import cases
from courier_api.dossiers.models import Dossier, PostalItem
from courier_api.dossiers.states import BEFORE_AGENCY, DossierAction, DossierState, ItemKind, Service
from courier_api.errors import FieldError, Invalid, NotFound, Refused
from courier_api.jobs import work
from courier_api.jobs.states import JobKind
from courier_api.journey.counter import CounterHandover, record_counted, replayed
from courier_api.people.models import Person, Role
from courier_api.places.models import Posting, ServicePoint
from courier_api.settings import settings


def accept_line(
    session: Session,
    officer: Person,
    centre: ServicePoint,
    manifest_id: UUID,
    given: CounterHandover,
    dossier_code: str,
    due_date: date,
) -> ManifestLine:
    """The agency takes an item: its own code, the due date, and custody from post office to agency."""
    dossier, line = _manifest_line(session, centre, manifest_id, given.item_id)
    if replayed(session, officer, given) is not None:
        return line
    manifests.accept(session, line, dossier_code, due_date, now().astimezone(settings().timezone).date())
    record_counted(
        session,
        given,
        line.item,
        Party.office(line.manifest.office),
        Party.agency(centre),
        (officer, Role.officer),
        code=dossier_code,
        due=due_date.isoformat(),
        manifest=line.manifest.number,
    )
    dossier.dossier_code = dossier_code
    dossier.due_date = due_date
    cases.move(dossier, DossierAction.receive)
    if dossier.service is Service.both and cases.item_of(dossier, ItemKind.result) is None:
        # The result's number is there before the result: whoever hands it back signs for it by its number.
        cases.add_item(session, dossier, ItemKind.result)
    cases.tell(session, dossier, "received", place=centre.name, code=dossier_code, due_date=due_date.isoformat())
    if dossier.service is Service.send:
        cases.move(dossier, DossierAction.close)
    session.flush()
    return line


def refuse_line(
    session: Session, officer: Person, centre: ServicePoint, manifest_id: UUID, item_id: UUID, reason: str
) -> ManifestLine:
    """The agency does not take an item: it stays with the post office, and a job opens to bring it home."""
    dossier, line = _manifest_line(session, centre, manifest_id, item_id)
    if line.state is LineState.refused and line.reason == reason:
        return line  # the same refusal sent again
    manifests.refuse(session, line, reason)
    dossier.refusal_reason = reason
    cases.move(dossier, DossierAction.refuse)
    work.open_job(session, dossier, line.item, JobKind.delivery)
    # The reason is the officer's free text and may name a person: the citizen reads it in the dossier, not the public.
    cases.tell(session, dossier, "not_received", place=centre.name)
    session.flush()
    return line


def hand_back_result(
    session: Session,
    officer: Person,
    centre: ServicePoint,
    dossier_id: UUID,
    handover_id: UUID,
    papers: Sequence[Line],
    received_by: UUID,
    dossier_code: str | None,
    proof: Proof,
    digest: bytes,
) -> Handover:
    """The agency gives the result to the post office's clerk; the delivery job opens by itself."""
    dossier = dossier_of_centre(session, centre, dossier_id, lock=True)
    known = holding.replayed(session, officer, handover_id, digest)
    if known is not None:
        return known
    empty = [FieldError(f"/papers/{n}", "count_is_zero") for n, p in enumerate(papers) if p.originals + p.copies == 0]
    if empty:
        raise Invalid("documents_do_not_match", *empty)
    if dossier.state is DossierState.submitted and dossier.service is not Service.return_:
        raise Refused("wrong_state", state=dossier.state.value, action=DossierAction.give_result.value)
    cases.move(dossier, DossierAction.give_result)
    clerk = _clerk_of(session, dossier.office, received_by)
    item = cases.item_of(dossier, ItemKind.result) or cases.add_item(session, dossier, ItemKind.result)
    if dossier_code is not None:
        if not manifests.DOSSIER_CODE.fullmatch(dossier_code):
            raise Invalid("bad_dossier_code", "/dossier_code")
        dossier.dossier_code = dossier_code
    handover = holding.record(
        session,
        handover_id,
        digest,
        item,
        Party.agency(centre),
        Party.office(dossier.office),
        papers,
        proof,
        (officer, Role.officer),
        by=clerk.staff_code(Role.clerk),
        code=dossier_code,
    )
    work.open_job(session, dossier, item, JobKind.delivery)
    cases.tell(session, dossier, "result_ready", place=dossier.office.name, tracking_number=item.tracking_number)
    session.flush()
    return handover


def _manifest_line(
    session: Session, centre: ServicePoint, manifest_id: UUID, item_id: UUID
) -> tuple[Dossier, ManifestLine]:
    dossier_id = session.scalar(
        select(PostalItem.dossier_id)
        .join(ManifestLine, ManifestLine.item_id == PostalItem.id)
        .join(Manifest)
        .where(Manifest.id == manifest_id, Manifest.centre_id == centre.id, PostalItem.id == item_id)
    )
    if dossier_id is None:
        raise NotFound
    dossier = cases.locked(session, dossier_id)
    return dossier, manifests.waiting_line(session, centre, manifest_id, item_id)


def _clerk_of(session: Session, office: ServicePoint, clerk_id: UUID) -> Person:
    posting = session.scalar(
        select(Posting).where(
            Posting.person_id == clerk_id, Posting.role == Role.clerk, Posting.service_point_id == office.id
        )
    )
    if posting is None:
        raise Invalid("no_such_clerk", "/received_by")
    return posting.person


def clerks_of(session: Session, office: ServicePoint) -> list[Person]:
    """The clerks of a post office."""
    postings = session.scalars(select(Posting).where(Posting.service_point_id == office.id, Posting.role == Role.clerk))
    return [posting.person for posting in postings]


# What an agency may see: what was listed for it, and what was handed in at its own counter. Not what is still at home.
_CONCERNS = and_(
    Dossier.state != DossierState.cancelled,
    or_(Dossier.service == Service.return_, Dossier.state.not_in(BEFORE_AGENCY)),
)


def dossier_of_centre(session: Session, centre: ServicePoint, dossier_id: UUID, *, lock: bool = False) -> Dossier:
    """A dossier that this agency's unit receives; raises NotFound."""
    query = select(Dossier).where(Dossier.id == dossier_id, Dossier.centre_id == centre.id, _CONCERNS)
    found = session.scalar(query.with_for_update(of=Dossier) if lock else query)
    if found is None:
        raise NotFound
    return found


def dossiers_of_centre(
    session: Session, centre: ServicePoint, state: DossierState | None, limit: int, after: UUID | None
) -> list[Dossier]:
    """The dossiers that an agency's unit receives, oldest first."""
    query = select(Dossier).where(Dossier.centre_id == centre.id, _CONCERNS).order_by(Dossier.id).limit(limit)
    query = query.options(selectinload(Dossier.items), joinedload(Dossier.citizen))
    if state is not None:
        query = query.where(Dossier.state == state)
    if after is not None:
        query = query.where(Dossier.id > after)
    return list(session.scalars(query))

"""The counters' part: the post office takes over and lists, the agency answers line by line and gives results back."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from courier_api.agencies import manifests
from courier_api.agencies.models import LineState, Manifest, ManifestLine
from courier_api.custody import holding
from courier_api.custody.holding import Line, Party, Proof
from courier_api.custody.models import Handover, PartyRole
from courier_api.db import now
from courier_api.dossiers import cases
from courier_api.dossiers.models import Dossier, PostalItem
from courier_api.dossiers.states import DOSSIER_UNLOADED, DossierAction, DossierState, ItemKind, Service
from courier_api.errors import Invalid, NotFound, Refused
from courier_api.jobs import work
from courier_api.jobs.models import Job
from courier_api.jobs.states import JobKind, JobState
from courier_api.journey.riding import CountedLine
from courier_api.people.models import Person, Role
from courier_api.places.models import Posting, ServicePoint
from courier_api.rounds.models import Round, Stop
from courier_api.rounds.riding import LIVING
from courier_api.rounds.states import RoundState
from courier_api.settings import settings


@dataclass(frozen=True, slots=True)
class CounterHandover:
    """What is recorded at a counter: one item, its papers counted again."""

    handover_id: UUID
    item_id: UUID
    lines: Sequence[CountedLine]
    proof: Proof
    digest: bytes

    @property
    def counts(self) -> list[tuple[int, int, int]]:
        """Position, originals, copies of each line."""
        return [(line.position, line.originals, line.copies) for line in self.lines]


def receive_from_courier(session: Session, clerk: Person, office: ServicePoint, given: CounterHandover) -> Handover:
    """Take an item over from the courier who holds it: a collected dossier, or what could not be delivered."""
    dossier, item = _item_of_office(session, office, given.item_id)
    known = _replayed(session, clerk, given)
    if known is not None:
        return known
    courier = holding.holder(session, item)
    if courier.role is not PartyRole.courier:
        raise Refused("not_with_a_courier", tracking_number=item.tracking_number)
    if _stands_in_a_stop(session, item, courier.id):
        raise Refused("stop_not_ended", tracking_number=item.tracking_number)
    handover = _record(session, given, item, courier, Party.office(office, clerk), (clerk, Role.clerk))
    if dossier.state is DossierState.collected:
        cases.move(dossier, DossierAction.bring_to_office)
        cases.tell(session, dossier, "at_office", place=office.name)
    else:
        dossier.state = DOSSIER_UNLOADED[item.kind.value]
        cases.tell(session, dossier, "back_at_office", place=office.name)
    session.flush()
    return handover


def load_courier(
    session: Session, clerk: Person, office: ServicePoint, courier_id: UUID, given: CounterHandover
) -> Handover:
    """Give a courier an item that stands in his published round."""
    dossier, item = _item_of_office(session, office, given.item_id)
    known = _replayed(session, clerk, given)
    if known is not None:
        return known
    round_ = session.scalar(
        select(Round)
        .join(Stop)
        .join(Job, Job.id == Stop.job_id)
        .where(
            Job.item_id == item.id,
            Job.kind == JobKind.delivery,
            Round.courier_id == courier_id,
            Round.state.in_((RoundState.published, RoundState.started)),
            Stop.state.in_(LIVING),
        )
    )
    if round_ is None:
        raise Refused("not_in_that_round", "/courier_id", tracking_number=item.tracking_number)
    handover = _record(
        session, given, item, Party.office(office, clerk), Party.courier(round_.courier), (clerk, Role.clerk)
    )
    cases.move(dossier, DossierAction.load)
    cases.tell(session, dossier, "out_for_delivery", place=office.name)
    session.flush()
    return handover


def make_manifest(
    session: Session, clerk: Person, office: ServicePoint, centre_id: UUID, item_ids: Sequence[UUID]
) -> Manifest:
    """List items for an agency; custody moves only when the agency confirms each line."""
    if len(set(item_ids)) != len(item_ids):
        raise Invalid("given_twice", "/item_ids")
    centre = session.get(ServicePoint, centre_id)
    if centre is None:
        raise Invalid("no_such_centre", "/centre_id")
    dossiers = []
    items = {}
    # In the order of ids: two clerks listing the same items wait for each other, never in a circle.
    for item_id in sorted(item_ids):
        dossier, item = _item_of_office(session, office, item_id)
        pointer = f"/item_ids/{list(item_ids).index(item_id)}"
        if holding.holder(session, item) != Party.office(office):
            raise Refused("not_the_holder", pointer, tracking_number=item.tracking_number)
        if item.kind is not ItemKind.send or dossier.centre_id != centre_id:
            raise Refused("not_for_that_agency", pointer, tracking_number=item.tracking_number)
        cases.move(dossier, DossierAction.hand_over)
        dossiers.append(dossier)
        items[item_id] = item
    manifest = manifests.make_manifest(session, office, centre, [items[i] for i in item_ids], clerk)
    for dossier in dossiers:
        cases.tell(session, dossier, "handed_over", place=centre.name)
    session.flush()
    return manifest


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
    if _replayed(session, officer, given) is not None:
        return line
    manifests.accept(session, line, dossier_code, due_date, now().astimezone(settings().timezone).date())
    office = line.manifest.office
    _record(session, given, line.item, Party.office(office), Party.agency(centre, officer), (officer, Role.officer))
    dossier.dossier_code = dossier_code
    dossier.due_date = due_date
    cases.move(dossier, DossierAction.receive)
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
    known = holding.replayed(session, handover_id, digest)
    if known is not None:
        if known.recorded_by != officer.id:
            raise NotFound
        return known
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
        Party.agency(centre, officer),
        Party.office(dossier.office, clerk),
        papers,
        proof,
        (officer, Role.officer),
    )
    work.open_job(session, dossier, item, JobKind.delivery)
    cases.tell(session, dossier, "result_ready", place=dossier.office.name, tracking_number=item.tracking_number)
    session.flush()
    return handover


def dossier_of_centre(session: Session, centre: ServicePoint, dossier_id: UUID, *, lock: bool = False) -> Dossier:
    """A dossier that this agency's unit receives; raises NotFound."""
    query = select(Dossier).where(Dossier.id == dossier_id, Dossier.centre_id == centre.id)
    found = session.scalar(query.with_for_update(of=Dossier) if lock else query)
    if found is None:
        raise NotFound
    return found


def _replayed(session: Session, person: Person, given: CounterHandover) -> Handover | None:
    known = holding.replayed(session, given.handover_id, given.digest)
    if known is not None and known.recorded_by != person.id:
        raise NotFound
    return known


def _record(
    session: Session, given: CounterHandover, item: PostalItem, giver: Party, taker: Party, by: tuple[Person, Role]
) -> Handover:
    lines = holding.recount(session, item.id, given.counts)
    return holding.record(session, given.handover_id, given.digest, item, giver, taker, lines, given.proof, by)


def _item_of_office(session: Session, office: ServicePoint, item_id: UUID) -> tuple[Dossier, PostalItem]:
    item = session.scalar(
        select(PostalItem).join(Dossier).where(PostalItem.id == item_id, Dossier.office_id == office.id)
    )
    if item is None:
        raise NotFound
    return cases.locked(session, item.dossier_id), item


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


def _stands_in_a_stop(session: Session, item: PostalItem, courier_id: UUID) -> bool:
    """Whether the courier still has the door of this item before him; a stop moved to another's round is not his."""
    return (
        session.scalar(
            select(Stop.id)
            .join(Job, Job.id == Stop.job_id)
            .join(Round, Round.id == Stop.round_id)
            .where(
                Job.item_id == item.id,
                Job.state == JobState.open,
                Stop.state.in_(LIVING),
                Round.courier_id == courier_id,
            )
        )
        is not None
    )


def _clerk_of(session: Session, office: ServicePoint, clerk_id: UUID) -> Person:
    posting = session.scalar(
        select(Posting).where(
            Posting.person_id == clerk_id, Posting.role == Role.clerk, Posting.service_point_id == office.id
        )
    )
    if posting is None:
        raise Invalid("no_such_clerk", "/received_by")
    return posting.person


def dossier_of_office(session: Session, office: ServicePoint, dossier_id: UUID) -> Dossier:
    """A dossier that this post office serves; raises NotFound."""
    found = session.scalar(select(Dossier).where(Dossier.id == dossier_id, Dossier.office_id == office.id))
    if found is None:
        raise NotFound
    return found


def items_with_courier(session: Session, office: ServicePoint, courier_id: UUID) -> list[PostalItem]:
    """What a courier of this post office holds now; raises NotFound for a courier of another."""
    posting = session.get(Posting, (courier_id, Role.courier))
    if posting is None or posting.service_point_id != office.id:
        raise NotFound
    return list(holding.held_by(session, Party.courier(posting.person)))


def dossiers_of_centre(
    session: Session, centre: ServicePoint, state: DossierState | None, limit: int, after: UUID | None
) -> list[Dossier]:
    """The dossiers that an agency's unit receives, oldest first."""
    query = select(Dossier).where(Dossier.centre_id == centre.id).order_by(Dossier.id).limit(limit)
    query = query.options(selectinload(Dossier.items), joinedload(Dossier.citizen))
    if state is not None:
        query = query.where(Dossier.state == state)
    if after is not None:
        query = query.where(Dossier.id > after)
    return list(session.scalars(query))


def clerks_of(session: Session, office: ServicePoint) -> list[Person]:
    """The clerks of a post office."""
    postings = session.scalars(select(Posting).where(Posting.service_point_id == office.id, Posting.role == Role.clerk))
    return [posting.person for posting in postings]

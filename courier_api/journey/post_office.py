"""The clerk's part: load couriers, take over from them item by item, list dossiers for an agency."""

from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from courier_api.agencies import manifests
from courier_api.agencies.models import Manifest
from courier_api.custody import holding
from courier_api.custody.holding import Party
from courier_api.custody.models import Handover, PartyRole
from courier_api.dossiers import cases
from courier_api.dossiers.models import Dossier, PostalItem
from courier_api.dossiers.states import DossierAction, DossierState, ItemKind
from courier_api.errors import Invalid, NotFound, Refused
from courier_api.jobs.models import Job
from courier_api.jobs.states import JobKind, JobState
from courier_api.journey.counter import CounterHandover, record_counted, replayed
from courier_api.people.models import Person, Role
from courier_api.places.models import Posting, ServicePoint, ServicePointKind
from courier_api.rounds import changes
from courier_api.rounds.models import Round, Stop
from courier_api.rounds.riding import LIVING
from courier_api.rounds.states import RoundState


def receive_from_courier(session: Session, clerk: Person, office: ServicePoint, given: CounterHandover) -> Handover:
    """Take an item over from the courier who holds it: a collected dossier, or what could not be delivered."""
    dossier, item = item_of_office(session, office, given.item_id)
    known = replayed(session, clerk, given)
    if known is not None:
        return known
    courier = holding.holder(session, item)
    if courier.role is not PartyRole.courier:
        raise Refused("not_with_a_courier", tracking_number=item.tracking_number)
    require_ended(session, item, courier.id)
    handover = record_counted(session, given, item, courier, Party.office(office), (clerk, Role.clerk))
    changes.add(session, courier.id, "item_received", item.id)
    come_back(session, dossier, item, office)
    session.flush()
    return handover


def come_back(session: Session, dossier: Dossier, item: PostalItem, office: ServicePoint) -> None:
    """Move a dossier on whose item a courier has brought to the post office."""
    if dossier.state is DossierState.collected:
        cases.move(dossier, DossierAction.bring_to_office)
        cases.tell(session, dossier, "at_office", place=office.name)
    else:
        result = item.kind is ItemKind.result
        cases.move(dossier, DossierAction.unload_result if result else DossierAction.unload_papers)
        cases.tell(session, dossier, "back_at_office", place=office.name)


def load_courier(
    session: Session, clerk: Person, office: ServicePoint, courier_id: UUID, given: CounterHandover
) -> Handover:
    """Give a courier an item that stands in his published round."""
    dossier, item = item_of_office(session, office, given.item_id)
    known = replayed(session, clerk, given)
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
    handover = record_counted(
        session, given, item, Party.office(office), Party.courier(round_.courier), (clerk, Role.clerk)
    )
    cases.move(dossier, DossierAction.load)
    changes.add(session, courier_id, "item_loaded", item.id)
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
    if centre is None or centre.kind is not ServicePointKind.one_stop_unit:
        raise Invalid("no_such_centre", "/centre_id")
    dossiers = []
    items = {}
    # In the order of ids: two clerks listing the same items wait for each other, never in a circle.
    for item_id in sorted(item_ids):
        dossier, item = item_of_office(session, office, item_id)
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


def item_of_office(session: Session, office: ServicePoint, item_id: UUID) -> tuple[Dossier, PostalItem]:
    """An item of a dossier that this post office serves, the dossier locked; raises NotFound."""
    item = session.scalar(
        select(PostalItem).join(Dossier).where(PostalItem.id == item_id, Dossier.office_id == office.id)
    )
    if item is None:
        raise NotFound
    return cases.locked(session, item.dossier_id), item


def require_ended(session: Session, item: PostalItem, courier_id: UUID) -> None:
    """Refuse while the courier still has the door of this item before him."""
    if door_ahead(session, item, courier_id) is not None:
        raise Refused("stop_not_ended", tracking_number=item.tracking_number)


def door_ahead(session: Session, item: PostalItem, courier_id: UUID) -> Job | None:
    """The job of this item whose door the courier still has before him; a stop in another's round is not his."""
    return session.scalar(
        select(Job)
        .join(Stop, Job.id == Stop.job_id)
        .join(Round, Round.id == Stop.round_id)
        .where(
            Job.item_id == item.id,
            Job.state == JobState.open,
            Stop.state.in_(LIVING),
            Round.courier_id == courier_id,
        )
    )


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

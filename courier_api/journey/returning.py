"""The courier back at the post office: bags given in on his own phone, the clerk signing by hand, and cash settled."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.orm import Session

from courier_api.custody import holding
from courier_api.custody.holding import Line, Party
from courier_api.custody.models import Handover, PartyRole
from courier_api.dossiers import cases
from courier_api.dossiers.models import Dossier, PostalItem
from courier_api.dossiers.states import DossierState, ItemKind
from courier_api.errors import FieldError, Invalid, Refused
from courier_api.journey import post_office
from courier_api.journey.counter import CounterHandover
from courier_api.money import settling
from courier_api.money.models import Recalled, Settlement
from courier_api.people.models import Person, Role
from courier_api.places.models import Posting, ServicePoint, ServicePointKind
from courier_api.procedures.models import DocumentRequirement
from courier_api.rounds import riding

CLERK = "clerk"  # the relationship with which a clerk signs by hand
REACHED_BY = (Role.dispatcher, Role.clerk)  # whom a courier rings up at his post office


@dataclass(frozen=True, slots=True)
class Paid:
    """What a courier pays in: the sum, the handovers whose vouchers it is for, and where originals were recalled."""

    office: str
    clerk: str  # staff code
    amount: int
    handovers: Sequence[UUID]
    recalled: Sequence[UUID]


def hand_to_office(
    session: Session, courier: Person, office_code: str, clerk_code: str, given: CounterHandover
) -> Handover:
    """Give an item in at the post office, recorded by the courier as `receive_from_courier` is by the clerk.

    Raises Refused for another office than his own, a clerk who is not posted there or is he himself, an item that the
    courier does not hold or whose door is still before him; Invalid without the clerk's signature by hand.
    """
    office = _own_office(session, courier, office_code)
    clerk = _clerk(session, courier, office, clerk_code)
    dossier, item = post_office.item_of_office(session, office, given.item_id)
    _require_signature(given)
    holding.lock(session, item)
    last = holding.last_handover(session, item.id)
    post_office.require_ended(session, item, courier.id)
    lines = holding.recount_of(last, given.counts)
    handover = _recorded(session, courier, office, clerk, given, item, last, lines)
    post_office.come_back(session, dossier, item, office)
    return handover


def hand_to_office_anyway(
    session: Session, courier: Person, office_code: str, clerk_code: str, given: CounterHandover
) -> Handover:
    """Record that a courier gave an item in although our rules refuse it: it happened, and a dispatcher has said so.

    Custody moves if the courier holds the item; the papers are as counted. A door that was still before him is his no
    more, and its job stays open for another day.
    """
    office = _office(session, office_code)
    clerk = _clerk(session, courier, office, clerk_code)
    dossier, item = post_office.item_of_office(session, office, given.item_id)
    job = post_office.door_ahead(session, item, courier.id)
    if job is not None:
        riding.cancel_stop_of(session, job)
    holding.lock(session, item)
    last = holding.last_handover(session, item.id)
    counted = {line.position: line for line in given.lines}
    lines = [
        Line(line.name, counted[line.position].originals, counted[line.position].copies, line.reason)
        for line in (last.lines if last else [])
        if line.position in counted
    ]
    collected = last is not None and last.from_role is PartyRole.citizen
    handover = _recorded(session, courier, office, clerk, given, item, last, lines)
    # By decision and not by a move, as at a door.
    if item.kind is ItemKind.result:
        dossier.state = DossierState.result_ready
    else:
        dossier.state = DossierState.at_office if collected else DossierState.not_received
    cases.tell(session, dossier, "at_office" if collected else "back_at_office", place=office.name)
    session.flush()
    return handover


def _recorded(
    session: Session,
    courier: Person,
    office: ServicePoint,
    clerk: Person,
    given: CounterHandover,
    item: PostalItem,
    last: Handover | None,
    lines: Sequence[Line],
) -> Handover:
    return holding.follow(
        session,
        last,
        given.handover_id,
        given.digest,
        item,
        Party.courier(courier),
        Party.office(office),
        lines,
        given.proof,
        (courier, Role.courier),
        by=clerk.staff_code(Role.clerk),
    )


def _require_signature(given: CounterHandover) -> None:
    """What comes as an upload is held against its hash only: whose it is is seen by who reads it."""
    signed = any(stroke.relationship == CLERK for stroke in given.proof.signatures)
    if not signed and not given.proof.strokes_follow:
        raise Invalid("requirements_missing", FieldError("/signatures", "clerk_signature_missing"))


def settle(
    session: Session,
    courier: Person,
    settlement_id: UUID,
    paid: Paid,
    device_at: datetime,
    at: datetime,
    *,
    anyway: bool = False,
) -> Settlement:
    """Pay cash in against vouchers.

    Raises Refused for another office's clerk or the courier himself, and, unless a dispatcher has it recorded anyway,
    for another office than the courier's own, others' vouchers or another sum.
    """
    office = _office(session, paid.office) if anyway else _own_office(session, courier, paid.office)
    clerk = _clerk(session, courier, office, paid.clerk)
    settlement = Settlement(
        id=settlement_id,
        courier_id=courier.id,
        office_id=office.id,
        clerk_id=clerk.id,
        amount=paid.amount,
        device_at=device_at,
        at=at,
    )
    settling.settle(session, settlement, paid.handovers, paid.recalled, anyway=anyway)
    return settlement


def _office(session: Session, code: str) -> ServicePoint:
    office = session.scalar(
        select(ServicePoint).where(ServicePoint.code == code, ServicePoint.kind == ServicePointKind.post_office)
    )
    if office is None:
        raise Refused("no_such_office")
    return office


def _own_office(session: Session, courier: Person, code: str) -> ServicePoint:
    """The post office of this code, at which the courier is posted; raises Refused."""
    office = _office(session, code)
    posting = session.get(Posting, (courier.id, Role.courier))
    if posting is None or posting.service_point_id != office.id:
        raise Refused("not_your_office")
    return office


def _clerk(session: Session, courier: Person, office: ServicePoint, code: str) -> Person:
    """The clerk of this staff code at a post office; raises Refused."""
    clerk = next((one for one in clerks_for(session, courier, office) if one.staff_code(Role.clerk) == code), None)
    if clerk is None:
        raise Refused("no_such_clerk", "/signed/event")
    return clerk


def clerks_for(session: Session, courier: Person, office: ServicePoint) -> Sequence[Person]:
    """The clerks of a post office who may take over from a courier, by name: nobody is his own clerk."""
    return [one for one in _staff(session, office, Role.clerk) if one.id != courier.id]


def reached_at(session: Session, office: ServicePoint) -> Sequence[Person]:
    """Whom a courier can ring up at a post office: dispatchers, who decide, before clerks; each by name."""
    reached = (one for role in REACHED_BY for one in _staff(session, office, role))
    return list({one.id: one for one in reached}.values())


def _staff(session: Session, office: ServicePoint, role: Role) -> Sequence[Person]:
    posted = select(Posting.person_id).where(Posting.service_point_id == office.id, Posting.role == role)
    return session.scalars(select(Person).where(Person.id.in_(posted)).order_by(Person.full_name, Person.id)).all()


@dataclass(frozen=True, slots=True)
class Owed:
    """Cash that a courier still has: the slip, and the item that it was taken for."""

    handover_id: UUID
    number: str
    amount: int
    taken_at: datetime
    tracking_number: str


def owed(session: Session, courier: Person) -> list[Owed]:
    """What a courier has to pay in, slip by slip, oldest first."""
    vouchers = settling.unsettled(session, courier.id)
    query = (
        select(Handover.id, PostalItem.tracking_number)
        .join(PostalItem, PostalItem.id == Handover.item_id)
        .where(Handover.id.in_([voucher.handover_id for voucher in vouchers]))
    )
    numbers = dict(session.execute(query).all())
    return [Owed(v.handover_id, v.number, v.amount, v.taken_at, numbers[v.handover_id]) for v in vouchers]


@dataclass(frozen=True, slots=True)
class Original:
    """An old original that a courier has: its line of the checklist, and how many."""

    position: int
    name: str | None  # none of a line that the checklist does not have: a dispatcher had it recorded all the same
    originals: int


@dataclass(frozen=True, slots=True)
class TakenBack:
    """Old originals that a courier took back at a delivery and has not given in yet."""

    handover_id: UUID
    tracking_number: str
    taken_at: datetime
    originals: Sequence[Original]


def taken_back(session: Session, courier: Person) -> list[TakenBack]:
    """The old originals that a courier has to give in, delivery by delivery, oldest first."""
    his = (Recalled.courier_id == courier.id, Recalled.settlement_id.is_(None), Recalled.originals > 0)
    oldest = (
        select(Handover.id)
        .join(Recalled, Recalled.handover_id == Handover.id)
        .where(*his)
        .group_by(Handover.id)
        .order_by(Handover.device_at, Handover.id)
        .limit(settling.MOST_SHOWN)
    )
    query = (
        select(Handover, PostalItem.tracking_number, Recalled, DocumentRequirement.name)
        .join(Recalled, Recalled.handover_id == Handover.id)
        .join(PostalItem, PostalItem.id == Handover.item_id)
        .join(Dossier, Dossier.id == PostalItem.dossier_id)
        .outerjoin(
            DocumentRequirement,
            and_(
                DocumentRequirement.version_id == Dossier.procedure_version_id,
                DocumentRequirement.position == Recalled.position,
            ),
        )
        .where(*his, Handover.id.in_(oldest))
        .order_by(Handover.device_at, Handover.id, Recalled.position)
    )
    found = []
    for (taken, number), rows in groupby(session.execute(query), lambda row: (row[0], row[1])):
        originals = [Original(one.position, name, one.originals) for *_, one, name in rows]
        found.append(TakenBack(taken.id, number, taken.device_at, originals))
    return found

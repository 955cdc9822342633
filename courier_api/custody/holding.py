"""Who holds what: recorded handovers, and the holder that follows from them and from nothing else."""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, aliased, joinedload, selectinload

from courier_api.custody.models import Handover, HandoverLine, IdentityCheck, PartyRole, Receiver, Signature
from courier_api.db import now, point
from courier_api.dossiers.models import Dossier, PostalItem
from courier_api.dossiers.states import ItemKind
from courier_api.errors import FieldError, Invalid, Refused
from courier_api.people.models import Person, Role
from courier_api.places.models import ServicePoint


@dataclass(frozen=True, slots=True)
class Party:
    """One side of a handover: a person, or a service point with the person acting for it."""

    role: PartyRole
    id: UUID
    name: str = field(compare=False)

    @classmethod
    def citizen(cls, dossier: Dossier) -> "Party":
        """The person whose dossier it is."""
        return cls(PartyRole.citizen, dossier.citizen_id, dossier.contact_name)

    @classmethod
    def courier(cls, person: Person) -> "Party":
        """A courier in person."""
        return cls(PartyRole.courier, person.id, person.full_name)

    @classmethod
    def office(cls, place: ServicePoint, clerk: Person | None = None) -> "Party":
        """A post office, by its clerk."""
        return cls(PartyRole.office, place.id, _place_name(place, clerk))

    @classmethod
    def agency(cls, place: ServicePoint, officer: Person | None = None) -> "Party":
        """An agency's one-stop unit, by its officer."""
        return cls(PartyRole.agency, place.id, _place_name(place, officer))


def _place_name(place: ServicePoint, person: Person | None) -> str:
    return f"{person.full_name}, {place.name}"[:120] if person else place.name


@dataclass(frozen=True, slots=True)
class Line:
    """One paper as counted by the one who receives it."""

    name: str
    originals: int
    copies: int
    document_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Stroke:
    """One signature by hand: `strokes` is a list of strokes, each a list of [x, y, ms, pressure] integers."""

    signer_name: str
    relationship: str
    strokes: list[list[list[int]]]


@dataclass(frozen=True, slots=True)
class Proof:
    """What was recorded with a handover, besides who and what."""

    device_at: datetime
    lon: float | None = None
    lat: float | None = None
    accuracy_m: int | None = None
    seal_number: str | None = None
    identity_check: IdentityCheck | None = None
    receiver: Receiver | None = None
    receiver_name: str | None = None
    authorization_reference: str | None = None
    fee_collected: int = 0
    signatures: Sequence[Stroke] = ()


def digest_of(content: Any) -> bytes:
    """SHA-256 of a value as sorted JSON: the same content sent again gives the same digest."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).digest()


def replayed(session: Session, handover_id: UUID, request_digest: bytes) -> Handover | None:
    """Return the handover if this very request was recorded before; raises Invalid for its id with other content."""
    known = session.get(Handover, handover_id)
    if known is None:
        return None
    if known.request_digest != request_digest:
        raise Invalid("handover_id_reused", "/handover_id")
    return known


def record(
    session: Session,
    handover_id: UUID,
    request_digest: bytes,
    item: PostalItem,
    giver: Party,
    taker: Party,
    lines: Sequence[Line],
    proof: Proof,
    recorded_by: tuple[Person, Role],
) -> Handover:
    """Append one change of custody; raises Refused unless `giver` holds the item now.

    The item's row is locked first, so of two who hand over the same item one is second and is refused.
    """
    session.execute(select(PostalItem.id).where(PostalItem.id == item.id).with_for_update())
    last = last_handover(session, item.id)
    if _holder_after(last, item) != giver:
        raise Refused("not_the_holder", tracking_number=item.tracking_number)
    person, role = recorded_by
    handover = Handover(
        id=handover_id,
        item_id=item.id,
        leg=last.leg + 1 if last else 1,
        from_role=giver.role,
        from_id=giver.id,
        from_name=giver.name,
        to_role=taker.role,
        to_id=taker.id,
        to_name=taker.name,
        recorded_by=person.id,
        recorded_role=role.value,
        device_at=proof.device_at,
        at=now(),
        point=point(proof.lon, proof.lat) if proof.lon is not None and proof.lat is not None else None,
        accuracy_m=proof.accuracy_m,
        seal_number=proof.seal_number,
        identity_check=proof.identity_check,
        receiver=proof.receiver,
        receiver_name=proof.receiver_name,
        authorization_reference=proof.authorization_reference,
        fee_collected=proof.fee_collected,
        line_count=len(lines),
        signature_count=len(proof.signatures),
        request_digest=request_digest,
    )
    handover.lines = [
        HandoverLine(
            position=n, document_id=line.document_id, name=line.name, originals=line.originals, copies=line.copies
        )
        for n, line in enumerate(lines, 1)
    ]
    handover.signatures = [
        Signature(
            position=n,
            signer_name=s.signer_name,
            relationship_=s.relationship,
            strokes=s.strokes,
            digest=digest_of({"handover": handover_id, "strokes": s.strokes}),
        )
        for n, s in enumerate(proof.signatures, 1)
    ]
    session.add(handover)
    session.flush()
    return handover


def recount(session: Session, item_id: UUID, counted: Sequence[tuple[int, int, int]]) -> list[Line]:
    """Check a count of (position, originals, copies) against the item's last handover; raises Invalid where it differs.

    Whoever takes over papers must find what the last holder signed for: a difference is a case, not a new list.
    """
    last = last_handover(session, item_id)
    listed = {line.position: line for line in last.lines} if last else {}
    faults = []
    seen = set()
    for index, (position, originals, copies) in enumerate(counted):
        line = listed.get(position)
        if line is None:
            faults.append(FieldError(f"/lines/{index}/position", "not_on_list"))
        elif position in seen:
            faults.append(FieldError(f"/lines/{index}/position", "given_twice"))
        elif (line.originals, line.copies) != (originals, copies):
            faults.append(FieldError(f"/lines/{index}", "count_differs"))
        seen.add(position)
    faults += [FieldError("/lines", "line_not_counted") for position in listed if position not in seen]
    if faults:
        raise Invalid("documents_do_not_match", *faults)
    return [Line(line.name, line.originals, line.copies, line.document_id) for line in listed.values()]


def last_handover(session: Session, item_id: UUID) -> Handover | None:
    """The latest change of custody of an item."""
    return session.scalar(select(Handover).where(Handover.item_id == item_id).order_by(Handover.leg.desc()).limit(1))


@dataclass(frozen=True, slots=True)
class CountedItem:
    """An item with its papers as the last handover counted them."""

    item: PostalItem
    lines: Sequence[HandoverLine]

    @property
    def id(self) -> UUID:
        """The item's id, by which lists are paged."""
        return self.item.id


def with_lines(session: Session, items: Sequence[PostalItem]) -> list[CountedItem]:
    """Add to each item its papers as they were last counted, in two queries for all of them."""
    latest = (
        select(Handover)
        .where(Handover.item_id.in_([item.id for item in items]))
        .ext(distinct_on(Handover.item_id))
        .order_by(Handover.item_id, Handover.leg.desc())
        .options(selectinload(Handover.lines))
    )
    lines = {handover.item_id: handover.lines for handover in session.scalars(latest)}
    return [CountedItem(item, lines.get(item.id, ())) for item in items]


def holder(session: Session, item: PostalItem) -> Party:
    """Who has the item now."""
    return _holder_after(last_handover(session, item.id), item)


def _holder_after(last: Handover | None, item: PostalItem) -> Party:
    if last is not None:
        return Party(last.to_role, last.to_id, last.to_name)
    # Before its first handover an item is where it came from: papers with the citizen, a result with the agency.
    dossier = item.dossier
    return Party.citizen(dossier) if item.kind is ItemKind.send else Party.agency(dossier.centre)


def held_by(session: Session, party: Party, limit: int = 1000, after: UUID | None = None) -> Sequence[PostalItem]:
    """The items that a party holds now, oldest first: those whose latest handover is to it."""
    later = aliased(Handover)
    query = (
        select(PostalItem)
        .join(Handover, Handover.item_id == PostalItem.id)
        .outerjoin(later, and_(later.item_id == Handover.item_id, later.leg > Handover.leg))
        .where(Handover.to_role == party.role, Handover.to_id == party.id, later.id.is_(None))
        .order_by(PostalItem.id)
        .limit(limit)
        .options(joinedload(PostalItem.dossier).joinedload(Dossier.centre))
    )
    if after is not None:
        query = query.where(PostalItem.id > after)
    return session.scalars(query).all()


def items_held_by_role(session: Session, role: PartyRole) -> set[UUID]:
    """The ids of all items whose holder is of this kind, post offices for one."""
    later = aliased(Handover)
    return set(
        session.scalars(
            select(Handover.item_id)
            .outerjoin(later, and_(later.item_id == Handover.item_id, later.leg > Handover.leg))
            .where(Handover.to_role == role, later.id.is_(None))
        )
    )


def chain(session: Session, item_id: UUID) -> Sequence[Handover]:
    """All handovers of an item, first leg first."""
    return session.scalars(select(Handover).where(Handover.item_id == item_id).order_by(Handover.leg)).all()

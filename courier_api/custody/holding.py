"""Who holds what: recorded handovers, and the holder that follows from them and from nothing else."""

import hashlib
import json
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import and_, select
from sqlalchemy.dialects.postgresql import distinct_on
from sqlalchemy.orm import Session, aliased, joinedload, object_session

from courier_api.custody import countersigning, entries, events, evidence, uploads
from courier_api.custody.entries import Accepted
from courier_api.custody.models import (
    EvidenceKind,
    Handover,
    HandoverLine,
    IdentityCheck,
    PartyRole,
    Receiver,
)
from courier_api.db import point
from courier_api.dossiers.models import Dossier, PostalItem
from courier_api.dossiers.states import ItemKind
from courier_api.errors import FieldError, Invalid, NotFound, Refused
from courier_api.people.models import Person, Role
from courier_api.places.models import ServicePoint
from courier_api.proof import canonical
from courier_api.proof.core import Kind

EVENT = "/signed/event"


@dataclass(frozen=True, slots=True)
class Party:
    """One side of a handover: a person, or a service point with the person acting for it."""

    role: PartyRole
    id: UUID
    code: str = field(compare=False)  # how events name it; a citizen has none
    name: str = field(compare=False)

    @classmethod
    def citizen(cls, dossier: Dossier) -> "Party":
        """The person whose dossier it is."""
        return cls(PartyRole.citizen, dossier.citizen_id, "", dossier.contact_name)

    @classmethod
    def courier(cls, person: Person) -> "Party":
        """A courier in person."""
        return cls(PartyRole.courier, person.id, person.staff_code(Role.courier), person.full_name)

    @classmethod
    def office(cls, place: ServicePoint) -> "Party":
        """A post office."""
        return cls(PartyRole.office, place.id, place.code, place.name)

    @classmethod
    def agency(cls, place: ServicePoint) -> "Party":
        """An agency's one-stop unit."""
        return cls(PartyRole.agency, place.id, place.code, place.name)

    def is_named_by(self, named: Any) -> bool:
        """Whether this is the party that an event names; a citizen's name is held against its commitment elsewhere."""
        if self.role is PartyRole.citizen:
            return isinstance(named, dict) and named.get("r") == "citizen" and set(named) == {"r", "c"}
        return bool(named == {"r": self.role.value, "id": self.code})


@dataclass(frozen=True, slots=True)
class Line:
    """One paper as counted by the one who receives it."""

    name: str
    originals: int
    copies: int
    reason: str | None = None  # why it was taken, when it is beyond the checklist

    def numbered(self, n: int) -> list[Any]:
        """As an event commits to it and an opening keeps it."""
        return [n, self.name, self.originals, self.copies, *([self.reason] if self.reason else [])]


@dataclass(frozen=True, slots=True)
class Stroke:
    """One signature by hand: `strokes` is a list of strokes, each a list of [x, y, ms, pressure] integers."""

    signer_name: str
    relationship: str
    strokes: list[list[list[int]]]


@dataclass(frozen=True, slots=True)
class Proof:
    """What was recorded with a handover, besides who and what; `signed` is the device's own word for all of it."""

    device_at: datetime
    signed: Mapping[str, Any] | Accepted
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
    recalled: Sequence[tuple[int, int]] = ()  # old originals taken back: position on the checklist, and how many
    strokes_follow: bool = False  # the hand-written signatures come as an upload

    def values(self, lines: Sequence[Line], citizen: str | None) -> dict[str, Any]:
        """The contents behind the event's commitments; see docs/custody.md."""
        third_party = self.receiver_name is not None or self.authorization_reference is not None
        return {
            "citizen": citizen,
            "documents": [line.numbered(n) for n, line in enumerate(lines, 1)],
            "seal": self.seal_number,
            "third_party": {"authorization": self.authorization_reference, "name": self.receiver_name}
            if third_party
            else None,
        }

    def written_by_hand(self) -> list[dict[str, Any]] | None:
        """The hand-written signatures as they are committed to and kept; None without any."""
        return written_by_hand(self.signatures)

    def stated(self) -> dict[str, Any]:
        """What the event must say of this in plain."""
        place = self.lon is not None and self.lat is not None
        geo = {"lat": degrees_e7(self.lat), "lon": degrees_e7(self.lon)} if place else None
        if geo is not None and self.accuracy_m is not None:
            geo["acc"] = self.accuracy_m
        return {
            "t": events.moment(self.device_at),
            "geo": geo,
            "fee": self.fee_collected,
            "identity": self.identity_check.value if self.identity_check else None,
            "receiver": self.receiver.value if self.receiver else None,
            "recalled": [list(one) for one in self.recalled] or None,
        }


def written_by_hand(signatures: Sequence[Stroke]) -> list[dict[str, Any]] | None:
    """Hand-written signatures as events commit to them; None without any."""
    return [
        {"relationship": s.relationship, "signer_name": s.signer_name, "strokes": s.strokes} for s in signatures
    ] or None


def degrees_e7(degrees: float | None) -> int:
    """Degrees x 10^7, as events write them."""
    return round((degrees or 0.0) * 1e7)


def digest_of(content: Any) -> bytes:
    """SHA-256 of a value as sorted JSON: the same content sent again gives the same digest."""
    text = json.dumps(content, sort_keys=True, separators=(",", ":"), ensure_ascii=False, default=str)
    return hashlib.sha256(text.encode()).digest()


def replayed(session: Session, person: Person, handover_id: UUID, request_digest: bytes) -> Handover | None:
    """Return the handover if this very request was recorded before; raises Invalid for its id with other content.

    Raises NotFound for another's handover: nobody learns by guessing ids what others recorded.
    """
    known = session.get(Handover, handover_id)
    if known is None:
        return None
    if known.recorded_by != person.id:
        raise NotFound
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
    **stated: Any,
) -> Handover:
    """Append one change of custody, signed by the device of who records it; `stated` is what the event says besides.

    Raises Refused unless `giver` holds the item now, Invalid for an event that says something else than the request,
    Alarm for a signature that does not hold. The item's row is locked first, so of two who hand over the same item one
    is second and is refused.
    """
    lock(session, item)
    last = last_handover(session, item.id)
    handover = follow(
        session, last, handover_id, request_digest, item, giver, taker, lines, proof, recorded_by, **stated
    )
    with session.no_autoflush:  # uploads know nothing of what is to be written here
        uploads.bind(session, [handover_id])
    return handover


def lock(session: Session, item: PostalItem) -> None:
    """Keep others from handing an item over until the transaction ends."""
    session.execute(select(PostalItem.id).where(PostalItem.id == item.id).with_for_update())


def follow(
    session: Session,
    last: Handover | None,
    handover_id: UUID,
    request_digest: bytes,
    item: PostalItem,
    giver: Party,
    taker: Party,
    lines: Sequence[Line],
    proof: Proof,
    recorded_by: tuple[Person, Role],
    **stated: Any,
) -> Handover:
    """Append a change of custody behind the item's last one, by who has locked the item and read that; raises alike."""
    if _holder_after(last, item) != giver:
        raise Refused("not_the_holder", tracking_number=item.tracking_number)
    leg = last.leg + 1 if last else 1
    person, role = recorded_by
    signed = proof.signed
    accepted = signed if isinstance(signed, Accepted) else entries.accept(session, signed, person, role)
    values = _checked(accepted, handover_id, item, leg, giver, taker, lines, proof, stated)
    handover = Handover(
        id=handover_id,
        item_id=item.id,
        leg=leg,
        from_role=giver.role,
        from_id=giver.id,
        to_role=taker.role,
        to_id=taker.id,
        recorded_by=person.id,
        recorded_role=role.value,
        device_at=accepted.event.device_at,
        at=accepted.entry.received_at,
        point=point(*accepted.event.place) if accepted.event.place else None,
        accuracy_m=accepted.event.accuracy_m,
        identity_check=proof.identity_check,
        receiver=proof.receiver,
        fee_collected=proof.fee_collected,
        request_digest=request_digest,
    )
    session.add(handover)
    entries.open_with(session, accepted.entry, accepted.signed, values)
    written = proof.written_by_hand()
    if written is not None:
        salt = accepted.signed.salts.get("strokes", b"")
        evidence.keep(session, accepted.entry, EvidenceKind.strokes, canonical.write(written), salt)
    if accepted.signed.countersignature is not None:
        session.flush()
        countersigning.of_other_side(session, accepted.entry, handover, *accepted.signed.countersignature)
    return handover


def _checked(
    accepted: Accepted,
    handover_id: UUID,
    item: PostalItem,
    leg: int,
    giver: Party,
    taker: Party,
    lines: Sequence[Line],
    proof: Proof,
    stated: dict[str, Any],
) -> dict[str, Any]:
    """Hold the event against the request; the contents to keep are given back."""
    event = accepted.event
    if event.kind is not Kind.handover or event.id != handover_id:
        raise Invalid("event_differs", FieldError(EVENT, "event_differs", {"field": "eid"}), field="eid")
    if event.fields.get("leg") != leg:
        raise Refused("leg_differs", EVENT, leg=leg)
    expected = proof.stated() | {"item": str(item.id), "no": item.tracking_number} | stated
    named = giver.is_named_by(event.fields.get("from")) and taker.is_named_by(event.fields.get("to"))
    field_ = events.differing(event, expected) or (None if named else "from, to")
    citizen = next((p.name for p in (giver, taker) if p.role is PartyRole.citizen), None)
    values = proof.values(lines, citizen)
    if field_ is None and proof.strokes_follow and "strokes" not in event.commitments:
        raise Invalid("requirements_missing", FieldError("/signatures", "signature_missing"), fee=proof.fee_collected)
    if field_ is None:
        opened = values | {"strokes": proof.written_by_hand()}
        later = frozenset({"photo", "strokes"} if proof.strokes_follow else {"photo"})
        field_ = events.unopened(event, opened, accepted.signed.salts, later)
    if field_ is not None:
        raise Invalid("event_differs", FieldError(EVENT, "event_differs", {"field": field_}), field=field_)
    return values


def shown_names(session: Session, handover: Handover) -> tuple[str, str]:
    """The names of giver and taker as people read them; empty for who was erased."""
    return _name_of(session, handover, "from"), _name_of(session, handover, "to")


def _name_of(session: Session, handover: Handover, side: str) -> str:
    role, id_ = getattr(handover, f"{side}_role"), getattr(handover, f"{side}_id")
    if role is PartyRole.citizen:
        name = handover.opened("citizen") or ""
        return f"{handover.receiver_name} ({name})" if side == "to" and handover.receiver_name else name
    if role is PartyRole.courier:
        return session.get_one(Person, id_).full_name
    place = session.get_one(ServicePoint, id_).name
    acts = {PartyRole.office: Role.clerk, PartyRole.agency: Role.officer}[role].value
    if handover.recorded_role != acts:
        return place
    return f"{session.get_one(Person, handover.recorded_by).full_name}, {place}"


def recount(session: Session, item_id: UUID, counted: Sequence[tuple[int, int, int]]) -> list[Line]:
    """Check a count of (position, originals, copies) against the item's last handover; raises Invalid where it differs.

    Whoever takes over papers must find what the last holder signed for: a difference is a case, not a new list.
    """
    return recount_of(last_handover(session, item_id), counted)


def recount_of(last: Handover | None, counted: Sequence[tuple[int, int, int]]) -> list[Line]:
    """The same against a handover that was read already."""
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
    return [Line(line.name, line.originals, line.copies, line.reason) for line in listed.values()]


def last_handover(session: Session, item_id: UUID) -> Handover | None:
    """The latest change of custody of an item."""
    return session.scalar(
        select(Handover)
        .where(Handover.item_id == item_id)
        .order_by(Handover.leg.desc())
        .limit(1)
        .options(joinedload(Handover.opening))
    )


def last_handovers(session: Session, item_ids: Collection[UUID]) -> dict[UUID, Handover]:
    """The latest change of custody of each of some items, by the item."""
    latest = (
        select(Handover)
        .where(Handover.item_id.in_(item_ids))
        .ext(distinct_on(Handover.item_id))
        .order_by(Handover.item_id, Handover.leg.desc())
        .options(joinedload(Handover.opening))
    )
    return {handover.item_id: handover for handover in session.scalars(latest)}


@dataclass(frozen=True, slots=True)
class NextLeg:
    """What the event of an item's next handover must say of it, for whoever signs that."""

    item: PostalItem
    leg: int
    holder: Party


def next_leg(session: Session, item: PostalItem) -> NextLeg:
    """Where an item stands on its way."""
    last = last_handover(session, item.id)
    return NextLeg(item, last.leg + 1 if last else 1, _holder_after(last, item))


@dataclass(frozen=True, slots=True)
class CountedItem:
    """An item with its papers as the last handover counted them."""

    item: PostalItem
    lines: Sequence[HandoverLine]
    custody: NextLeg

    @property
    def id(self) -> UUID:
        """The item's id, by which lists are paged."""
        return self.item.id


def with_lines(session: Session, items: Sequence[PostalItem]) -> list[CountedItem]:
    """Add to each item its papers as they were last counted, in a few queries for any number of them."""
    last = last_handovers(session, [item.id for item in items])
    sides = _takers(session, last.values())
    counted = []
    for item in items:
        handover = last.get(item.id)
        custody = NextLeg(item, handover.leg + 1 if handover else 1, _holder_after(handover, item))
        counted.append(CountedItem(item, handover.lines if handover else (), custody))
    del sides  # a session forgets what nobody holds
    return counted


def _takers(session: Session, handovers: Collection[Handover]) -> list[Person | ServicePoint]:
    """Who took at these handovers, read at once."""
    couriers = {h.to_id for h in handovers if h.to_role is PartyRole.courier}
    places = {h.to_id for h in handovers if h.to_role in (PartyRole.office, PartyRole.agency)}
    return [
        *session.scalars(select(Person).where(Person.id.in_(couriers))),
        *session.scalars(select(ServicePoint).where(ServicePoint.id.in_(places))),
    ]


def holder(session: Session, item: PostalItem) -> Party:
    """Who has the item now."""
    return _holder_after(last_handover(session, item.id), item)


def _party(item: PostalItem, role: PartyRole, id_: UUID) -> Party:
    session = object_session(item)
    assert session is not None
    if role is PartyRole.citizen:
        return Party.citizen(item.dossier)
    if role is PartyRole.courier:
        return Party.courier(session.get_one(Person, id_))
    return Party(role, id_, (place := session.get_one(ServicePoint, id_)).code, place.name)


def _holder_after(last: Handover | None, item: PostalItem) -> Party:
    if last is not None:
        return _party(item, last.to_role, last.to_id)
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


def held_among(session: Session, party: Party, item_ids: Collection[UUID]) -> set[UUID]:
    """Those of some items that a party holds now, by handovers."""
    later = aliased(Handover)
    query = (
        select(Handover.item_id)
        .outerjoin(later, and_(later.item_id == Handover.item_id, later.leg > Handover.leg))
        .where(Handover.item_id.in_(item_ids), Handover.to_role == party.role, Handover.to_id == party.id)
        .where(later.id.is_(None))
    )
    return set(session.scalars(query)) if item_ids else set()


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

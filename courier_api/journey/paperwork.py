"""What is printed: the citizen's receipt, the agency's handover record, the slip for a missing paper."""

import json
from collections.abc import Sequence
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from courier_api.custody import events, evidence, holding
from courier_api.custody.models import Entry, Evidence, EvidenceKind, Handover, HandoverLine, PartyRole
from courier_api.custody.papers.contents import (
    CitizenReceipt,
    Fees,
    HandoverRecord,
    HandSignature,
    KeySignature,
    MissingPaper,
    Paper,
    Side,
    SupplementSlip,
)
from courier_api.dossiers import cases
from courier_api.errors import NotFound
from courier_api.jobs.models import Attempt, Job
from courier_api.journey import returning
from courier_api.money import quoting
from courier_api.people import devices
from courier_api.people.models import Device, Person, Role
from courier_api.places.models import ServicePoint
from courier_api.proof.core import Core, Kind
from courier_api.proof.receipt import Receipt
from courier_api.rounds import riding
from courier_api.settings import settings

ROLES = {PartyRole.courier: Role.courier, PartyRole.office: Role.clerk, PartyRole.agency: Role.officer}


def receipt_of(session: Session, entry: Entry) -> Receipt | None:
    """Core, signature and certificate of an event; None for the operator's own, which have no certificate."""
    certificate = devices.certificate_at(session, entry.kid, entry.signed_at)
    return Receipt(entry.core, entry.signature, certificate) if certificate else None


def handovers_of(session: Session, citizen: Person, dossier_id: UUID) -> list[Handover]:
    """What changed hands of a citizen's own dossier, in order."""
    dossier = cases.of_citizen(session, citizen, dossier_id)
    items = [item.id for item in dossier.items]
    return list(session.scalars(select(Handover).where(Handover.item_id.in_(items)).order_by(Handover.at)))


def of_citizen(session: Session, citizen: Person, dossier_id: UUID, handover_id: UUID) -> Handover:
    """A handover at a citizen's own door; raises NotFound."""
    for handover in handovers_of(session, citizen, dossier_id):
        if handover.id == handover_id and PartyRole.citizen in (handover.from_role, handover.to_role):
            return handover
    raise NotFound


def of_courier(session: Session, courier: Person, handover_id: UUID) -> Handover:
    """A handover at a door that this courier recorded; raises NotFound."""
    found = session.get(Handover, handover_id)
    if found is None or found.recorded_by != courier.id or found.recorded_role != Role.courier.value:
        raise NotFound
    if PartyRole.citizen not in (found.from_role, found.to_role):
        raise NotFound
    return found


def of_place(session: Session, place: ServicePoint, handover_id: UUID) -> Handover:
    """A handover that a post office or an agency was a side of; raises NotFound."""
    found = session.get(Handover, handover_id)
    if found is None or place.id not in (found.from_id, found.to_id):
        raise NotFound
    return found


def citizen_receipt(session: Session, handover: Handover, base: str) -> CitizenReceipt:
    """Put the citizen's receipt together; `base` is the address that the code leads to, as https://post.example."""
    dossier = handover.item.dossier
    entry = handover.entry
    pickup = handover.from_role is PartyRole.citizen
    charges = quoting.charges(session, dossier)
    voucher = quoting.voucher_of(session, handover.id)
    paid = charges if voucher is not None else quoting.NOTHING
    return CitizenReceipt(
        kind="pickup" if pickup else "delivery",
        operator=settings().operator_name,
        tracking_number=handover.item.tracking_number,
        dossier_code=dossier.dossier_code,
        procedure=dossier.procedure_version.name,
        giver=_side(session, handover, "from"),
        taker=_side(session, handover, "to"),
        place=dossier.commune.name,
        device_at=handover.device_at,
        server_at=handover.at,
        documents=_papers(handover.lines, entry),
        fees=Fees(paid.state_fee, paid.postage, paid.fee_transfer, voucher.number if voucher else None),
        seal_number=handover.seal_number,
        signatures=_by_hand(session, entry),
        device=_by_key(session, entry),
        verify_address=_address(session, entry, base),
        complaints=f"Khiếu nại được tiếp nhận trong {settings().complaint_months} tháng. Xin giữ phiếu này.",
    )


def handover_record(session: Session, handover: Handover, base: str) -> HandoverRecord:
    """Put the record of a handover between post office and agency, or courier and post office, together."""
    dossier = handover.item.dossier
    entry = handover.entry
    assert entry.event is not None
    said = events.read(entry.event).fields
    recorder = _by_key(session, entry)
    other = session.scalar(select(Entry).where(Entry.of == entry.id, Entry.kind == Kind.countersignature))
    second = _by_key(session, other) if other is not None else None
    recorded_by_taker = ROLES.get(handover.to_role) is Role(handover.recorded_role)
    hands = _by_hand(session, entry)
    # On a courier's phone it is the clerk, the other side, who signs by hand.
    clerk = next((hand for hand in hands if hand.relationship == returning.CLERK), None)
    giver_hand = hands[0] if hands and not recorded_by_taker and clerk is None else None
    return HandoverRecord(
        operator=settings().operator_name,
        office=dossier.office.name,
        locality=dossier.office.commune.name,
        tracking_number=handover.item.tracking_number,
        manifest_number=said.get("manifest"),
        dossier_code=said.get("code") or dossier.dossier_code,
        due_date=dossier.due_date,
        procedure=dossier.procedure_version.name,
        applicant=dossier.contact_name or None,
        giver=_side(session, handover, "from"),
        taker=_side(session, handover, "to"),
        place=_place_of(session, handover),
        device_at=handover.device_at,
        server_at=handover.at,
        documents=_papers(handover.lines, entry),
        giver_hand=giver_hand,
        giver_key=second if recorded_by_taker else recorder,
        taker_hand=clerk or (hands[0] if hands and recorded_by_taker else None),
        taker_key=recorder if recorded_by_taker else second,
        verify_address=_address(session, entry, base),
    )


def supplement_slip(session: Session, courier: Person, stop_id: UUID, base: str) -> SupplementSlip:
    """Put the slip of a courier's own visit together that failed for a missing paper; raises NotFound without one."""
    return _slip(session, riding.stop_of(session, courier, stop_id).job, base)


def citizens_slip(session: Session, citizen: Person, dossier_id: UUID, base: str) -> SupplementSlip:
    """Put the slip of the latest such visit to a citizen's own door together; raises NotFound without one."""
    dossier = cases.of_citizen(session, citizen, dossier_id)
    job = session.scalar(
        select(Job)
        .join(Attempt, Attempt.job_id == Job.id)
        .where(Job.dossier_id == dossier.id, Attempt.missing.is_not(None))
        .order_by(Attempt.at.desc())
        .limit(1)
    )
    if job is None:
        raise NotFound
    return _slip(session, job, base)


def _slip(session: Session, job: Job, base: str) -> SupplementSlip:
    attempt = next((a for a in reversed(job.attempts) if a.missing), None)
    entry = session.get(Entry, attempt.id) if attempt is not None else None
    if attempt is None or entry is None:
        raise NotFound
    dossier = job.dossier
    wanted = {r.position: r for r in dossier.procedure_version.requirements}
    window = (job.window_start, job.window_end)
    return SupplementSlip(
        operator=settings().operator_name,
        locality=dossier.commune.name,
        tracking_number=job.item.tracking_number,
        procedure=dossier.procedure_version.name,
        citizen=dossier.contact_name or None,
        courier=Side("courier", attempt.courier.full_name, attempt.courier.staff_code(Role.courier)),
        place=dossier.commune.name,
        device_at=attempt.device_at,
        server_at=attempt.at,
        missing=[
            MissingPaper(wanted[n].name, wanted[n].originals, wanted[n].copies, originals, copies)
            for n, originals, copies in attempt.missing or ()
        ],
        reason=attempt.note,
        appointment=(window[0], window[1]) if window[0] and window[1] else None,
        device=_by_key(session, entry),
        verify_address=_address(session, entry, base),
    )


def _side(session: Session, handover: Handover, side: str) -> Side:
    role: PartyRole = getattr(handover, f"{side}_role")
    names = holding.shown_names(session, handover)
    name = names[0] if side == "from" else names[1]
    if role is PartyRole.citizen:
        return Side(role.value, name or None)
    if role is PartyRole.courier:
        person = session.get_one(Person, getattr(handover, f"{side}_id"))
        return Side(role.value, person.full_name, person.staff_code(Role.courier))
    place = session.get_one(ServicePoint, getattr(handover, f"{side}_id"))
    if handover.recorded_role == ROLES[role].value:
        person = session.get_one(Person, handover.recorded_by)
        return Side(role.value, person.full_name, person.staff_code(ROLES[role]), place.name)
    return Side(role.value, place.name, place.code)


def _place_of(session: Session, handover: Handover) -> str:
    for role, id_ in ((handover.to_role, handover.to_id), (handover.from_role, handover.from_id)):
        if role in (PartyRole.office, PartyRole.agency):
            return session.get_one(ServicePoint, id_).name
    return handover.item.dossier.commune.name


def _papers(lines: Sequence[HandoverLine], entry: Entry) -> list[Paper] | None:
    opened = entry.opening is not None and entry.opening.content is not None
    return [Paper(line.name, line.originals, line.copies) for line in lines] if opened else None


def _by_hand(session: Session, entry: Entry) -> list[HandSignature]:
    row = session.scalar(select(Evidence).where(Evidence.entry_id == entry.id, Evidence.kind == EvidenceKind.strokes))
    if row is None:
        return []
    if row.wrapped_key is None:
        return [HandSignature(None, "self", None)]
    return [
        HandSignature(one["signer_name"], one["relationship"], one["strokes"])
        for one in json.loads(evidence.content_of(row))
    ]


def _by_key(session: Session, entry: Entry) -> KeySignature:
    device = session.get_one(Device, entry.kid)
    return KeySignature(device.person.staff_code(device.role), Core.unpack(entry.core).kid.hex())


def _address(session: Session, entry: Entry, base: str) -> str | None:
    receipt = receipt_of(session, entry)
    return f"{base}/verify#{receipt.digits()}" if receipt else None

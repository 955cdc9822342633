"""The second signature: whoever gave or took, and did not record it, signs the same core."""

from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from courier_api.custody import entries
from courier_api.custody.models import Entry, Handover, PartyRole
from courier_api.errors import NotFound
from courier_api.people.models import Device, Person, Role
from courier_api.places.models import Posting

ACTS = {PartyRole.courier: Role.courier, PartyRole.office: Role.clerk, PartyRole.agency: Role.officer}


def countersign(session: Session, person: Person, handover_id: UUID, kid: str, signature: bytes) -> Handover:
    """Add a person's signature to a handover that he was the other side of; again it changes nothing.

    Raises NotFound for a handover of others, Alarm for a signature that does not hold.
    """
    handover = session.get(Handover, handover_id)
    device = session.scalar(select(Device).where(Device.kid == kid, Device.person_id == person.id))
    if handover is None or not _stands_on_other_side(session, person, handover, device):
        raise NotFound
    entries.countersign(session, session.get_one(Entry, handover_id), device, signature)
    session.flush()
    return handover


def of_other_side(session: Session, entry: Entry, handover: Handover, kid: str, signature: bytes) -> None:
    """Add a countersignature that came with the handover itself, from the device of the other side; raises Alarm."""
    device = session.get(Device, kid)
    if device is None or not _stands_on_other_side(session, device.person, handover, device):
        device = None
    entries.countersign(session, entry, device, signature)


def _stands_on_other_side(session: Session, person: Person, handover: Handover, device: Device | None) -> bool:
    if person.id == handover.recorded_by:  # who is a clerk as well is not his own witness
        return False
    for role, id_ in ((handover.from_role, handover.from_id), (handover.to_role, handover.to_id)):
        acts = ACTS.get(role)
        if acts is None or acts.value == handover.recorded_role or (device is not None and device.role is not acts):
            continue
        if role is PartyRole.courier:
            return id_ == person.id
        posting = session.get(Posting, (person.id, acts))
        if posting is not None and posting.service_point_id == id_:
            return True
    return False

"""A courier asks for a correction of what he signed: it changes nothing by itself, and a dispatcher is told."""

from sqlalchemy.orm import Session

from courier_api.custody import inbox
from courier_api.custody.models import CaseKind, Entry, Operation, RemarkWhy
from courier_api.errors import Refused
from courier_api.people.models import Device, Person


def ask(session: Session, courier: Person, remark: Entry, why: RemarkWhy) -> None:
    """Open a case about an event of the same person; raises Refused for another's and for one that is not there."""
    about = session.get(Entry, remark.of)
    device = session.get(Device, about.kid) if about is not None and about.event is not None else None
    if about is None or device is None or device.person_id != courier.id or about.id == remark.id:
        raise Refused("no_such_event", "/signed/event")
    operation = session.get_one(Operation, remark.id)
    inbox.open_case(session, CaseKind.remark, operation, why.value, of=str(about.id))

"""A courier asks for a correction of what he signed: it changes nothing by itself, and a dispatcher is told."""

from sqlalchemy import select
from sqlalchemy.orm import Session

from courier_api.custody import inbox
from courier_api.custody.models import Case, CaseKind, Entry, Operation, RemarkWhy
from courier_api.errors import Refused
from courier_api.people.models import Device, Person


def ask(session: Session, courier: Person, remark: Entry, why: RemarkWhy) -> None:
    """Open a case about an event of the same person, or add to the one that is open.

    Raises Refused for another's event and for one that is not there.
    """
    about = session.get(Entry, remark.of)
    device = session.get(Device, about.kid) if about is not None and about.event is not None else None
    if about is None or device is None or device.person_id != courier.id or about.id == remark.id:
        raise Refused("no_such_event", "/signed/event")
    case = _open_about(session, about)
    if case is not None:
        case.detail = case.detail | {"again": [*case.detail.get("again", ()), str(remark.id)]}
        return
    operation = session.get_one(Operation, remark.id)
    inbox.open_case(session, CaseKind.remark, operation, why.value, of=str(about.id))


def _open_about(session: Session, about: Entry) -> Case | None:
    """The case about an event that is not decided yet, locked: nothing is added to it while it is decided."""
    asked = Case.detail["of"].astext == str(about.id)
    return session.scalar(
        select(Case)
        .where(Case.kind == CaseKind.remark, Case.decision.is_(None), asked)
        .order_by(Case.id)
        .limit(1)
        .with_for_update(of=Case)
        .execution_options(populate_existing=True)
    )

"""Erasing a person on request: what is theirs goes, what was signed stays and still verifies."""

import json
from base64 import b64decode
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import Select, and_, delete, exists, func, or_, select, text, update
from sqlalchemy.dialects.postgresql import JSONB
from sqlalchemy.orm import Session

from courier_api.agencies.models import ManifestLine
from courier_api.custody import entries, evidence
from courier_api.custody.models import Case, CaseKind, Entry, Evidence, Opening, Operation, OperationState, Upload
from courier_api.db import now
from courier_api.dossiers import cases
from courier_api.dossiers.models import Dossier, PostalItem
from courier_api.dossiers.states import DossierState
from courier_api.errors import NotFound, Refused
from courier_api.jobs.models import Attempt, Job
from courier_api.people.models import AccessToken, Consent, OneTimeCode, Person
from courier_api.people.phones import normalise
from courier_api.places.models import Commune
from courier_api.proof.core import Kind
from courier_api.rounds.models import Round, Stop
from courier_api.tracking import forgetting

ENDED = (DossierState.delivered, DossierState.returned, DossierState.closed, DossierState.cancelled)
AT_ONCE = 300  # entries that one erasure names: an event is small


@dataclass(frozen=True, slots=True)
class Erased:
    """What was erased; the files are for the caller to delete once it is committed."""

    dossiers: int
    entries: int
    files: Sequence[UUID]


def erase(session: Session, phone: str) -> Erased:
    """Take everything personal of the owner of a phone out of the database; raises NotFound, Refused.

    The events keep their commitments, which say nothing without the salts, and the place and time at which a courier
    signed; ids stay, so that custody hangs together. The erasure is itself an event, signed by the operator.
    """
    person = session.scalar(select(Person).where(Person.phone == normalise(phone)).with_for_update())
    if person is None:
        raise NotFound
    if person.grants:
        raise Refused("person_is_staff")
    dossiers = session.scalars(select(Dossier).where(Dossier.citizen_id == person.id).with_for_update(of=Dossier)).all()
    under_way = next((d for d in dossiers if d.state not in ENDED), None)
    if under_way is not None:
        raise Refused("dossier_under_way", state=under_way.state.value)
    spoken_of = _spoken_of(session, dossiers)
    known = {str(one) for one in _entries(session, spoken_of, [])}
    mine = _operations(session, spoken_of, known, _names(person, dossiers))
    if any(o.state in (OperationState.received, OperationState.waiting) for o in mine):
        raise Refused("operations_under_way")
    signed = _entries(session, spoken_of, [o.id for o in mine])
    if session.scalar(_open_cases([o.id for o in mine], signed)):
        raise Refused("case_open")
    files = _erase_custody(session, signed, mine)
    for dossier in dossiers:
        _erase_dossier(session, dossier)
    _erase_person(session, person, _names(person, dossiers))
    session.flush()
    return Erased(len(dossiers), len(signed), files)


def _names(person: Person, dossiers: Sequence[Dossier]) -> set[str]:
    """By what the person may be named in bytes that do not say whose they are: whole texts, none too common."""
    found = {person.phone, person.full_name}
    for d in dossiers:
        found |= {d.contact_phone, d.contact_name, d.address}
    found |= {"0" + one[3:] for one in found if one.startswith("+84")}
    return {one for one in found if len(one) >= 8}


def _spoken_of(session: Session, dossiers: Sequence[Dossier]) -> set[str]:
    """The ids by which events and requests speak of these dossiers: their items, and the stops at their doors."""
    ids = [d.id for d in dossiers]
    items = session.scalars(select(PostalItem.id).where(PostalItem.dossier_id.in_(ids)))
    stops = session.scalars(select(Stop.id).join(Job, Job.id == Stop.job_id).where(Job.dossier_id.in_(ids)))
    return {str(one) for one in (*items, *stops)}


def _operations(session: Session, spoken_of: set[str], known: set[str], names: set[str]) -> list[Operation]:
    """The operations whose bytes we still have: about these dossiers or known events, or naming the person."""
    found = []
    for operation in session.scalars(select(Operation).where(Operation.content.is_not(None))):
        texts = set(_texts(json.loads(operation.content or b"null")))
        events = list(_events(texts))
        about = {text for event in events for text in _texts(event)}
        remarked = {event["of"] for event in events if isinstance(event, dict) and isinstance(event.get("of"), str)}
        of_theirs = texts & spoken_of or about & spoken_of or remarked & known
        if of_theirs or (operation.state is OperationState.rejected and texts & names):
            found.append(operation)
    return found


def _events(texts: set[str]) -> Iterator[Any]:
    """What may be an event in base64, as far as it can be read."""
    for one in texts:
        with suppress(ValueError, RecursionError):
            yield json.loads(b64decode(one, validate=True))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for inner in value:
            yield from _texts(inner)
    elif isinstance(value, dict):
        yield from value
        for inner in value.values():
            yield from _texts(inner)


def _open_cases(operations: Sequence[UUID], signed: Sequence[UUID]) -> Select[tuple[bool]]:
    """Whether a dispatcher is still to decide about these, or to read what a courier asks to be corrected."""
    asked = and_(Case.kind == CaseKind.remark, Case.operation_id.in_(signed))
    return select(exists().where(or_(Case.operation_id.in_(operations), asked), Case.decision.is_(None)))


def _entries(session: Session, spoken_of: set[str], operations: Sequence[UUID]) -> list[UUID]:
    """The entries that open to something about these dossiers: events of items and stops, and what is about those.

    That is, corrections that were asked for and those that were made.
    """
    event = func.convert_from(Entry.event, "UTF8").cast(JSONB)
    about = or_(event["item"].astext.in_(spoken_of), event["stop"].astext.in_(spoken_of))
    opened = select(Entry.id).join(Opening, Opening.entry_id == Entry.id)
    events = [*session.scalars(opened.where(about)), *operations]
    remarks = session.scalars(opened.where(Entry.of.in_(events), Entry.kind == Kind.remark)).all()
    corrections = session.scalars(opened.where(Entry.of.in_([*events, *remarks])))
    return list(dict.fromkeys([*events, *remarks, *corrections]))


def _erase_custody(session: Session, signed: Sequence[UUID], operations: Sequence[Operation]) -> list[UUID]:
    files = []
    for some in _portions(signed):
        erasure = entries.by_operator(session, "custody.erasure", entries=[str(one) for one in some])
        session.execute(
            update(Opening)
            .where(Opening.entry_id.in_(some), Opening.erased_by.is_(None))
            .values(content=None, erased_by=erasure.id)
        )
        for row in session.scalars(
            select(Evidence).where(Evidence.entry_id.in_(some), Evidence.wrapped_key.is_not(None))
        ):
            evidence.make_unreadable(row, erasure)
            files.append(row.id)
    session.execute(delete(Upload).where(Upload.entry_id.in_(signed)))
    for operation in operations:
        operation.content = operation.detail = None
    about = [*signed, *(o.id for o in operations)]
    session.execute(update(Operation).where(Operation.id.in_(about)).values(detail=None))
    session.execute(update(Case).where(Case.operation_id.in_(about)).values(detail={}))
    return files


def _portions(signed: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    return (signed[n : n + AT_ONCE] for n in range(0, len(signed), AT_ONCE))


def _erase_dossier(session: Session, dossier: Dossier) -> None:
    middle = session.scalar(
        select(func.ST_AsEWKT(func.ST_PointOnSurface(Commune.outline))).where(Commune.code == dossier.commune_code)
    )
    dossier.contact_name = dossier.contact_phone = dossier.address = dossier.note = ""
    dossier.cautions = []
    dossier.point = middle
    dossier.refusal_reason = None
    dossier.link_secret = cases.new_link_secret()
    jobs = select(Job.id).where(Job.dossier_id == dossier.id)
    session.execute(update(Job).where(Job.dossier_id == dossier.id).values(point=middle))
    session.execute(update(Attempt).where(Attempt.job_id.in_(jobs)).values(note="", point=None))
    session.execute(
        update(Round).where(Round.id.in_(select(Stop.round_id).where(Stop.job_id.in_(jobs)))).values(line=None)
    )
    session.execute(update(Stop).where(Stop.job_id.in_(jobs)).values(arrived_point=None))
    items = select(PostalItem.id).where(PostalItem.dossier_id == dossier.id)
    session.execute(
        update(ManifestLine).where(ManifestLine.item_id.in_(items), ManifestLine.reason.is_not(None)).values(reason="")
    )


def _erase_person(session: Session, person: Person, names: set[str]) -> None:
    session.execute(delete(OneTimeCode).where(OneTimeCode.phone == person.phone))
    session.execute(delete(AccessToken).where(AccessToken.person_id == person.id))
    forgetting.forget_person(session, person)
    session.execute(
        update(Consent).where(Consent.person_id == person.id, Consent.withdrawn_at.is_(None)).values(withdrawn_at=now())
    )
    # Answers kept for repetition belong to the guard, above us. As JSON writes them, and as it does in ASCII.
    written = sorted({json.dumps(n, ensure_ascii=ascii_)[1:-1] for n in names for ascii_ in (True, False)})
    named = " OR ".join(["caller = :caller", *(f"position(:n{i} IN body) > 0" for i in range(len(written)))])
    session.execute(
        text(f"DELETE FROM stored_answer WHERE {named}"),  # noqa: S608 - only numbered parameters
        {"caller": person.id} | {f"n{i}": name.encode() for i, name in enumerate(written)},
    )
    person.phone = person.id.hex[:16]
    person.full_name = ""
    person.erased_at = now()

"""Erasing a person on request: what is theirs goes, what was signed stays and still verifies."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import LargeBinary, cast, delete, func, literal, or_, select, text, update
from sqlalchemy.orm import Session

from courier_api.agencies.models import ManifestLine
from courier_api.custody import entries, evidence
from courier_api.custody.models import Case, Entry, Evidence, Handover, Opening, Operation, Upload
from courier_api.db import now
from courier_api.dossiers import cases
from courier_api.dossiers.models import Dossier, PostalItem
from courier_api.dossiers.states import DossierState
from courier_api.errors import NotFound, Refused
from courier_api.jobs.models import Attempt, Job
from courier_api.people.models import AccessToken, Consent, OneTimeCode, Person
from courier_api.people.phones import normalise
from courier_api.places.models import Commune
from courier_api.rounds.models import Round, Stop

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
    known_as = _strings(person, dossiers)
    signed = _entries(session, [d.id for d in dossiers])
    files = _erase_custody(session, signed, known_as)
    for dossier in dossiers:
        _erase_dossier(session, dossier)
    _erase_person(session, person, known_as)
    session.flush()
    return Erased(len(dossiers), len(signed), files)


def _strings(person: Person, dossiers: Sequence[Dossier]) -> list[str]:
    """By what the person may be named in bytes that nobody takes apart any more."""
    found = {person.phone, person.full_name}
    for d in dossiers:
        found |= {d.contact_phone, d.contact_name, d.address, d.note}
    # National form too; what is very short would match everything.
    found |= {"0" + one[3:] for one in found if one.startswith("+84")}
    return sorted(one for one in found if len(one) >= 4)


def _entries(session: Session, dossiers: Sequence[UUID]) -> list[UUID]:
    """The events that are about these dossiers: their handovers and failed visits."""
    items = select(PostalItem.id).where(PostalItem.dossier_id.in_(dossiers))
    jobs = select(Job.id).where(Job.dossier_id.in_(dossiers))
    handovers = select(Handover.id).where(Handover.item_id.in_(items))
    visits = select(Attempt.id).join(Entry, Entry.id == Attempt.id).where(Attempt.job_id.in_(jobs))
    return [*session.scalars(handovers), *session.scalars(visits)]


def _erase_custody(session: Session, signed: Sequence[UUID], known_as: Sequence[str]) -> list[UUID]:
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
    session.execute(update(Operation).where(Operation.id.in_(signed)).values(content=None, detail=None))
    session.execute(update(Case).where(Case.operation_id.in_(signed)).values(detail={}))
    # What was refused or waits names nobody in a column: it is looked through.
    for name in known_as:
        found = func.position(cast(literal(name.encode()), LargeBinary).op("in")(Operation.content)) > 0
        session.execute(update(Operation).where(Operation.content.is_not(None), found).values(content=None))
    return files


def _portions(signed: Sequence[UUID]) -> Iterator[Sequence[UUID]]:
    return (signed[n : n + AT_ONCE] for n in range(0, len(signed), AT_ONCE))


def _erase_dossier(session: Session, dossier: Dossier) -> None:
    middle = session.scalar(
        select(func.ST_AsEWKT(func.ST_PointOnSurface(Commune.outline))).where(Commune.code == dossier.commune_code)
    )
    dossier.contact_name = dossier.contact_phone = dossier.address = dossier.note = ""
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


def _erase_person(session: Session, person: Person, known_as: Sequence[str]) -> None:
    session.execute(delete(OneTimeCode).where(OneTimeCode.phone == person.phone))
    session.execute(delete(AccessToken).where(AccessToken.person_id == person.id))
    session.execute(
        update(Consent).where(Consent.person_id == person.id, Consent.withdrawn_at.is_(None)).values(withdrawn_at=now())
    )
    # Answers kept for repetition belong to the guard, above us; their bytes may name the person.
    named = or_(*(text(f"position(:n{i} IN body) > 0") for i in range(len(known_as))))
    session.execute(
        text(f"DELETE FROM stored_answer WHERE caller = :caller OR {named}"),  # noqa: S608 - only numbered parameters
        {"caller": person.id} | {f"n{i}": name.encode() for i, name in enumerate(known_as)},
    )
    person.phone = person.id.hex[:16]
    person.full_name = ""
    person.erased_at = now()

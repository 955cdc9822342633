"""Opening dossiers, moving them through their states, and writing their timeline."""

import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session, joinedload, selectinload

from courier_api.db import new_id, now
from courier_api.dossiers.models import Document, Dossier, DossierEvent, PostalItem
from courier_api.dossiers.numbers import allocate
from courier_api.dossiers.states import DOSSIER, DossierAction, ItemKind
from courier_api.errors import FieldError, Invalid, NotFound
from courier_api.lifecycle import next_state
from courier_api.people.models import Person
from courier_api.procedures.models import ProcedureVersion
from courier_api.settings import settings


@dataclass(frozen=True, slots=True)
class DocumentCount:
    """How many originals and copies of the paper at `position` of the checklist."""

    position: int
    originals: int
    copies: int


def documents_for(
    version: ProcedureVersion, counts: list[DocumentCount], pointer: str = "/documents"
) -> list[Document]:
    """Check announced papers against the checklist; raises Invalid naming each line that is wrong or missing."""
    checklist = {r.position: r for r in version.requirements}
    faults: list[FieldError] = []
    seen: set[int] = set()
    documents = []
    for index, count in enumerate(counts):
        requirement = checklist.get(count.position)
        if requirement is None:
            faults.append(FieldError(f"{pointer}/{index}/position", "not_on_checklist"))
        elif count.position in seen:
            faults.append(FieldError(f"{pointer}/{index}/position", "given_twice"))
        elif count.originals + count.copies == 0:
            faults.append(FieldError(f"{pointer}/{index}", "count_is_zero"))
        elif requirement.mandatory and (count.originals < requirement.originals or count.copies < requirement.copies):
            # Said at booking, it saves the courier a wasted trip.
            faults.append(FieldError(f"{pointer}/{index}", "paper_missing"))
        else:
            documents.append(
                Document(
                    id=new_id(),
                    requirement_id=requirement.id,
                    requirement=requirement,
                    position=count.position,
                    originals=count.originals,
                    copies=count.copies,
                )
            )
        seen.add(count.position)
    faults += [
        FieldError(pointer, "mandatory_document_missing")
        for position, requirement in checklist.items()
        if requirement.mandatory and position not in seen
    ]
    if faults:
        raise Invalid("documents_do_not_match", *faults)
    return documents


def new_link_secret() -> str:
    """256 random bits for a tracking link that nobody can guess."""
    return secrets.token_urlsafe(32)


def add_item(session: Session, dossier: Dossier, kind: ItemKind) -> PostalItem:
    """Give a dossier a postal item with a tracking number of its own."""
    item = PostalItem(
        id=new_id(), dossier_id=dossier.id, kind=kind, tracking_number=allocate(session, settings().tracking_prefix)
    )
    dossier.items.append(item)
    session.flush()
    return item


def item_of(dossier: Dossier, kind: ItemKind) -> PostalItem | None:
    """The dossier's item of one kind, if it has one yet."""
    return next((item for item in dossier.items if item.kind is kind), None)


def move(dossier: Dossier, action: DossierAction) -> None:
    """Take a dossier to its next state; raises Refused."""
    dossier.state = next_state(DOSSIER, dossier.state, action)


def tell(
    session: Session, dossier: Dossier, kind: str, *, device_at: datetime | None = None, **detail: str | int | None
) -> None:
    """Add a line to the timeline; `detail` holds only what the citizen and a tracking page may read."""
    session.add(
        DossierEvent(id=new_id(), dossier_id=dossier.id, kind=kind, at=now(), device_at=device_at, detail=detail)
    )


def of_citizen(session: Session, citizen: Person, dossier_id: UUID, *, lock: bool = False) -> Dossier:
    """Load a citizen's own dossier; raises NotFound for another's as for none."""
    query = select(Dossier).where(Dossier.id == dossier_id, Dossier.citizen_id == citizen.id)
    found = session.scalar(query.with_for_update(of=Dossier) if lock else query)
    if found is None:
        raise NotFound
    return found


def locked(session: Session, dossier_id: UUID) -> Dossier:
    """Load a dossier and keep others from changing it until the transaction ends; whoever locks more locks it first."""
    return session.scalars(
        select(Dossier)
        .where(Dossier.id == dossier_id)
        .with_for_update(of=Dossier)
        .execution_options(populate_existing=True)
    ).one()


def by_link(session: Session, secret: str) -> Dossier:
    """The dossier of an unguessable link; raises NotFound."""
    # PostgreSQL cannot even be asked for a NUL.
    found = session.scalar(select(Dossier).where(Dossier.link_secret == secret)) if secret.isprintable() else None
    if found is None:
        raise NotFound
    return found


def by_number(session: Session, tracking_number: str, phone_digits: str) -> Dossier:
    """The dossier of a tracking number, for who knows the last four digits of its phone; raises NotFound.

    The number is no secret, so the digits are asked for; a wrong number and wrong digits get the same answer.
    """
    found = session.scalar(
        select(Dossier)
        .join(PostalItem)
        .where(
            PostalItem.tracking_number == tracking_number, Dossier.contact_phone.endswith(phone_digits, autoescape=True)
        )
    )
    if found is None or len(phone_digits) != 4:
        raise NotFound
    return found


# What a list of dossiers shows, fetched for all of them at once.
SHOWN = (
    selectinload(Dossier.items),
    joinedload(Dossier.commune),
    joinedload(Dossier.office),
    joinedload(Dossier.centre),
)


def list_of_citizen(session: Session, citizen: Person, limit: int, after: UUID | None) -> list[Dossier]:
    """A citizen's dossiers, newest first."""
    query = (
        select(Dossier).where(Dossier.citizen_id == citizen.id).order_by(Dossier.id.desc()).limit(limit).options(*SHOWN)
    )
    if after is not None:
        query = query.where(Dossier.id < after)
    return list(session.scalars(query))


def timeline(session: Session, dossier: Dossier) -> list[DossierEvent]:
    """What happened to a dossier, in order."""
    return list(
        session.scalars(select(DossierEvent).where(DossierEvent.dossier_id == dossier.id).order_by(DossierEvent.seq))
    )

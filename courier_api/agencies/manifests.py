"""Making manifests and answering them line by line."""

import re
from collections.abc import Sequence
from datetime import date
from uuid import UUID

from sqlalchemy import ColumnElement, func, select
from sqlalchemy.orm import Session, selectinload

from courier_api.agencies.models import LineState, Manifest, ManifestLine
from courier_api.db import new_id, now, refused_by
from courier_api.dossiers.models import PostalItem
from courier_api.errors import Invalid, NotFound, Refused
from courier_api.people.models import Person
from courier_api.places.models import ServicePoint, ServicePointKind

DOSSIER_CODE = re.compile(r"[A-Z0-9.]+-[0-9]{6}-[0-9]{4,}")


def make_manifest(
    session: Session, office: ServicePoint, centre: ServicePoint, items: Sequence[PostalItem], clerk: Person
) -> Manifest:
    """List items for one agency; raises Refused for an item that already waits on another manifest."""
    serial = session.scalar(select(func.count()).select_from(Manifest).where(Manifest.office_id == office.id)) or 0
    manifest_id = new_id()
    manifest = Manifest(
        id=manifest_id,
        number=f"BK-{office.code}-{serial + 1:05d}-{manifest_id.hex[-4:].upper()}",
        office_id=office.id,
        office=office,
        centre_id=centre.id,
        centre=centre,
        made_by=clerk.id,
    )
    manifest.lines = [
        ManifestLine(position=n, item_id=item.id, item=item, state=LineState.pending) for n, item in enumerate(items, 1)
    ]
    with refused_by(session, "ix_manifest_line_waiting", Refused("item_on_another_manifest", "/item_ids")):
        session.add(manifest)
    return manifest


def waiting_line(session: Session, centre: ServicePoint, manifest_id: UUID, item_id: UUID) -> ManifestLine:
    """Load, locked, a line of a manifest to this agency; raises NotFound."""
    line = session.scalar(
        select(ManifestLine)
        .join(Manifest)
        .where(Manifest.id == manifest_id, Manifest.centre_id == centre.id, ManifestLine.item_id == item_id)
        .with_for_update(of=ManifestLine)
    )
    if line is None:
        raise NotFound
    return line


def accept(session: Session, line: ManifestLine, dossier_code: str, due_date: date, today: date) -> None:
    """The agency takes an item, names its own code and the day the result is due."""
    _still_pending(line)
    if not DOSSIER_CODE.fullmatch(dossier_code):
        raise Invalid("bad_dossier_code", "/dossier_code")
    if due_date < today:
        raise Invalid("due_date_past", "/due_date")
    line.state = LineState.accepted
    line.dossier_code = dossier_code
    line.due_date = due_date
    _answered(session, line)


def refuse(session: Session, line: ManifestLine, reason: str) -> None:
    """The agency does not take an item, and says why."""
    _still_pending(line)
    if not reason.strip():
        raise Invalid("reason_missing", "/reason")
    line.state = LineState.refused
    line.reason = reason
    _answered(session, line)


def _still_pending(line: ManifestLine) -> None:
    if line.state is not LineState.pending:
        raise Refused("line_answered", state=line.state.value)


def _answered(session: Session, line: ManifestLine) -> None:
    line.answered_at = now()
    session.flush()
    if all(other.state is not LineState.pending for other in line.manifest.lines):
        line.manifest.closed_at = now()


_LINES = selectinload(Manifest.lines).joinedload(ManifestLine.item).joinedload(PostalItem.dossier)


def _side(place: ServicePoint) -> ColumnElement[bool]:
    """The manifests that a place makes, or that are made for it."""
    if place.kind is ServicePointKind.post_office:
        return Manifest.office_id == place.id
    return Manifest.centre_id == place.id


def listed(session: Session, place: ServicePoint, limit: int, after: UUID | None) -> list[Manifest]:
    """The manifests of a post office or an agency, newest first."""
    query = select(Manifest).where(_side(place)).order_by(Manifest.id.desc()).limit(limit).options(_LINES)
    if after is not None:
        query = query.where(Manifest.id < after)
    return list(session.scalars(query))


def one(session: Session, place: ServicePoint, manifest_id: UUID) -> Manifest:
    """One manifest of a post office or an agency; raises NotFound."""
    found = session.scalar(select(Manifest).where(Manifest.id == manifest_id, _side(place)).options(_LINES))
    if found is None:
        raise NotFound
    return found

"""The catalogue as citizens and clerks read it: the version in force, searching, and whether it goes by post."""

from collections.abc import Sequence
from datetime import date

from sqlalchemy import ColumnElement, and_, func, or_, select
from sqlalchemy.orm import Session, selectinload

from courier_api.db import now
from courier_api.errors import NotFound, Refused
from courier_api.places.names import plain
from courier_api.procedures.models import Eligibility, Procedure, ProcedureVersion
from courier_api.settings import settings

_MOST_WORDS = 12
_WAYS = {
    Eligibility.send: {"send"},
    Eligibility.return_: {"return"},
    Eligibility.both: {"send", "return", "both"},
    Eligibility.none: set(),
}


def current(session: Session, code: str, suffix: str = "", on: date | None = None) -> ProcedureVersion:
    """The version in force on a day (today when none is given), with its checklist."""
    version = session.scalars(
        select(ProcedureVersion)
        .join(ProcedureVersion.procedure)
        .where(Procedure.code == code, Procedure.suffix == suffix, _in_force(on or _today()))
        .options(selectinload(ProcedureVersion.requirements))
    ).first()
    if version is None:
        raise NotFound("no_such_procedure")
    return version


def search(session: Session, text: str, limit: int = 20) -> Sequence[ProcedureVersion]:
    """Procedures in force whose code, name or field hold the words, accents or not; those that can be booked first.

    When no procedure holds all the words, those most like the text; without words, the first in the order of names.
    """
    words = plain(text[:200]).split()[:_MOST_WORDS]
    asked = " ".join(words)
    versions = select(ProcedureVersion).where(_in_force(_today())).options(selectinload(ProcedureVersion.requirements))
    if not words:
        return session.scalars(
            versions.order_by(ProcedureVersion.bookable.desc(), ProcedureVersion.name).limit(limit)
        ).all()
    # `plain` leaves letters and digits only: nothing in a word is a wildcard.
    holding = and_(*(ProcedureVersion.search_name.like(f"%{word}%") for word in words))
    nearest = func.word_similarity(asked, ProcedureVersion.search_name).desc()
    order = (ProcedureVersion.bookable.desc(), nearest, func.length(ProcedureVersion.name), ProcedureVersion.name)
    found = session.scalars(versions.where(holding).order_by(*order).limit(limit)).all()
    if found:
        return found
    like = ProcedureVersion.search_name.op("%>")(asked)
    return session.scalars(versions.where(like).order_by(nearest, *order).limit(limit)).all()


def require_postal(version: ProcedureVersion, way: str) -> None:
    """Refuse what may not go that way by post (`send`, `return` or `both`), or is not complete enough to book."""
    if way not in _WAYS[version.eligibility]:
        raise Refused("not_by_post", "/service", way=way, eligibility=version.eligibility.value)
    if not version.bookable:
        raise Refused("not_bookable", "/procedure")


def _in_force(day: date) -> ColumnElement[bool]:
    return and_(
        ProcedureVersion.valid_from <= day, or_(ProcedureVersion.valid_to.is_(None), ProcedureVersion.valid_to > day)
    )


def _today() -> date:
    return now().astimezone(settings().timezone).date()

"""Looks written names up among communes, old units and hamlets: those that are the same, and those nearly so."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import ColumnElement, Text, any_, func, literal, null, select, text
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.orm import InstrumentedAttribute, Session

from courier_api.places.mentions import Mention
from courier_api.places.models import Commune, Hamlet, OldUnit

_NEARLY = 0.5  # trigram similarity from which a misspelt name counts
_CONSIDERED = 100


@dataclass(slots=True)
class Candidate:
    """A place whose name the text holds, and where in the text."""

    commune_code: str
    name: str  # as written in the register, with its accents
    search_name: str
    mention: Mention
    likeness: float
    districts: frozenset[str]
    old_unit_id: UUID | None = None
    hamlet: Hamlet | None = None
    score: float = 0.0


def named_districts(session: Session, runs: list[Mention]) -> dict[str, list[Mention]]:
    """Old districts that the text names."""
    names = {run.name for run in runs}
    known = session.scalars(select(OldUnit.search_district).where(one_of(OldUnit.search_district, names)).distinct())
    return {name: [run for run in runs if run.name == name] for name in known}


def exactly(session: Session, runs: list[Mention]) -> list[Candidate]:
    names = {run.name for run in runs}
    of_commune = (
        select(func.array_agg(OldUnit.search_district.distinct()))
        .where(OldUnit.commune_code == Commune.code)
        .scalar_subquery()
    )
    communes = session.execute(
        select(Commune.code, Commune.name, Commune.search_name, null(), of_commune)
        .where(one_of(Commune.search_name, names))
        .limit(_CONSIDERED)
    ).all()
    old_units = session.execute(
        select(
            OldUnit.commune_code, OldUnit.name, OldUnit.search_name, OldUnit.id, func.array_agg(OldUnit.search_district)
        )
        .where(one_of(OldUnit.search_name, names))
        .group_by(OldUnit.id)
        .limit(_CONSIDERED)
    ).all()
    found = [
        Candidate(code, name, search, run, 1.0, frozenset(districts or ()), old)
        for code, name, search, old, districts in (*communes, *old_units)
        for run in runs
        if run.name == search
    ]
    return [c for c in found if not any(c.mention.inside(other.mention) for other in found)]


def nearly(session: Session, runs: list[Mention], districts: dict[str, list[Mention]]) -> list[Candidate]:
    """Misspelt names, by trigrams."""
    taken = [run for found in districts.values() for run in found]
    by_name = {
        run.name: run
        for run in runs
        if run.kind in ("", "commune")
        and len(run.name) > 4
        and run.end - run.start > 1
        and not any(run.overlaps(district) for district in taken)
    }
    if not by_name:
        return []
    session.execute(select(func.set_config("pg_trgm.similarity_threshold", str(_NEARLY), True)))
    rows = session.execute(
        text("""
        SELECT place.*, given.name AS given, similarity(place.search_name, given.name) AS likeness
        FROM unnest(:names) AS given (name)
        CROSS JOIN LATERAL (
            SELECT code, name, search_name, NULL::uuid AS old, (
                SELECT array_agg(DISTINCT search_district) FROM old_unit WHERE commune_code = code) AS districts
            FROM commune WHERE search_name % given.name
            UNION ALL
            SELECT commune_code, name, search_name, id, ARRAY[search_district]
            FROM old_unit WHERE search_name % given.name
        ) AS place
        ORDER BY likeness DESC LIMIT :most
        """).bindparams(most=_CONSIDERED),
        {"names": list(by_name)},
    ).all()
    return [
        Candidate(
            row.code,
            row.name,
            row.search_name,
            by_name[row.given],
            row.likeness,
            frozenset(row.districts or ()),
            row.old,
        )
        for row in rows
    ]


def by_hamlet(session: Session, runs: list[Mention]) -> list[Candidate]:
    """Nothing but a hamlet is named."""
    by_name = {run.name: run for run in runs if run.end - run.start > 1}
    hamlets = session.scalars(select(Hamlet).where(one_of(Hamlet.search_name, set(by_name))).limit(_CONSIDERED))
    return [
        Candidate(h.commune_code, h.name, h.search_name, by_name[h.search_name], 1.0, frozenset(), hamlet=h)
        for h in hamlets
    ]


def one_of(column: InstrumentedAttribute[str], names: set[str]) -> ColumnElement[bool]:
    """The column is one of the names; a single parameter, so that the statement stays the same."""
    return column == any_(literal(list(names), ARRAY(Text)))

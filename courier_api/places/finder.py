"""Finds where an address is: communes by new or old name, and the best point that is known for it."""

from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import func, select, text
from sqlalchemy.orm import Session, joinedload

from courier_api.places.candidates import Candidate, by_hamlet, exactly, named_districts, nearly, one_of
from courier_api.places.mentions import Mention, accents, mentions
from courier_api.places.models import Commune, Hamlet, OldUnit, PointQuality, ServicePoint
from courier_api.places.names import unit_type, words


@dataclass(frozen=True, slots=True)
class Found:
    """One place that the address may mean; equal scores mean that the text does not decide between them."""

    commune: Commune
    office: ServicePoint | None
    old_unit: OldUnit | None
    hamlet: Hamlet | None
    lon: float
    lat: float
    quality: PointQuality
    score: float  # 0 to 1

    @property
    def label(self) -> str:
        """The address as it is now, with the name that it had: `Xã Tiên Lữ (Xã Thụy Lôi, Huyện Tiên Lữ)`."""
        place = f"{self.hamlet.name}, {self.commune.name}" if self.hamlet else self.commune.name
        return f"{place} ({self.old_unit.name}, {self.old_unit.district})" if self.old_unit else place


def find_address(session: Session, address: str, limit: int = 5) -> list[Found]:
    """Communes that the text may mean, best first; [] when it names none.

    Takes old and new names, with or without accents, NFC or NFD, with house number, street, hamlet and district around
    them. Several communes of one name all come back; a divided old unit gives each of its parts.
    """
    runs = mentions(address)
    if not runs:
        return []
    districts = named_districts(session, runs)
    candidates = exactly(session, runs)
    unread = (
        [run for run in runs if run.kind == "commune"]
        if not any(c.mention.kind == "commune" for c in candidates)
        else []
    )
    if not candidates or unread:
        candidates += nearly(session, unread or runs, districts)
    candidates = candidates or by_hamlet(session, runs)
    _weigh(candidates, runs, districts)
    _find_hamlets(session, candidates, runs)
    best: dict[str, Candidate] = {}
    for candidate in sorted(candidates, key=lambda c: (-c.score, c.old_unit_id is not None, c.commune_code)):
        best.setdefault(candidate.commune_code, candidate)
    return _located(session, list(best.values())[:limit])


def _weigh(candidates: list[Candidate], runs: list[Mention], districts: dict[str, list[Mention]]) -> None:
    """How well each candidate explains the text; the weights were set on the names of one province."""
    named = {name for name, found in districts.items() if any(run.kind == "district" for run in found)}
    hinted = {name for name, found in districts.items() if any(run.kind in ("", "district") for run in found)}
    for candidate in candidates:
        run = candidate.mention
        kind = "" if any(run.unit_belongs_to(other.mention) for other in candidates) else run.kind
        score = 0.6 * candidate.likeness
        # An address goes from small to large: what stands later is more likely the commune.
        score += 0.08 * run.part / run.last_part if run.last_part else 0.04
        if kind == "commune":
            score += 0.2 + (0.02 if unit_type(" ".join((*run.unit, "x"))) == unit_type(candidate.name) else -0.02)
        elif kind in ("street", "province"):
            score -= 0.35
        elif kind == "district" or (run.name in districts and any(c.mention.name != run.name for c in candidates)):
            score -= 0.25
        others = {name for name in hinted if name != run.name or len(districts[name]) > 1}
        if candidate.districts & (named | others):
            score += 0.08
        elif named:
            score -= 0.08
        if run.marks:
            known = accents(words(candidate.name)[-(run.end - run.start) :])
            score += 0.02 if known == run.marks else -0.04
        candidate.score = max(0.0, min(1.0, round(score, 3)))


def _find_hamlets(session: Session, candidates: list[Candidate], runs: list[Mention]) -> None:
    """Look for the hamlet inside each candidate; synthetic hamlets carry their old commune's name behind their own."""
    open_ones = [c for c in candidates if c.hamlet is None]
    names = {run.name for run in runs if run.end - run.start > 1}
    if not open_ones or not names:
        return
    names |= {f"{name} {c.search_name}" for name in names for c in open_ones}
    found = session.scalars(
        select(Hamlet).where(
            Hamlet.commune_code.in_({c.commune_code for c in open_ones}), one_of(Hamlet.search_name, names)
        )
    ).all()
    for candidate in open_ones:
        inside = [
            h
            for h in found
            if h.commune_code == candidate.commune_code
            and (candidate.old_unit_id is None or h.search_old_commune == candidate.search_name)
        ]
        if inside:
            candidate.hamlet = max(inside, key=lambda h: len(h.search_name))
            candidate.score = min(1.0, round(candidate.score + 0.05, 3))


def _located(session: Session, best: list[Candidate]) -> list[Found]:
    codes = [candidate.commune_code for candidate in best]
    communes = {
        commune.code: (commune, lon, lat)
        for commune, lon, lat in session.execute(
            select(
                Commune,
                func.ST_X(func.ST_PointOnSurface(Commune.outline)),
                func.ST_Y(func.ST_PointOnSurface(Commune.outline)),
            )
            .where(Commune.code.in_(codes))
            .options(joinedload(Commune.post_office))
        ).unique()
    }
    old_ids = [candidate.old_unit_id for candidate in best if candidate.old_unit_id]
    old_units = (
        {old.id: old for old in session.scalars(select(OldUnit).where(OldUnit.id.in_(old_ids)))} if old_ids else {}
    )
    old_points = _old_points(session, list(old_units.values()))
    hamlet_points = _hamlet_points(session, [c.hamlet for c in best if c.hamlet])
    found = []
    for candidate in best:
        commune, lon, lat = communes[candidate.commune_code]
        quality = PointQuality.commune
        old = old_units[candidate.old_unit_id] if candidate.old_unit_id else None
        if candidate.hamlet:
            (lon, lat), quality = hamlet_points[candidate.hamlet.id], PointQuality.hamlet
        elif old and old.id in old_points:
            (lon, lat), quality = old_points[old.id], PointQuality.old_commune
        found.append(Found(commune, commune.post_office, old, candidate.hamlet, lon, lat, quality, candidate.score))
    return found


def _hamlet_points(session: Session, hamlets: list[Hamlet]) -> dict[UUID, tuple[float, float]]:
    ids = [hamlet.id for hamlet in hamlets]
    if not ids:
        return {}
    rows = session.execute(
        select(Hamlet.id, func.ST_X(Hamlet.point), func.ST_Y(Hamlet.point)).where(Hamlet.id.in_(ids))
    )
    return {key: (lon, lat) for key, lon, lat in rows}


def _old_points(session: Session, units: list[OldUnit]) -> dict[UUID, tuple[float, float]]:
    """The hamlet nearest to the middle of an old unit's hamlets: a point that is inside it for certain."""
    if not units:
        return {}
    rows = session.execute(
        text("""
        SELECT unit.id, ST_X(middle.point), ST_Y(middle.point)
        FROM old_unit unit CROSS JOIN LATERAL (
            SELECT point FROM hamlet
            WHERE commune_code = unit.commune_code AND search_old_commune = unit.search_name
            ORDER BY point <-> (
                SELECT ST_Centroid(ST_Collect(point)) FROM hamlet
                WHERE commune_code = unit.commune_code AND search_old_commune = unit.search_name)
            LIMIT 1
        ) AS middle
        WHERE unit.id = ANY(:ids)
        """),
        {"ids": [unit.id for unit in units]},
    )
    return {key: (lon, lat) for key, lon, lat in rows}

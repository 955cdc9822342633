"""The map answers which commune, which office, which centre."""

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from courier_api.errors import Invalid, NotFound
from courier_api.places import geography
from courier_api.places.models import Commune, PointQuality, ServicePoint, ServicePointKind

pytestmark = pytest.mark.usefixtures("ground")

PHO_HIEN = (106.068, 20.6634)
HANOI = (105.8542, 21.0285)


def test_a_point_is_in_its_commune(session: Session) -> None:
    commune = geography.commune_at(session, *PHO_HIEN)
    assert commune
    assert commune.name == "Phường Phố Hiến"
    assert geography.require_inside(session, *PHO_HIEN) is commune


def test_a_point_on_a_shared_border_is_in_one_commune(session: Session) -> None:
    outline = func.ST_ExteriorRing(func.ST_GeometryN(Commune.outline, 1))
    lon, lat = session.execute(
        select(func.ST_X(func.ST_PointN(outline, 1)), func.ST_Y(func.ST_PointN(outline, 1))).where(
            Commune.code == "11953"
        )
    ).one()
    assert geography.commune_at(session, lon, lat)


def test_a_point_elsewhere_is_outside(session: Session) -> None:
    assert geography.commune_at(session, *HANOI) is None
    with pytest.raises(Invalid) as refusal:
        geography.require_inside(session, *HANOI)
    assert refusal.value.code == "outside_province"
    assert [error.pointer for error in refusal.value.fields] == ["/point"]


@pytest.mark.parametrize("point", [(200.0, 20.0), (106.0, 91.0), (float("nan"), 20.0)])
def test_a_point_off_the_globe_is_invalid(session: Session, point: tuple[float, float]) -> None:
    with pytest.raises(Invalid) as refusal:
        geography.commune_at(session, *point)
    assert refusal.value.code == "bad_coordinates"


def test_the_nearest_office_is_the_nearest_of_all(session: Session) -> None:
    offices = session.scalars(select(ServicePoint).where(ServicePoint.kind == ServicePointKind.post_office)).all()
    assert len(offices) == 26
    office, metres = geography.nearest_office(session, *PHO_HIEN)
    distances = session.scalars(
        select(func.ST_DistanceSphere(ServicePoint.point, func.ST_SetSRID(func.ST_MakePoint(*PHO_HIEN), 4326))).where(
            ServicePoint.kind == ServicePointKind.post_office
        )
    )
    assert metres == pytest.approx(min(distances), rel=0.01)
    assert office.commune_code == "11953"


def test_every_commune_has_an_office_and_a_centre(session: Session) -> None:
    for commune in session.scalars(select(Commune)):
        assert commune.post_office
        assert commune.post_office.kind is ServicePointKind.post_office
        centre = geography.centre_for(session, commune.code, "commune")
        assert centre.commune_code == commune.code
        assert centre.point_quality is PointQuality.commune
        assert geography.centre_for(session, commune.code, "province").code == "MC-33"
    own = session.scalars(select(ServicePoint).where(ServicePoint.kind == ServicePointKind.post_office))
    for office in own:
        commune = session.get_one(Commune, office.commune_code)
        assert commune.post_office
        assert commune.post_office.commune_code == commune.code  # an office of one's own goes before a nearer one


def test_a_centre_is_inside_its_commune(session: Session) -> None:
    astray = (
        select(ServicePoint.code)
        .join(ServicePoint.commune)
        .where(
            ServicePoint.kind == ServicePointKind.one_stop_unit, ~func.ST_Covers(Commune.outline, ServicePoint.point)
        )
    )
    assert session.scalars(astray).all() == []


@pytest.mark.parametrize(("commune", "level"), [("11953", "ministry"), ("99999", "commune")])
def test_no_centre_is_said_so(session: Session, commune: str, level: str) -> None:
    with pytest.raises(NotFound) as refusal:
        geography.centre_for(session, commune, level)
    assert refusal.value.code == "no_centre"

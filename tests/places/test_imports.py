"""Each kind of file comes in once, changes what differs, and tells of every row that it leaves out."""

from pathlib import Path

import osmium
import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from courier_api.places.finder import find_address
from courier_api.places.imports.calendar import import_calendar
from courier_api.places.imports.communes import import_communes
from courier_api.places.imports.hamlets import import_hamlets
from courier_api.places.imports.offices import import_offices, make_centres
from courier_api.places.imports.old_units import import_old_units
from courier_api.places.imports.report import BadFile, ImportReport
from courier_api.places.imports.roads import import_roads
from courier_api.places.imports.writing import synthetic_kinds
from courier_api.places.models import CalendarDay, Commune, Hamlet, OldUnit, PointQuality, Road, ServicePoint
from tests.places.files import feature, geojson, square, table

pytestmark = pytest.mark.usefixtures("ground")

FIRST, SECOND = feature("98001", square(108, 12), "Xã Một"), feature("98002", square(108.1, 12), "Phường Hai")


@pytest.fixture
def province(session: Session, tmp_path: Path) -> Path:
    """Two communes, side by side."""
    import_communes(session, geojson(tmp_path / "communes.geojson", FIRST, SECOND))
    return tmp_path


def reasons(report: ImportReport) -> dict[int, str]:
    return {row.line: row.reason for row in report.refused}


def test_the_province_is_all_there(session: Session) -> None:
    ours = select(Commune.code).where(Commune.province_code == "33")
    counted = [
        session.scalar(select(func.count()).select_from(Commune).where(Commune.province_code == "33")),
        session.scalar(select(func.count(OldUnit.old_code.distinct())).where(OldUnit.commune_code.in_(ours))),
        session.scalar(select(func.count()).select_from(ServicePoint).where(ServicePoint.level.is_(None))),
        session.scalar(select(func.count()).select_from(ServicePoint).where(ServicePoint.level == "commune")),
        session.scalar(select(func.count()).select_from(ServicePoint).where(ServicePoint.level == "province")),
        session.scalar(select(func.count()).select_from(Hamlet)),
        session.scalar(select(func.count()).select_from(Road)),
    ]
    assert counted == [104, 381, 26, 104, 1, 2416, 22221]
    assert synthetic_kinds(session) == {"hamlets", "roads"}


def test_the_same_bytes_change_nothing_and_other_bytes_only_what_differs(session: Session, tmp_path: Path) -> None:
    path = geojson(tmp_path / "communes.geojson", FIRST, SECOND)
    first = import_communes(session, path)
    assert (first.rows_in, first.added, first.changed, first.skipped) == (2, 2, 0, False)
    assert import_communes(session, path).skipped
    again = import_communes(session, path, force=True)
    assert (again.added, again.changed, again.skipped) == (0, 0, False)
    renamed = feature("98002", square(108.1, 12), "Phường Ba")
    changed = import_communes(session, geojson(path, FIRST, renamed))
    assert (changed.added, changed.changed) == (0, 1)
    back = import_communes(session, geojson(path, FIRST, SECOND))
    assert (back.skipped, back.changed) == (False, 1)


def test_facts_from_a_table_go_before_the_outlines_own(session: Session, tmp_path: Path) -> None:
    facts = table(
        tmp_path / "facts.csv", "code,name,population,postal_code", "98001,Xã Một Mới,1200,17000", "98001,Xã Hai,,"
    )
    report = import_communes(session, geojson(tmp_path / "c.geojson", FIRST), facts)
    commune = session.get_one(Commune, "98001")
    assert (commune.name, commune.short_name, commune.population) == ("Xã Một Mới", "Một Mới", 1200)
    assert report.notes == ["facts.csv, line 3: left out, the same code stands on line 2 already"]


def test_decomposed_names_are_stored_composed(session: Session, tmp_path: Path) -> None:
    decomposed = "Xa\u0303 Hie\u0302\u0301n"
    import_communes(session, geojson(tmp_path / "c.geojson", feature("98001", square(108, 12), decomposed)))
    assert session.get_one(Commune, "98001").name == "Xã Hiến"


def test_a_crossing_outline_is_repaired_with_a_note(session: Session, tmp_path: Path) -> None:
    bow_tie = [[108, 12], [108.1, 12.1], [108.1, 12], [108, 12.1], [108, 12]]
    report = import_communes(session, geojson(tmp_path / "c.geojson", feature("98001", bow_tie)))
    assert report.refused == []
    assert "98001 Xã Thử: outline repaired, Self-intersection" in report.notes[0]
    assert session.scalar(select(func.ST_IsValid(Commune.outline)).where(Commune.code == "98001"))


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (feature("98001", square(12, 108)), "longitude and latitude are exchanged"),
        (feature("98001", square(2, 48)), "not in Vietnam"),
        (feature("98001", square(1e308, 12)), "not in Vietnam"),
        (feature("98001", square(108, 12)[:4]), "not closed"),
        (feature("98001", [[108, 12], [108.1, 12], [108.2, 12], [108, 12]]), "no area"),
        (feature("98001", [["a", 12]] * 4), "not two numbers"),
        (feature("98001", None), "not rings"),
        (feature("98001", []), "not closed"),
        (feature("98001", [108, 12], kind="Point"), "not a Polygon"),
        (feature("98001", square(108, 12), ""), "name is empty"),
        (feature("98001", square(108, 12), "X" * 81), "longer than 80"),
        (feature("9801", square(108, 12)), "not 5 digits"),
        (feature("98001", square(108, 12), province_code="Huế"), "not 2 digits"),
        (feature("98001", square(108, 12), population=-4), "not a whole number"),
        (feature("98002", square(108, 12)), "stands in the file already"),
        ({"type": "Feature", "properties": {"code": "98001"}, "geometry": None}, "name is empty"),
        ({"type": "Feature"}, "not a GeoJSON feature"),
        ("feature", "not a GeoJSON feature"),
        (None, "not a GeoJSON feature"),
    ],
)
def test_a_bad_commune_is_left_out_and_the_others_come_in(
    session: Session, tmp_path: Path, bad: object, reason: str
) -> None:
    report = import_communes(session, geojson(tmp_path / "c.geojson", SECOND, bad))
    assert (report.rows, report.added) == (2, 1)
    assert reason in reasons(report)[2]


def test_old_units_follow_a_changed_division(session: Session, province: Path) -> None:
    head = "old_code,name,district,commune_code,divided"
    path = table(province / "old.csv", head, "97001,Xã Cũ,Huyện Xa,98001,1", "97001,Xã Cũ,Huyện Xa,98002,1")
    assert import_old_units(session, path).added == 2
    assert {place.commune.code for place in find_address(session, "xa cu, huyen xa")} == {"98001", "98002"}
    import_old_units(session, table(path, head, "97001,Xã Cũ,Huyện Xa,98002,0"))
    assert session.scalars(select(OldUnit.commune_code).where(OldUnit.old_code == "97001")).all() == ["98002"]


def test_bad_old_units_are_left_out(session: Session, province: Path) -> None:
    path = table(
        province / "old.csv",
        "old_code,name,district,commune_code,divided",
        "97001,Xã Cũ,Huyện Xa,98001,0",
        "97001,Xã Cũ,Huyện Xa,98001,0",
        "97002,Xã Lạc,Huyện Xa,00000,0",
        "97003,Xã Nhiều,Huyện Xa,98001,0,thừa",
        "97004,Xã Lưỡng,Huyện Xa,98001,perhaps",
        "970x5,Xã Sai,Huyện Xa,98001,",
        "97006,,Huyện Xa,98001,",
    )
    report = import_old_units(session, path)
    assert (report.rows, report.added) == (7, 1)
    assert reasons(report) == {
        3: "the same old_code and commune_code stand on line 2 already",
        4: "there is no commune 00000; import the communes first",
        5: "6 cells, the header has 5",
        6: "divided is neither yes nor no: 'perhaps'",
        7: "old_code is not 5 digits: '970x5'",
        8: "name is empty",
    }


def test_rows_refused_for_a_missing_commune_come_in_after_it(session: Session, tmp_path: Path) -> None:
    path = table(tmp_path / "old.csv", "old_code,name,district,commune_code", "97001,Xã Cũ,Huyện Xa,98001")
    assert import_old_units(session, path).added == 0
    assert import_old_units(session, path).skipped
    import_communes(session, geojson(tmp_path / "c.geojson", FIRST))
    assert import_old_units(session, path).added == 1


def test_offices_and_the_communes_that_they_serve(session: Session, province: Path) -> None:
    path = table(
        province / "offices.csv",
        "code,name,address,commune_code,lon,lat,quality",
        "980001,Bưu cục Một,Xã Một,98001,108.05,12.05,surveyed",
        "980002,Bưu cục Không điểm,Xã Một,98001,,,",
        "980003,Bưu cục Xa,Xã Một,98001,109.05,12.05,surveyed",
        "980004,Bưu cục Đảo,Xã Một,98001,12.05,108.05,surveyed",
        "980005,Bưu cục Chữ,Xã Một,98001,nan,12,surveyed",
        "980006,Bưu cục Lạ,Xã Một,98001,108.05,12.05,perfect",
        "980001,Bưu cục Lại,Xã Một,98001,108.05,12.05,surveyed",
    )
    report = import_offices(session, path)
    assert report.added == 2
    told = reasons(report)
    assert told[4] == "the position is 103 km from commune 98001"
    assert "exchanged" in told[5]
    assert "not two numbers" in told[6]
    assert "quality is none of" in told[7]
    assert "line 2 already" in told[8]
    unknown = session.scalars(select(ServicePoint).where(ServicePoint.code == "980002")).one()
    assert unknown.point_quality is PointQuality.commune
    neighbour = session.get_one(Commune, "98002").post_office
    assert neighbour
    assert neighbour.code in ("980001", "980002")


def test_centres_are_made_once_and_a_surveyed_one_is_kept(session: Session, province: Path) -> None:
    report = make_centres(session, "98", "Thử", "98002")
    assert report.added == 3
    whole = session.scalars(select(ServicePoint).where(ServicePoint.code == "MC-98")).one()
    assert (whole.level, whole.commune_code) == ("province", "98002")
    whole.point_quality, whole.address = PointQuality.surveyed, "Số 10"
    session.flush()
    again = make_centres(session, "98", "Thử", "98001")
    assert (again.added, again.changed) == (0, 0)
    assert again.notes == ["MC-98: kept, its position is better than a guess"]
    for unknown in (("97", None), ("98", "11953")):
        with pytest.raises(BadFile):
            make_centres(session, unknown[0], "", unknown[1])


def test_hamlets_are_marked_synthetic(session: Session, province: Path) -> None:
    path = table(
        province / "hamlets.csv",
        "name,commune_code,lon,lat,weight",
        "Thôn 1,98001,108.05,12.05,40",
        "Thôn 2,98001,108.05,12.05,-1",
        "---,98001,108.05,12.05,1",
    )
    report = import_hamlets(session, path, synthetic=True)
    assert report.added == 1
    assert "weight" in reasons(report)[3]
    assert "no letters" in reasons(report)[4]
    assert session.scalars(select(Hamlet).where(Hamlet.commune_code == "98001")).one().synthetic
    import_hamlets(session, path, synthetic=False)
    session.expire_all()
    assert not session.scalars(select(Hamlet).where(Hamlet.commune_code == "98001")).one().synthetic


def test_calendar(session: Session, tmp_path: Path) -> None:
    path = table(
        tmp_path / "days.csv", "day,working,name", "2027-01-04,no,Nghỉ", "2027-02-30,no,Sai", "2027-03-01,,Trống"
    )
    report = import_calendar(session, path)
    assert report.added == 1
    assert set(reasons(report)) == {3, 4}
    days = table(tmp_path / "more.csv", "day,working,name", "2027-01-04,yes,Làm bù")
    assert import_calendar(session, days).changed == 1
    assert len(session.scalars(select(CalendarDay).where(CalendarDay.name == "Làm bù")).all()) == 1


def test_roads_come_in_by_their_id(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "roads.osm.pbf"
    with osmium.SimpleWriter(str(path)) as osm:
        for number, (lon, lat) in enumerate([(108, 12), (108.1, 12), (2.3, 48.8)], start=1):
            osm.add_node(osmium.osm.mutable.Node(id=number, location=(lon, lat)))
        for number, nodes, tags in [
            (9_000_000_001, [1, 2], {"highway": "residential", "name": "Pho\u0302\u0301 Nhỏ"}),
            (9_000_000_002, [1, 9], {"highway": "service"}),
            (9_000_000_003, [1, 1], {"highway": "service"}),
            (9_000_000_004, [1, 3], {"highway": "service"}),
            (9_000_000_005, [1, 2], {"waterway": "canal"}),
        ]:
            osm.add_way(osmium.osm.mutable.Way(id=number, nodes=nodes, tags=tags))
    report = import_roads(session, path, synthetic=False)
    assert (report.rows, report.added) == (4, 1)
    assert reasons(report) == {
        9_000_000_002: "node 9 is not in the file",
        9_000_000_003: "fewer than two different positions",
        9_000_000_004: "the position is not in Vietnam: longitude 2.3, latitude 48.8",
    }
    assert session.get_one(Road, 9_000_000_001).name == "Phố Nhỏ"
    assert "roads" in synthetic_kinds(session)  # the invented ones of the other province are still there

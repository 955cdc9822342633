"""A file that cannot be used is refused in one plain sentence, and nothing of it is written."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from courier_api.places.imports import reading
from courier_api.places.imports.calendar import import_calendar
from courier_api.places.imports.communes import import_communes
from courier_api.places.imports.report import BadFile
from courier_api.places.imports.roads import import_roads
from courier_api.places.models import CalendarDay, ImportRun
from tests.places.files import feature, geojson, square

DAY = "2031-05-05,no,Nghỉ"
HEAD = "day,working,name"


@pytest.mark.parametrize(
    ("content", "code", "said"),
    [
        (b"", "file_empty", "empty"),
        (b" \n\n", "file_empty", "empty"),
        (f"{HEAD}\n{DAY}\n".encode("utf-16"), "file_not_utf8", "Save it as UTF-8"),
        (f"{HEAD}\n{DAY}".encode("cp1258", "replace") + b"\xff", "file_not_utf8", "line 2"),
        (b"day,working,name\n2031-05-05\x00,no,x\n", "file_not_text", "zero bytes"),
        (b"day,working\n2031-05-05,no\n", "file_columns", "columns missing: name"),
        (b"day;working;name\n2031-05-05;no;x\n", "file_columns", "The first line names: day;working;name"),
        (b"day,working,name,name\n2031-05-05,no,x,y\n", "file_columns", "same name"),
        (b'day,working,name\n2031-05-05,no,"x\n', "file_bad_csv", "broken CSV at line"),
        (b'day,working,name\n2031-05-05,no,"x"y\n', "file_bad_csv", "line 2"),
    ],
)
def test_broken_tables(session: Session, tmp_path: Path, content: bytes, code: str, said: str) -> None:
    path = tmp_path / "days.csv"
    path.write_bytes(content)
    with pytest.raises(BadFile) as refusal:
        import_calendar(session, path)
    assert refusal.value.code == code
    assert said in str(refusal.value)
    assert str(path) in str(refusal.value)
    assert session.scalars(select(CalendarDay).where(CalendarDay.day >= "2031-01-01")).all() == []


@pytest.mark.parametrize(
    "content",
    [
        f"\ufeff{HEAD}\n{DAY}\n",
        f"{HEAD}\r\n{DAY}\r\n",
        f"{HEAD}\r{DAY}\r",
        f"{HEAD}\n\n  \n{DAY}",
        " day , working,name \n 2031-05-05 , NO ,  Nghi\u0309  ",
        "name,extra,working,day\nNghỉ,,no,2031-05-05\n",
    ],
)
def test_tables_that_are_only_written_differently(session: Session, tmp_path: Path, content: str) -> None:
    path = tmp_path / "days.csv"
    path.write_bytes(content.encode())
    report = import_calendar(session, path)
    assert (report.added, report.refused) == (1, [])
    assert session.scalars(select(CalendarDay).where(CalendarDay.day >= "2031-01-01")).one().name == "Nghỉ"


def test_lines_are_counted_where_rows_begin(session: Session, tmp_path: Path) -> None:
    path = tmp_path / "days.csv"
    path.write_text(f'{HEAD}\n2031-05-05,no,"hai\ndòng"\n\nbad,no,x\n', encoding="utf-8")
    assert [row.line for row in import_calendar(session, path).refused] == [5]


@pytest.mark.parametrize(
    ("content", "code"),
    [
        (b"{", "file_bad_json"),
        (b'{"type": NaN}', "file_bad_json"),
        (b"[" * 200_000, "file_bad_json"),
        (b"[]", "file_not_geojson"),
        (b'{"type": "Feature"}', "file_not_geojson"),
        (b'{"type": "FeatureCollection", "features": []}', "file_empty"),
        (b'{"type": "FeatureCollection", "features": {}}', "file_empty"),
        (b"\xff\xfe{", "file_not_utf8"),
    ],
)
def test_broken_geojson(session: Session, tmp_path: Path, content: bytes, code: str) -> None:
    path = tmp_path / "communes.geojson"
    path.write_bytes(content)
    with pytest.raises(BadFile) as refusal:
        import_communes(session, path)
    assert refusal.value.code == code


def test_another_coordinate_system_is_refused(session: Session, tmp_path: Path) -> None:
    crs = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::3405"}}
    path = geojson(tmp_path / "c.geojson", feature("98001", square(108, 12)), crs=crs)
    with pytest.raises(BadFile) as refusal:
        import_communes(session, path)
    assert refusal.value.code == "file_bad_crs"


def test_missing_files_and_folders(session: Session, tmp_path: Path) -> None:
    for path, code in ((tmp_path / "none.csv", "file_not_found"), (tmp_path, "file_unreadable")):
        with pytest.raises(BadFile) as refusal:
            import_calendar(session, path)
        assert refusal.value.code == code


@pytest.mark.parametrize("content", [b"not a map", b"\x00\x00\x00\x0d\x0a\x09OSMHeader" + b"\xff" * 50])
def test_broken_road_files(session: Session, tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "roads.osm.pbf"
    path.write_bytes(content)
    runs = session.scalar(select(func.count()).select_from(ImportRun))
    with pytest.raises(BadFile) as refusal:
        import_roads(session, path, synthetic=False)
    assert refusal.value.code == "file_not_osm"
    assert session.scalar(select(func.count()).select_from(ImportRun)) == runs


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.one_of(st.binary(max_size=200), st.text(max_size=200).map(lambda text: f"day,working,name\n{text}".encode())))
def test_any_bytes_are_read_or_refused(tmp_path: Path, content: bytes) -> None:
    try:
        good, bad = reading.parse_csv(content, tmp_path / "days.csv", ["day", "working", "name"])
    except BadFile:
        return
    assert all(set(row) >= {"day", "working", "name"} for _, row in good)
    assert all(line > 1 for line, _ in bad)

"""Catalogue files come in as versions; what a dossier may have been opened under is never rewritten."""

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from sqlalchemy.orm import Session

from courier_api.places.imports.report import BadFile, ImportReport
from courier_api.procedures import catalogue
from courier_api.procedures.imports import import_procedures
from courier_api.procedures.models import AgencyLevel, Authorization, Eligibility, Procedure, ProcedureVersion

pytestmark = pytest.mark.usefixtures("ground")

TODAY = date(2026, 11, 1)
PORTAL = Path(__file__).parents[3] / "shared" / "data" / "tthc_catalogue.csv"
CRAWLED = "code,name,ministry,level,field,decision,post,time,time_unit,fee_vnd"


def procedure(**changes: Any) -> dict[str, Any]:
    """A complete one of our own format."""
    whole = {
        "code": "9.000001",
        "name": "Cấp giấy thử",
        "name_en": "Test paper",
        "field": "Thử",
        "level": "commune",
        "competent_agency": "Uỷ ban nhân dân cấp xã",
        "eligibility": "both",
        "authorization": "family_exempt",
        "working_days": 3,
        "state_fee": 8000,
        "valid_from": "2026-01-01",
        "documents": [{"name": "Tờ khai", "originals": 1, "copies": 0}],
    }
    return {name: value for name, value in (whole | changes).items() if value is not ...}


def load(session: Session, tmp_path: Path, *items: Any, day: date = TODAY) -> ImportReport:
    path = tmp_path / "catalogue.json"
    path.write_text(json.dumps(items), encoding="utf-8")
    return import_procedures(session, path, day)


def load_csv(session: Session, tmp_path: Path, *lines: str) -> ImportReport:
    path = tmp_path / "catalogue.csv"
    path.write_text("\n".join(lines), encoding="utf-8")
    return import_procedures(session, path, TODAY)


def versions(session: Session, code: str = "9.000001") -> list[ProcedureVersion]:
    session.expire_all()
    return list(session.scalars(select(Procedure).where(Procedure.code == code)).one().versions)


def test_a_change_is_a_new_version_and_the_old_one_stays(session: Session, tmp_path: Path) -> None:
    assert load(session, tmp_path, procedure()).added == 1
    assert load(session, tmp_path, procedure()).skipped
    assert load(session, tmp_path, procedure(valid_from="2026-06-01")).changed == 0  # the day alone is no change
    assert load(session, tmp_path, procedure(state_fee=9000, valid_from="2026-06-01")).changed == 1
    assert [(v.state_fee, v.valid_from, v.valid_to) for v in versions(session)] == [
        (8000, date(2026, 1, 1), date(2026, 6, 1)),
        (9000, date(2026, 6, 1), None),
    ]
    assert catalogue.current(session, "9.000001", "", date(2026, 5, 31)).state_fee == 8000
    assert catalogue.current(session, "9.000001", "", date(2026, 6, 1)).state_fee == 9000


def test_a_version_in_force_is_not_rewritten(session: Session, tmp_path: Path) -> None:
    load(session, tmp_path, procedure())
    report = load(session, tmp_path, procedure(state_fee=9000))
    assert "give it a valid_from later than 2026-01-01" in report.refused[0].reason
    incomplete = load(session, tmp_path, procedure(documents=[], valid_from="2026-06-01"))
    assert "does not replace it" in incomplete.refused[0].reason
    assert [version.state_fee for version in versions(session)] == [8000]


def test_an_incomplete_version_is_put_right_where_it_is(session: Session, tmp_path: Path) -> None:
    load(session, tmp_path, procedure(state_fee=None))
    assert not versions(session)[0].bookable
    assert load(session, tmp_path, procedure()).changed == 1
    assert [(version.bookable, len(version.requirements)) for version in versions(session)] == [(True, 1)]


def test_the_suffix_of_an_agency_is_kept_apart(session: Session, tmp_path: Path) -> None:
    report = load(session, tmp_path, procedure(), procedure(code="9.000001.000.00.00.H31"))
    assert report.added == 2
    assert catalogue.current(session, "9.000001", "000.00.00.H31", TODAY).procedure.code == "9.000001"


@pytest.mark.parametrize(
    ("bad", "reason"),
    [
        (procedure(code="12345"), "code is not like 1.004203"),
        (procedure(code=...), "code is empty"),
        (procedure(name=""), "name is empty"),
        (procedure(level="district"), "level is none of commune, province, ministry"),
        (procedure(eligibility="maybe"), "eligibility is none of"),
        (procedure(authorization="nobody"), "authorization is none of"),
        (procedure(working_days=-1), "working_days is not a whole number"),
        (procedure(working_days=1.5), "working_days is not a whole number"),
        (procedure(state_fee="120,000"), "state_fee is not a whole number"),
        (procedure(state_fee=10**12), "state_fee is not a whole number"),
        (procedure(valid_from="2026-02-30"), "valid_from is not a date"),
        (procedure(fee=1), "unknown names: fee"),
        (procedure(documents="Tờ khai"), "documents is not a list"),
        (procedure(documents=[{"name": "Tờ khai", "originals": 0, "copies": 0}]), "neither originals nor copies"),
        (procedure(documents=[{"name": "", "originals": 1}]), "name is empty"),
        (procedure(documents=[{"name": "A", "copies": 1, "recalled_original": True}]), "only an original"),
        (procedure(documents=[{"name": "A", "copies": 1, "mandatory": "yes"}]), "neither true nor false"),
        ("9.000001", "not a procedure"),
        (None, "not a procedure"),
    ],
)
def test_a_bad_procedure_is_left_out_and_the_others_come_in(
    session: Session, tmp_path: Path, bad: object, reason: str
) -> None:
    report = load(session, tmp_path, bad, procedure(code="9.000002"))
    assert (report.rows, report.added) == (2, 1)
    assert report.refused[0].line == 1
    assert reason in report.refused[0].reason


def test_a_code_twice_is_refused_the_second_time(session: Session, tmp_path: Path) -> None:
    report = load(session, tmp_path, procedure(), procedure(state_fee=1))
    assert report.refused[0].reason == "the same code stands on line 1 already"


def test_our_own_format_as_a_table(session: Session, tmp_path: Path) -> None:
    head = "code,name,field,level,competent_agency,eligibility,authorization,working_days,state_fee,documents"
    papers = "1+0 Tờ khai | Form\n0+2? Ảnh\n1+0! Thẻ cũ | Old card"
    report = load_csv(
        session,
        tmp_path,
        head,
        f'9.000001,Cấp giấy thử,Thử,province,Công an tỉnh,return,forbidden,5,0,"{papers}"',
        "9.000002,Cấp giấy thử,Thử,province,Công an tỉnh,return,forbidden,5,0,một tờ khai",
    )
    assert report.refused[0].reason == "document is not like '1+0 Name | English name': 'một tờ khai'"
    version = versions(session)[0]
    assert (version.valid_from, version.bookable, version.authorization) == (TODAY, True, Authorization.forbidden)
    assert [
        (p.name, p.name_en, p.originals, p.copies, p.mandatory, p.recalled_original) for p in version.requirements
    ] == [
        ("Tờ khai", "Form", 1, 0, True, False),
        ("Ảnh", None, 0, 2, False, False),
        ("Thẻ cũ", "Old card", 1, 0, True, True),
    ]


@pytest.mark.parametrize(
    ("time", "unit", "fee", "days", "state_fee"),
    [
        ("3", "Ngày làm việc", "8000", 3, 8000),
        ("15", "Ngày", "0", 11, 0),  # calendar days, rounded up
        ("8", "Giờ", "", 1, None),
        ("6", "Tháng", "", 132, None),
        ("1.5", "Ngày làm việc", "", 2, None),
        ("", "", "", None, None),
    ],
)
def test_a_row_of_the_portal(
    session: Session, tmp_path: Path, time: str, unit: str, fee: str, days: int | None, state_fee: int | None
) -> None:
    load_csv(session, tmp_path, CRAWLED, f'9.000001,Thử,bo-tu-phap,"Cấp tỉnh, Cấp xã",Thử,1/QĐ,1,{time},{unit},{fee}')
    version = versions(session)[0]
    assert (version.working_days, version.state_fee, version.bookable) == (days, state_fee, False)
    assert (version.level, version.eligibility) == (AgencyLevel.commune, Eligibility.both)
    assert version.competent_agency == "Bộ Tư pháp"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ('9.000001,Thử,x,Cấp xã,Thử,1/QĐ,1,"120,000",Ngày,', "time is not a number: '120,000' Ngày"),
        ("9.000001,Thử,x,Cấp xã,Thử,1/QĐ,1,1100,Ngày,", "figures have run together"),
        ("9.000001,Thử,x,Cấp xã,Thử,1/QĐ,1,3,Tuần,", "unknown unit"),
        ("9.000001,Thử,x,Cấp xã,Thử,1/QĐ,1,3,Ngày,50", "less than 1000"),
        ("9.000001,Thử,x,Cấp xã,Thử,1/QĐ,1,3,Ngày,năm", "not a whole number"),
        ("9.000001,Thử,x,Cơ quan khác,Thử,1/QĐ,1,3,Ngày,", "neither commune, province nor ministry"),
        ("9.000001,Thử,x,Cấp xã,Thử,1/QĐ,yes,3,Ngày,", "post is neither 0 nor 1"),
        ("9.000001,Thử,x,Cấp xã", "4 cells"),
    ],
)
def test_a_defect_of_the_portal_is_refused_with_its_reason(
    session: Session, tmp_path: Path, row: str, reason: str
) -> None:
    report = load_csv(session, tmp_path, CRAWLED, row)
    assert (report.rows, report.rows_in) == (1, 0)
    assert reason in report.refused[0].reason


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("c.json", b"{}", "file_not_catalogue"),
        ("c.json", b"[", "file_bad_json"),
        ("c.csv", b"a,b\n1,2\n", "file_columns"),
        ("c.csv", b"code,name,level,field\n9.000001,A,commune,B\n", "file_columns"),
        ("c.csv", b"\xff\xfe", "file_not_utf8"),
    ],
)
def test_broken_catalogues(session: Session, tmp_path: Path, name: str, content: bytes, code: str) -> None:
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(BadFile) as refusal:
        import_procedures(session, path, TODAY)
    assert refusal.value.code == code


@pytest.mark.skipif(not PORTAL.exists(), reason="the portal's list is not part of the project")
def test_the_whole_list_of_the_portal(session: Session) -> None:
    report = import_procedures(session, PORTAL, TODAY)
    why = [row.reason for row in report.refused]
    ours = sum("a complete version is in force" in reason for reason in why)
    print(f"{report.rows_in} of {report.rows} came in, {ours} are complete in our own catalogue")
    assert report.rows == 2642
    assert report.rows_in == 2559
    assert ours == 39
    assert sum("neither commune, province nor ministry" in reason for reason in why) == 28
    assert sum("figures have run together" in reason for reason in why) == 10
    assert sum("time is not a number" in reason for reason in why) == 3
    assert sum("less than 1000" in reason for reason in why) == 3
    assert catalogue.current(session, "1.001193", "", TODAY).bookable

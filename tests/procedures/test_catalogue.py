"""The catalogue gives the version in force, finds procedures by their words, and knows what goes by post."""

from datetime import date

import pytest
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from courier_api.errors import NotFound, Refused
from courier_api.procedures import catalogue
from courier_api.procedures.models import Eligibility, ProcedureVersion

pytestmark = pytest.mark.usefixtures("ground")

BIRTH = "1.001193"
DAY = date(2026, 11, 1)


def test_our_own_catalogue_is_complete(session: Session) -> None:
    versions = session.scalars(select(ProcedureVersion).where(ProcedureVersion.bookable)).all()
    assert len(versions) >= 24
    assert {version.eligibility for version in versions} == set(Eligibility)
    assert all(version.requirements and version.name_en for version in versions)
    assert any(paper.recalled_original for version in versions for paper in version.requirements)
    assert session.scalar(select(func.count()).where(ProcedureVersion.state_fee > 0))


def test_the_version_in_force_has_its_checklist_in_order(session: Session) -> None:
    version = catalogue.current(session, BIRTH, "", DAY)
    assert version.name == "Đăng ký khai sinh"
    assert [paper.position for paper in version.requirements] == [1, 2, 3, 4]
    assert version.requirements[0].originals == 1


@pytest.mark.parametrize(
    ("code", "suffix", "day"), [("9.999999", "", DAY), (BIRTH, "000.00.00.H31", DAY), (BIRTH, "", date(2020, 1, 1))]
)
def test_what_is_not_in_force_is_not_found(session: Session, code: str, suffix: str, day: date) -> None:
    with pytest.raises(NotFound) as refusal:
        catalogue.current(session, code, suffix, day)
    assert refusal.value.code == "no_such_procedure"


@pytest.mark.parametrize(
    ("text", "first"),
    [
        ("khai sinh", "Đăng ký khai sinh"),
        ("DANG KY KHAI SINH", "Đăng ký khai sinh"),
        ("Đăng ký khai sinh", "Đăng ký khai sinh"),
        ("ly lich tu phap", "Cấp phiếu lý lịch tư pháp"),
        ("lí lịch", "Cấp phiếu lý lịch tư pháp"),
        (BIRTH, "Đăng ký khai sinh"),
        ("passport", "Cấp hộ chiếu phổ thông ở trong nước (cấp tỉnh)"),
        ("khai snh", "Đăng ký khai sinh"),
        ("thanh lap ho kinh doanh", "Đăng ký thành lập hộ kinh doanh"),
    ],
)
def test_search(session: Session, text: str, first: str) -> None:
    assert catalogue.search(session, text, 5)[0].name == first


def test_search_knows_no_wildcards_and_keeps_its_limit(session: Session) -> None:
    assert catalogue.search(session, "zzzz qqqq", 5) == []
    assert len(catalogue.search(session, "%", 3)) == 3  # no words: as if nothing was asked
    assert len(catalogue.search(session, "", 3)) == 3
    assert catalogue.search(session, "khai_sinh%", 5)[0].name == "Đăng ký khai sinh"


@pytest.mark.parametrize(
    ("eligibility", "ways"),
    [
        (Eligibility.both, {"send", "return", "both"}),
        (Eligibility.send, {"send"}),
        (Eligibility.return_, {"return"}),
        (Eligibility.none, set()),
    ],
)
def test_what_goes_by_post(eligibility: Eligibility, ways: set[str]) -> None:
    version = ProcedureVersion(eligibility=eligibility, bookable=True)
    for way in ("send", "return", "both"):
        if way in ways:
            catalogue.require_postal(version, way)
        else:
            with pytest.raises(Refused) as refusal:
                catalogue.require_postal(version, way)
            assert refusal.value.code == "not_by_post"


def test_an_incomplete_procedure_is_not_bookable() -> None:
    with pytest.raises(Refused) as refusal:
        catalogue.require_postal(ProcedureVersion(eligibility=Eligibility.both, bookable=False), "send")
    assert refusal.value.code == "not_bookable"

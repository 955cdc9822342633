"""Bookings that cannot be: each is refused by the field that is wrong, and leaves nothing behind."""

from datetime import timedelta
from typing import Any
from unicodedata import normalize

import pytest
from sqlalchemy import select, update

from courier_api.db import now
from courier_api.dossiers.models import Dossier
from courier_api.procedures.models import Procedure, ProcedureVersion
from tests import cast as story
from tests.cast import PROCEDURE, Cast, tomorrow
from tests.refusals import codes, nothing_written, problem_in, refused

SEND_ONLY = "2.001263"
RETURN_ONLY = "1.004746"
IN_PERSON = "1.000894"


def window(start: Any, end: Any) -> dict[str, Any]:
    """A booking's window."""
    return {"window": {"start": start.isoformat(), "end": end.isoformat()}}


def bad(cast: Cast, changes: dict[str, Any], status: int, code: str, *pointers: str) -> dict[str, Any]:
    """Book with something wrong in it."""
    body = story.booking(story.checklist(cast), **changes)
    return refused(cast, cast.citizen, "POST", "/dossiers", body, status, code, *pointers)


def test_a_point_outside_the_province(cast: Cast) -> None:
    for lon, lat in ((105.85, 21.03), (0, 0), (106.06, 20.66 + 2), (180, 90), (-180, -90)):
        bad(cast, {"point": {"lon": lon, "lat": lat}}, 422, "outside_province", "/point")


def test_what_is_no_point(cast: Cast) -> None:
    for point, pointer in (
        ({"lon": 180.1, "lat": 20}, "/point/lon"),
        ({"lon": 106, "lat": -90.1}, "/point/lat"),
        ({"lon": "east", "lat": 20}, "/point/lon"),
        ({"lon": True, "lat": 20}, "/point/lon"),
        ({"lon": float("nan"), "lat": 20}, "/point/lon"),
        ({"lon": float("inf"), "lat": 20}, "/point/lon"),
        ({"lon": 106}, "/point/lat"),
        ({"lon": 106, "lat": 20, "alt": 3}, "/point/alt"),
        ([106, 20], "/point"),
        ("106,20", "/point"),
        (None, "/point"),
    ):
        bad(cast, {"point": point}, 422, "bad_fields", pointer)


def test_windows_that_cannot_be(cast: Cast) -> None:
    hour = timedelta(hours=1)
    at = now()
    for changes, code, pointer in (
        (window(at - hour, at + hour), "window_in_the_past", "/window/start"),
        (window(at - timedelta(days=400), at - timedelta(days=399)), "window_in_the_past", "/window/start"),
        (window(tomorrow(8), tomorrow(8, 29)), "window_too_short", "/window/end"),
        (window(tomorrow(8), tomorrow(8)), "window_too_short", "/window/end"),
        (window(tomorrow(10), tomorrow(8)), "window_too_short", "/window/end"),
        (window(tomorrow(23), tomorrow(1, later=1)), "window_over_midnight", "/window/end"),
        (window(tomorrow(8), tomorrow(10, later=1)), "window_over_midnight", "/window/end"),
        (window(tomorrow(8, later=40), tomorrow(10, later=40)), "window_too_far", "/window/end"),
        ({"window": None}, "window_missing", "/window"),
    ):
        bad(cast, changes, 422, code, pointer)


def test_midnight_is_that_of_the_province(cast: Cast) -> None:
    # From 23:30 to 02:30 UTC is one morning in Việt Nam.
    body = story.booking(story.checklist(cast), **window(tomorrow(6, 30), tomorrow(9, 30)))
    cast.citizen.post("/dossiers", body)


def test_a_window_of_half_an_hour_is_enough(cast: Cast) -> None:
    story.book(cast, **window(tomorrow(8), tomorrow(8, 30)))


def test_times_that_are_none(cast: Cast) -> None:
    for start in (
        "2026-11-24T08:00:00",
        "2026-11-24",
        "tomorrow",
        "",
        1_795_000_000,
        None,
        "0001-01-01T00:00:00+14:00",
        "9999-12-31T23:59:59-12:00",
        "2026-13-01T08:00:00+07:00",
    ):
        bad(cast, {"window": {"start": start, "end": tomorrow(10).isoformat()}}, 422, "bad_fields", "/window/start")


@pytest.mark.parametrize(
    ("procedure", "service"),
    [(SEND_ONLY, "both"), (SEND_ONLY, "return"), (RETURN_ONLY, "both"), (RETURN_ONLY, "send")]
    + [(IN_PERSON, service) for service in ("send", "return", "both")],
)
def test_a_procedure_that_may_not_go_that_way(cast: Cast, procedure: str, service: str) -> None:
    bad(cast, {"procedure_code": procedure, "service": service}, 409, "not_by_post", "/service")
    quote = f"/api/v1/public/quotes?procedure={procedure}&service={service}"
    problem_in(cast.client.get(quote, headers={"Accept-Language": "en"}), 409, "not_by_post", "/service")


def test_a_procedure_that_is_not_complete_enough(cast: Cast) -> None:
    procedure = select(Procedure.id).where(Procedure.code == PROCEDURE).scalar_subquery()
    cast.session.execute(
        update(ProcedureVersion).where(ProcedureVersion.procedure_id == procedure).values(bookable=False)
    )
    cast.session.commit()
    bad(cast, {}, 409, "not_bookable", "/procedure_code")


def test_a_procedure_that_is_not_there(cast: Cast) -> None:
    bad(cast, {"procedure_code": "9.999999"}, 422, "no_such_procedure", "/procedure_code")
    bad(cast, {"procedure_suffix": "H99"}, 422, "no_such_procedure", "/procedure_code")


def test_papers_that_do_not_match_the_checklist(cast: Cast) -> None:
    papers = story.booking(story.checklist(cast))["documents"]
    first = papers[0]
    for documents, expected in (
        (
            [*papers, {"position": 99, "originals": 1, "copies": 0}],
            (f"/documents/{len(papers)}/position", "not_on_checklist"),
        ),
        (papers[1:], ("/documents", "mandatory_document_missing")),
        ([], ("/documents", "mandatory_document_missing")),
        ([*papers, first], (f"/documents/{len(papers)}/position", "given_twice")),
        ([first | {"originals": 0, "copies": 0}, *papers[1:]], ("/documents/0", "count_is_zero")),
        (
            [first | {"originals": max(0, first["originals"] - 1), "copies": 1}, *papers[1:]],
            ("/documents/0", "paper_missing"),
        ),
    ):
        problem = bad(cast, {"documents": documents}, 422, "documents_do_not_match", expected[0])
        assert expected in codes(problem)


def test_a_count_that_is_none(cast: Cast) -> None:
    for paper, pointer in (
        ({"position": 0, "originals": 1, "copies": 0}, "/documents/0/position"),
        ({"position": 1, "originals": -1, "copies": 0}, "/documents/0/originals"),
        ({"position": 1, "originals": 1.5, "copies": 0}, "/documents/0/originals"),
        ({"position": 1, "originals": "1", "copies": 0}, "/documents/0/originals"),
        ({"position": 1, "originals": True, "copies": 0}, "/documents/0/originals"),
        ({"position": 1, "originals": 1001, "copies": 0}, "/documents/0/originals"),
        ({"position": 1, "originals": 1, "copies": 10**30}, "/documents/0/copies"),
        ({"position": 1, "originals": 1}, "/documents/0/copies"),
        ({"position": 1, "originals": 1, "copies": None}, "/documents/0/copies"),
        ("birth certificate", "/documents/0"),
    ):
        bad(cast, {"documents": [paper]}, 422, "bad_fields", pointer)


def test_return_only_takes_no_papers_and_no_window(cast: Cast) -> None:
    only = {"procedure_code": RETURN_ONLY, "service": "return"}
    bad(cast, only, 422, "window_not_for_return", "/window")
    bad(cast, only | {"window": None}, 422, "documents_not_for_return", "/documents")
    dossier = story.book(cast, **only, window=None, documents=[])
    assert [i["kind"] for i in dossier["items"]] == ["result"]
    assert cast.dispatcher.get("/jobs")["items"] == []


def test_without_consent_nothing_is_kept(cast: Cast) -> None:
    bad(cast, {"consent": False}, 422, "consent_missing", "/consent")
    body = story.booking(story.checklist(cast))
    del body["consent"]
    refused(cast, cast.citizen, "POST", "/dossiers", body, 422, "bad_fields", "/consent")


def test_a_phone_that_is_none(cast: Cast) -> None:
    for phone in ("123", "phone", "0912 000", "+999123456789", "091200000123456", "113"):
        bad(cast, {"contact_phone": phone}, 422, "bad_phone", "/contact_phone")


@pytest.mark.parametrize("phone", ["0912 000 001", "+84 912000001", "84912000001", "0912.000.001"])
def test_a_phone_as_people_write_it(cast: Cast, phone: str) -> None:
    assert story.book(cast, contact_phone=phone)["contact_phone"] == "+84912000001"


def test_names_are_kept_composed(cast: Cast) -> None:
    name = "Nguyễn Thị Hoà"
    dossier = story.book(
        cast, contact_name=f"  {normalize('NFD', name)} ", address=normalize("NFD", "Số 2 Chùa Chuông")
    )
    assert dossier["contact_name"] == name
    kept = cast.session.scalars(select(Dossier)).one()
    assert (kept.contact_name, kept.address) == (name, "Số 2 Chùa Chuông")


@pytest.mark.parametrize(
    "field", ["contact_name", "contact_phone", "address", "note", "procedure_code", "dossier_code"]
)
def test_texts_that_cannot_be_kept(cast: Cast, field: str) -> None:
    for text in ("a\0b", "a\x1bb", "a\x7fb", "a\x85b", "\ud800", "x" * 100_000, 7, ["a"], {"a": 1}, True):
        bad(cast, {field: text}, 422, "bad_fields", f"/{field}")


@pytest.mark.parametrize("field", ["contact_name", "contact_phone", "address", "procedure_code"])
def test_texts_that_must_be_there(cast: Cast, field: str) -> None:
    for text in ("", "   ", "\n", None):
        bad(cast, {field: text}, 422, "bad_fields", f"/{field}")


def test_a_service_that_is_none(cast: Cast) -> None:
    for service in ("", "all", "BOTH", 1, None, ["both"], {"both": 1}):
        bad(cast, {"service": service}, 422, "bad_fields", "/service")


def test_text_with_quotes_and_marks_is_only_text(cast: Cast) -> None:
    nasty = "'; DROP TABLE dossier; -- <script>alert(1)</script> {0} %s 🏍️"
    assert story.book(cast, note=nasty)["note"] == nasty


def test_nothing_is_lost_from_the_numbers_by_refused_bookings(cast: Cast) -> None:
    first = story.book(cast)["items"][0]["tracking_number"]
    bad(cast, {"point": {"lon": 0, "lat": 0}}, 422, "outside_province")
    second = story.book(cast)["items"][0]["tracking_number"]
    assert int(second[2:10]) == int(first[2:10]) + 1


def test_a_commune_without_an_office(cast: Cast) -> None:
    from courier_api.places.models import Commune

    cast.session.execute(update(Commune).where(Commune.short_name == "Phố Hiến").values(post_office_id=None))
    cast.session.commit()
    bad(cast, {}, 409, "commune_has_no_office", "/point")


def test_without_a_tariff_nothing_is_booked(cast: Cast) -> None:
    from courier_api.money.models import Tariff

    cast.session.execute(update(Tariff).values(valid_from=tomorrow().date()))
    cast.session.commit()
    bad(cast, {}, 409, "no_tariff", "/service")


def test_refused_bookings_speak_the_caller_s_language(cast: Cast) -> None:
    body = story.booking(story.checklist(cast), consent=False, contact_name="")
    said = {}
    for asked, tongue in (("vi", "vi"), ("en", "en"), ("en-GB,en;q=0.8", "en"), ("fr", "vi"), ("fr, en;q=0.5", "en")):
        with nothing_written(cast.session):
            cast.citizen.call(
                "POST", "/dossiers", body, 422, Accept_Language=asked, Idempotency_Key='"a key for a refusal"'
            )
        answer = cast.citizen.last
        assert answer.headers["Content-Language"] == tongue
        assert "Accept-Language" in answer.headers["Vary"]
        problem = problem_in(answer, 422, "bad_fields", "/contact_name")
        said.setdefault(tongue, set()).add((problem["detail"], problem["errors"][0]["detail"]))
    assert said["vi"] == {("Có trường không hợp lệ.", "Độ dài phải từ 1 đến 120.")}
    assert said["en"] == {("Some fields are wrong.", "The length must be from 1 to 120.")}


def test_what_a_courier_should_know_before_the_door(cast: Cast) -> None:
    for cautions, pointer in (
        (["cat"], "/cautions/0"),
        (["dog", None], "/cautions/1"),
        ("dog", "/cautions"),
        (["dog"] * 4, "/cautions"),
        (None, "/cautions"),
    ):
        bad(cast, {"cautions": cautions}, 422, "bad_fields", pointer)
    booked = story.book(cast, cautions=["gate", "call_first", "gate"])
    assert booked["cautions"] == ["call_first", "gate"]
    assert cast.dispatcher.get("/jobs")["items"][0]["cautions"] == ["call_first", "gate"]
    assert cast.session.scalars(select(Dossier.cautions)).one() == ["call_first", "gate"]

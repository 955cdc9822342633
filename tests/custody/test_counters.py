"""At the counters: post office and agency take over, list, answer and give back, and what of it is refused."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from sqlalchemy import select

from courier_api.agencies.models import Manifest
from courier_api.dossiers.models import Dossier
from courier_api.people.models import Role
from courier_api.places.models import ServicePoint
from tests import cast as story
from tests.cast import Cast, tomorrow
from tests.refusals import codes, nothing_written, refused

CODE = "000.00.31.H31-261124-0002"


def put(cast: Cast, who: Any, path: str, body: Any, status: int, code: str, *pointers: str) -> dict[str, Any]:
    """Put what must be refused."""
    return refused(cast, who, "PUT", path, body, status, code, *pointers)


def in_the_courier_s_hands(cast: Cast) -> dict[str, Any]:
    """An item that the courier has collected."""
    story.collected(cast)
    return cast.clerk.get(f"/couriers/{cast.courier.person_id}/items")[0]


def test_an_item_of_another_office_is_not_there(cast: Cast) -> None:
    item = in_the_courier_s_hands(cast)
    other = cast.outsider[Role.clerk]
    put(cast, other, f"/receipts/{uuid4()}", story.at_counter(item), 404, "not_found")
    other.get(f"/couriers/{cast.courier.person_id}/items", 404)
    cast.clerk.put(f"/receipts/{uuid4()}", story.at_counter(item))
    assert other.get("/items")["items"] == []
    manifest = {"centre_id": str(cast.centre.id), "item_ids": [item["id"]]}
    refused(cast, other, "POST", "/manifests", manifest, 404, "not_found")


def test_other_counts_are_a_case_and_no_new_list(cast: Cast) -> None:
    item = in_the_courier_s_hands(cast)
    lines = story.counted(item["lines"])
    first, path = lines[0], f"/receipts/{uuid4()}"
    for counted, fault in (
        ([first | {"originals": first["originals"] + 1}, *lines[1:]], ("/lines/0", "count_differs")),
        ([first | {"copies": first["copies"] + 1}, *lines[1:]], ("/lines/0", "count_differs")),
        (lines[1:], ("/lines", "line_not_counted")),
        ([*lines, first | {"position": 77}], (f"/lines/{len(lines)}/position", "not_on_list")),
        ([*lines, first], (f"/lines/{len(lines)}/position", "given_twice")),
    ):
        body = story.at_counter(item, lines=counted)
        assert fault in codes(put(cast, cast.clerk, path, body, 422, "documents_do_not_match", fault[0]))


def test_a_receipt_sent_again_adds_nothing(cast: Cast) -> None:
    item = in_the_courier_s_hands(cast)
    path, body = f"/receipts/{uuid4()}", story.at_counter(item)
    first = cast.clerk.put(path, body)
    with nothing_written(cast.session):
        assert cast.clerk.put(path, body) == first
    put(cast, cast.clerk, path, body | {"accuracy_m": 3}, 422, "handover_id_reused", "/handover_id")
    put(cast, cast.clerk, f"/receipts/{uuid4()}", body, 409, "not_with_a_courier")


def test_what_is_still_with_the_citizen_cannot_be_received(cast: Cast) -> None:
    item = story.book(cast)["items"][0] | {"lines": []}
    put(cast, cast.clerk, f"/receipts/{uuid4()}", story.at_counter(item), 409, "not_with_a_courier")


def test_loading_what_is_in_no_round_of_that_courier(cast: Cast) -> None:
    item = in_the_courier_s_hands(cast)
    load = story.at_counter(item, courier_id=cast.courier.person_id)
    put(cast, cast.clerk, f"/loadings/{uuid4()}", load, 409, "not_in_that_round", "/courier_id")
    story.receive(cast)
    put(cast, cast.clerk, f"/loadings/{uuid4()}", load, 409, "not_in_that_round", "/courier_id")
    nobody = load | {"courier_id": str(uuid4())}
    put(cast, cast.clerk, f"/loadings/{uuid4()}", nobody, 409, "not_in_that_round", "/courier_id")


def with_result(cast: Cast) -> dict[str, Any]:
    """A dossier whose result lies at the post office."""
    dossier, manifest, item = story.listed(cast)
    cast.officer.put(f"/manifests/{manifest['id']}/lines/{item['id']}/acceptance", story.acceptance(item))
    cast.officer.put(f"/results/{uuid4()}", story.result(cast, dossier))
    return dossier


def test_loading_twice_and_to_another(cast: Cast) -> None:
    with_result(cast)
    story.plan_and_publish(cast, "afternoon")
    item = cast.clerk.get("/items")["items"][0]
    body = story.at_counter(item, courier_id=cast.courier.person_id)
    other = body | {"courier_id": cast.outsider[Role.courier].person_id}
    put(cast, cast.clerk, f"/loadings/{uuid4()}", other, 409, "not_in_that_round", "/courier_id")
    path = f"/loadings/{uuid4()}"
    first = cast.clerk.put(path, body)
    with nothing_written(cast.session):
        assert cast.clerk.put(path, body) == first
    put(cast, cast.clerk, f"/loadings/{uuid4()}", body, 409, "not_the_holder")


def test_manifests_that_cannot_be(cast: Cast) -> None:
    item = in_the_courier_s_hands(cast)
    here, there = (
        str(cast.centre.id),
        cast.session.scalars(
            select(ServicePoint.id).where(ServicePoint.level == "commune", ServicePoint.id != cast.centre.id).limit(1)
        ).one(),
    )

    def make(centre: Any, items: list[str], status: int, code: str, *pointers: str) -> None:
        body = {"centre_id": str(centre), "item_ids": items}
        refused(cast, cast.clerk, "POST", "/manifests", body, status, code, *pointers)

    make(here, [item["id"]], 409, "not_the_holder", "/item_ids/0")
    story.receive(cast)
    make(here, [item["id"], item["id"]], 422, "given_twice", "/item_ids")
    make(here, [item["id"], str(uuid4())], 404, "not_found")
    make(there, [item["id"]], 409, "not_for_that_agency", "/item_ids/0")
    make(cast.office.id, [item["id"]], 422, "no_such_centre", "/centre_id")
    make(uuid4(), [item["id"]], 422, "no_such_centre", "/centre_id")
    make(here, [], 422, "bad_fields", "/item_ids")
    make(here, ["x"], 422, "bad_fields", "/item_ids/0")
    cast.clerk.post("/manifests", {"centre_id": here, "item_ids": [item["id"]]})
    make(here, [item["id"]], 409, "wrong_state")


def test_answers_of_the_agency_that_cannot_be(cast: Cast) -> None:
    _, manifest, item = story.listed(cast)
    path = f"/manifests/{manifest['id']}/lines/{item['id']}/acceptance"
    lines = story.counted(item["lines"])
    yesterday = (tomorrow() - timedelta(days=2)).date().isoformat()
    for changes, code, pointer in (
        ({"dossier_code": "31"}, "bad_dossier_code", "/dossier_code"),
        ({"dossier_code": "000.00.31.h31-261124-0001"}, "bad_dossier_code", "/dossier_code"),
        ({"dossier_code": "000.00.31.H31-２６１１２４-0001"}, "bad_dossier_code", "/dossier_code"),
        ({"dossier_code": "000.00.31.H31-261124-0001 x"}, "bad_dossier_code", "/dossier_code"),
        ({"due_date": yesterday}, "due_date_past", "/due_date"),
        ({"due_date": "soon"}, "bad_fields", "/due_date"),
        ({"due_date": "9999-12-31"}, "bad_fields", "/due_date"),
        ({"lines": lines[1:]}, "documents_do_not_match", "/lines"),
        ({"lines": [lines[0] | {"copies": 9}, *lines[1:]]}, "documents_do_not_match", "/lines/0"),
        ({"handover_id": "x"}, "bad_fields", "/handover_id"),
    ):
        put(cast, cast.officer, path, story.acceptance(item, **changes), 422, code, pointer)
    other = f"/manifests/{manifest['id']}/lines/{uuid4()}/acceptance"
    put(cast, cast.officer, other, story.acceptance(item), 404, "not_found")
    for reason in ("", "  ", None, "x" * 301):
        refusal = f"/manifests/{manifest['id']}/lines/{item['id']}/refusal"
        put(cast, cast.officer, refusal, {"reason": reason}, 422, "bad_fields", "/reason")


def test_a_line_is_answered_once(cast: Cast) -> None:
    _, manifest, item = story.listed(cast)
    line = f"/manifests/{manifest['id']}/lines/{item['id']}"
    body = story.acceptance(item)
    accepted = cast.officer.put(f"{line}/acceptance", body)
    with nothing_written(cast.session):
        assert cast.officer.put(f"{line}/acceptance", body) == accepted
    put(cast, cast.officer, f"{line}/acceptance", story.acceptance(item), 409, "line_answered")
    put(cast, cast.officer, f"{line}/acceptance", body | {"dossier_code": CODE}, 422, "handover_id_reused")
    put(cast, cast.officer, f"{line}/refusal", {"reason": "thiếu chữ ký"}, 409, "line_answered")
    assert cast.session.scalars(select(Manifest)).one().closed_at is not None


def test_a_refused_line_goes_home_again(cast: Cast) -> None:
    dossier, manifest, item = story.listed(cast)
    line = f"/manifests/{manifest['id']}/lines/{item['id']}"
    refused_line = cast.officer.put(f"{line}/refusal", {"reason": "thiếu chữ ký"})
    assert refused_line["state"] == "refused"
    with nothing_written(cast.session):
        assert cast.officer.put(f"{line}/refusal", {"reason": "thiếu chữ ký"}) == refused_line
    put(cast, cast.officer, f"{line}/refusal", {"reason": "lý do khác"}, 409, "line_answered")
    put(cast, cast.officer, f"{line}/acceptance", story.acceptance(item), 409, "line_answered")
    put(cast, cast.officer, f"/results/{uuid4()}", story.result(cast, dossier), 409, "wrong_state")
    assert [i["id"] for i in cast.clerk.get("/items")["items"]] == [item["id"]]

    round_ = story.plan_and_publish(cast, "afternoon")
    story.load(cast)
    story.start(cast, round_["id"])
    stop = story.arrive(cast, round_["stops"][0])
    assert stop["requirements"]["fee"] == 0
    back = cast.courier.put(f"/handovers/{uuid4()}", story.delivery(cast, stop))
    assert (back["to_role"], back["leg"]) == ("citizen", 4)
    assert story.counted(back["lines"]) == story.counted(item["lines"])
    end = cast.citizen.get(f"/dossiers/{dossier['id']}")
    assert (end["state"], end["refusal_reason"]) == ("returned", "thiếu chữ ký")
    assert cast.citizen.get(f"/dossiers/{dossier['id']}/timeline")["items"][-1]["kind"] == "returned"


def test_results_that_cannot_be(cast: Cast) -> None:
    dossier, manifest, item = story.listed(cast)
    path = f"/results/{uuid4()}"
    put(cast, cast.officer, path, story.result(cast, dossier), 409, "wrong_state")
    cast.officer.put(f"/manifests/{manifest['id']}/lines/{item['id']}/acceptance", story.acceptance(item))
    paper = {"name": "Giấy chứng nhận", "originals": 1, "copies": 0}
    for changes, code, pointer in (
        ({"received_by": str(uuid4())}, "no_such_clerk", "/received_by"),
        ({"received_by": cast.courier.person_id}, "no_such_clerk", "/received_by"),
        ({"received_by": cast.outsider[Role.clerk].person_id}, "no_such_clerk", "/received_by"),
        ({"dossier_code": "31"}, "bad_dossier_code", "/dossier_code"),
        ({"papers": []}, "bad_fields", "/papers"),
        ({"papers": [paper | {"originals": -1}]}, "bad_fields", "/papers/0/originals"),
        ({"papers": [paper | {"name": ""}]}, "bad_fields", "/papers/0/name"),
        ({"papers": [paper] * 51}, "bad_fields", "/papers"),
    ):
        put(cast, cast.officer, path, story.result(cast, dossier, **changes), 422, code, pointer)
    put(cast, cast.outsider[Role.officer], path, story.result(cast, dossier), 404, "not_found")

    body = story.result(cast, dossier)
    first = cast.officer.put(path, body)
    with nothing_written(cast.session):
        assert cast.officer.put(path, body) == first
    put(cast, cast.officer, path, body | {"accuracy_m": 1}, 422, "handover_id_reused")
    put(cast, cast.officer, f"/results/{uuid4()}", body, 409, "wrong_state")


def test_a_result_of_no_paper_at_all(cast: Cast) -> None:
    dossier, manifest, item = story.listed(cast)
    cast.officer.put(f"/manifests/{manifest['id']}/lines/{item['id']}/acceptance", story.acceptance(item))
    nothing = [{"name": "Giấy chứng nhận", "originals": 0, "copies": 0}]
    put(
        cast,
        cast.officer,
        f"/results/{uuid4()}",
        story.result(cast, dossier, papers=nothing),
        422,
        "documents_do_not_match",
        "/papers/0",
    )


def test_a_return_only_dossier_needs_no_pickup(cast: Cast) -> None:
    dossier = story.book(cast, procedure_code="1.004746", service="return", window=None, documents=[])
    job = {"dossier_id": dossier["id"], "kind": "pickup"}
    refused(cast, cast.dispatcher, "POST", "/jobs", job, 409, "wrong_state")
    window = {"window": {"start": tomorrow(8).isoformat(), "end": tomorrow(10).isoformat()}}
    refused(cast, cast.citizen, "POST", f"/dossiers/{dossier['id']}/pickups", window, 409, "wrong_state")
    cast.officer.put(f"/results/{uuid4()}", story.result(cast, dossier))
    round_ = story.plan_and_publish(cast)
    story.load(cast)
    story.start(cast, round_["id"])
    stop = story.arrive(cast, round_["stops"][0])
    assert stop["requirements"]["fee"] == dossier["charges"]["total"] > 0
    put(
        cast,
        cast.courier,
        f"/handovers/{uuid4()}",
        story.delivery(cast, stop, fee_collected=0),
        422,
        "requirements_missing",
    )
    cast.courier.put(f"/handovers/{uuid4()}", story.delivery(cast, stop))
    assert cast.citizen.get(f"/dossiers/{dossier['id']}")["state"] == "delivered"


def test_send_only_ends_at_the_agency(cast: Cast) -> None:
    story.book(cast, service="send")
    _, stop = story.ride(cast)
    cast.courier.put(f"/handovers/{uuid4()}", story.pickup(cast, stop))
    item = story.receive(cast)
    manifest = cast.clerk.post("/manifests", {"centre_id": str(cast.centre.id), "item_ids": [item["id"]]})
    cast.officer.put(f"/manifests/{manifest['id']}/lines/{item['id']}/acceptance", story.acceptance(item))
    dossier = cast.session.scalars(select(Dossier)).one()
    assert dossier.state == "closed"
    put(cast, cast.officer, f"/results/{uuid4()}", story.result(cast, {"id": str(dossier.id)}), 409, "wrong_state")


def test_staff_posted_nowhere_sees_nothing(cast: Cast) -> None:
    from courier_api.places.models import Posting

    cast.session.query(Posting).filter(Posting.person_id == cast.clerk.person_id).delete()
    cast.session.commit()
    refused(cast, cast.clerk, "GET", "/items", None, 403, "posted_nowhere")


@pytest.mark.parametrize("place", ["/manifests", "/items"])
def test_pages_follow_each_other_without_gaps(cast: Cast, place: str) -> None:
    for _ in range(3):
        story.book(cast)
    round_ = story.plan_and_publish(cast)
    story.start(cast, round_["id"])
    for stop in round_["stops"]:
        cast.courier.put(f"/handovers/{uuid4()}", story.pickup(cast, story.arrive(cast, stop)))
    for item in cast.clerk.get(f"/couriers/{cast.courier.person_id}/items"):
        cast.clerk.put(f"/receipts/{uuid4()}", story.at_counter(item))
        if place == "/manifests":
            cast.clerk.post("/manifests", {"centre_id": str(cast.centre.id), "item_ids": [item["id"]]})
    whole = cast.clerk.get(place)["items"]
    seen, path = [], f"/api/v1/clerks{place}?limit=1"
    while path:
        seen += cast.clerk.get(path)["items"]
        link = cast.clerk.last.headers.get("Link", "")
        path = link.partition(">")[0].lstrip("<")
    assert [x["id"] for x in seen] == [x["id"] for x in whole]
    assert len(seen) == 3

"""At the door: what a courier may record there, and what each handover must show."""

from collections.abc import Callable
from typing import Any
from uuid import UUID, uuid4

from sqlalchemy import select, text, update

from courier_api.custody import holding
from courier_api.custody.holding import Party
from courier_api.dossiers.models import Dossier
from courier_api.jobs.models import Attempt, Job
from courier_api.money.models import Voucher
from courier_api.people.models import Person, Role
from courier_api.procedures.models import ProcedureVersion
from tests import cast as story
from tests.cast import Cast, tomorrow
from tests.refusals import codes, nothing_written, refused
from tests.signing import by_force


def record(cast: Cast, body: dict[str, Any], status: int, code: str, *pointers: str) -> dict[str, Any]:
    """Record what must be refused."""
    return refused(cast, cast.courier, "PUT", f"/handovers/{uuid4()}", body, status, code, *pointers)


def at_a_pickup(cast: Cast) -> dict[str, Any]:
    """The stop of a booked pickup, the courier before the door."""
    story.book(cast)
    return story.ride(cast)[1]


def at_a_delivery(cast: Cast) -> dict[str, Any]:
    """The stop of a result to be delivered, the courier before the door."""
    dossier, manifest, item = story.listed(cast)
    cast.officer.put(f"/manifests/{manifest['id']}/lines/{item['id']}/acceptance", story.acceptance(item))
    cast.officer.put(f"/results/{uuid4()}", story.result(cast, dossier))
    round_ = story.plan_and_publish(cast, "afternoon")
    story.load(cast)
    story.start(cast, round_["id"])
    return story.arrive(cast, round_["stops"][0])


def test_another_courier_sees_neither_round_nor_stop(cast: Cast) -> None:
    stop = at_a_pickup(cast)
    other = cast.outsider[Role.courier]
    body = story.pickup(cast, stop)
    path = f"/handovers/{uuid4()}"
    refused(cast, other, "PUT", path, body, 404, "not_found")
    refused(
        cast,
        other,
        "PUT",
        f"/stops/{stop['id']}/failure",
        {"reason": "not_home", "device_at": body["device_at"]},
        404,
        "not_found",
    )
    assert other.get(f"/rounds?day={tomorrow().date()}") == []
    cast.courier.put(path, body)
    # The record that another made, asked for with its own id and content.
    refused(cast, other, "PUT", path, body, 404, "not_found")


def test_drafts_are_nobodys_yet(cast: Cast) -> None:
    story.book(cast)
    story.give_shift(cast, cast.courier)
    story.plan(cast)
    round_ = cast.dispatcher.get("/rounds")["items"][0]
    stop = cast.dispatcher.get(f"/rounds/{round_['id']}")["stops"][0]
    assert cast.courier.get(f"/rounds?day={tomorrow().date()}") == []
    assert cast.clerk.get(f"/rounds?day={tomorrow().date()}") == []
    for path in (f"/rounds/{round_['id']}", f"/stops/{stop['id']}"):
        cast.courier.get(path, 404)
    refused(cast, cast.courier, "PUT", f"/rounds/{round_['id']}/start", None, 404, "not_found", If_Match="*")


def test_nothing_happens_at_a_door_before_the_round_is_started(cast: Cast) -> None:
    story.book(cast)
    stop_id = story.plan_and_publish(cast)["stops"][0]["id"]
    stop = cast.courier.get(f"/stops/{stop_id}")
    place = {"lon": story.HOME[0], "lat": story.HOME[1]}
    at = tomorrow(8).isoformat()
    arrival = {"device_at": at, "place": place}
    refused(cast, cast.courier, "PUT", f"/stops/{stop_id}/arrival", arrival, 409, "round_not_started")
    failure = {"reason": "not_home", "device_at": at}
    refused(cast, cast.courier, "PUT", f"/stops/{stop_id}/failure", failure, 409, "round_not_started")
    record(cast, story.pickup(cast, stop), 409, "round_not_started")


def test_a_handover_needs_an_arrival(cast: Cast) -> None:
    story.book(cast)
    round_ = story.plan_and_publish(cast)
    story.start(cast, round_["id"])
    stop = cast.courier.get(f"/stops/{round_['stops'][0]['id']}")
    record(cast, story.pickup(cast, stop), 409, "wrong_state")
    failure = {"reason": "not_home", "device_at": tomorrow(8).isoformat()}
    refused(cast, cast.courier, "PUT", f"/stops/{stop['id']}/failure", failure, 409, "not_at_the_door", "/reason")


def test_arriving_again_changes_nothing(cast: Cast) -> None:
    stop = at_a_pickup(cast)
    with nothing_written(cast.session):
        story.arrive(cast, stop)


def test_each_thing_that_a_pickup_lacks_is_named(cast: Cast) -> None:
    stop = at_a_pickup(cast)
    owed = stop["requirements"]["fee"]
    for changes, fault in (
        ({"signatures": []}, ("/signatures", "signature_missing")),
        ({"identity_check": None}, ("/identity_check", "identity_missing")),
        ({"identity_check": "none"}, ("/identity_check", "identity_missing")),
        ({"seal_number": None}, ("/seal_number", "seal_missing")),
        ({"fee_collected": owed - 1}, ("/fee_collected", "fee_differs")),
        ({"fee_collected": owed + 1}, ("/fee_collected", "fee_differs")),
        ({"fee_collected": 0}, ("/fee_collected", "fee_differs")),
    ):
        problem = record(cast, story.pickup(cast, stop, **changes), 422, "requirements_missing", fault[0])
        assert codes(problem) == {fault}
    bare = story.pickup(cast, stop, signatures=[], identity_check=None, seal_number=None, fee_collected=0)
    assert len(codes(record(cast, bare, 422, "requirements_missing"))) == 4


def test_fields_of_a_handover_that_cannot_be(cast: Cast) -> None:
    stop = {"id": str(uuid4()), "documents": [], "requirements": {"fee": 0}}
    for changes, pointer in (
        ({"signatures": [{"signer_name": "Hoa", "strokes": []}]}, "/signatures/0/strokes"),
        ({"signatures": [{"signer_name": "Hoa", "strokes": [[]]}]}, "/signatures/0/strokes/0"),
        ({"signatures": [{"signer_name": "Hoa", "strokes": [[[1, 2, 3]]]}]}, "/signatures/0/strokes/0/0"),
        ({"signatures": [{"signer_name": "Hoa", "strokes": [[[1, 2, 3, 0.5]]]}]}, "/signatures/0/strokes/0/0/3"),
        ({"signatures": [{"signer_name": "", "strokes": story.STROKES}]}, "/signatures/0/signer_name"),
        ({"signatures": [{"strokes": story.STROKES}]}, "/signatures/0/signer_name"),
        ({"signatures": [{"signer_name": "H", "strokes": story.STROKES}] * 5}, "/signatures"),
        ({"seal_number": ""}, "/seal_number"),
        ({"seal_number": "x" * 41}, "/seal_number"),
        ({"fee_collected": -1}, "/fee_collected"),
        ({"fee_collected": 0.5}, "/fee_collected"),
        ({"fee_collected": True}, "/fee_collected"),
        ({"identity_check": "glance"}, "/identity_check"),
        ({"receiver": "neighbour"}, "/receiver"),
        ({"device_at": "2026-11-24T08:00:00"}, "/device_at"),
        ({"device_at": "0001-01-01T00:00:00+14:00"}, "/device_at"),
        ({"place": {"lon": 500, "lat": 0}}, "/place/lon"),
        ({"accuracy_m": -1}, "/accuracy_m"),
        ({"stop_id": "somewhere"}, "/stop_id"),
        ({"lines": None}, "/lines"),
        ({"lines": [{"position": 1}]}, "/lines/0/originals"),
        ({"lines": [{"position": 1, "originals": 1, "copies": 0}] * 101}, "/lines"),
    ):
        record(cast, story.pickup(cast, stop, **changes), 422, "bad_fields", pointer)


def test_papers_are_counted_against_what_was_announced(cast: Cast) -> None:
    stop = at_a_pickup(cast)
    lines = story.counted(stop["documents"])
    first, count = lines[0], len(lines)
    for counted, fault in (
        (lines[1:], ("/lines", "line_not_counted")),
        ([], ("/lines", "line_not_counted")),
        ([*lines, {"position": 99, "originals": 1, "copies": 0}], (f"/lines/{count}/position", "not_on_checklist")),
        ([*lines, first], (f"/lines/{count}/position", "given_twice")),
        ([first | {"originals": first["originals"] - 1}, *lines[1:]], ("/lines/0", "paper_missing")),
    ):
        problem = record(cast, story.pickup(cast, stop, lines=counted), 422, "documents_do_not_match", fault[0])
        assert fault in codes(problem)


def test_more_copies_than_announced_may_be_taken(cast: Cast) -> None:
    stop = at_a_pickup(cast)
    lines = story.counted(stop["documents"])
    lines[0]["copies"] += 2
    handover = cast.courier.put(f"/handovers/{uuid4()}", story.pickup(cast, stop, lines=lines))
    assert story.counted(handover["lines"])[0] == lines[0]


def test_the_same_handover_sent_again_adds_nothing(cast: Cast) -> None:
    stop = at_a_pickup(cast)
    path, body = f"/handovers/{uuid4()}", story.pickup(cast, stop)
    first = cast.courier.put(path, body)
    with nothing_written(cast.session):
        assert cast.courier.put(path, body) == first
        assert cast.courier.put(path, dict(reversed(body.items()))) == first


def test_the_same_id_with_other_content_is_refused(cast: Cast) -> None:
    stop = at_a_pickup(cast)
    path, body = f"/handovers/{uuid4()}", story.pickup(cast, stop)
    cast.courier.put(path, body)
    for changes in ({"seal_number": "NS-1"}, {"accuracy_m": 9}, {"device_at": tomorrow(9).isoformat()}):
        refused(cast, cast.courier, "PUT", path, body | changes, 422, "handover_id_reused", "/handover_id")


def test_a_door_is_done_once(cast: Cast) -> None:
    stop = at_a_pickup(cast)
    cast.courier.put(f"/handovers/{uuid4()}", story.pickup(cast, stop))
    record(cast, story.pickup(cast, stop, fee_collected=0), 409, "wrong_state")
    failure = {"reason": "not_home", "device_at": tomorrow(8).isoformat()}
    refused(cast, cast.courier, "PUT", f"/stops/{stop['id']}/failure", failure, 409, "wrong_state")


def test_a_voucher_is_given_for_the_money(cast: Cast) -> None:
    stop = at_a_pickup(cast)
    cast.courier.put(f"/handovers/{uuid4()}", story.pickup(cast, stop))
    voucher = cast.session.scalars(select(Voucher)).one()
    assert voucher.amount == stop["requirements"]["fee"] > 0
    assert str(voucher.courier_id) == cast.courier.person_id


def give_by_force(cast: Cast, dossier_id: str, giver: Callable[[Dossier], Party], taker: Party) -> None:
    """Write a handover that no endpoint would, as a case repaired by hand."""
    dossier = cast.session.get_one(Dossier, UUID(dossier_id))
    courier = cast.session.get_one(Person, UUID(cast.courier.person_id))
    by_force(cast.session, cast.courier, dossier.items[0], giver(dossier), taker, (courier, Role.courier))
    cast.session.commit()


def test_a_pickup_from_who_does_not_hold_the_papers(cast: Cast) -> None:
    dossier = story.book(cast)
    _, stop = story.ride(cast)
    other = cast.session.get_one(Person, UUID(cast.outsider[Role.courier].person_id))
    give_by_force(cast, dossier["id"], Party.citizen, Party.courier(other))
    record(cast, story.pickup(cast, stop), 409, "not_the_holder")
    assert cast.courier.get("/items") == []
    assert len(cast.outsider[Role.courier].get("/items")) == 1


def test_a_delivery_by_who_does_not_hold_the_result(cast: Cast) -> None:
    stop = at_a_delivery(cast)
    job = cast.session.get_one(Job, UUID(stop["job"]["id"]))
    mine = Party.courier(cast.session.get_one(Person, UUID(cast.courier.person_id)))
    other = Party.courier(cast.session.get_one(Person, UUID(cast.outsider[Role.courier].person_id)))
    by = (cast.session.get_one(Person, UUID(cast.courier.person_id)), Role.courier)
    counted = [(x["position"], x["originals"], x["copies"]) for x in stop["lines"]]
    lines = holding.recount(cast.session, job.item_id, counted)
    by_force(cast.session, cast.courier, job.item, mine, other, by, lines)
    cast.session.commit()
    record(cast, story.delivery(cast, stop), 409, "not_the_holder")


def test_each_thing_that_a_delivery_lacks_is_named(cast: Cast) -> None:
    stop = at_a_delivery(cast)
    written = {"authorization_reference": "Giấy uỷ quyền 20/11/2026"}
    for changes, fault in (
        ({"receiver": None}, ("/receiver", "receiver_missing")),
        ({"receiver": "family", **written}, ("/receiver_name", "receiver_name_missing")),
        ({"receiver": "authorized", "receiver_name": None, **written}, ("/receiver_name", "receiver_name_missing")),
        ({"receiver": "authorized", "receiver_name": "Em"}, ("/authorization_reference", "authorization_missing")),
        ({"signatures": []}, ("/signatures", "signature_missing")),
        ({"identity_check": "none"}, ("/identity_check", "identity_missing")),
        ({"fee_collected": 1}, ("/fee_collected", "fee_differs")),
    ):
        problem = record(cast, story.delivery(cast, stop, **changes), 422, "requirements_missing", fault[0])
        assert codes(problem) == {fault}
    for lines, fault in (
        ([], ("/lines", "line_not_counted")),
        ([{"position": 1, "originals": 0, "copies": 1}], ("/lines/0", "count_differs")),
        (
            [*story.counted(stop["lines"]), {"position": 2, "originals": 1, "copies": 0}],
            ("/lines/1/position", "not_on_list"),
        ),
    ):
        problem = record(cast, story.delivery(cast, stop, lines=lines), 422, "documents_do_not_match", fault[0])
        assert fault in codes(problem)
    # A procedure that forbids authorisation: only the applicant in person.
    cast.session.execute(update(ProcedureVersion).values(authorization="forbidden"))
    cast.session.commit()
    for receiver in ("family", "authorized"):
        body = story.delivery(cast, stop, receiver=receiver, receiver_name="Nguyễn Văn Em")
        assert ("/receiver", "only_in_person") in codes(record(cast, body, 422, "requirements_missing"))
    cast.courier.put(f"/handovers/{uuid4()}", story.delivery(cast, stop))


def test_family_may_receive_where_the_procedure_allows(cast: Cast) -> None:
    stop = at_a_delivery(cast)
    cast.session.execute(update(ProcedureVersion).values(authorization="family_exempt"))
    cast.session.commit()
    stranger = story.delivery(cast, stop, receiver="authorized", receiver_name="Hàng xóm")
    record(cast, stranger, 422, "requirements_missing", "/authorization_reference")
    body = story.delivery(cast, stop, receiver="family", receiver_name="Nguyễn Văn Em")
    given = cast.courier.put(f"/handovers/{uuid4()}", body)
    assert (given["to_role"], given["to_name"]) == ("citizen", "Nguyễn Văn Em (Nguyễn Thị Hoa)")
    assert (given["receiver"], given["receiver_name"]) == ("family", "Nguyễn Văn Em")


def test_the_third_failed_visit_closes_the_job(cast: Cast) -> None:
    dossier = story.book(cast)
    visits = (("morning", 0), ("afternoon", 0), ("morning", 1))
    for count, (half, day) in enumerate(visits, 1):
        round_, stop = story.ride(cast, half, day)
        story.fail(cast, stop)
        with nothing_written(cast.session):
            story.fail(cast, stop)  # the same report again
        assert cast.session.query(Attempt).count() == count
        story.finish(cast, round_["id"])
        jobs = cast.dispatcher.get("/jobs")["items"]
        assert len(jobs) == (1 if count < 3 else 0)
    job = cast.session.scalars(select(Job)).one()
    assert (job.state, job.outcome, job.reason) == ("closed", "failed", "not_home")
    assert cast.citizen.get(f"/dossiers/{dossier['id']}")["state"] == "submitted"
    window = {"window": {"start": tomorrow(8, later=2).isoformat(), "end": tomorrow(10, later=2).isoformat()}}
    cast.citizen.post(f"/dossiers/{dossier['id']}/pickups", window)


def test_giving_up_closes_the_job_at_once(cast: Cast) -> None:
    stop = at_a_pickup(cast)
    story.fail(cast, stop, reason="refused", next_action="give_up", note="không muốn gửi nữa")
    job = cast.session.scalars(select(Job)).one()
    assert (job.state, job.outcome, job.reason) == ("closed", "failed", "refused")


def test_a_failed_delivery_comes_back_and_is_planned_again(cast: Cast) -> None:
    stop = at_a_delivery(cast)
    item = cast.clerk.get(f"/couriers/{cast.courier.person_id}/items")[0]
    counter = story.at_counter(item)
    refused(cast, cast.clerk, "PUT", f"/receipts/{uuid4()}", counter, 409, "stop_not_ended")
    story.fail(cast, stop)
    cast.clerk.put(f"/receipts/{uuid4()}", counter)
    assert cast.citizen.get("/dossiers")["items"][0]["state"] == "result_ready"
    round_ = cast.courier.get(f"/rounds?day={tomorrow().date()}")[-1]
    story.finish(cast, round_["id"])

    again = story.plan_and_publish(cast, "morning", 1)
    story.load(cast)
    story.start(cast, again["id"])
    stop = story.arrive(cast, again["stops"][0])
    cast.courier.put(f"/handovers/{uuid4()}", story.delivery(cast, stop))
    assert cast.citizen.get("/dossiers")["items"][0]["state"] == "delivered"
    legs = cast.session.scalars(text("SELECT array_agg(leg ORDER BY leg) FROM handover GROUP BY item_id")).all()
    assert sorted(legs, key=len) == [[1, 2, 3], [1, 2, 3, 4, 5]]


def test_leaving_without_what_is_to_be_delivered(cast: Cast) -> None:
    dossier, manifest, item = story.listed(cast)
    cast.officer.put(f"/manifests/{manifest['id']}/lines/{item['id']}/acceptance", story.acceptance(item))
    cast.officer.put(f"/results/{uuid4()}", story.result(cast, dossier))
    round_ = story.plan_and_publish(cast, "afternoon")
    path = f"/rounds/{round_['id']}/start"
    problem = refused(cast, cast.courier, "PUT", path, None, 409, "items_not_loaded", If_Match="*")
    assert "1" in problem["detail"]
    story.load(cast)
    story.start(cast, round_["id"])


def test_coming_back_with_doors_left(cast: Cast) -> None:
    story.book(cast)
    round_ = story.plan_and_publish(cast)
    path = f"/rounds/{round_['id']}/finish"
    refused(cast, cast.courier, "PUT", path, None, 409, "stops_left", If_Match="*")
    story.start(cast, round_["id"])
    refused(cast, cast.courier, "PUT", path, None, 409, "stops_left", If_Match="*")


def test_a_stop_that_the_citizen_called_off(cast: Cast) -> None:
    dossier = story.book(cast)
    round_, stop = story.ride(cast)
    cast.citizen.put(f"/dossiers/{dossier['id']}/cancellation", If_Match="*")
    record(cast, story.pickup(cast, stop), 409, "wrong_state")
    arrival = {"device_at": tomorrow(8).isoformat(), "place": {"lon": 106.06, "lat": 20.66}}
    refused(cast, cast.courier, "PUT", f"/stops/{stop['id']}/arrival", arrival, 409, "stop_cancelled")
    story.finish(cast, round_["id"])

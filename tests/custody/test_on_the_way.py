"""What a courier signs on his way besides: arrivals elsewhere, calls placed, papers beyond the list, remarks."""

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from courier_api.custody.audit.auditing import audit
from courier_api.custody.audit.trust import Trust
from courier_api.custody.models import Case, Entry, Handover, Opening
from courier_api.db import new_id
from courier_api.jobs.models import Attempt
from courier_api.jobs.states import FailureReason, NextAction
from courier_api.jobs.work import MAX_ATTEMPTS
from courier_api.people.models import Role
from courier_api.rounds.changes import CourierChange
from courier_api.rounds.models import Stop
from courier_api.settings import settings
from tests import cast as story
from tests.cast import Cast, tomorrow
from tests.custody.phone import Phone, nowhere, with_a_round
from tests.custody.test_cases import decide
from tests.refusals import codes, problem_in

LETTER = {"name": "Văn bản yêu cầu của cơ quan", "originals": 1, "copies": 2, "reason": "agency_letter"}
WISH = {"name": "Đơn trình bày", "originals": 1, "copies": 0, "reason": "citizen_insists"}


@pytest.fixture
def phone(cast: Cast) -> Any:
    """A courier on a started round of one pickup."""
    phone: Any = with_a_round(cast)
    phone.sync(phone.start(phone.round_["id"]))
    return phone


def result(phone: Phone, operation: dict[str, Any]) -> tuple[str, str | None]:
    """What became of one operation, and why."""
    (answer,) = phone.sync(operation)
    return answer["result"], answer["code"]


def clean(cast: Cast) -> bool:
    """Whether an audit finds nothing."""
    folder = settings().operator_keys
    return audit(cast.session.connection(), Trust.read(folder / "operator.keys")).findings == []


# --- arrivals


@pytest.mark.parametrize("why", ["gps_wrong", "met_elsewhere", "address_wrong", "no_signal"])
def test_an_arrival_elsewhere_says_why(cast: Cast, phone: Any, why: str) -> None:
    assert result(phone, phone.arrival(phone.stop, why=why)) == ("applied", None)
    assert cast.courier.get(f"/stops/{phone.stop['id']}")["arrived_why"] == why
    assert cast.dispatcher.get(f"/rounds/{phone.round_['id']}")["stops"][0]["arrived_why"] == why
    assert clean(cast)


def test_without_a_signal_there_is_no_place(cast: Cast, phone: Any) -> None:
    for fields, code in (
        ({}, "place_missing"),
        ({"why": "gps_wrong"}, "place_missing"),
        ({"why": "met_elsewhere"}, "place_missing"),
        ({"why": "lost"}, "event_malformed"),
        ({"why": 1}, "event_malformed"),
        ({"why": ["no_signal"]}, "event_malformed"),
    ):
        assert result(phone, phone.arrival(phone.stop, geo=None, **fields)) == ("parked", code)
    arrived = phone.arrival(phone.stop, geo=None, why="no_signal")
    assert result(phone, arrived) == ("applied", None)
    assert result(phone, arrived) == ("duplicate", None)
    stop = cast.session.scalars(select(Stop)).one()
    assert (stop.state.value, stop.arrived_point, stop.arrived_metres) == ("arrived", None, None)
    assert result(phone, phone.arrival(phone.stop)) == ("applied", None)  # again, it changes nothing
    cast.session.expire_all()
    assert stop.arrived_why == "no_signal"
    assert result(phone, phone.handover(phone.stop)) == ("applied", None)
    compared = cast.dispatcher.get(f"/rounds/{phone.round_['id']}/comparison")["stops"][0]
    assert (compared["arrived_at"] is None, compared["from_door_metres"]) == (False, None)


# --- failed visits


def test_calls_that_were_placed_stand_in_the_attempt(cast: Cast, phone: Any) -> None:
    called = ["2026-11-22T03:14:15.926Z", "2026-11-22T03:20:00.000Z"]
    phone.sync(phone.arrival(phone.stop))
    for wrong in (
        ["today"],
        ["2026-11-22T03:14:15Z"],
        ["2026-13-22T03:14:15.926Z"],
        [1],
        "2026-11-22T03:14:15.926Z",
        {},
    ):
        assert result(phone, phone.failure(phone.stop, called=wrong)) == ("parked", "event_malformed")
    failed = phone.failure(phone.stop, "không nghe máy", called=called)
    assert result(phone, failed) == ("applied", None)
    attempt = cast.session.scalars(select(Attempt)).one()
    assert (str(attempt.id), attempt.called) == (failed["id"], called)
    (shown,) = cast.courier.get(f"/stops/{phone.stop['id']}")["attempts"]
    assert (shown["reason"], shown["called"]) == ("not_home", called)
    assert clean(cast)


def test_a_visit_put_off_is_planned_for_the_half_day_that_was_agreed(cast: Cast, phone: Any) -> None:
    day = tomorrow(later=3).date()
    wrong = ("2026-13-01.morning", f"{day}.night", str(day), 7, [str(day), "morning"])
    for wished in wrong:
        put_off = phone.failure(phone.stop, reason="postponed", wished=wished)
        assert result(phone, put_off) == ("parked", "event_malformed")
    put_off = phone.failure(phone.stop, "đi vắng", reason="postponed", wished=f"{day}.afternoon")
    assert result(phone, put_off) == ("applied", None)
    job = cast.dispatcher.get("/jobs")["items"][0]
    assert (job["state"], job["window_start"][:16], job["window_end"][:16]) == (
        "open",
        local(tomorrow(13, 30, later=3)),
        local(tomorrow(19, later=3)),
    )
    assert clean(cast)


def local(at: datetime) -> str:
    """A moment as the API writes it."""
    return at.astimezone(UTC).isoformat()[:16]


@pytest.mark.parametrize("wished", ["2020-01-01.morning", "2099-01-01.morning"])
def test_a_wish_that_cannot_be_kept_leaves_the_day_open(cast: Cast, phone: Any, wished: str) -> None:
    assert result(phone, phone.failure(phone.stop, reason="postponed", wished=wished)) == ("applied", None)
    assert cast.dispatcher.get("/jobs")["items"][0]["window_start"] is None


@pytest.mark.parametrize("reason", ["out_of_time", "vehicle_broken"])
def test_a_door_that_nobody_went_to_is_no_visit(cast: Cast, phone: Any, reason: str) -> None:
    job_id = UUID(phone.stop["job"]["id"])
    cast.session.add_all(
        Attempt(
            id=new_id(),
            job_id=job_id,
            courier_id=UUID(cast.courier.person_id),
            reason=FailureReason.not_home,
            note="",
            next_action=NextAction.try_again,
            device_at=tomorrow(),
            at=tomorrow(),
        )
        for _ in range(MAX_ATTEMPTS - 1)
    )
    cast.session.commit()
    assert result(phone, phone.failure(phone.stop, reason=reason)) == ("applied", None)  # without having arrived
    assert cast.dispatcher.get("/jobs")["items"][0]["state"] == "open"


# --- papers beyond the checklist


def test_papers_beyond_the_list_go_along_with_their_reason(cast: Cast, phone: Any) -> None:
    phone.sync(phone.arrival(phone.stop))
    announced = len(phone.stop["documents"])
    taken = phone.handover(phone.stop, extra=[WISH, LETTER])
    assert result(phone, taken) == ("applied", None)
    handover = cast.session.get_one(Handover, UUID(taken["id"]))
    last = [[line.position, line.name, line.originals, line.copies, line.reason] for line in handover.lines][-2:]
    assert last == [
        [announced + 1, WISH["name"], 1, 0, "citizen_insists"],
        [announced + 2, LETTER["name"], 1, 2, "agency_letter"],
    ]
    # They are counted at each counter from now on, and keep their reasons.
    item = cast.clerk.get(f"/couriers/{cast.courier.person_id}/items")[0]
    assert [line["reason"] for line in item["lines"]] == [None] * announced + ["citizen_insists", "agency_letter"]
    given = phone.to_office(item)
    assert result(phone, given) == ("applied", None)
    manifest = cast.clerk.post("/manifests", {"centre_id": str(cast.centre.id), "item_ids": [item["id"]]})
    line = cast.officer.put(f"/manifests/{manifest['id']}/lines/{item['id']}/acceptance", story.acceptance(item))
    assert line["lines"][-1]["reason"] == "agency_letter"
    assert clean(cast)


def test_a_paper_beyond_the_list_needs_a_reason(cast: Cast, phone: Any) -> None:
    phone.sync(phone.arrival(phone.stop))
    for extra in (
        [{k: v for k, v in WISH.items() if k != "reason"}],
        [WISH | {"reason": "courier_asks"}],
        [WISH | {"reason": None}],
        [WISH | {"name": ""}],
        [WISH | {"originals": -1}],
        [WISH | {"originals": 1.5}],
        "all",
    ):
        made = phone.handover(phone.stop) | {"extra": extra}
        assert result(phone, made) == ("parked", "bad_fields")
    nothing = WISH | {"originals": 0, "copies": 0}
    assert result(phone, phone.handover(phone.stop, extra=[nothing])) == ("parked", "documents_do_not_match")
    beyond = [*story.counted(phone.stop["documents"]), {"position": 99, "originals": 1, "copies": 0}]
    assert result(phone, phone.handover(phone.stop, lines=beyond)) == ("parked", "documents_do_not_match")
    # Committed to as something else than what stands beside the event.
    hidden = phone.handover(phone.stop) | {"extra": [WISH]}
    assert result(phone, hidden) == ("parked", "event_differs")
    silent = {k: v for k, v in phone.handover(phone.stop, extra=[WISH]).items() if k != "extra"}
    assert result(phone, silent) == ("parked", "event_differs")
    assert cast.session.query(Handover).count() == 0


def test_online_as_well(cast: Cast, phone: Any) -> None:
    phone.sync(phone.arrival(phone.stop))
    path = f"/handovers/{nowhere()}"
    bad = story.pickup(cast, phone.stop, extra=[WISH | {"reason": None}])
    cast.courier.call("PUT", path, bad)
    assert ("/extra/0/reason", "field_null") in codes(problem_in(cast.courier.last, 422, "bad_fields"))
    given = cast.courier.put(path, story.pickup(cast, phone.stop, extra=[WISH]))
    assert given["lines"][-1]["reason"] == "citizen_insists"


def test_nothing_is_recalled_at_a_pickup(cast: Cast, phone: Any) -> None:
    phone.sync(phone.arrival(phone.stop))
    made = phone.handover(phone.stop, recalled=[{"position": 1, "originals": 1}])
    (answer,) = phone.sync(made)
    assert (answer["code"], answer["errors"]) == ("requirements_missing", [["/recalled/0", "nothing_to_recall"]])


# --- remarks


def test_a_remark_opens_a_case_and_changes_nothing(cast: Cast, phone: Any) -> None:
    taken = [phone.arrival(phone.stop), phone.handover(phone.stop)]
    phone.sync(*taken)
    remark = phone.remark(taken[1]["id"], "wrong_count", "Bản sao thứ hai nằm trong cặp")
    assert result(phone, remark) == ("applied", None)
    assert result(phone, remark) == ("duplicate", None)
    assert str(cast.session.get_one(Entry, UUID(remark["id"])).of) == taken[1]["id"]
    (listed,) = cast.dispatcher.get("/cases")["items"]
    assert (listed["kind"], listed["code"], listed["operation_id"]) == ("remark", "wrong_count", remark["id"])
    assert (listed["detail"], listed["decisions"]) == ({"of": taken[1]["id"]}, ["dismiss"])
    case = cast.dispatcher.get(f"/cases/{listed['id']}")
    assert case["note"] == "Bản sao thứ hai nằm trong cặp"
    assert case["event"]["of"] == taken[1]["id"]
    assert clean(cast)
    for decision in ("retry", "record", "skip"):
        problem = decide(cast, case, decision, 422)
        assert problem["type"].endswith("no_such_decision")
    assert decide(cast, case, "dismiss")["decision"] == "dismiss"
    assert cast.session.query(Handover).count() == 1
    assert clean(cast)


def test_a_second_remark_about_the_same_is_added_to_the_open_case(cast: Cast, phone: Any) -> None:
    arrived = phone.arrival(phone.stop)
    first, second = phone.remark(arrived["id"]), phone.remark(arrived["id"], "wrong_person", "Người nhà nhận")
    other = phone.remark(first["id"], note="Việc khác")
    assert [a["result"] for a in phone.sync(arrived, first, second, other)] == ["applied"] * 4
    about, beside = cast.dispatcher.get("/cases")["items"]
    assert (about["operation_id"], beside["operation_id"]) == (first["id"], other["id"])
    assert about["detail"] == {"of": arrived["id"], "again": [second["id"]]}
    case = cast.dispatcher.get(f"/cases/{about['id']}")
    assert case["note"] == "Đếm thiếu một bản sao\nNgười nhà nhận"
    assert clean(cast)
    decide(cast, case, "dismiss")
    told = select(CourierChange.subject_id).where(CourierChange.kind == "operation_decided")
    assert {str(one) for one in cast.session.scalars(told)} == {first["id"], second["id"]}
    third = phone.remark(arrived["id"])
    assert result(phone, third) == ("applied", None)
    assert third["id"] in {c["operation_id"] for c in cast.dispatcher.get("/cases")["items"]}
    assert clean(cast)
    for detail in ({"of": arrived["id"]}, {"of": arrived["id"], "again": [nowhere(), second["id"]]}):
        row = cast.session.get_one(Case, UUID(about["id"]))
        row.detail = detail
        cast.session.flush()
        assert not clean(cast)


@pytest.mark.parametrize("why", ["wrong_count", "wrong_person", "wrong_amount", "wrong_seal", "wrong_reason", "other"])
def test_each_remark_has_its_sentence(cast: Cast, phone: Any, why: str) -> None:
    arrived = phone.arrival(phone.stop)
    phone.sync(arrived, phone.remark(arrived["id"], why))
    (case,) = cast.dispatcher.get("/cases")["items"]
    assert case["text"].startswith("The courier")


def test_a_remark_is_about_something_of_ones_own(cast: Cast, phone: Any) -> None:
    arrived = phone.arrival(phone.stop)
    phone.sync(arrived)
    other = Phone(cast, cast.outsider[Role.courier])
    assert result(other, other.remark(arrived["id"])) == ("parked", "no_such_event")
    assert result(phone, phone.remark(nowhere())) == ("parked", "no_such_event")
    assert result(phone, phone.remark(arrived["id"], "bored")) == ("parked", "event_malformed")
    assert result(phone, phone.remark(arrived["id"], None)) == ("parked", "event_malformed")
    assert result(phone, phone.remark("x")) == ("rejected", "event_malformed")
    for note in ("", " ", "x" * 301, None):
        assert result(phone, phone.remark(arrived["id"], note=note)) == ("parked", "bad_fields")  # type: ignore[arg-type]
    wrong = phone.remark(arrived["id"]) | {"note": "khác"}
    assert result(phone, wrong) == ("parked", "event_differs")
    assert {case.kind.value for case in cast.session.scalars(select(Case))} == {"parked", "malformed"}
    assert clean(cast)


def test_a_remark_in_one_batch_with_what_it_is_about(cast: Cast, phone: Any) -> None:
    arrived = phone.arrival(phone.stop)
    answers = phone.sync(arrived, phone.remark(arrived["id"]))
    assert [a["result"] for a in answers] == ["applied", "applied"]
    remark = cast.session.scalars(select(Case.operation_id)).one()
    assert cast.session.get_one(Opening, remark).content["note"] == "Đếm thiếu một bản sao"  # type: ignore[index]


def test_other_roles_sign_none_of_it(cast: Cast, phone: Any) -> None:
    assert cast.clerk.signer is not None
    device = cast.clerk.signer.device
    event, salts = device.event("courier.remark", story.tomorrow(9), {"note": "x"}, of=nowhere(), why="other")
    sent = {"id": event["eid"], "signed": device.signed(event, salts), "note": "x"}
    (answer,) = phone.sync(sent)
    assert (answer["result"], answer["code"]) == ("rejected", "key_unknown")

"""What our rules have no place for is decided by a dispatcher, who signs the correction."""

from typing import Any

import pytest
from sqlalchemy import select

from courier_api.custody.models import Case, Entry, Handover, Opening, Operation
from courier_api.people.models import Device
from scripts.simulation.device import Device as NewDevice
from tests import cast as story
from tests.cast import Cast, tomorrow
from tests.custody.phone import with_a_round
from tests.refusals import problem_in

NOTE = "Bưu tá gọi, xác nhận đã nhận hồ sơ"


@pytest.fixture
def phone(cast: Cast) -> Any:
    """A courier with a started round, at its door."""
    phone: Any = with_a_round(cast)
    phone.sync(phone.start(phone.round_["id"]), phone.arrival(phone.stop))
    return phone


def decide(cast: Cast, case: dict[str, Any], decision: str, status: int = 200, **said_else: Any) -> Any:
    """The dispatcher signs and sends a decision."""
    assert cast.dispatcher.signer is not None
    device: NewDevice = cast.dispatcher.signer.device
    said = (
        {"of": case["operation_id"], "case": case["id"], "decision": decision}
        | said_else.pop("instead", {})
        | said_else
    )
    event, salts = device.event(said.pop("typ", "custody.correction"), tomorrow(10), {"note": NOTE}, **said)
    signed = device.signed(event, salts)
    body = {"decision": decision, "note": NOTE, "signed": signed}
    answer = cast.dispatcher.call("PUT", f"/cases/{case['id']}/decision", body, status)
    if status == 200:
        device.count(signed)
    return answer


def the_case(cast: Cast) -> dict[str, Any]:
    """The one open case."""
    cast.session.expire_all()
    (found,) = cast.dispatcher.get("/cases")["items"]
    return cast.dispatcher.get(f"/cases/{found['id']}")


def called_off_at_the_door(cast: Cast, phone: Any) -> dict[str, Any]:
    """The citizen calls off at home while the courier, without network, takes the papers."""
    cast.citizen.put(f"/dossiers/{phone.dossier['id']}/cancellation", If_Match="*")
    sent: dict[str, Any] = phone.handover(phone.stop)
    assert phone.sync(sent)[0]["result"] == "parked"
    return sent


def test_a_parked_handover_is_recorded_anyway(cast: Cast, phone: Any) -> None:
    sent = called_off_at_the_door(cast, phone)
    case = the_case(cast)
    assert (case["kind"], case["code"], case["operation_id"]) == ("parked", "wrong_state", sent["id"])
    assert case["event"]["leg"] == 1
    assert case["decisions"] == ["retry", "record", "dismiss"]
    assert cast.session.query(Handover).count() == 0
    problem_in_retry = decide(cast, case, "retry", 409)
    assert problem_in_retry["type"].endswith("wrong_state")
    decided = decide(cast, case, "record")
    assert (decided["decision"], decided["decisions"]) == ("record", [])
    handover = cast.session.scalars(select(Handover)).one()
    assert (str(handover.id), handover.to_role) == (sent["id"], "courier")
    assert cast.citizen.get(f"/dossiers/{phone.dossier['id']}")["state"] == "collected"
    correction = cast.session.get_one(Entry, cast.session.scalars(select(Case.correction_id)).one())
    assert str(correction.of) == sent["id"]
    assert cast.session.get_one(Opening, correction.id).content["note"] == NOTE
    assert phone.sync(sent)[0]["state"] == "applied"
    # What the clerk takes over now is what the courier holds.
    assert len(cast.clerk.get(f"/couriers/{cast.courier.person_id}/items")) == 1


def test_a_decided_case_stays_decided(cast: Cast, phone: Any) -> None:
    called_off_at_the_door(cast, phone)
    case = the_case(cast)
    decide(cast, case, "dismiss")
    assert decide(cast, case, "dismiss")["decision"] == "dismiss"
    assert decide(cast, case, "record", 409)["type"].endswith("case_decided")
    assert cast.session.query(Handover).count() == 0
    assert cast.dispatcher.get("/cases")["items"] == []
    assert len(cast.dispatcher.get("/cases?open=false")["items"]) == 1


def test_done_again_when_the_world_is_put_right(cast: Cast, phone: Any) -> None:
    (answer,) = phone.sync(phone.finish(phone.round_["id"]))
    assert answer["code"] == "stops_left"
    case = the_case(cast)
    story.fail(cast, phone.stop)
    assert decide(cast, case, "retry")["decision"] == "retry"
    assert cast.courier.get(f"/rounds/{phone.round_['id']}")["state"] == "finished"


def test_only_a_handover_is_recorded_by_force(cast: Cast, phone: Any) -> None:
    phone.sync(phone.finish(phone.round_["id"]))
    assert decide(cast, the_case(cast), "record", 422)["type"].endswith("nothing_to_record")


def test_behind_what_never_came_one_goes_on(cast: Cast, phone: Any) -> None:
    lost = phone.arrival(phone.stop)
    sent = phone.handover(phone.stop)
    assert phone.sync(sent)[0]["result"] == "waiting"
    cast.session.execute(Operation.__table__.update().values(received_at=tomorrow(later=-4)))
    cast.session.commit()
    from courier_api.api import operations

    operations.apply_left()
    case = the_case(cast)
    assert (case["kind"], case["code"]) == ("gap", "operation_missing")
    kid = phone.device.kid
    assert decide(cast, case, "skip", 422)["type"].endswith("event_differs")
    decide(cast, case, "skip", skip={"kid": kid, "after": 2, "before": 4})
    assert cast.session.query(Handover).count() == 1
    assert cast.session.get_one(Device, kid).last_counter == 4
    (late,) = phone.sync(lost)
    assert late["result"] == "applied"  # it fills its place, and the chain is whole again
    assert sorted(e.counter for e in cast.session.scalars(select(Entry).where(Entry.kid == kid))) == [1, 2, 3, 4]


@pytest.mark.parametrize(
    "instead",
    [{"case": "other"}, {"of": "00000000-0000-7000-8000-000000000000"}, {"decision": "x"}],
)
def test_what_is_signed_must_be_what_is_sent(cast: Cast, phone: Any, instead: dict[str, str]) -> None:
    called_off_at_the_door(cast, phone)
    assert decide(cast, the_case(cast), "dismiss", 422, instead=instead)["type"].endswith("event_differs")
    assert cast.session.scalars(select(Case.decision)).one() is None


def test_a_dispatcher_signs_with_a_key_of_his_own(cast: Cast, phone: Any) -> None:
    called_off_at_the_door(cast, phone)
    case = the_case(cast)
    said = {"of": case["operation_id"], "case": case["id"], "decision": "dismiss"}
    event, salts = phone.device.event("custody.correction", tomorrow(10), {"note": NOTE}, **said)
    body = {"decision": "dismiss", "note": NOTE, "signed": phone.device.signed(event, salts)}
    cast.dispatcher.call("PUT", f"/cases/{case['id']}/decision", body)
    problem_in(cast.dispatcher.last, 422, "key_unknown")


def test_the_courier_is_told(cast: Cast, phone: Any) -> None:
    sent = called_off_at_the_door(cast, phone)
    decide(cast, the_case(cast), "dismiss")
    from courier_api.rounds.changes import CourierChange

    kinds = cast.session.scalars(select(CourierChange.kind).order_by(CourierChange.id)).all()
    assert kinds[-3:] == ["stop_cancelled", "operation_parked", "operation_decided"]
    assert sent

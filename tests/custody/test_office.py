"""Back at the office: bags given in and cash settled on the courier's own phone, the clerk signing by hand."""

import json
from datetime import datetime
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, select, text, update

from courier_api.custody.audit.auditing import audit
from courier_api.custody.audit.trust import Trust
from courier_api.custody.models import Case, Entry, Evidence, Handover
from courier_api.jobs.models import Job
from courier_api.jobs.states import JobState
from courier_api.money import settling
from courier_api.money.models import Recalled, Settlement, Voucher
from courier_api.people.models import Role
from courier_api.places.models import ServicePoint
from courier_api.proof.core import Kind
from courier_api.settings import settings
from scripts.commands.operator import post
from tests import cast as story
from tests.cast import STROKES, Cast, tomorrow
from tests.custody.phone import CLERKS, Phone, nowhere, with_a_round
from tests.custody.test_cases import decide
from tests.custody.test_countersigning import countersign
from tests.custody.test_uploads import Sender
from tests.rounds.test_doors import counted

ID_CARD = "1.014063"  # its old card is recalled


@pytest.fixture
def phone(cast: Cast) -> Any:
    """A courier who has collected a dossier on his round."""
    phone: Any = with_a_round(cast)
    before = phone.start(phone.round_["id"]), phone.arrival(phone.stop)
    phone.taken = phone.handover(phone.stop)
    results = phone.sync(*before, phone.taken)
    assert [r["result"] for r in results] == ["applied"] * 3, results
    phone.item = cast.clerk.get(f"/couriers/{cast.courier.person_id}/items")[0]
    return phone


def result(phone: Phone, operation: dict[str, Any]) -> tuple[str, str | None]:
    """What became of one operation, and why."""
    (answer,) = phone.sync(operation)
    return answer["result"], answer["code"]


def test_a_bag_is_given_in_and_the_clerk_countersigns_later(cast: Cast, phone: Any) -> None:
    given = phone.to_office(phone.item)
    assert result(phone, given) == ("applied", None)
    assert result(phone, given) == ("duplicate", None)
    handover = cast.session.get_one(Handover, UUID(given["id"]))
    assert (handover.leg, handover.from_role, handover.to_role, handover.to_id) == (
        2, "courier", "office", cast.office.id,
    )  # fmt: skip
    assert (handover.recorded_role, str(handover.recorded_by)) == ("courier", cast.courier.person_id)
    assert cast.citizen.get(f"/dossiers/{phone.dossier['id']}")["state"] == "at_office"
    assert [i["id"] for i in cast.clerk.get("/items")["items"]] == [phone.item["id"]]
    kinds = cast.session.scalars(select(Evidence.kind).where(Evidence.entry_id == handover.id)).all()
    assert kinds == ["strokes"]
    for who, status in ((cast.courier, 404), (cast.outsider[Role.clerk], 404), (cast.clerk, 200), (cast.clerk, 200)):
        countersign(who, handover, status)
    assert cast.session.query(Entry).filter_by(of=handover.id, kind=int(Kind.countersignature)).count() == 1
    # It is no receipt of a citizen's, and the counter's record of it is there.
    cast.courier.get(f"/handovers/{handover.id}/receipt", 404)
    assert cast.clerk.get(f"/handovers/{handover.id}/record", Accept="application/pdf") is None


def test_a_whole_day_in_one_batch_is_applied(cast: Cast) -> None:
    story.book(cast)
    round_ = story.plan_and_publish(cast)
    phone = Phone(cast)
    (stop,) = cast.courier.get(f"/rounds/{round_['id']}/doors")
    sent = [phone.seen(round_["id"], round_["version"]), phone.start(round_["id"]), phone.arrival(stop)]
    taken = phone.handover(stop)
    custody = stop["custody"] | {"leg": 2}
    item = {"id": custody["item_id"], "custody": custody, "lines": stop["documents"]}
    sent += [taken, phone.to_office(item)]
    sent.append(phone.settlement([{"handover_id": taken["id"], "amount": taken["fee_collected"]}]))
    sent += [phone.remark(taken["id"]), phone.finish(round_["id"])]
    answers = phone.sync(*sent)
    assert [a["result"] for a in answers] == ["applied"] * 8, answers
    assert [a["result"] for a in phone.sync(*sent)] == ["duplicate"] * 8
    assert cast.session.query(Settlement).count() == 1
    assert cast.session.query(Handover).count() == 2
    assert [c.kind.value for c in cast.session.scalars(select(Case))] == ["remark"]


def elsewhere(cast: Cast) -> str:
    """The staff code of a clerk of another post office."""
    signer = cast.outsider[Role.clerk].signer
    assert signer is not None
    return signer.code


def test_what_the_clerk_would_not_take_is_parked(cast: Cast, phone: Any) -> None:
    item, lines = phone.item, story.counted(phone.item["lines"])
    miscounted = [lines[0] | {"copies": lines[0]["copies"] + 1}, *lines[1:]]
    family = CLERKS | {"relationship": "family"}
    other = cast.session.scalars(
        select(ServicePoint).where(ServicePoint.kind == "post_office", ServicePoint.id != cast.office.id).limit(1)
    ).one()
    office = {"to": {"r": "office", "id": other.code}}
    for made, code in (
        (phone.to_office(item, {"by": "G-99999"}), "no_such_clerk"),
        (phone.to_office(item, {"by": elsewhere(cast)}), "no_such_clerk"),
        (phone.to_office(item, {"by": phone.code}), "no_such_clerk"),
        (phone.to_office(item, {"by": None}), "event_malformed"),
        (phone.to_office(item, {"to": {"r": "office", "id": "NOWHERE"}}), "no_such_office"),
        (phone.to_office(item, {"to": {"r": "office", "id": cast.centre.code}}), "no_such_office"),
        (phone.to_office(item, office), "not_your_office"),
        (phone.to_office(item, {"leg": 3}), "leg_differs"),
        (phone.to_office(item, lines=miscounted), "documents_do_not_match"),
        (phone.to_office(item, lines=lines[1:]), "documents_do_not_match"),
        (phone.to_office(item, signatures=[]), "requirements_missing"),
        (phone.to_office(item, signatures=[family]), "requirements_missing"),
        (phone.to_office(item, item_id=nowhere()), "not_found"),
        (phone.to_office(item) | {"lines": "all"}, "bad_fields"),
        (phone.to_office(item) | {"stop_id": phone.stop["id"]}, "bad_fields"),
        (phone.to_office(item, strokes_follow=True, signatures=[]), "requirements_missing"),
    ):
        assert result(phone, made) == ("parked", code)
    assert cast.session.query(Handover).count() == 1
    assert result(phone, phone.to_office(item)) == ("applied", None)
    assert result(phone, phone.to_office(item)) == ("parked", "not_the_holder")


def test_a_dossier_of_another_office_is_not_taken(cast: Cast, phone: Any) -> None:
    posted = cast.outsider[Role.clerk].signer
    assert posted is not None
    place = posted.place
    made = phone.to_office(phone.item, {"to": {"r": "office", "id": place.code}, "by": posted.code})
    assert result(phone, made) == ("parked", "not_your_office")
    post(cast.session, "+84912000002", "Trần Văn Nam", Role.courier, place)
    cast.session.commit()
    made = phone.to_office(phone.item, {"to": {"r": "office", "id": place.code}, "by": posted.code})
    assert result(phone, made) == ("parked", "not_found")


def test_a_courier_is_not_his_own_clerk(cast: Cast, phone: Any) -> None:
    both = post(cast.session, "+84912000002", "Trần Văn Nam", Role.clerk, cast.office)
    cast.session.commit()
    himself = both.staff_code(Role.clerk)
    assert himself not in {one["staff_code"] for one in cast.courier.get("/office")["clerks"]}
    assert result(phone, phone.to_office(phone.item, {"by": himself})) == ("parked", "no_such_clerk")
    assert result(phone, phone.settlement(vouchers(cast), by=himself)) == ("parked", "no_such_clerk")
    for case in cast.dispatcher.get("/cases")["items"]:
        for decision in ("retry", "record"):
            assert decide(cast, case, decision, 409)["type"].endswith("no_such_clerk")
    assert (cast.session.query(Handover).count(), cast.session.query(Settlement).count()) == (1, 0)


@pytest.mark.parametrize(("decision", "ended"), [("retry", "failed"), ("record", "cancelled")])
def test_a_bag_whose_door_is_still_to_come_stays(cast: Cast, decision: str, ended: str) -> None:
    dossier, manifest, item = story.listed(cast)
    cast.officer.put(f"/manifests/{manifest['id']}/lines/{item['id']}/acceptance", story.acceptance(item))
    cast.officer.put(f"/results/{uuid4()}", story.result(cast, dossier))
    round_ = story.plan_and_publish(cast, "afternoon")
    story.load(cast)
    story.start(cast, round_["id"])
    stop = story.arrive(cast, round_["stops"][0])
    phone = Phone(cast)
    held = cast.clerk.get(f"/couriers/{cast.courier.person_id}/items")[0]
    early = phone.to_office(held)
    assert result(phone, early) == ("parked", "stop_not_ended")
    if decision == "retry":
        assert result(phone, phone.failure(stop)) == ("applied", None)
    (case,) = cast.dispatcher.get("/cases")["items"]
    assert decide(cast, case, decision)["decision"] == decision
    assert cast.citizen.get(f"/dossiers/{dossier['id']}")["state"] == "result_ready"
    (door,) = cast.courier.get(f"/rounds/{round_['id']}")["stops"]
    assert door["state"] == ended
    assert cast.session.get_one(Job, UUID(door["job"]["id"])).state is JobState.open
    assert result(phone, phone.finish(round_["id"])) == ("applied", None)


def test_a_bag_that_was_given_in_all_the_same_is_recorded(cast: Cast, phone: Any) -> None:
    lines = story.counted(phone.item["lines"])
    made = phone.to_office(phone.item, lines=lines[1:])
    assert result(phone, made) == ("parked", "documents_do_not_match")
    (case,) = cast.dispatcher.get("/cases")["items"]
    decide(cast, case, "retry", 422)
    assert decide(cast, case, "record")["decision"] == "record"
    assert cast.citizen.get(f"/dossiers/{phone.dossier['id']}")["state"] == "at_office"


def test_a_parked_bag_of_the_wrong_form_stays_parked(cast: Cast, phone: Any) -> None:
    assert result(phone, phone.to_office(phone.item) | {"lines": "all"}) == ("parked", "bad_fields")
    (case,) = cast.dispatcher.get("/cases")["items"]
    for decision in ("retry", "record"):
        assert decide(cast, case, decision, 422)["type"].endswith("bad_fields")


def test_the_clerks_signature_may_follow(cast: Cast, phone: Any) -> None:
    made = phone.to_office(phone.item)
    written = [{"relationship": "clerk", "signer_name": CLERKS["signer_name"], "strokes": STROKES}]
    content = json.dumps(written, ensure_ascii=False, separators=(",", ":"), sort_keys=True).encode()
    made |= {"signatures": [], "strokes_follow": True}
    assert result(phone, made) == ("applied", None)
    sender = Sender(cast)
    sender.patch(sender.begin(made["id"], len(content), "strokes"), 0, content)
    story.work(cast)
    kept = cast.session.scalars(select(Evidence).where(Evidence.entry_id == UUID(made["id"]))).one()
    assert (kept.kind.value, kept.size) == ("strokes", len(content))


# --- cash


def vouchers(cast: Cast) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = cast.courier.get("/vouchers")
    return found


def test_cash_is_paid_in_against_its_vouchers(cast: Cast, phone: Any) -> None:
    (owed,) = vouchers(cast)
    assert owed["handover_id"] == phone.taken["id"]
    assert owed["amount"] == phone.taken["fee_collected"] > 0
    assert owed["tracking_number"] == phone.item["tracking_number"]
    assert cast.outsider[Role.courier].get("/vouchers") == []
    paid = phone.settlement([owed])
    assert result(phone, paid) == ("applied", None)
    assert result(phone, paid) == ("duplicate", None)
    assert vouchers(cast) == []
    settlement = cast.session.scalars(select(Settlement)).one()
    assert (str(settlement.id), settlement.amount, settlement.office_id) == (paid["id"], owed["amount"], cast.office.id)
    assert (str(settlement.courier_id), str(settlement.clerk_id)) == (cast.courier.person_id, cast.clerk.person_id)
    assert cast.session.scalars(select(Voucher.settlement_id)).one() == settlement.id
    assert result(phone, phone.settlement([owed])) == ("parked", "voucher_settled")
    assert cast.session.query(Settlement).count() == 1


def test_a_settlement_that_is_not_right_is_parked_and_takes_nothing(cast: Cast, phone: Any) -> None:
    (owed,) = vouchers(cast)
    twice = [owed["handover_id"]] * 2
    posted = cast.outsider[Role.clerk].signer
    assert posted is not None
    for made, code in (
        (phone.settlement([owed], amount=owed["amount"] - 1), "settlement_differs"),
        (phone.settlement([owed], amount=0), "settlement_differs"),
        (phone.settlement([owed], amount=-1), "event_malformed"),
        (phone.settlement([owed], amount=str(owed["amount"])), "event_malformed"),
        (phone.settlement([owed], amount=True), "event_malformed"),
        (phone.settlement([owed], amount=None), "event_malformed"),
        (phone.settlement([owed], handovers=twice), "given_twice"),
        (phone.settlement([owed], handovers="all"), "event_malformed"),
        (phone.settlement([owed], handovers=["x"]), "event_malformed"),
        (phone.settlement([owed], handovers=[owed["handover_id"], nowhere()]), "no_such_voucher"),
        (phone.settlement([owed], by="G-99999"), "no_such_clerk"),
        (phone.settlement([owed], by=elsewhere(cast)), "no_such_clerk"),
        (phone.settlement([owed], office="NOWHERE"), "no_such_office"),
        (phone.settlement([owed], office=cast.centre.code), "no_such_office"),
        (phone.settlement([owed], office=posted.place.code), "not_your_office"),
        (phone.settlement([owed], office=posted.place.code, by=posted.code), "not_your_office"),
        (phone.settlement([owed], office=None), "event_malformed"),
        (phone.settlement([owed], recalled=[owed["handover_id"]]), "nothing_recalled"),
        (phone.settlement([owed], {"signatures": []}), "requirements_missing"),
        (phone.settlement([owed], {"signatures": [CLERKS | {"relationship": "self"}]}), "requirements_missing"),
        (phone.settlement([owed], {"signatures": [CLERKS | {"signer_name": "Ai Đó"}]}), "event_differs"),
        (phone.settlement([owed], {"note": "x"}), "bad_fields"),
        (phone.settlement([]), "nothing_to_settle"),
    ):
        assert result(phone, made) == ("parked", code)
    assert cast.session.query(Settlement).count() == 0
    assert len(vouchers(cast)) == 1
    assert result(phone, phone.settlement([owed], {"strokes_follow": True})) == ("applied", None)


def test_anothers_voucher_is_not_paid_in(cast: Cast, phone: Any) -> None:
    (owed,) = vouchers(cast)
    cast.session.execute(update(Voucher).values(courier_id=UUID(cast.outsider[Role.courier].person_id)))
    cast.session.commit()
    assert result(phone, phone.settlement([owed])) == ("parked", "no_such_voucher")


def test_a_settlement_that_was_parked_is_done_when_the_clerk_is_posted(cast: Cast, phone: Any) -> None:
    (owed,) = vouchers(cast)
    newcomer = post(cast.session, "+84912000023", "Vũ Thị Mới", Role.clerk, cast.office)
    code = newcomer.staff_code(Role.clerk)
    cast.session.execute(text("DELETE FROM posting WHERE person_id = :id"), {"id": newcomer.id})
    cast.session.commit()
    assert result(phone, phone.settlement([owed], by=code)) == ("parked", "no_such_clerk")
    post(cast.session, "+84912000023", "Vũ Thị Mới", Role.clerk, cast.office)
    cast.session.commit()
    (case,) = cast.dispatcher.get("/cases")["items"]
    assert case["decisions"] == ["retry", "record", "dismiss"]
    assert decide(cast, case, "retry")["decision"] == "retry"
    assert vouchers(cast) == []


def a_second_door(cast: Cast) -> tuple[Phone, dict[str, Any], dict[str, Any]]:
    """A phone with cash of two doors, of which the second was called off meanwhile and is parked."""
    story.book(cast)
    gone = story.book(cast)
    round_ = story.plan_and_publish(cast)
    phone = Phone(cast)
    doors = {door["job"]["dossier_id"]: door for door in cast.courier.get(f"/rounds/{round_['id']}/doors")}
    off = doors.pop(gone["id"])
    (on,) = doors.values()
    phone.sync(phone.start(round_["id"]), phone.arrival(on), phone.arrival(off))
    cast.citizen.put(f"/dossiers/{gone['id']}/cancellation", If_Match="*")
    kept, parked = phone.handover(on), phone.handover(off)
    assert [a["result"] for a in phone.sync(kept, parked)] == ["applied", "parked"]
    return phone, kept, parked


def owed_of(*taken: dict[str, Any]) -> list[dict[str, Any]]:
    return [{"handover_id": one["id"], "amount": one["fee_collected"]} for one in taken]


def case_of(cast: Cast, operation: dict[str, Any]) -> dict[str, Any]:
    """The case about an operation."""
    cast.session.expire_all()
    return next(c for c in cast.dispatcher.get("/cases")["items"] if c["operation_id"] == operation["id"])


def audited(cast: Cast) -> list[tuple[str, str]]:
    """What an audit finds: the code, and the column with which its sentence begins."""
    cast.session.flush()
    trust = Trust.read(settings().operator_keys / "operator.keys")
    return [(one.code, one.text.split()[0]) for one in audit(cast.session.connection(), trust).findings]


def test_cash_of_a_door_that_is_recorded_meanwhile_is_taken_by_retry(cast: Cast) -> None:
    phone, kept, parked = a_second_door(cast)
    paid = phone.settlement(owed_of(kept, parked))
    assert result(phone, paid) == ("parked", "no_such_voucher")
    assert decide(cast, case_of(cast, paid), "retry", 409)["type"].endswith("no_such_voucher")
    decide(cast, case_of(cast, parked), "record")
    assert decide(cast, case_of(cast, paid), "retry")["decision"] == "retry"
    assert vouchers(cast) == []
    assert audited(cast) == []


def test_cash_without_all_its_vouchers_is_recorded(cast: Cast) -> None:
    phone, kept, parked = a_second_door(cast)
    paid = phone.settlement(owed_of(kept, parked), recalled=[nowhere()])
    assert result(phone, paid) == ("parked", "no_such_voucher")
    decide(cast, case_of(cast, paid), "record")
    assert phone.sync(paid)[0]["state"] == "applied"
    row = cast.session.get_one(Settlement, UUID(paid["id"]))
    assert row.amount == kept["fee_collected"] + parked["fee_collected"]
    assert vouchers(cast) == []
    assert audited(cast) == []
    # The voucher of a door that is recorded later is unsettled, and no finding.
    decide(cast, case_of(cast, parked), "record")
    assert [one["handover_id"] for one in vouchers(cast)] == [parked["id"]]
    assert audited(cast) == []


def test_another_sum_is_recorded_and_settles_no_voucher_twice(cast: Cast, phone: Any) -> None:
    (owed,) = vouchers(cast)
    less = phone.settlement([owed], amount=owed["amount"] - 1)
    again = phone.settlement([owed], amount=5)
    assert [result(phone, one) for one in (less, again)] == [("parked", "settlement_differs")] * 2
    decide(cast, case_of(cast, less), "record")
    decide(cast, case_of(cast, again), "record")
    cast.session.expire_all()
    assert str(cast.session.scalars(select(Voucher.settlement_id)).one()) == less["id"]
    sums = {str(one.id): one.amount for one in cast.session.scalars(select(Settlement))}
    assert sums == {less["id"]: owed["amount"] - 1, again["id"]: 5}
    assert audited(cast) == []


def test_anothers_voucher_and_a_missing_hand_are_not_recorded(cast: Cast, phone: Any) -> None:
    (owed,) = vouchers(cast)
    bare = phone.settlement([owed], {"signatures": []})
    assert result(phone, bare) == ("parked", "requirements_missing")
    assert decide(cast, case_of(cast, bare), "record", 422)["type"].endswith("requirements_missing")
    cast.session.execute(update(Voucher).values(courier_id=UUID(cast.outsider[Role.courier].person_id)))
    cast.session.commit()
    paid = phone.settlement([owed])
    assert result(phone, paid) == ("parked", "no_such_voucher")
    decide(cast, case_of(cast, paid), "record")
    assert cast.session.scalars(select(Voucher.settlement_id)).one() is None


@pytest.mark.parametrize(
    ("statement", "column"),
    [
        ("UPDATE settlement SET amount = amount + 1", "amount"),
        ("UPDATE voucher SET settlement_id = NULL, created_at = created_at - interval '1 hour'", "vouchers"),
        ("UPDATE custody_case SET decision = 'retry'", "amount"),
        ("UPDATE settlement SET clerk_id = courier_id", "clerk_id"),
    ],
)
def test_what_was_recorded_and_then_changed_is_found(cast: Cast, phone: Any, statement: str, column: str) -> None:
    (owed,) = vouchers(cast)
    paid = phone.settlement([owed], amount=owed["amount"] - 1)
    phone.sync(paid)
    decide(cast, case_of(cast, paid), "record")
    assert audited(cast) == []
    cast.session.execute(text(statement))
    assert ("settlement_differs", column) in audited(cast)


def test_a_voucher_that_the_event_does_not_name_is_found_in_what_was_recorded(cast: Cast) -> None:
    phone, kept, parked = a_second_door(cast)
    paid = phone.settlement(owed_of(parked))
    phone.sync(paid)
    decide(cast, case_of(cast, paid), "record")
    assert audited(cast) == []
    cast.session.execute(update(Voucher).values(settlement_id=UUID(paid["id"])))
    assert audited(cast) == [("settlement_differs", "vouchers")]
    assert kept["id"] != parked["id"]


# --- recalled originals


def at_a_recall(cast: Cast) -> tuple[Phone, dict[str, Any], dict[str, Any]]:
    """A phone before the door where an identity card is delivered and the old one taken back; and the dossier."""
    phone, (stop,) = at_recalls(cast, 1)
    return phone, stop, cast.citizen.get("/dossiers")["items"][0]


def at_recalls(cast: Cast, count: int) -> tuple[Phone, list[dict[str, Any]]]:
    """A phone at so many doors where identity cards are delivered and the old ones taken back."""
    for _ in range(count):
        dossier = story.book(cast, service="return", procedure_code=ID_CARD, documents=[], window=None)
        cast.officer.put(f"/results/{uuid4()}", story.result(cast, dossier))
    round_ = story.plan_and_publish(cast, "afternoon")
    for _ in range(count):
        story.load(cast)
    phone = Phone(cast)
    stops = cast.courier.get(f"/rounds/{round_['id']}/doors")
    results = phone.sync(phone.start(round_["id"]), *map(phone.arrival, stops))
    assert [r["result"] for r in results] == ["applied"] * (1 + count), results
    return phone, stops


def taken_back(cast: Cast) -> list[dict[str, Any]]:
    """The old originals that the courier has to give in."""
    found: list[dict[str, Any]] = cast.courier.get("/recalled")
    return found


def test_what_was_taken_back_is_listed_by_delivery_the_oldest_first(
    cast: Cast, engine: Engine, monkeypatch: pytest.MonkeyPatch
) -> None:
    phone, doors = at_recalls(cast, 2)
    card = [{"position": 2, "originals": 1}]
    paper = {"position": 2, "name": "Thẻ căn cước cũ", "originals": 1}
    later, earlier = (
        phone.handover(door, recalled=card, device_at=tomorrow(8, minute).isoformat())
        for door, minute in zip(doors, (40, 20), strict=True)
    )
    assert result(phone, later) == ("applied", None)
    with counted(engine) as for_one:
        assert [one["handover_id"] for one in taken_back(cast)] == [later["id"]]
    assert result(phone, earlier) == ("applied", None)
    # As a dispatcher may have it recorded: of a line that the checklist does not have.
    mine = {"handover_id": UUID(later["id"]), "courier_id": UUID(cast.courier.person_id)}
    cast.session.add(Recalled(position=9, originals=2, **mine))
    cast.session.commit()
    with counted(engine) as for_two:
        found = taken_back(cast)
    assert len(for_two) == len(for_one)
    nameless = {"position": 9, "name": None, "originals": 2}
    assert [(one["handover_id"], one["originals"]) for one in found] == [
        (earlier["id"], [paper]),
        (later["id"], [paper, nameless]),
    ]
    monkeypatch.setattr(settling, "MOST_SHOWN", 1)
    assert taken_back(cast) == found[:1]


def test_an_old_original_is_taken_back_and_given_in(cast: Cast) -> None:
    phone, stop, _ = at_a_recall(cast)
    (paper,) = stop["requirements"]["recalled"]
    assert paper == {"position": 2, "name": "Thẻ căn cước cũ", "originals": 1, "mandatory": True}
    assert [p["recalled_original"] for p in stop["checklist"]] == [False, True]
    for recalled, fault in (
        (None, ["/recalled", "recalled_missing"]),
        ([{"position": 2, "originals": 0}], ["/recalled/0", "recalled_missing"]),
        ([{"position": 2, "originals": 2}], ["/recalled/0", "nothing_to_recall"]),
        ([{"position": 2, "originals": 1}, {"position": 1, "originals": 1}], ["/recalled/1", "nothing_to_recall"]),
        ([{"position": 2, "originals": 1}] * 2, ["/recalled/1", "nothing_to_recall"]),
    ):
        changes = {} if recalled is None else {"recalled": recalled}
        (answer,) = phone.sync(phone.handover(stop, **changes))
        assert (answer["result"], answer["code"]) == ("parked", "requirements_missing")
        assert fault in answer["errors"]
    card = [{"position": 2, "originals": 1}]
    assert result(phone, phone.handover(stop, {"recalled": [[2, 2]]}, recalled=card)) == ("parked", "event_differs")
    assert result(phone, phone.handover(stop, {"recalled": None}, recalled=card)) == ("parked", "event_differs")
    extra = [{"name": "Đơn", "originals": 1, "copies": 0, "reason": "agency_letter"}]
    refused = phone.handover(stop, recalled=card, extra=extra)
    assert result(phone, refused) == ("parked", "documents_do_not_match")
    given = phone.handover(stop, recalled=card)
    assert result(phone, given) == ("applied", None)
    row = cast.session.scalars(select(Recalled)).one()
    assert (str(row.handover_id), row.position, row.originals, row.settlement_id) == (given["id"], 2, 1, None)
    (taken,) = taken_back(cast)
    assert taken == {
        "handover_id": given["id"],
        "tracking_number": stop["custody"]["tracking_number"],
        "taken_at": taken["taken_at"],
        "originals": [{"position": 2, "name": "Thẻ căn cước cũ", "originals": 1}],
    }
    assert datetime.fromisoformat(taken["taken_at"]) == datetime.fromisoformat(given["device_at"])
    assert cast.outsider[Role.courier].get("/recalled") == []
    (owed,) = vouchers(cast)
    assert result(phone, phone.settlement([owed], recalled=[nowhere()])) == ("parked", "nothing_recalled")
    paid = phone.settlement([owed], recalled=[given["id"]])
    assert result(phone, paid) == ("applied", None)
    cast.session.expire_all()
    assert str(cast.session.scalars(select(Recalled.settlement_id)).one()) == paid["id"]
    assert taken_back(cast) == []
    again = phone.settlement([], recalled=[given["id"]])
    assert result(phone, again) == ("parked", "recalled_settled")


def test_online_a_delivery_needs_its_original_as_well(cast: Cast) -> None:
    _, stop, dossier = at_a_recall(cast)
    cast.courier.put(f"/handovers/{uuid4()}", story.delivery(cast, stop), 422)
    card = [{"position": 2, "originals": 1}]
    cast.courier.put(f"/handovers/{uuid4()}", story.delivery(cast, stop, recalled=card))
    assert cast.citizen.get(f"/dossiers/{dossier['id']}")["state"] == "delivered"


def test_an_optional_original_that_was_never_there_is_said_to_be_none(cast: Cast) -> None:
    cast.session.execute(text("UPDATE document_requirement SET mandatory = false WHERE recalled_original"))
    phone, stop, _ = at_a_recall(cast)
    assert not stop["requirements"]["recalled"][0]["mandatory"]
    assert result(phone, phone.handover(stop))[1] == "requirements_missing"
    assert result(phone, phone.handover(stop, recalled=[{"position": 2, "originals": 0}])) == ("applied", None)
    assert cast.session.scalars(select(Recalled.originals)).all() == [0]
    assert taken_back(cast) == []


def test_what_went_in_with_the_papers_is_not_asked_for_again(cast: Cast) -> None:
    cast.session.execute(
        text(
            "UPDATE document_requirement SET recalled_original = originals > 0 WHERE version_id IN (SELECT v.id"
            " FROM procedure_version v JOIN procedure p ON p.id = v.procedure_id WHERE p.code = '2.000635')"
        )
    )
    dossier, manifest, item = story.listed(cast)
    cast.officer.put(f"/manifests/{manifest['id']}/lines/{item['id']}/acceptance", story.acceptance(item))
    cast.officer.put(f"/results/{uuid4()}", story.result(cast, dossier))
    round_ = story.plan_and_publish(cast, "afternoon")
    stop = cast.courier.get(f"/stops/{round_['stops'][0]['id']}")
    assert any(paper["recalled_original"] for paper in stop["checklist"])
    assert stop["requirements"]["recalled"] == []


def test_the_office_says_whom_to_ring_up_and_who_may_take_over(cast: Cast) -> None:
    office = cast.courier.get("/office")
    assert (office["code"], office["name"]) == (cast.office.code, cast.office.name)
    assert {"name": "Lê Thị Mai", "phone": "+84912000003"} in office["phones"]
    assert {"name": "Phạm Văn Dũng", "phone": "+84912000004"} in office["phones"]
    assert office["phones"][0]["name"] == "Phạm Văn Dũng"  # who decides comes first
    phone = Phone(cast)
    assert {"staff_code": phone.clerk, "full_name": "Lê Thị Mai"} in office["clerks"]
    assert cast.outsider[Role.courier].get("/office")["code"] != cast.office.code

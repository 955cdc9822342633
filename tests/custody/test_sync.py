"""Operations from phones: in order, once, none lost, none in the way of another; each with one receipt for ever."""

import base64
import hashlib
import json
from itertools import permutations
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text

from courier_api.api import operations
from courier_api.custody import ledger
from courier_api.custody.inbox import RECEIPT
from courier_api.custody.models import Case, Entry, Handover, Opening, Operation
from courier_api.journey import syncing
from courier_api.proof.files import operator_key
from courier_api.proof.keys import verify_operator
from courier_api.rounds.models import Stop
from tests import cast as story
from tests.cast import Cast, tomorrow
from tests.custody.phone import Phone, nowhere
from tests.refusals import refused


@pytest.fixture
def phone(cast: Cast) -> Phone:
    """A courier with a published round of one pickup."""
    story.book(cast)
    round_ = story.plan_and_publish(cast)
    phone = Phone(cast)
    phone.round_ = round_  # type: ignore[attr-defined]
    phone.stop = cast.courier.get(f"/stops/{round_['stops'][0]['id']}")  # type: ignore[attr-defined]
    return phone


def a_day(phone: Any) -> list[dict[str, Any]]:
    """Leave, arrive, take the papers, and come back with them."""
    return [
        phone.start(phone.round_["id"]),
        phone.arrival(phone.stop),
        phone.handover(phone.stop),
        phone.finish(phone.round_["id"]),
    ]


def results(answers: list[dict[str, Any]]) -> list[str]:
    return [a["result"] for a in answers]


def test_a_whole_round_comes_in_one_go(cast: Cast, phone: Any) -> None:
    answers = phone.sync(*a_day(phone))
    assert results(answers) == ["applied"] * 4, answers
    assert cast.courier.get(f"/rounds/{phone.round_['id']}")["state"] == "finished"
    handover = cast.session.scalars(select(Handover)).one()
    assert (handover.leg, handover.from_role, handover.to_role) == (1, "citizen", "courier")
    assert handover.seal_number == "NS-004217"
    assert cast.session.query(Entry).count() == 4
    assert {o.content for o in cast.session.scalars(select(Operation))} == {None}


def test_receipts_are_signed_and_stay_the_same(cast: Cast, phone: Any) -> None:
    sent = a_day(phone)
    first = phone.sync(*sent)
    for operation, answer in zip(sent, first, strict=True):
        receipt = json.loads(answer["receipt"]["text"])
        assert receipt["op"] == operation["id"]
        signature = base64.b64decode(answer["receipt"]["signature"])
        assert verify_operator(operator_key().public, signature, RECEIPT + answer["receipt"]["text"].encode())
    again = phone.sync(*reversed(sent), *sent)
    assert results(again) == ["duplicate"] * 8
    by_id = {a["id"]: a["receipt"] for a in first}
    assert all(a["receipt"] == by_id[a["id"]] and a["state"] == "applied" for a in again)
    assert cast.session.query(Handover).count() == 1


@pytest.mark.parametrize("order", list(permutations(range(4)))[1::5])
def test_in_whatever_order_they_come_they_are_done_in_theirs(cast: Cast, phone: Any, order: tuple[int, ...]) -> None:
    sent = a_day(phone)
    for n in order:
        (answer,) = phone.sync(sent[n])
        assert answer["result"] in ("applied", "waiting")
    assert {o.state for o in cast.session.scalars(select(Operation))} == {"applied"}
    assert cast.courier.get(f"/rounds/{phone.round_['id']}")["state"] == "finished"


def test_what_our_rules_refuse_is_parked_and_holds_up_nothing(cast: Cast, phone: Any) -> None:
    sent = [phone.start(phone.round_["id"]), phone.finish(phone.round_["id"]), phone.arrival(phone.stop)]
    answers = phone.sync(*sent)
    assert results(answers) == ["applied", "parked", "applied"]
    assert answers[1]["code"] == "stops_left"
    assert "1" in answers[1]["detail"]
    case = cast.session.scalars(select(Case)).one()
    assert (str(case.operation_id), case.kind, case.code) == (sent[1]["id"], "parked", "stops_left")
    # Authentic, so it stands in the ledger although it changed nothing.
    assert cast.session.get(Entry, case.operation_id) is not None
    assert phone.actor.get(f"/operations/{sent[1]['id']}")["state"] == "parked"


def with_a_bag_missing(cast: Cast) -> tuple[Phone, dict[str, Any], list[dict[str, Any]]]:
    """A courier with two results to deliver of which one is loaded: his phone, the round, its doors, loaded first."""
    for _ in range(2):
        dossier = story.book(cast, service="return", documents=[], window=None)
        cast.officer.put(f"/results/{uuid4()}", story.result(cast, dossier))
    round_ = story.plan_and_publish(cast, "afternoon")
    loaded = story.load(cast)["id"]
    doors = cast.courier.get(f"/rounds/{round_['id']}/doors")
    return Phone(cast), round_, sorted(doors, key=lambda door: door["custody"]["item_id"] != loaded)


def test_who_left_without_a_bag_has_left(cast: Cast) -> None:
    phone, round_, (with_bag, without) = with_a_bag_missing(cast)
    path = f"/rounds/{round_['id']}/start"
    refused(cast, cast.courier, "PUT", path, None, 409, "items_not_loaded", If_Match="*")
    sent = [phone.start(round_["id"]), phone.arrival(with_bag), phone.handover(with_bag)]
    assert results(phone.sync(*sent)) == ["applied"] * 3
    assert cast.dispatcher.get(f"/rounds/{round_['id']}")["state"] == "started"
    cast.courier.put(path, If_Match="*")  # he is away already
    assert results(phone.sync(phone.start(round_["id"]))) == ["applied"]
    # The bag that he has not got is the one thing that he cannot do.
    answers = phone.sync(phone.arrival(without), phone.handover(without))
    assert [(a["result"], a["code"]) for a in answers] == [("applied", None), ("parked", "not_the_holder")]
    assert cast.session.scalars(select(Case.code)).all() == ["not_the_holder"]
    assert results(phone.sync(phone.failure(without), phone.finish(round_["id"]))) == ["applied"] * 2
    assert cast.courier.get(f"/rounds/{round_['id']}")["state"] == "finished"


def test_a_morning_that_is_not_over_keeps_nobody_from_his_afternoon(cast: Cast, phone: Any) -> None:
    story.book(cast, window={"start": tomorrow(14).isoformat(), "end": tomorrow(16).isoformat()})
    afternoon = story.plan_and_publish(cast, "afternoon")
    phone.sync(phone.start(phone.round_["id"]))
    path = f"/rounds/{afternoon['id']}/start"
    refused(cast, cast.courier, "PUT", path, None, 409, "another_round_started", If_Match="*")
    (stop,) = cast.courier.get(f"/rounds/{afternoon['id']}/doors")
    answers = phone.sync(phone.finish(phone.round_["id"]), phone.start(afternoon["id"]), phone.arrival(stop))
    assert [(a["result"], a["code"]) for a in answers] == [
        ("parked", "stops_left"),
        ("applied", None),
        ("applied", None),
    ]


def test_a_bag_that_was_missing_is_loaded_later(cast: Cast) -> None:
    phone, round_, (_, without) = with_a_bag_missing(cast)
    phone.sync(phone.start(round_["id"]), phone.arrival(without))
    story.load(cast)
    (door,) = [one for one in cast.courier.get(f"/rounds/{round_['id']}/doors") if one["id"] == without["id"]]
    assert results(phone.sync(phone.handover(door))) == ["applied"]


def test_a_stop_that_is_not_ones_own_is_parked(cast: Cast, phone: Any) -> None:
    (answer,) = phone.sync(phone.operation("courier.arrival", stop=nowhere(), geo={"lat": 1, "lon": 1}))
    assert (answer["result"], answer["code"]) == ("parked", "not_found")


def test_an_event_of_another_item_moves_nothing(cast: Cast, phone: Any) -> None:
    other = story.book(cast, window=story.window_on(0)["window"])
    sent = [phone.start(phone.round_["id"]), phone.arrival(phone.stop)]
    sent.append(phone.handover(phone.stop, {"item": other["items"][0]["id"]}))
    sent.append(phone.handover(phone.stop))
    answers = phone.sync(*sent)
    assert results(answers) == ["applied", "applied", "parked", "applied"]
    assert answers[2]["code"] == "event_differs"
    assert cast.session.query(Handover).count() == 1


def test_what_is_opened_must_be_what_was_committed_to(cast: Cast, phone: Any) -> None:
    sent = [phone.start(phone.round_["id"]), phone.arrival(phone.stop)]
    wrong = phone.handover(phone.stop)
    wrong["seal_number"] = "NS-000000"
    answers = phone.sync(*sent, wrong)
    assert (answers[2]["result"], answers[2]["code"]) == ("parked", "event_differs")
    assert "seal" in answers[2]["detail"]
    assert answers[2]["errors"] == [["/signed/event", "event_differs"]]
    assert cast.session.query(Handover).count() == 0
    assert cast.session.query(Opening).count() == 0


def test_the_same_id_with_other_bytes_is_refused_and_both_are_kept(cast: Cast, phone: Any) -> None:
    sent = phone.start(phone.round_["id"])
    (first,) = phone.sync(sent)
    forged = sent | {"note": "other"}
    (answer,) = phone.sync(forged)
    assert (answer["result"], answer["code"], answer["status"]) == ("rejected", "id_reused", 422)
    case = cast.session.scalars(select(Case)).one()
    assert case.kind == "id_reused"
    kept = cast.session.get_one(Operation, case.operation_id)
    assert json.loads(kept.content or b"")["note"] == "other"
    assert phone.sync(forged)[0]["receipt"] == answer["receipt"]
    assert phone.sync(sent)[0]["receipt"] == first["receipt"]


def test_one_counter_with_two_contents_is_a_copied_key(cast: Cast, phone: Any) -> None:
    before = (phone.device.counter, phone.device.previous)
    mine = phone.start(phone.round_["id"])
    phone.device.counter, phone.device.previous = before
    thiefs = phone.start(phone.round_["id"])
    assert results(phone.sync(mine, thiefs)) == ["applied", "parked"]
    assert cast.session.scalars(select(Case.kind)).all() == ["key_cloned"]
    # What comes after may be the honest phone's: it is kept, in the ledger beside the chain, and a dispatcher decides.
    (aside,) = phone.sync(phone.arrival(phone.stop))
    assert (aside["result"], aside["code"]) == ("parked", "key_quarantined")
    assert cast.session.get_one(Entry, UUID(aside["id"])).counter is None
    assert cast.session.get_one(Entry, UUID(thiefs["id"])).counter is None
    assert cast.session.query(Case).count() == 2


def test_an_event_that_does_not_follow_on_the_last_is_a_copied_key(cast: Cast, phone: Any) -> None:
    phone.sync(phone.start(phone.round_["id"]))
    phone.device.previous = hashlib.sha256(b"another history").digest()
    (answer,) = phone.sync(phone.arrival(phone.stop))
    assert (answer["result"], answer["code"]) == ("parked", "key_cloned")


def test_a_crash_after_the_inbox_loses_nothing(cast: Cast, phone: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    sent = a_day(phone)
    with monkeypatch.context() as dying:
        dying.setattr(syncing, "apply", lambda *_: (_ for _ in ()).throw(SystemError("killed")))
        assert results(phone.sync(*sent)) == ["waiting"] * 4  # the phone has its receipts all the same
    assert {o.state for o in cast.session.scalars(select(Operation))} == {"received"}
    assert operations.apply_left() == 0  # the request may still be at it
    cast.session.execute(text("UPDATE operation SET received_at = now() - interval '1 minute'"))
    cast.session.commit()
    assert operations.apply_left() == 4
    assert results(phone.sync(*sent)) == ["duplicate"] * 4
    assert cast.session.query(Handover).count() == 1


def test_a_fault_of_ours_parks_one_and_stops_none(cast: Cast, phone: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setitem(operations.KINDS, "courier.arrival", (operations.NothingBeside(), broken))
    answers = phone.sync(phone.start(phone.round_["id"]), phone.arrival(phone.stop), phone.finish(phone.round_["id"]))
    assert [(a["result"], a["code"]) for a in answers] == [
        ("applied", None),
        ("parked", "fault"),
        ("parked", "stops_left"),
    ]


def test_a_failed_visit_with_a_note_and_missing_papers(cast: Cast, phone: Any) -> None:
    sent = [phone.start(phone.round_["id"]), phone.arrival(phone.stop)]
    sent.append(phone.failure(phone.stop, reason="missing_document", missing=[[99, 0, 1]]))
    sent.append(phone.failure(phone.stop, "thiếu sổ đỏ bản gốc", reason="missing_document", missing=[[1, 0, 1]]))
    answers = phone.sync(*sent)
    assert results(answers) == ["applied", "applied", "parked", "applied"]
    assert answers[2]["code"] == "documents_do_not_match"  # nothing beyond the checklist may be asked for
    stop = cast.session.scalars(select(Stop)).one()
    attempt = stop.job.attempts[-1]
    assert (str(attempt.id), attempt.reason, attempt.note) == (sent[3]["id"], "missing_document", "thiếu sổ đỏ bản gốc")
    assert attempt.missing == [[1, 0, 1]]


def test_a_form_that_is_wrong_is_parked_and_stays_in_the_ledger(cast: Cast, phone: Any) -> None:
    sent = [phone.start(phone.round_["id"]), phone.arrival(phone.stop)]
    bad = phone.handover(phone.stop)
    bad["lines"] = "none"
    answers = phone.sync(*sent, bad, phone.handover(phone.stop))
    assert results(answers) == ["applied", "applied", "parked", "applied"]
    assert answers[2]["code"] == "bad_fields"
    assert cast.session.get(Entry, UUID(bad["id"])) is not None


def test_a_phone_is_given_the_time_and_an_anchor(cast: Cast, phone: Any) -> None:
    sent = phone.start(phone.round_["id"])
    answer = phone.actor.call("POST", "/sync", {"operations": [sent]}, 200)
    assert answer["anchor"] is None
    checkpoint = ledger.grow(cast.session)
    assert checkpoint is not None
    text_, _, _ = checkpoint.note.partition("\n\n")
    answer = phone.actor.call("POST", "/sync", {"operations": [sent]}, 200)
    assert answer["anchor"] == hashlib.sha256(f"{text_}\n".encode()).hexdigest()
    assert answer["server_time"]


def test_others_do_not_see_ones_operations(cast: Cast, phone: Any) -> None:
    sent = phone.start(phone.round_["id"])
    phone.sync(sent)
    other = next(a for r, a in cast.outsider.items() if r.value == "courier")
    other.get(f"/operations/{sent['id']}", 404)
    # Sent by another, what it says is not his: his keys did not sign it.
    answer = other.call("POST", "/sync", {"operations": [sent]}, 200)["results"][0]
    assert (answer["result"], answer["code"]) == ("rejected", "key_unknown")


@pytest.mark.parametrize("count", [0, 101])
def test_a_batch_has_a_size_in_bounds(cast: Cast, count: int) -> None:
    cast.courier.call("POST", "/sync", {"operations": [{"id": str(uuid4())}] * count}, 422)

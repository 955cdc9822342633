"""The app's rules in node: what is sent when, the round with the phone's own word on it, and what changed in a plan."""

import copy
import random
from typing import Any

from tests.web import node

run = node.script("run_outbox.mjs")
NOW = 1_795_000_000_000
ME, OFFICE = {"r": "courier", "id": "C-00417"}, {"r": "office", "id": "160000"}
CITIZEN = {"r": "citizen"}


# --- what goes into a request -----------------------------------------------------------------------------------------


def row(counter: int, kid: str = "k1", **changes: Any) -> dict[str, Any]:
    """An operation in the queue."""
    return {
        "id": f"{kid}-{counter}",
        "kid": kid,
        "counter": counter,
        "at": f"2026-11-28T01:00:{counter:02}.000Z",
        "signed": {"event": "e" * 1000},
        "beside": {},
        "not_before": None,
        "sent_at": None,
        "fault": None,
    } | changes


def batch(*rows: dict[str, Any], most: int = 20) -> Any:
    (found,) = run({"do": "batch", "rows": rows, "now": NOW, "most": most})
    return found["ids"], found["wait"]


def test_a_request_holds_twenty_operations_in_the_order_of_their_counter() -> None:
    rows = [row(n) for n in range(1, 31)]
    random.Random(1).shuffle(rows)
    assert batch(*rows) == ([f"k1-{n}" for n in range(1, 21)], None)
    assert batch(*rows, most=5)[0] == [f"k1-{n}" for n in range(1, 6)]
    assert batch() == ([], None)


def test_a_request_is_small_and_a_large_operation_goes_alone() -> None:
    rows = [row(n, signed={"event": "e" * 10_000}) for n in range(1, 9)]
    assert batch(*rows)[0] == ["k1-1", "k1-2", "k1-3", "k1-4"]
    large = row(1, beside={"note": "ệ" * 20_000})  # 60 kB as UTF-8
    assert batch(large, *rows[1:])[0] == ["k1-1"]


def test_behind_one_that_is_held_the_later_ones_wait() -> None:
    held = row(2, not_before=NOW + 4_000)
    assert batch(row(1), held, row(3)) == (["k1-1"], 4_000)
    assert batch(held, row(3), row(1, "k2")) == (["k2-1"], 4_000)
    assert batch(held | {"not_before": NOW}, row(3))[0] == ["k1-2", "k1-3"]
    assert batch(held | {"sent_at": NOW - 1})[0] == ["k1-2"]
    # The clock was set back by a day: nothing is held so long.
    assert batch(held | {"not_before": NOW + 86_400_000})[0] == ["k1-2"]


def test_the_older_key_comes_first_and_what_was_refused_goes_alone_and_last() -> None:
    old, new = row(9, "zz", at="2026-11-27T01:00:00.000Z"), row(1, "aa")
    assert batch(new, old)[0] == ["zz-9", "aa-1"]
    bad = row(1, fault="bad_fields", again_at=NOW - 1)
    assert batch(bad, row(2))[0] == ["k1-2"]
    assert batch(bad, bad | {"counter": 2, "id": "other"})[0] == ["k1-1"]
    assert batch(bad | {"again_at": NOW + 9_000}) == ([], 9_000)


def test_pauses_double_up_to_a_minute_and_the_server_is_believed() -> None:
    pauses = run(*({"do": "pause", "failures": n, "retryAfter": None, "chance": 0.5} for n in range(9)))
    assert pauses == [1000, 1500, 3000, 6000, 12000, 24000, 45000, 45000, 45000]
    bounds = run(*({"do": "pause", "failures": 99, "retryAfter": None, "chance": chance} for chance in (0, 1)))
    assert bounds == [30_000, 60_000]
    asked = run(*({"do": "pause", "failures": 0, "retryAfter": s, "chance": 0} for s in (100, 1, 10**9)))
    assert asked == [100_000, 1000, 3_600_000]
    said = {"do": "skew", "said": "2026-11-28T02:00:00.000Z", "sent": 1795831190000, "answered": 1795831194000}
    assert run(said) == [8_000]


def test_failures_are_told_and_waited_for_and_success_forgives_them() -> None:
    script: list[dict[str, Any]] = [
        {"status": 0},
        {"status": 503},
        {"status": 429, "retryAfter": 70},
        {"state": "sent"},
        {"state": "waiting", "wait": 5_000},
        {"status": 500},
        {"status": 401},
    ]
    found, awake = run({"do": "turns", "script": script}, {"do": "clock"})
    assert found["states"] == ["offline", "waiting", "waiting", "sending", "waiting", "waiting", "signed_out"]
    first, second, third, held, fourth, last = found["pauses"]
    assert (first, third, held, last) == (1000, 70_000, 5_000, None)
    assert 1000 <= second <= 2000
    assert fourth == 1000  # from the beginning again
    assert awake == "awake"


# --- the round with the phone's own word on it ------------------------------------------------------------------------


def stop(n: int, kind: str = "pickup", **changes: Any) -> dict[str, Any]:
    job = {"id": f"j{n}", "kind": kind, "contact_name": "Nguyễn Thị Hoa", "note": "", "address": "Số 2 Chùa Chuông"}
    job["point"] = {"lon": 106.05, "lat": 20.65 + n / 100}
    at = f"2026-11-28T0{n}:00:00+07:00"
    return {"id": f"s{n}", "position": n, "state": "pending", "service_start": at, "job": job} | changes


def door(n: int, kind: str = "pickup", leg: int = 1, holder: dict[str, str] | None = None) -> dict[str, Any]:
    held = holder or ({"role": "citizen", "code": ""} if kind == "pickup" else {"role": "courier", "code": ME["id"]})
    papers = [{"position": p, "name": f"Giấy {p}", "originals": 1, "copies": 0} for p in (1, 3)]
    return {
        "id": f"s{n}",
        "requirements": {"fee": 30_000},
        "documents": papers if kind == "pickup" else [],
        "lines": [] if kind == "pickup" else papers,
        "custody": {"item_id": f"i{n}", "tracking_number": f"EH{n}VN", "leg": leg, "holder": held},
    }


def snapshot(*stops: dict[str, Any], doors: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    shown = list(stops) or [stop(1), stop(2, "delivery")]
    round_ = {"id": "r", "version": 1, "state": "started", "courier": {"staff_number": 417}, "stops": shown}
    round_ |= {"line": None, "office": {"point": {"lon": 106.05, "lat": 20.65}}}
    return {"round": round_, "doors": doors or [door(s["position"], s["job"]["kind"]) for s in shown]}


def operation(counter: int, typ: str, subject: dict[str, Any], **changes: Any) -> dict[str, Any]:
    """A row of the queue; with `state` one of what is done."""
    at = f"2026-11-28T02:00:{counter:02}.000Z"
    made = {"id": f"e{counter}", "kid": "k", "counter": counter, "typ": typ, "at": at, "subject": subject}
    return made | {"fields": {}, "beside": {}, "sent_at": None} | changes


def handover(
    counter: int, n: int, giver: Any, taker: Any, leg: int = 1, fee: int = 0, **changes: Any
) -> dict[str, Any]:
    fields = {"item": f"i{n}", "no": f"EH{n}VN", "leg": leg, "from": giver, "to": taker, "fee": fee}
    at_door = CITIZEN in (giver, taker)
    subject = {"round": "r", "item": f"i{n}"} | ({"stop": f"s{n}"} if at_door else {})
    beside = {"lines": [{"position": 3, "originals": 1, "copies": 0}, {"position": 1, "originals": 2, "copies": 1}]}
    extra = {"beside": beside | {"extra": [{"name": "Đơn", "originals": 1, "copies": 0, "reason": "citizen_insists"}]}}
    return operation(counter, "custody.handover", subject, fields=fields, **(extra if at_door else {})) | changes


ARRIVED = operation(1, "courier.arrival", {"round": "r", "stop": "s1"})
TAKEN = handover(2, 1, CITIZEN, ME, fee=30_000)
GIVEN = handover(3, 2, ME, CITIZEN)


def folded(*operations: dict[str, Any], shown: dict[str, Any] | None = None) -> list[Any]:
    (found,) = run({"do": "fold", "snapshot": shown or snapshot(), "operations": operations})
    return list(found)


def brief(standing: dict[str, Any]) -> tuple[Any, ...]:
    return tuple(standing[name] for name in ("state", "by", "sending", "trouble"))


def test_without_operations_the_round_is_what_the_server_shows() -> None:
    done = stop(3, state="done")
    first, second, third = folded(shown=snapshot(done, stop(2, state="cancelled"), stop(1)))
    assert [s["stop"]["id"] for s in (first, second, third)] == ["s1", "s2", "s3"]
    assert brief(first) == ("pending", "server", False, None)
    assert (second["state"], third["state"]) == ("cancelled", "completed")
    assert first["custody"] == door(1)["custody"] | {"by": "server"}


def test_what_the_phone_has_signed_counts_at_once_in_any_order() -> None:
    assert brief(folded(ARRIVED)[0]) == ("arrived", "phone", True, None)
    for order in ([ARRIVED, TAKEN, GIVEN], [GIVEN, TAKEN, ARRIVED]):
        taken, given = folded(*order)
        assert brief(taken) == brief(given) == ("completed", "phone", True, None)
        assert (taken["collected"], taken["handover"], given["collected"]) == (30_000, "e2", 0)
        assert taken["custody"]["holder"] == {"role": "courier", "code": ME["id"]}
        assert (taken["custody"]["leg"], given["custody"]["leg"]) == (2, 2)
        assert given["custody"]["holder"] == {"role": "citizen", "code": ""}
        names = [(line["position"], line["name"], line["originals"]) for line in taken["lines"]]
        assert names == [(1, "Giấy 1", 2), (2, "Giấy 3", 1), (3, "Đơn", 1)]
    failed = operation(2, "courier.failure", {"stop": "s1"}, fields={"reason": "not_home"})
    assert brief(folded(ARRIVED, failed)[0]) == ("failed", "phone", True, None)


def test_an_operation_that_the_server_knows_changes_nothing() -> None:
    known = snapshot(stop(1, state="done"), stop(2, "delivery"))
    known["doors"][0]["custody"] |= {"leg": 2, "holder": {"role": "courier", "code": ME["id"]}}
    receipt = {"text": "{}", "signature": ""}
    applied = [one | {"state": "applied", "code": None, "receipt": receipt} for one in (ARRIVED, TAKEN)]
    before, after = folded(shown=known)[0], folded(*applied, shown=known)[0]
    same = ("state", "by", "sending", "trouble", "lines")
    assert [after[name] for name in same if name != "lines"] == [before[name] for name in same if name != "lines"]
    assert after["custody"]["leg"] == 2
    assert after["receipt"] == receipt
    assert folded(*applied, *applied, shown=known)[0] == after
    # The clerk has received it since: his leg is the last word.
    known["doors"][0]["custody"] |= {"leg": 3, "holder": {"role": "office", "code": "160000"}}
    assert folded(*applied, shown=known)[0]["custody"]["holder"]["role"] == "office"


def test_what_the_server_could_not_do_stays_as_it_was_and_says_so() -> None:
    parked = TAKEN | {"state": "parked", "code": "stop_cancelled"}
    called_off = snapshot(stop(1, state="cancelled"), stop(2, "delivery"))
    assert brief(folded(parked, shown=called_off)[0]) == ("completed", "phone", False, "stop_cancelled")
    late = ARRIVED | {"state": "parked", "code": "stop_cancelled"}
    assert brief(folded(late, shown=called_off)[0]) == ("cancelled", "server", False, "stop_cancelled")
    # A dispatcher has decided that it is as the server says.
    assert brief(folded(parked | {"decision": "dismiss"}, shown=called_off)[0]) == ("cancelled", "server", False, None)
    assert brief(folded(parked | {"decision": "record"}, shown=called_off)[0])[3] is None


def test_bags_are_those_that_nobody_else_has_taken_over() -> None:
    items = [{"id": "i2", "tracking_number": "EH2VN", "kind": "result"}, {"id": "i9", "tracking_number": "EH9VN"}]
    office = handover(4, 1, ME, OFFICE, leg=2)
    elsewhere = handover(5, 9, ME, OFFICE, leg=4)

    def held(*operations: dict[str, Any], shown: dict[str, Any] | None = None) -> set[str]:
        case = {"do": "holding", "snapshot": shown or snapshot(), "operations": operations, "items": items}
        return set(run(case)[0])

    assert held() == {"i2", "i9"}
    assert held(TAKEN) == {"i1", "i2", "i9"}
    assert held(TAKEN, GIVEN) == {"i1", "i9"}
    assert held(TAKEN, GIVEN, office) == {"i9"}
    assert held(TAKEN, GIVEN, office, elsewhere) == set()
    # The list is of the morning, the doors are newer: what was picked up since is in the bag.
    newer = snapshot()
    newer["doors"][0]["custody"] |= {"leg": 2, "holder": {"role": "courier", "code": ME["id"]}}
    assert held(shown=newer) == {"i1", "i2", "i9"}
    newer["doors"][0]["custody"]["holder"] = {"role": "courier", "code": "C-00001"}
    assert held(shown=newer) == {"i2", "i9"}


def test_cash_is_owed_once_until_it_is_settled() -> None:
    listed = {"handover_id": "e0", "amount": 8_000, "tracking_number": "EH8VN", "number": "BL-1"}
    known = {"handover_id": "e2", "amount": 30_000, "tracking_number": "EH1VN"}
    settled = operation(9, "courier.settlement", {}, fields={"handovers": ["e0"], "amount": 8_000})

    def owed(vouchers: list[Any], *operations: dict[str, Any]) -> Any:
        case = {"do": "cash", "snapshot": snapshot(), "operations": operations, "vouchers": vouchers}
        return run(case)[0]

    assert owed([], GIVEN) == {"total": 0, "of": [], "apart": []}
    assert owed([], TAKEN) == {"total": 30_000, "of": [known], "apart": []}
    assert owed([known], TAKEN)["total"] == 30_000
    assert owed([listed], TAKEN)["total"] == 38_000
    refused = TAKEN | {"state": "parked", "code": "wrong_state"}
    assert owed([], refused) == {"total": 0, "of": [], "apart": [known]}
    assert owed([known], refused) == {"total": 30_000, "of": [known], "apart": []}
    assert owed([], refused | {"decision": "record"})["total"] == 30_000
    assert owed([listed], TAKEN, settled) == {"total": 30_000, "of": [known], "apart": []}


def test_originals_taken_back_are_with_the_courier_until_they_are_given_in() -> None:
    listed = {"handover_id": "e0", "tracking_number": "EH8VN", "originals": []}
    taken = GIVEN | {"fields": GIVEN["fields"] | {"recalled": [[2, 1], [4, 0]]}}
    none = handover(5, 2, ME, CITIZEN)
    none["fields"] |= {"recalled": [[2, 0]]}  # an optional paper that was not there
    settled = operation(9, "courier.settlement", {}, fields={"handovers": [], "recalled": ["e0", "e3"], "amount": 0})

    def left(items: list[Any] | None, *operations: dict[str, Any], at: int = 0) -> Any:
        return run({"do": "recalled", "items": items, "operations": operations, "listed": at})[0]

    assert left(None) == left([], none, GIVEN) == []
    # A new phone has signed nothing yet.
    assert left([listed]) == ["e0"]
    assert left([listed], taken) == ["e0", "e3"]
    assert left([listed | {"handover_id": "e3"}], taken) == ["e3"]
    assert left([listed], taken, settled) == []
    # What the server had done before the list was made and does not list is given in, by whichever phone.
    done = taken | {"state": "applied", "kept_at": 1_000}
    assert left([], done, at=2_000) == []
    assert left([], done, at=1_000) == left(None, done, at=2_000) == ["e3"]
    assert left([listed | {"handover_id": "e3"}], done, at=2_000) == ["e3"]
    for state in ("parked", "rejected"):
        refused = {"state": state, "code": "wrong_state"}
        assert left([listed], taken | refused, settled | refused) == ["e0"]
        assert left([], taken | refused | {"decision": "record"}) == ["e3"]
        assert left([], taken | refused | {"decision": "dismiss"}) == []


# --- what changed in a plan -------------------------------------------------------------------------------------------


def differences(before: dict[str, Any], after: dict[str, Any]) -> list[Any]:
    (found,) = run({"do": "differences", "before": before, "after": after})
    return [(d["kind"], d["stop"], d["from"], d["to"]) for d in found]


def test_a_plan_is_compared_by_what_is_still_to_be_done() -> None:
    three = snapshot(stop(1), stop(2), stop(3))
    assert differences(three, three) == []
    ridden = snapshot(stop(1, state="done"), stop(2, state="failed"), stop(3))
    assert differences(three, ridden) == []
    more = snapshot(stop(1), stop(2), stop(3), stop(4, "delivery"))
    assert differences(three, more) == [("added", "s4", None, 4)]
    assert differences(more, three) == [("removed", "s4", 4, None)]
    called_off = snapshot(stop(1), stop(2, state="cancelled"), stop(3))
    assert differences(three, called_off) == [("removed", "s2", 2, None)]


def test_only_what_left_its_order_has_moved() -> None:
    before = snapshot(*(stop(n) for n in range(1, 6)))
    last_first = [stop(5, position=1), *(stop(n, position=n + 1) for n in range(1, 5))]
    for one, old in zip(last_first, [5, 1, 2, 3, 4], strict=True):
        one["service_start"] = stop(old)["service_start"]
    after = snapshot(*last_first, doors=before["doors"])
    assert differences(before, after) == [("moved", "s5", 5, 1)]


def test_times_count_from_ten_minutes_on_and_fields_by_name() -> None:
    before, after = snapshot(), snapshot()
    after["round"]["stops"][0]["service_start"] = "2026-11-28T01:09:59+07:00"
    assert differences(before, after) == []
    after["round"]["stops"][0]["service_start"] = "2026-11-28T01:10:00+07:00"
    changed = copy.deepcopy(after)
    changed["round"]["stops"][1]["job"]["note"] = "Chó dữ"
    changed["doors"][1]["requirements"]["fee"] = 0
    assert differences(before, changed) == [
        ("time", "s1", "2026-11-28T01:00:00+07:00", "2026-11-28T01:10:00+07:00"),
        (
            "changed",
            "s2",
            {"note": "", "requirements": {"fee": 30_000}},
            {"note": "Chó dữ", "requirements": {"fee": 0}},
        ),
    ]


# --- what happened behind the courier's back --------------------------------------------------------------------------

AT_OFFICE = {"role": "office", "code": "160000"}
BY_HIM = {"role": "courier", "code": ME["id"]}


def at_office(leg: int = 3) -> dict[str, Any]:
    """A round with a delivery whose bag still lies in the office."""
    return snapshot(stop(2, "delivery"), doors=[door(2, "delivery", leg, AT_OFFICE)])


def loaded(leg: int = 4) -> dict[str, Any]:
    return snapshot(stop(2, "delivery"), doors=[door(2, "delivery", leg, BY_HIM)])


def news(kind: str, subject: str, **detail: str) -> dict[str, Any]:
    return {"kind": kind, "subject_id": subject, "detail": detail}


def test_a_round_is_read_anew_for_what_touches_it_and_the_past_is_not_fetched() -> None:
    held = [at_office()]
    items = [
        news("item_loaded", "i2"),
        news("item_received", "i7"),
        news("stop_cancelled", "s9", round="another"),
        news("round_published", "new"),
        news("operation_parked", "e1"),
    ]
    case = {"do": "roundsOf", "items": items, "held": held}
    assert run(case | {"isFirst": False}, case | {"isFirst": True}) == [["r", "new"], ["r"]]
    changed = {"do": "roundsOf", "items": [news("stop_cancelled", "s2", round="r")], "held": held, "isFirst": True}
    assert run(changed) == [["r"]]


def test_a_bag_that_was_loaded_is_delivered_by_its_next_leg() -> None:
    (kept,) = run({"do": "keepRounds", "snapshots": [at_office(), loaded()]})
    cases = [
        {"do": "legAtDoor", "snapshot": one, "operations": [], "stop": "s2"} for one in (kept["round:r"], at_office())
    ]
    assert run(*cases) == [[4, 4], [4, 4]]  # also where nobody has told the phone yet


def test_whose_hands_a_bag_is_in_waits_for_no_look_at_the_plan() -> None:
    after = loaded()
    after["round"] |= {"version": 2, "stops": [stop(2, "delivery", service_start="2026-11-28T05:00:00+07:00")]}
    (kept,) = run({"do": "keepRounds", "snapshots": [at_office(), after]})
    assert kept["incoming:r"]["round"]["version"] == 2
    assert kept["round:r"]["round"] == at_office()["round"]
    assert kept["round:r"]["doors"][0]["custody"] == after["doors"][0]["custody"]


def test_a_slow_answer_overtakes_nothing() -> None:
    older, newer = at_office(), loaded()
    newer["round"] |= {"version": 2}
    early, late = at_office() | {"at": "2026-11-28T01:00:00.000Z"}, loaded() | {"at": "2026-11-28T01:00:01.000Z"}
    cases = [{"do": "keepRounds", "snapshots": pair} for pair in ([newer, older], [late, early])]
    assert [kept["round:r"] for kept in run(*cases)] == [newer, late]


def test_a_round_that_changes_while_it_is_read_is_read_again() -> None:
    whole = snapshot()
    torn = whole | {"doors": whole["doors"][:1]}
    good, never = run({"do": "readRound", "answers": [torn, whole]}, {"do": "readRound", "answers": [torn] * 3})
    assert good == {"stops": ["s1", "s2"], "unread": 0, "ways": {"s1": 1446, "s2": 1446}}  # straight, with a detour
    assert never is None

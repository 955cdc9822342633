"""What a plan cannot do is said, and every job finds its way into a later one."""

from datetime import timedelta
from typing import Any

from sqlalchemy import text

from tests import cast as story
from tests.cast import Cast, tomorrow
from tests.refusals import refused


def left_out(cast: Cast, plan: dict[str, Any]) -> dict[str, str]:
    """The dossiers that a plan left out, each with the reason."""
    rows = cast.dispatcher.get(f"/plans/{plan['id']}/unplanned")
    return {row["job"]["dossier_id"]: row["reason"] for row in rows}


def withdraw(cast: Cast, round_id: str) -> dict[str, Any]:
    """The dispatcher takes a round from its courier."""
    path = f"/api/v1/dispatchers/rounds/{round_id}"
    cast.dispatcher.get(path)
    return cast.dispatcher.put(f"{path}/withdrawal", If_Match=cast.dispatcher.etags[path])


def test_a_withdrawn_round_frees_its_doors_for_the_next_plan(cast: Cast) -> None:
    dossier = story.book(cast)
    round_ = story.plan_and_publish(cast)
    assert withdraw(cast, round_["id"])["state"] == "withdrawn"
    kinds = [e["kind"] for e in cast.citizen.get(f"/dossiers/{dossier['id']}/timeline")["items"]]
    assert kinds[-1] == "visit_withdrawn"
    cast.courier.get(f"/rounds/{round_['id']}", 404)
    again = story.plan_and_publish(cast)
    assert [s["job"]["dossier_id"] for s in again["stops"]] == [dossier["id"]]


def test_a_round_under_way_can_be_withdrawn_and_a_finished_one_not(cast: Cast) -> None:
    story.book(cast)
    round_ = story.plan_and_publish(cast)
    story.start(cast, round_["id"])
    withdraw(cast, round_["id"])
    path = f"/api/v1/dispatchers/rounds/{round_['id']}"
    etag = cast.dispatcher.get(path) and cast.dispatcher.etags[path]
    refused(cast, cast.dispatcher, "PUT", f"{path}/withdrawal", None, 409, "wrong_state", If_Match=etag)


def test_a_window_that_passed_is_told_and_can_be_renewed(cast: Cast) -> None:
    dossier = story.book(cast)
    past = {"start": tomorrow(8) - timedelta(days=2), "end": tomorrow(10) - timedelta(days=2)}
    cast.session.execute(text("UPDATE job SET window_start = :start, window_end = :end"), past)
    cast.session.commit()
    assert left_out(cast, story.plan(cast)) == {dossier["id"]: "window_past"}
    window = {"start": tomorrow(8).isoformat(), "end": tomorrow(10).isoformat()}
    job = cast.citizen.post(f"/dossiers/{dossier['id']}/pickups", {"window": window})
    assert job["dossier_id"] == dossier["id"]
    round_ = story.plan_and_publish(cast)
    assert [s["job"]["id"] for s in round_["stops"]] == [job["id"]]


def test_a_job_in_another_draft_is_told(cast: Cast) -> None:
    whole_day = {"start": tomorrow(8).isoformat(), "end": tomorrow(16).isoformat()}
    dossier = story.book(cast, window=whole_day)
    story.give_shift(cast, cast.courier)
    assert story.plan(cast)["planned"] == 1
    assert left_out(cast, story.plan(cast, "afternoon")) == {dossier["id"]: "in_another_draft"}


def test_a_closed_road_is_reported_without_a_false_arrival(cast: Cast) -> None:
    story.book(cast)
    round_ = story.plan_and_publish(cast)
    story.start(cast, round_["id"])
    failure = {"reason": "road_closed", "device_at": tomorrow(8).isoformat()}
    stop = cast.courier.put(f"/stops/{round_['stops'][0]['id']}/failure", failure)
    assert (stop["state"], stop["arrived_at"]) == ("failed", None)


def test_a_dossier_that_nobody_collects_any_more_waits_for_a_decision(cast: Cast) -> None:
    dossier = story.book(cast)
    assert cast.dispatcher.get("/stranded-dossiers")["items"] == []
    round_ = story.plan_and_publish(cast)
    story.start(cast, round_["id"])
    story.arrive(cast, round_["stops"][0])
    failure = {"reason": "not_home", "next_action": "give_up", "device_at": tomorrow(8).isoformat()}
    cast.courier.put(f"/stops/{round_['stops'][0]['id']}/failure", failure)
    assert [d["id"] for d in cast.dispatcher.get("/stranded-dossiers")["items"]] == [dossier["id"]]
    cast.dispatcher.post("/jobs", {"dossier_id": dossier["id"], "kind": "pickup"})
    assert cast.dispatcher.get("/stranded-dossiers")["items"] == []


def test_shifts_are_bounded(cast: Cast) -> None:
    def bad(start: Any, end: Any, code: str) -> None:
        body = {"courier_id": cast.courier.person_id, "starts_at": start.isoformat(), "ends_at": end.isoformat()}
        refused(cast, cast.dispatcher, "POST", "/shifts", body, 422, code, "/ends_at")

    bad(tomorrow(6), tomorrow(6) + timedelta(days=365), "shift_too_long")
    bad(tomorrow(6) - timedelta(days=3), tomorrow(12) - timedelta(days=3), "shift_in_the_past")


def test_a_plan_far_ahead_is_refused(cast: Cast) -> None:
    refused(
        cast, cast.dispatcher, "POST", "/plans", {"day": "2999-12-31", "half": "morning"}, 422, "day_too_far", "/day"
    )

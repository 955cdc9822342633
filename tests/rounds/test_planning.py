"""Planning half-days: what is planned once, what is left out and why, and what a move may not break."""

from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import select, text

from courier_api.jobs.states import JobKind
from courier_api.people.models import Role
from courier_api.places.models import Posting
from courier_api.queue import Outbox
from courier_api.rounds import daywork, planning
from courier_api.rounds.states import Half
from routing import solver
from tests import cast as story
from tests.cast import Cast, tomorrow
from tests.races import asking, outcome, race
from tests.refusals import nothing_written, refused


def ask(cast: Cast, day: Any, half: str = "morning") -> dict[str, Any]:
    """A request for a plan."""
    return {"day": day.isoformat(), "half": half}


def drafts(cast: Cast) -> list[dict[str, Any]]:
    """The rounds that there are, with their stops."""
    found = cast.dispatcher.get(f"/rounds?day={tomorrow().date()}")["items"]
    return [cast.dispatcher.get(f"/rounds/{r['id']}") for r in found]


def test_a_half_day_that_is_over(cast: Cast) -> None:
    for days in (2, 400):
        body = ask(cast, (tomorrow() - timedelta(days=days)).date())
        refused(cast, cast.dispatcher, "POST", "/plans", body, 422, "day_in_the_past", "/day")


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"half": "morning"}, "/day"),
        ({"day": "2026-02-30", "half": "morning"}, "/day"),
        ({"day": "9999-12-31", "half": "morning"}, "/day"),
        ({"day": "2030-01-01", "half": "noon"}, "/half"),
        ({"day": "2030-01-01", "half": None}, "/half"),
    ],
    ids=str,
)
def test_what_is_no_half_day(cast: Cast, body: dict[str, Any], pointer: str) -> None:
    refused(cast, cast.dispatcher, "POST", "/plans", body, 422, "bad_fields", pointer)


def test_one_plan_for_a_half_day_at_a_time(cast: Cast) -> None:
    day = tomorrow().date()
    first = cast.dispatcher.post("/plans", ask(cast, day), 202)
    assert (first["state"], first["progress"]) == ("queued", 0)
    refused(cast, cast.dispatcher, "POST", "/plans", ask(cast, day), 409, "plan_running")
    path = f"/plans/{first['id']}/publication"
    refused(cast, cast.dispatcher, "PUT", path, None, 409, "plan_not_done")
    cast.session.execute(text("UPDATE day_plan SET state = 'running'"))
    cast.session.commit()
    refused(cast, cast.dispatcher, "POST", "/plans", ask(cast, day), 409, "plan_running")
    # Another half-day's plan waits too: both would take a job that either may do.
    refused(cast, cast.dispatcher, "POST", "/plans", ask(cast, day, "afternoon"), 409, "plan_running")


def test_a_plan_of_nothing(cast: Cast) -> None:
    plan = story.plan(cast)
    assert (plan["state"], plan["jobs"], plan["planned"], plan["metres"]) == ("done", 0, 0, 0)
    assert cast.dispatcher.put(f"/plans/{plan['id']}/publication") == []
    story.give_shift(cast, cast.courier)
    plan = story.plan(cast)
    assert (plan["state"], plan["planned"], drafts(cast)) == ("done", 0, [])


def left_out(cast: Cast, plan: dict[str, Any]) -> list[tuple[str, str]]:
    """Reason and dossier of each job that is in no round."""
    return [(u["reason"], u["job"]["dossier_id"]) for u in cast.dispatcher.get(f"/plans/{plan['id']}/unplanned")]


def test_jobs_without_any_courier_are_left_out_with_a_reason(cast: Cast) -> None:
    dossier = story.book(cast)
    plan = story.plan(cast)
    assert (plan["state"], plan["jobs"], plan["planned"]) == ("done", 1, 0)
    assert left_out(cast, plan) == [("no_courier_with_skills", dossier["id"])]
    assert all(u["detail"] for u in cast.dispatcher.get(f"/plans/{plan['id']}/unplanned"))


def test_a_courier_of_another_office_is_no_courier_for_it(cast: Cast) -> None:
    dossier = story.book(cast)
    story.give_shift(cast, cast.outsider[Role.courier])
    assert left_out(cast, story.plan(cast)) == [("no_courier_with_skills", dossier["id"])]


def test_a_window_that_nobody_can_reach(cast: Cast) -> None:
    early = story.book(cast, window={"start": tomorrow(7).isoformat(), "end": tomorrow(7, 50).isoformat()})
    late = story.book(cast, window={"start": tomorrow(10, 30).isoformat(), "end": tomorrow(11).isoformat()})
    # What takes an hour at the door ends after the agency's hours.
    cast.session.execute(text("UPDATE job SET service_seconds = 3600 WHERE dossier_id = :late"), {"late": late["id"]})
    cast.session.commit()
    good = story.book(cast)
    story.give_shift(cast, cast.courier)
    plan = story.plan(cast)
    reasons = {dossier: reason for reason, dossier in left_out(cast, plan)}
    assert late["id"] in reasons
    assert set(reasons) <= {early["id"], late["id"]}
    assert set(reasons.values()) <= {"window_unreachable", "shift_too_short"}
    assert good["id"] in {s["job"]["dossier_id"] for r in drafts(cast) for s in r["stops"]}
    assert plan["jobs"] == plan["planned"] + len(reasons)


def test_what_would_let_a_job_in_is_told_and_true(cast: Cast) -> None:
    """Two neighbours' papers and room for one; then a shift that ends too early, in the afternoon."""
    hours = {"starts_at": tomorrow(6, 30).isoformat(), "ends_at": tomorrow(19).isoformat()}
    shift = cast.dispatcher.post("/shifts", {"courier_id": cast.courier.person_id, "capacity": 1, **hours})
    story.book(cast)
    story.book(cast)
    (job,) = cast.dispatcher.get(f"/plans/{story.plan(cast)['id']}/unplanned")
    assert job["reason"] == "crowded_out"
    remedies = {r["kind"]: r for r in job["remedies"]}
    assert remedies["larger_load"]["amount"] == 1
    assert remedies["larger_load"]["courier"]["id"] == cast.courier.person_id
    cast.session.execute(text("UPDATE shift SET capacity = 2 WHERE id = :id"), {"id": shift["id"]})
    cast.session.commit()
    assert left_out(cast, story.plan(cast)) == []


def test_a_longer_shift_helps_only_where_it_is_the_shift_that_ends(cast: Cast) -> None:
    late = {"window": {"start": tomorrow(10).isoformat(), "end": tomorrow(10, 30).isoformat()}}
    dossier = story.book(cast, **late)
    hours = {"starts_at": tomorrow(7, 30).isoformat(), "ends_at": tomorrow(9, 30).isoformat()}
    shift = cast.dispatcher.post("/shifts", {"courier_id": cast.courier.person_id, **hours})
    (job,) = cast.dispatcher.get(f"/plans/{story.plan(cast)['id']}/unplanned")
    (longer,) = [r for r in job["remedies"] if r["kind"] == "longer_shift"]
    cast.session.execute(
        text("UPDATE shift SET ends_at = ends_at + :more WHERE id = :id"),
        {"more": timedelta(seconds=longer["amount"]), "id": shift["id"]},
    )
    cast.session.commit()
    assert left_out(cast, story.plan(cast)) == []
    # What takes too long before the agency closes is not mended by any shift.
    cast.session.execute(text("UPDATE job SET service_seconds = 3600 WHERE dossier_id = :id"), {"id": dossier["id"]})
    cast.session.commit()
    (job,) = cast.dispatcher.get(f"/plans/{story.plan(cast)['id']}/unplanned")
    assert "longer_shift" not in {r["kind"] for r in job["remedies"]}


def test_a_job_for_another_half_day_is_not_looked_at(cast: Cast) -> None:
    story.book(cast, **story.window_on(1))
    story.give_shift(cast, cast.courier)
    plan = story.plan(cast)
    assert (plan["jobs"], left_out(cast, plan)) == (0, [])


def test_what_is_not_at_the_office_cannot_be_delivered(cast: Cast) -> None:
    dossier, manifest, item = story.listed(cast)
    cast.officer.put(f"/manifests/{manifest['id']}/lines/{item['id']}/refusal", {"reason": "thiếu chữ ký"})
    # The open job of an item that someone else holds.
    cast.session.execute(
        text("UPDATE job SET item_id = :item"), {"item": cast.session.scalar(text("SELECT id FROM postal_item"))}
    )
    cast.session.commit()
    plan = story.plan(cast, "afternoon")
    assert plan["planned"] == 1
    assert dossier["id"] == drafts(cast)[-1]["stops"][0]["job"]["dossier_id"]


def test_drafts_give_way_to_a_new_plan(cast: Cast) -> None:
    story.book(cast)
    story.give_shift(cast, cast.courier)
    story.plan(cast)
    (first,) = drafts(cast)
    story.book(cast)
    story.plan(cast)
    (second,) = drafts(cast)
    assert first["id"] != second["id"]
    assert len(second["stops"]) == 2
    cast.dispatcher.get(f"/rounds/{first['id']}", 404)


def test_what_is_published_is_not_planned_again(cast: Cast) -> None:
    first = story.book(cast)
    published = story.plan_and_publish(cast)
    second = story.book(cast)
    plan = story.plan(cast)
    # His shift is out on the published round: the new job waits, the old one is not moved.
    assert left_out(cast, plan) == [("no_courier_with_skills", second["id"])]
    (round_,) = drafts(cast)
    assert round_["id"] == published["id"]
    assert [s["job"]["dossier_id"] for s in round_["stops"]] == [first["id"]]
    assert cast.dispatcher.put(f"/plans/{plan['id']}/publication") == []


def test_a_plan_that_fails_says_so_and_makes_room(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    story.book(cast)
    story.give_shift(cast, cast.courier)
    with monkeypatch.context() as broken:

        def fail(*_: Any, **__: Any) -> Any:
            raise RuntimeError("the kernel broke")

        broken.setattr(solver, "solve", fail)
        plan = story.plan(cast)
    assert (plan["state"], plan["fault"]) == ("failed", "RuntimeError: the kernel broke")
    assert plan["finished_at"] is not None
    assert cast.session.scalars(select(Outbox).where(Outbox.done_at.is_(None))).all() == []
    refused(cast, cast.dispatcher, "PUT", f"/plans/{plan['id']}/publication", None, 409, "plan_not_done")
    assert drafts(cast) == []
    assert story.plan(cast)["state"] == "done"
    assert len(drafts(cast)) == 1


def test_a_plan_that_the_judge_does_not_accept_is_not_stored(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    story.book(cast)
    story.give_shift(cast, cast.courier)
    with monkeypatch.context() as strict:
        strict.setattr(planning.check, "violations", lambda *_: ["too good to be true"])
        plan = story.plan(cast)
    assert plan["state"] == "failed"
    assert "too good to be true" in plan["fault"]
    assert drafts(cast) == []


def test_what_was_called_off_while_it_was_planned_is_not_ridden(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    kept, called_off = story.book(cast), story.book(cast)
    story.give_shift(cast, cast.courier)
    solve = planning.plan_day

    def slow(*args: Any) -> Any:
        planned = solve(*args)
        cast.citizen.put(f"/dossiers/{called_off['id']}/cancellation", If_Match="*")
        return planned

    monkeypatch.setattr(planning, "plan_day", slow)
    plan = story.plan(cast)
    assert plan["state"] == "done"
    (round_,) = drafts(cast)
    states = {s["job"]["dossier_id"]: s["state"] for s in round_["stops"]}
    assert states == {kept["id"]: "pending", called_off["id"]: "cancelled"}
    cast.dispatcher.put(f"/plans/{plan['id']}/publication")
    kinds = [e["kind"] for e in cast.citizen.get(f"/dossiers/{called_off['id']}/timeline")["items"]]
    assert kinds == ["submitted", "cancelled"]


# --- moving stops ----------------------------------------------------------------------------------------------------


def move(cast: Cast, round_: dict[str, Any], stop: dict[str, Any], **body: Any) -> Any:
    """Move a stop."""
    path = f"/rounds/{round_['id']}/stops/{stop['id']}/position"
    return cast.dispatcher.put(path, body, If_Match="*")


def not_moved(
    cast: Cast, round_: Any, stop: Any, status: int, code: str, *pointers: str, **body: Any
) -> dict[str, Any]:
    """Move a stop where it cannot go."""
    path = f"/rounds/{round_['id']}/stops/{stop['id']}/position"
    return refused(cast, cast.dispatcher, "PUT", path, body, status, code, *pointers, If_Match="*")


HALF_MORNING = {"window": {"start": tomorrow(7, 30).isoformat(), "end": tomorrow(10, 30).isoformat()}}


def near(n: int) -> dict[str, Any]:
    """A door some hundred metres from the others."""
    return {"point": {"lon": story.HOME[0] + 0.002 * n, "lat": story.HOME[1]}} | HALF_MORNING


def test_moving_within_a_round(cast: Cast) -> None:
    for n in range(3):
        story.book(cast, **near(n))
    story.give_shift(cast, cast.courier)
    story.plan(cast)
    (round_,) = drafts(cast)
    first, second, third = round_["stops"]
    moved = move(cast, round_, first, position=3)
    assert [s["id"] for s in moved["stops"]] == [second["id"], third["id"], first["id"]]
    assert [s["position"] for s in moved["stops"]] == [1, 2, 3]
    arrivals = [s["arrival"] for s in moved["stops"]]
    assert arrivals == sorted(arrivals)
    assert moved["version"] > round_["version"]
    back = move(cast, round_, first, position=1)
    assert [s["id"] for s in back["stops"]] == [first["id"], second["id"], third["id"]]
    with nothing_written(cast.session):
        for position in (4, 1000):
            not_moved(cast, round_, first, 422, "no_such_position", "/position", position=position)
        for position in (0, -1, 1001, 1.5, "1", None):
            not_moved(cast, round_, first, 422, "bad_fields", "/position", position=position)
        not_moved(cast, round_, {"id": str(uuid4())}, 404, "not_found", position=1)
        not_moved(cast, round_, first, 404, "not_found", position=1, round_id=str(uuid4()))


def result_on_a_motorbike(cast: Cast) -> tuple[dict[str, Any], dict[str, Any]]:
    """Two couriers with published rounds, a result loaded for one of them: his round and the other's."""
    dossier, manifest, item = story.listed(cast)
    cast.officer.put(f"/manifests/{manifest['id']}/lines/{item['id']}/acceptance", story.acceptance(item))
    cast.officer.put(f"/results/{uuid4()}", story.result(cast, dossier))
    mine = story.plan_and_publish(cast, "afternoon")
    second = cast.outsider[Role.courier]
    posting = cast.session.scalars(select(Posting).where(Posting.person_id == second.person_id)).one()
    posting.service_point_id = cast.office.id
    cast.session.commit()
    story.give_shift(cast, second)
    story.book(cast, window={"start": tomorrow(15).isoformat(), "end": tomorrow(17).isoformat()})
    plan = story.plan(cast, "afternoon")
    cast.dispatcher.put(f"/plans/{plan['id']}/publication")
    story.load(cast)
    (theirs,) = second.get(f"/rounds?day={tomorrow().date()}")
    return mine, theirs


def test_a_result_already_loaded_goes_back_over_the_counter_when_its_stop_moves(cast: Cast) -> None:
    mine, theirs = result_on_a_motorbike(cast)
    second = cast.outsider[Role.courier]
    stop = mine["stops"][0]
    moved = move(cast, mine, stop, round_id=theirs["id"], position=1)
    assert [s["position"] for s in moved["stops"]] == [1, 2]
    assert stop["id"] in {s["id"] for s in moved["stops"]}
    assert cast.dispatcher.get(f"/rounds/{mine['id']}")["stops"] == []
    cast.courier.get(f"/stops/{stop['id']}", 404)
    refused(cast, second, "PUT", f"/rounds/{theirs['id']}/start", None, 409, "items_not_loaded", If_Match="*")

    item = cast.clerk.get(f"/couriers/{cast.courier.person_id}/items")[0]
    cast.clerk.put(f"/receipts/{uuid4()}", story.at_counter(item))
    cast.clerk.put(f"/loadings/{uuid4()}", story.at_counter(item, courier_id=second.person_id))
    second.put(f"/rounds/{theirs['id']}/start", If_Match="*")


def test_a_move_that_breaks_a_window_names_the_rule(cast: Cast) -> None:
    early = story.book(cast, window={"start": tomorrow(7, 30).isoformat(), "end": tomorrow(8).isoformat()})
    story.book(cast, window={"start": tomorrow(9, 30).isoformat(), "end": tomorrow(10).isoformat()})
    story.give_shift(cast, cast.courier)
    story.plan(cast)
    (round_,) = drafts(cast)
    first = round_["stops"][0]
    assert first["job"]["dossier_id"] == early["id"]
    problem = not_moved(cast, round_, first, 409, "move_breaks_round", "/position", position=2)
    assert "window" in problem["detail"]


def test_what_is_under_way_is_not_moved(cast: Cast) -> None:
    story.book(cast)
    round_, stop = story.ride(cast)
    not_moved(cast, round_, stop, 409, "round_under_way", position=1)


def test_a_round_of_another_half_day_is_no_place_for_a_stop(cast: Cast) -> None:
    story.book(cast)
    story.book(cast, window={"start": tomorrow(14).isoformat(), "end": tomorrow(16).isoformat()})
    story.give_shift(cast, cast.courier)
    story.plan(cast)
    story.plan(cast, "afternoon")
    morning, afternoon = drafts(cast)
    not_moved(
        cast,
        morning,
        morning["stops"][0],
        409,
        "round_of_another_office",
        "/round_id",
        round_id=afternoon["id"],
        position=1,
    )


# --- shifts ----------------------------------------------------------------------------------------------------------


def shift(cast: Cast, start: Any, end: Any, **more: Any) -> dict[str, Any]:
    """A shift of the courier."""
    return {"courier_id": cast.courier.person_id, "starts_at": start.isoformat(), "ends_at": end.isoformat()} | more


def test_shifts_never_overlap(cast: Cast) -> None:
    cast.dispatcher.post("/shifts", shift(cast, tomorrow(8), tomorrow(12)))
    for start, end in ((8, 12), (7, 9), (11, 13), (9, 10), (7, 13)):
        body = shift(cast, tomorrow(start), tomorrow(end))
        refused(cast, cast.dispatcher, "POST", "/shifts", body, 409, "shift_overlaps", "/starts_at")
    cast.dispatcher.post("/shifts", shift(cast, tomorrow(12), tomorrow(13)))
    cast.dispatcher.post("/shifts", shift(cast, tomorrow(7), tomorrow(8)))


def test_shifts_that_cannot_be(cast: Cast) -> None:
    def bad(body: dict[str, Any], code: str, pointer: str) -> None:
        refused(cast, cast.dispatcher, "POST", "/shifts", body, 422, code, pointer)

    bad(shift(cast, tomorrow(12), tomorrow(8)), "shift_ends_before_start", "/ends_at")
    bad(shift(cast, tomorrow(12), tomorrow(12)), "shift_ends_before_start", "/ends_at")
    bad(shift(cast, tomorrow(8), tomorrow(12), courier_id=str(uuid4())), "not_a_courier", "/courier_id")
    bad(shift(cast, tomorrow(8), tomorrow(12), courier_id=cast.clerk.person_id), "not_a_courier", "/courier_id")
    for capacity in (0, -1, 1001, 2.5, "60", True):
        bad(shift(cast, tomorrow(8), tomorrow(12), capacity=capacity), "bad_fields", "/capacity")


def test_of_four_shifts_defined_at_once_one_stands(committed_cast: Cast, app: Flask) -> None:
    cast = committed_cast
    body = shift(cast, tomorrow(8, later=40), tomorrow(12, later=40))
    asked = [asking(app, cast.dispatcher, "POST", "/shifts", body, Idempotency_Key=str(uuid4())) for _ in range(4)]
    assert sorted(outcome(a) for a in race(*asked)) == [(201, ""), *[(409, "shift_overlaps")] * 3]


def test_of_four_plans_asked_for_at_once_one_is_made(committed_cast: Cast, app: Flask) -> None:
    cast = committed_cast
    body = ask(cast, tomorrow(later=21).date())
    asked = [asking(app, cast.dispatcher, "POST", "/plans", body, Idempotency_Key=str(uuid4())) for _ in range(4)]
    assert sorted(outcome(a) for a in race(*asked)) == [(202, ""), *[(409, "plan_running")] * 3]
    cast.session.execute(text("UPDATE outbox SET done_at = now()"))
    cast.session.execute(text("UPDATE day_plan SET state = 'failed' WHERE state = 'queued'"))
    cast.session.commit()


def test_a_dispatcher_may_send_a_courier_to_a_commune_he_does_not_know(app: Flask) -> None:
    """It is dear, so a plan avoids it; whoever decides it breaks no rule."""
    office, near = (uuid4(), 106.05, 20.65), (106.06, 20.66)
    shift = daywork.ShiftToPlan(uuid4(), uuid4(), *office, (8 * 3600, 11 * 3600), 20, frozenset({"known"}))
    job = daywork.JobToPlan(uuid4(), JobKind.delivery, office[0], *near, None, 300, True, "strange")
    work = daywork.DayWork(tomorrow().date(), Half.morning, (), ())
    with app.app_context():
        timed = planning.retime(work, shift, [job])
    assert [stop.job_id for stop in timed.stops] == [job.id]
    assert timed.stops[0].departure - timed.stops[0].start == 300 + daywork.SETUP_S

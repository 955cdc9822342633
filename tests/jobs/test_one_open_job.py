"""A leg of a dossier has one open job at most, whoever asks and however many at once."""

from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy import func, select, text

from courier_api.jobs.models import Job
from tests import cast as story
from tests.cast import Cast, tomorrow
from tests.races import asking, outcome, race
from tests.refusals import refused


def again(cast: Cast, dossier: dict[str, Any], status: int, code: str, *pointers: str, **body: Any) -> None:
    """The dispatcher opens a job again, and is refused."""
    job = {"dossier_id": dossier["id"], "kind": "pickup"} | body
    refused(cast, cast.dispatcher, "POST", "/jobs", job, status, code, *pointers)


def test_a_second_pickup_while_one_is_open(cast: Cast) -> None:
    dossier = story.book(cast)
    path = f"/dossiers/{dossier['id']}/pickups"
    refused(cast, cast.citizen, "POST", path, story.window_on(0), 409, "job_already_open")
    again(cast, dossier, 409, "job_already_open")
    again(cast, dossier, 409, "job_already_open", **story.window_on(0))


def test_a_delivery_of_what_was_never_collected(cast: Cast) -> None:
    again(cast, story.book(cast), 409, "wrong_state", kind="delivery")


def test_a_pickup_of_what_was_collected(cast: Cast) -> None:
    dossier, _, _ = story.collected(cast)
    again(cast, dossier, 409, "wrong_state")
    path = f"/dossiers/{dossier['id']}/pickups"
    refused(cast, cast.citizen, "POST", path, story.window_on(0), 409, "wrong_state")


def test_a_pickup_of_what_was_called_off(cast: Cast) -> None:
    dossier = story.book(cast)
    cast.citizen.put(f"/dossiers/{dossier['id']}/cancellation", If_Match="*")
    again(cast, dossier, 409, "wrong_state")


def close(cast: Cast) -> None:
    """All open jobs have failed."""
    cast.session.execute(text("UPDATE job SET state = 'closed', outcome = 'failed' WHERE state = 'open'"))
    cast.session.commit()
    cast.session.expire_all()


@pytest.mark.parametrize("who", ["citizen", "dispatcher"])
def test_windows_of_a_new_pickup_that_cannot_be(cast: Cast, who: str) -> None:
    dossier = story.book(cast)
    close(cast)
    past = {"start": tomorrow(8, later=-3).isoformat(), "end": tomorrow(10, later=-3).isoformat()}
    backward = {"start": tomorrow(10).isoformat(), "end": tomorrow(8).isoformat()}
    midnight = {"start": tomorrow(20).isoformat(), "end": tomorrow(8, later=1).isoformat()}
    far = {"start": tomorrow(8, later=60).isoformat(), "end": tomorrow(9, later=60).isoformat()}
    for window, code, pointer in (
        (past, "window_in_the_past", "/window/start"),
        (backward, "window_too_short", "/window/end"),
        (midnight, "window_over_midnight", "/window/end"),
        (far, "window_too_far", "/window/end"),
    ):
        if who == "dispatcher":
            again(cast, dossier, 422, code, pointer, window=window)
        else:
            path = f"/dossiers/{dossier['id']}/pickups"
            refused(cast, cast.citizen, "POST", path, {"window": window}, 422, code, pointer)


def test_a_new_pickup_after_the_last_one_failed(cast: Cast) -> None:
    dossier = story.book(cast)
    close(cast)
    job = cast.citizen.post(f"/dossiers/{dossier['id']}/pickups", story.window_on(1))
    assert job["state"] == "open"
    assert cast.citizen.get(f"/dossiers/{dossier['id']}")["window_start"] == job["window_start"]
    again(cast, dossier, 409, "job_already_open")


def test_four_at_once_open_one(committed_cast: Cast, app: Flask) -> None:
    cast = committed_cast
    dossier = story.book(cast)
    cast.session.execute(
        text("UPDATE job SET state = 'closed', outcome = 'failed' WHERE dossier_id = :id"), {"id": dossier["id"]}
    )
    cast.session.commit()
    booking = [
        asking(
            app,
            cast.citizen,
            "POST",
            f"/dossiers/{dossier['id']}/pickups",
            story.window_on(0),
            Idempotency_Key=str(uuid4()),
        )
        for _ in range(2)
    ]
    job = {"dossier_id": dossier["id"], "kind": "pickup"}
    opening = [asking(app, cast.dispatcher, "POST", "/jobs", job, Idempotency_Key=str(uuid4())) for _ in range(2)]
    outcomes = sorted(outcome(answer) for answer in race(*booking, *opening))
    assert outcomes == [(201, ""), *[(409, "job_already_open")] * 3]
    query = select(func.count()).select_from(Job).where(Job.dossier_id == dossier["id"], Job.state == "open")
    assert cast.session.scalar(query) == 1


def test_one_booking_sent_by_four_at_once_is_one_dossier(committed_cast: Cast, app: Flask) -> None:
    cast = committed_cast
    body = story.booking(story.checklist(cast))
    before = cast.session.scalar(text("SELECT count(*) FROM dossier"))
    cast.session.commit()
    key = str(uuid4())
    answers = race(*[asking(app, cast.citizen, "POST", "/dossiers", body, Idempotency_Key=key) for _ in range(4)])
    assert {outcome(a) for a in answers} <= {(201, ""), (409, "request_running")}
    made = [a.get_json()["id"] for a in answers if a.status_code == 201]
    assert len(set(made)) == 1
    assert cast.session.scalar(text("SELECT count(*) FROM dossier")) == before + 1

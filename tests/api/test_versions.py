"""Writes to dossiers and rounds say which version they have seen: 428 without, 412 when it is old."""

from typing import Any

import pytest

from tests import cast as story
from tests.cast import Cast
from tests.refusals import nothing_written, problem_in, refused


def must_say_its_version(cast: Cast, who: Any, path: str, seen: str, body: Any = None) -> None:
    """Without If-Match 428, with any other version 412, and nothing written."""
    refused(cast, who, "PUT", path, body, 428, "if_match_missing")
    for wrong in ('"999"', "999", seen.strip('"'), f"W/{seen}", '""', f"{seen[:-1]}0{seen[-1]}"):
        refused(cast, who, "PUT", path, body, 412, "stale", If_Match=wrong)


def test_cancelling_a_dossier(cast: Cast) -> None:
    dossier = story.book(cast)
    cast.citizen.get(f"/dossiers/{dossier['id']}")
    etag = cast.citizen.etags[f"/api/v1/citizens/dossiers/{dossier['id']}"]
    path = f"/dossiers/{dossier['id']}/cancellation"
    must_say_its_version(cast, cast.citizen, path, etag)
    assert cast.citizen.put(path, If_Match=etag)["state"] == "cancelled"
    refused(cast, cast.citizen, "PUT", path, None, 412, "stale", If_Match=etag)
    with nothing_written(cast.session):
        cast.citizen.put(path, If_Match="*")


def draft(cast: Cast) -> tuple[str, str, str]:
    """A round that is planned and not published: its id, ETag and first stop."""
    story.book(cast)
    story.give_shift(cast, cast.courier)
    story.plan(cast)
    round_ = cast.dispatcher.get(f"/rounds?day={story.tomorrow().date()}")["items"][0]
    stops = cast.dispatcher.get(f"/rounds/{round_['id']}")["stops"]
    return round_["id"], cast.dispatcher.etags[f"/api/v1/dispatchers/rounds/{round_['id']}"], stops[0]["id"]


def test_publishing_a_round(cast: Cast) -> None:
    round_id, etag, _ = draft(cast)
    path = f"/rounds/{round_id}/publication"
    must_say_its_version(cast, cast.dispatcher, path, etag)
    assert cast.dispatcher.put(path, If_Match=etag)["state"] == "published"
    refused(cast, cast.dispatcher, "PUT", path, None, 412, "stale", If_Match=etag)
    refused(cast, cast.dispatcher, "PUT", path, None, 409, "wrong_state", If_Match="*")


def test_moving_a_stop(cast: Cast) -> None:
    round_id, etag, stop_id = draft(cast)
    path = f"/rounds/{round_id}/stops/{stop_id}/position"
    must_say_its_version(cast, cast.dispatcher, path, etag, {"position": 1})
    cast.dispatcher.put(path, {"position": 1}, If_Match=etag)


@pytest.mark.parametrize("action", ["start", "finish"])
def test_starting_and_finishing_a_round(cast: Cast, action: str) -> None:
    story.book(cast)
    round_ = story.plan_and_publish(cast)
    path = f"/rounds/{round_['id']}"
    if action == "finish":
        story.start(cast, round_["id"])
        story.fail(cast, story.arrive(cast, round_["stops"][0]))
        cast.courier.get(path)
    etag = cast.courier.etags[f"/api/v1/couriers{path}"]
    must_say_its_version(cast, cast.courier, f"{path}/{action}", etag)
    cast.courier.put(f"{path}/{action}", If_Match=etag)
    # Sent again from the old view: the answer was lost, the round has moved on.
    refused(cast, cast.courier, "PUT", f"{path}/{action}", None, 412, "stale", If_Match=etag)


def test_a_citizen_who_cancels_makes_the_dispatchers_view_old(cast: Cast) -> None:
    round_id, etag, _ = draft(cast)
    dossier = cast.citizen.get("/dossiers")["items"][0]
    cast.citizen.put(f"/dossiers/{dossier['id']}/cancellation", If_Match="*")
    refused(cast, cast.dispatcher, "PUT", f"/rounds/{round_id}/publication", None, 412, "stale", If_Match=etag)


def test_a_cancelled_pickup_is_not_announced(cast: Cast) -> None:
    round_id, _, _ = draft(cast)
    dossier = cast.citizen.get("/dossiers")["items"][0]
    cast.citizen.put(f"/dossiers/{dossier['id']}/cancellation", If_Match="*")
    cast.dispatcher.put(f"/rounds/{round_id}/publication", If_Match="*")
    kinds = [e["kind"] for e in cast.citizen.get(f"/dossiers/{dossier['id']}/timeline")["items"]]
    assert kinds == ["submitted", "cancelled"]


def test_after_the_pickup_nothing_can_be_cancelled(cast: Cast) -> None:
    dossier, _, _ = story.collected(cast)
    path = f"/dossiers/{dossier['id']}/cancellation"
    refused(cast, cast.citizen, "PUT", path, None, 409, "wrong_state", If_Match="*")
    problem_in(cast.citizen.last, 409, "wrong_state")

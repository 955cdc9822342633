"""The same request sent again is the same request: one row, one answer."""

from uuid import UUID

from sqlalchemy import Engine, func, select, text

from courier_api.dossiers.models import Dossier
from courier_api.guard.answers import StoredAnswer, forget_old
from tests import cast as story
from tests.cast import Cast
from tests.refusals import nothing_written, problem_in, refused

KEY = '"0192f0c1-the-same-key"'


def dossiers(cast: Cast) -> int:
    """How many there are."""
    return cast.session.scalar(select(func.count()).select_from(Dossier)) or 0


def test_the_answer_is_replayed(cast: Cast) -> None:
    body = story.booking(story.checklist(cast))
    first = cast.citizen.post("/dossiers", body, Idempotency_Key=KEY)
    etag = cast.citizen.last.headers["ETag"]
    with nothing_written(cast.session):
        again = cast.citizen.post("/dossiers", body, Idempotency_Key=KEY)
    assert again == first
    assert cast.citizen.last.headers["Idempotent-Replayed"] == "true"
    assert cast.citizen.last.headers["ETag"] == etag
    assert dossiers(cast) == 1


def test_a_key_means_the_same_with_and_without_quotes(cast: Cast) -> None:
    body = story.booking(story.checklist(cast))
    first = cast.citizen.post("/dossiers", body, Idempotency_Key=KEY)
    assert cast.citizen.post("/dossiers", body, Idempotency_Key=KEY.strip('"')) == first


def test_another_body_under_the_same_key(cast: Cast) -> None:
    body = story.booking(story.checklist(cast))
    cast.citizen.post("/dossiers", body, Idempotency_Key=KEY)
    other = body | {"note": "another"}
    refused(
        cast,
        cast.citizen,
        "POST",
        "/dossiers",
        other,
        422,
        "idempotency_key_reused",
        "Idempotency-Key",
        Idempotency_Key=KEY,
    )
    assert dossiers(cast) == 1


def test_another_address_under_the_same_key(cast: Cast) -> None:
    dossier = cast.citizen.post("/dossiers", story.booking(story.checklist(cast)), Idempotency_Key=KEY)
    window = {"window": dossier and {"start": dossier["window_start"], "end": dossier["window_end"]}}
    path = f"/dossiers/{dossier['id']}/pickups"
    refused(cast, cast.citizen, "POST", path, window, 422, "idempotency_key_reused", Idempotency_Key=KEY)


def test_a_refused_request_does_not_use_up_its_key(cast: Cast) -> None:
    body = story.booking(story.checklist(cast))
    refused(
        cast, cast.citizen, "POST", "/dossiers", body | {"consent": False}, 422, "consent_missing", Idempotency_Key=KEY
    )
    cast.citizen.post("/dossiers", body, Idempotency_Key=KEY)


def test_another_caller_may_use_the_same_key(cast: Cast) -> None:
    from courier_api.people.models import Role

    body = story.booking(story.checklist(cast))
    first = cast.citizen.post("/dossiers", body, Idempotency_Key=KEY)
    second = cast.outsider[Role.citizen].post("/dossiers", body, Idempotency_Key=KEY)
    assert first["id"] != second["id"]
    assert dossiers(cast) == 2


def test_while_the_first_runs_the_second_is_refused(cast: Cast, engine: Engine) -> None:
    body = story.booking(story.checklist(cast))
    lock = text("SELECT pg_advisory_xact_lock(hashtextextended(:name, 0))")
    with engine.connect() as first, first.begin():
        # What the first request holds until it commits.
        name = f"{UUID(cast.citizen.person_id)} {KEY.strip(chr(34))}"
        first.execute(lock, {"name": name})
        refused(cast, cast.citizen, "POST", "/dossiers", body, 409, "request_running", Idempotency_Key=KEY)
    cast.citizen.post("/dossiers", body, Idempotency_Key=KEY)


def test_answers_are_kept_for_a_week(cast: Cast) -> None:
    body = story.booking(story.checklist(cast))
    cast.citizen.post("/dossiers", body, Idempotency_Key=KEY)
    for age, kept in ((6, 1), (8, 0)):
        cast.session.execute(text(f"UPDATE stored_answer SET created_at = now() - interval '{age} days'"))
        forget_old(cast.session)
        assert cast.session.scalar(select(func.count()).select_from(StoredAnswer)) == kept


def test_a_key_with_odd_marks_is_a_key(cast: Cast) -> None:
    body = story.booking(story.checklist(cast))
    cast.citizen.post("/dossiers", body, Idempotency_Key="'; DROP TABLE x; --")
    answer = cast.client.post(
        "/api/v1/citizens/dossiers",
        json=body,
        headers={
            "Authorization": f"Bearer {cast.citizen.token}",
            "Idempotency-Key": "khóa của tôi".encode().decode("latin1"),
        },
    )
    assert answer.status_code in (201, 400), answer.data
    if answer.status_code == 400:
        problem_in(answer, 400, "idempotency_key_missing")

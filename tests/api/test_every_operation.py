"""What holds for every operation of the document, so that a new one is covered by itself."""

from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from courier_api.custody import ledger, uploads
from courier_api.custody.models import EvidenceKind, Handover
from courier_api.people.models import Person, Role
from tests import cast as story
from tests.api.samples import Operation, operations
from tests.cast import Actor, Cast
from tests.custody.phone import Phone, nowhere
from tests.refusals import codes, nothing_written, problem_in

ALL = operations()
ROLE = {"citizens": Role.citizen, "couriers": Role.courier, "clerks": Role.clerk, "agencies": Role.officer}
# What these phones send is another's protocol: whatever it is gets a 2xx, see tests/tracking.
WITH_BODY = [o for o in ALL if o.body_schema is not None and o.id != "receivePositions"]
named = pytest.mark.parametrize


def actors(cast: Cast) -> dict[str, Actor]:
    """Who acts in which audience."""
    return {a.audience: a for a in (cast.citizen, cast.courier, cast.clerk, cast.dispatcher, cast.officer)}


def send(cast: Cast, operation: Operation, token: str | None, url: str, body: Any, **headers: str) -> Any:
    """Call an operation as its document says."""
    sent = operation.sent_headers() | {"Accept-Language": "en"} | headers
    if token is not None:
        sent["Authorization"] = f"Bearer {token}"
    if operation.raw_type is not None:
        return cast.client.open(url, method=operation.method, data=b"x", content_type=operation.raw_type, headers=sent)
    return cast.client.open(url, method=operation.method, json=body, headers=sent)


def test_the_document_names_every_operation_once() -> None:
    ids = [operation.id for operation in ALL]
    assert len(set(ids)) == len(ids) > 50


@named("operation", [o for o in ALL if o.guarded], ids=repr)
def test_nobody_gets_in_without_a_token_or_with_another_role(cast: Cast, operation: Operation) -> None:
    others = [actor for audience, actor in actors(cast).items() if audience != operation.audience]
    assert len(others) == 4
    with nothing_written(cast.session):
        for token in (None, "", "made up", cast.citizen.token[:-1], cast.citizen.token + "x"):
            answer = send(cast, operation, token, operation.url({}), operation.body({}))
            problem_in(answer, 401, "not_signed_in")
            assert answer.headers["WWW-Authenticate"] == "Bearer"
        for other in others:
            problem_in(send(cast, operation, other.token, operation.url({}), operation.body({})), 403, "wrong_role")


def token_for(cast: Cast, operation: Operation) -> str | None:
    """The token of who may call an operation."""
    return actors(cast)[operation.audience].token if operation.guarded else None


@named("operation", WITH_BODY, ids=repr)
def test_an_unknown_field_in_a_body_is_named(cast: Cast, operation: Operation) -> None:
    for name, pointer in (("surprise", "/surprise"), ("json", "/json"), ("a/b~c", "/a~1b~0c")):
        with nothing_written(cast.session):
            body = operation.body({}) | {name: 1}
            answer = send(cast, operation, token_for(cast, operation), operation.url({}), body)
        assert codes(problem_in(answer, 422, "bad_fields")) == {(pointer, "unknown_field")}


@named("operation", [o for o in ALL if o.query], ids=repr)
def test_an_unknown_field_in_a_query_is_named(cast: Cast, operation: Operation) -> None:
    with nothing_written(cast.session):
        url = operation.url({}, surprise="1")
        answer = send(cast, operation, token_for(cast, operation), url, operation.body({}))
    assert codes(problem_in(answer, 422, "bad_fields")) == {("/surprise", "unknown_field")}


@named("operation", WITH_BODY, ids=repr)
def test_a_body_that_is_no_object_is_refused(cast: Cast, operation: Operation) -> None:
    with nothing_written(cast.session):
        for raw in (b"[]", b"[1]", b'"text"', b"7", b"null", b"true", b""):
            answer = send_raw(cast, operation, raw)
            problem_in(answer, 422, "bad_fields")


def send_raw(cast: Cast, operation: Operation, raw: bytes) -> Any:
    """Send bytes that say that they are JSON."""
    headers = operation.sent_headers() | {"Content-Type": "application/json"}
    headers["Authorization"] = f"Bearer {token_for(cast, operation)}"
    return cast.client.open(operation.url({}), method=operation.method, data=raw, headers=headers)


@named("operation", WITH_BODY, ids=repr)
def test_what_is_no_json_is_refused(cast: Cast, operation: Operation) -> None:
    broken = {
        "cut off": b"{",
        "not UTF-8": b"\xff\xfe{}",
        "nested for ever": b"[" * 200_000,
        "endless number": b'{"position": ' + b"9" * 5_000 + b"}",
    }
    with nothing_written(cast.session):
        for raw in broken.values():
            problem_in(send_raw(cast, operation, raw), 400, "bad_json")
        problem_in(send_raw(cast, operation, b'{"x": "' + b"x" * (2 << 20) + b'"}'), 413, "too_large")


@named("operation", [o for o in ALL if "Idempotency-Key" in o.headers], ids=repr)
def test_creating_needs_a_key(cast: Cast, operation: Operation) -> None:
    with nothing_written(cast.session):
        for key in (None, "", '""', "short", "x" * 101):
            headers = {"Authorization": f"Bearer {token_for(cast, operation)}"}
            headers |= {} if key is None else {"Idempotency-Key": key}
            answer = cast.client.open(
                operation.url({}), method=operation.method, json=operation.body({}), headers=headers
            )
            problem_in(answer, 400, "idempotency_key_missing", "Idempotency-Key")


@named("operation", [o for o in ALL if o.method == "POST" and o.guarded], ids=repr)
def test_every_post_that_creates_takes_a_key(operation: Operation) -> None:
    if operation.id in OWN_IDS:
        return
    assert "Idempotency-Key" in operation.headers
    assert {"400", "409", "422"} <= operation.answers


# Operations carry ids of their own, an upload is known by its event and size.
OWN_IDS = {"sync", "createUpload"}


def known_ids(cast: Cast) -> dict[str, str]:
    """An object of the cast's own for each kind of id that an address or a body may name."""
    dossier, manifest, item = story.listed(cast)
    day = story.tomorrow().date()
    round_ = cast.courier.get(f"/rounds?day={day}")[0]
    stop = cast.courier.get(f"/rounds/{round_['id']}")["stops"][0]
    plan = cast.dispatcher.get("/plans")["items"][0]
    closure = cast.dispatcher.post("/closures", {"ways": [1], "reason": "Ngập"})
    handover = cast.session.scalars(select(Handover).order_by(Handover.at).limit(1)).one()
    ledger.grow(cast.session)
    courier = cast.session.get_one(Person, UUID(cast.courier.person_id))
    upload = uploads.begin(cast.session, courier, handover.id, EvidenceKind.photo, 10)
    phone = Phone(cast)
    operation = phone.operation("courier.start", round=nowhere())
    assert phone.sync(operation)[0]["result"] == "parked"
    case = cast.dispatcher.get("/cases")["items"][0]
    cast.session.commit()
    return {
        "dossier_id": dossier["id"],
        "manifest_id": manifest["id"],
        "item_id": item["id"],
        "round_id": round_["id"],
        "stop_id": stop["id"],
        "plan_id": plan["id"],
        "closure_id": closure["id"],
        "entry_id": str(handover.id),
        "upload_id": str(upload.id),
        "operation_id": operation["id"],
        "case_id": case["id"],
        "courier_id": cast.courier.person_id,
        "centre_id": str(cast.centre.id),
    }


FRESH = {"handover_id"}  # made by the caller
NO_ID = {"code", "secret", "kid", "level", "place"}


def test_an_outsider_sees_of_others_what_he_sees_of_nothing(cast: Cast) -> None:
    ids = known_ids(cast)
    tried = []
    for operation in ALL:
        asked = {*operation.in_path, *(operation.body(ids) or {})} & (set(ids) | FRESH)
        unknown = set(operation.in_path) - set(ids) - FRESH - NO_ID
        assert not unknown, f"{operation} names {unknown}: give known_ids() one"
        if not operation.guarded or operation.audience == "dispatchers" or not asked - FRESH - {"centre_id"}:
            continue
        outsider = cast.outsider[ROLE[operation.audience]]
        nowhere = {name: str(uuid4()) for name in ids}
        with nothing_written(cast.session):
            theirs = send(cast, operation, outsider.token, operation.url(ids), operation.body(ids))
            none = send(cast, operation, outsider.token, operation.url(nowhere), operation.body(nowhere))
        problem_in(theirs, 404, "not_found")
        problem_in(none, 404, "not_found")
        assert theirs.data == none.data
        tried.append(operation.id)
    assert len(tried) >= 18, tried


def test_a_dispatcher_finds_nothing_under_a_made_up_id(cast: Cast) -> None:
    with nothing_written(cast.session):
        for operation in (o for o in ALL if o.audience == "dispatchers" and o.in_path):
            answer = send(cast, operation, cast.dispatcher.token, operation.url({}), operation.body({}))
            problem_in(answer, 404, "not_found")


def test_an_address_with_what_is_no_id_is_not_found(cast: Cast) -> None:
    for operation in (o for o in ALL if set(o.in_path) - NO_ID):
        url = operation.url(dict.fromkeys(operation.in_path, "not-an-id"))
        problem_in(send(cast, operation, token_for(cast, operation), url, operation.body({})), 404, "not_found")


def test_a_page_has_a_size_in_bounds(cast: Cast) -> None:
    for operation in asking_for("limit"):
        for limit in ("0", "-1", "201", "1.5", "ten", ""):
            answer = send(cast, operation, token_for(cast, operation), operation.url({}, limit=limit), None)
            problem_in(answer, 422, "bad_fields", "/limit")


def asking_for(name: str) -> list[Operation]:
    """The operations with a field of this name in their query."""
    return [o for o in ALL if any(p["name"] == name for p in o.query)]


def test_a_cursor_that_is_none_is_named(cast: Cast) -> None:
    for operation in asking_for("cursor"):
        url = operation.url({}, cursor="next")
        problem_in(send(cast, operation, token_for(cast, operation), url, None), 422, "bad_fields", "/cursor")


def test_the_ends_of_the_calendar_break_nothing(cast: Cast) -> None:
    for operation in asking_for("day"):
        for day in ("0001-01-01", "9999-12-31"):
            answer = send(cast, operation, token_for(cast, operation), operation.url({}, day=day), None)
            problem_in(answer, 422, "bad_fields", "/day")


def test_an_address_with_odd_bytes_is_not_found(cast: Cast) -> None:
    for operation in (o for o in ALL if set(o.in_path) & NO_ID):
        for value in ("%00", "%ED%A0%80", "%FF", "x" * 500):
            url = operation.url(dict.fromkeys(operation.in_path, value))
            answer = send(cast, operation, token_for(cast, operation), url, operation.body({}))
            assert answer.status_code == 404, (operation, value, answer.data)


def test_an_unknown_address_is_a_problem(cast: Cast) -> None:
    problem_in(cast.client.get("/api/v1/public/nothing-here"), 404, "not_found")
    problem_in(cast.client.open("/api/v1/public/quotes", method="DELETE"), 405, "method_not_allowed")

"""All doors of a round at once: the same as one by one, in as many queries for twelve as for one."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

from sqlalchemy import Engine, event

from courier_api.people.models import Role
from tests import cast as story
from tests.cast import Cast, tomorrow
from tests.custody.phone import Phone
from tests.refusals import problem_in

WIDE = {"window": {"start": tomorrow(7, 30).isoformat(), "end": tomorrow(11).isoformat()}}


@contextmanager
def counted(engine: Engine) -> Iterator[list[str]]:
    """The statements that are sent meanwhile."""
    sent: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_: Any) -> None:
        sent.append(statement)

    event.listen(engine, "before_cursor_execute", note)
    yield sent
    event.remove(engine, "before_cursor_execute", note)


def read(cast: Cast, engine: Engine, round_id: str) -> tuple[list[dict[str, Any]], int]:
    """The doors, and how many statements they took: each request begins with an empty session."""
    with counted(engine) as sent:
        doors = cast.courier.get(f"/rounds/{round_id}/doors")
    return doors, len(sent)


def test_twelve_doors_take_as_many_queries_as_one(cast: Cast, engine: Engine) -> None:
    story.book(cast, **WIDE)
    one = story.plan_and_publish(cast)
    (door,), for_one = read(cast, engine, one["id"])
    assert door == cast.courier.get(f"/stops/{door['id']}")
    cast.dispatcher.get(f"/rounds/{one['id']}")
    cast.dispatcher.put(
        f"/rounds/{one['id']}/withdrawal", If_Match=cast.dispatcher.etags[f"/api/v1/dispatchers/rounds/{one['id']}"]
    )
    for n in range(11):
        point = {"lon": story.HOME[0] + n / 5000, "lat": story.HOME[1]}
        service = ("both", "send")[n % 2]
        story.book(cast, **WIDE, service=service, point=point, cautions=["dog"] if n % 3 else [])
    twelve = story.plan_and_publish(cast)
    doors, for_twelve = read(cast, engine, twelve["id"])
    assert len(doors) == 12
    assert [d["id"] for d in doors] == [s["id"] for s in twelve["stops"]]
    assert for_twelve == for_one <= 20
    assert [cast.courier.get(f"/stops/{d['id']}") for d in doors] == doors


def test_results_on_board_take_as_many_as_at_the_office(cast: Cast, engine: Engine) -> None:
    dossiers = [
        story.book(cast, service="return", procedure_code="1.014063", documents=[], window=None) for _ in range(3)
    ]
    for dossier in dossiers:
        cast.officer.put(f"/results/{uuid4()}", story.result(cast, dossier))
    round_ = story.plan_and_publish(cast, "afternoon")
    before, first = read(cast, engine, round_["id"])
    assert {d["custody"]["holder"]["role"] for d in before} == {"office"}
    for item in cast.clerk.get("/items")["items"]:
        cast.clerk.put(f"/loadings/{uuid4()}", story.at_counter(item, courier_id=cast.courier.person_id))
    after, second = read(cast, engine, round_["id"])
    assert {d["custody"]["holder"]["role"] for d in after} == {"courier"}
    assert first == second


def test_a_door_tells_all_that_is_needed_there(cast: Cast) -> None:
    story.book(cast, cautions=["gate", "dog", "gate"])
    round_ = story.plan_and_publish(cast)
    (door,) = cast.courier.get(f"/rounds/{round_['id']}/doors")
    assert door["job"]["cautions"] == ["dog", "gate"]
    assert door["authorization"] in ("anyone_written", "family_exempt", "forbidden")
    assert door["amounts"]["total"] == door["requirements"]["fee"] > 0
    parts = door["amounts"]
    assert parts["total"] == parts["state_fee"] + parts["postage"] + parts["fee_transfer"]
    assert door["requirements"]["recalled"] == []
    assert [p["position"] for p in door["checklist"]] == [r["position"] for r in story.checklist(cast)]
    assert set(door["checklist"][0]) >= {"name", "originals", "copies", "mandatory", "recalled_original"}
    assert (door["arrived_why"], door["attempts"]) == (None, [])
    assert cast.courier.last.headers["ETag"] == f'"{round_["version"]}"'
    phone = Phone(cast)
    phone.sync(phone.start(round_["id"]), phone.arrival(door), phone.handover(door))
    (after,) = cast.courier.get(f"/rounds/{round_['id']}/doors")
    assert (after["requirements"]["fee"], after["amounts"]["total"]) == (0, 0)


def test_anothers_doors_and_a_drafts_are_not_there(cast: Cast) -> None:
    story.book(cast)
    story.give_shift(cast, cast.courier)
    story.plan(cast)
    draft = cast.dispatcher.get("/rounds")["items"][0]
    cast.courier.get(f"/rounds/{draft['id']}/doors", 404)
    plan = cast.dispatcher.get("/plans")["items"][0]
    cast.dispatcher.put(f"/plans/{plan['id']}/publication")
    assert len(cast.courier.get(f"/rounds/{draft['id']}/doors")) == 1
    cast.outsider[Role.courier].call("GET", f"/rounds/{draft['id']}/doors")
    problem_in(cast.outsider[Role.courier].last, 404, "not_found")

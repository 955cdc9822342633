"""What a dispatcher sees of where couriers are: those of his office, on duty, where they were last."""

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import event, text

from courier_api.db import now
from courier_api.people import signing_in
from courier_api.people.models import Role
from courier_api.places.models import Posting
from courier_api.rounds.states import RoundState
from courier_api.tracking import whereabouts
from scripts.commands.operator import post
from tests.cast import Actor, Cast
from tests.refusals import refused
from tests.tracking.captures import HERE, batch, query, traccar
from tests.tracking.duty import HOUR, device, ride, tell


def foreign_dispatcher(cast: Cast) -> Actor:
    """A dispatcher of the outsider's post office."""
    other = UUID(cast.outsider[Role.courier].person_id)
    place = cast.session.get_one(Posting, (other, Role.courier)).service_point
    post(cast.session, "+84912000014", "Điều Phối Khác", Role.dispatcher, place)
    signed = signing_in.sign_in(cast.session, "+84912000014", Role.dispatcher)
    cast.session.commit()
    return Actor(cast.client, signed.token, str(signed.person.id), "dispatchers")


def test_each_courier_on_duty_where_he_was_last(cast: Cast) -> None:
    assert cast.dispatcher.get("/positions") == []
    at = now().replace(microsecond=0) - HOUR
    round_ = ride(cast, at)
    phone = device(cast.courier)
    assert cast.dispatcher.get("/positions") == []
    tell(cast, traccar(phone, at + HOUR / 2, coords={"latitude": 20.7}))
    tell(cast, batch(phone, at, at + HOUR / 4))  # late, and not the newest
    (seen,) = cast.dispatcher.get("/positions")
    assert datetime.fromisoformat(seen.pop("captured_at")) == at + HOUR / 2
    assert now() - datetime.fromisoformat(seen.pop("received_at")) < timedelta(minutes=1)
    assert seen.pop("courier")["id"] == cast.courier.person_id
    assert seen == {
        "round_id": str(round_.id),
        "point": {"lon": HERE[0], "lat": 20.7},
        "accuracy_m": 12,
        "speed_mps": 6.94,
        "heading": 272,
        "battery": 82,
        "moving": True,
        "source": "traccar",
    }


def test_as_geojson(cast: Cast) -> None:
    at = now().replace(microsecond=0) - HOUR
    ride(cast, at)
    tell(cast, query(device(cast.courier), at))
    found = cast.dispatcher.get("/positions", Accept="application/geo+json")
    assert cast.dispatcher.last.content_type == "application/geo+json"
    (feature,) = found["features"]
    assert (found["type"], feature["type"], feature["id"]) == ("FeatureCollection", "Feature", cast.courier.person_id)
    assert feature["geometry"] == {"type": "Point", "coordinates": list(HERE)}
    assert feature["properties"]["courier"]["full_name"] == "Trần Văn Nam"
    assert feature["properties"]["battery"] == 87
    assert "point" not in feature["properties"]


def test_another_offices_dispatcher_sees_none_of_them(cast: Cast) -> None:
    at = now().replace(microsecond=0) - HOUR
    foreign = foreign_dispatcher(cast)
    other = cast.outsider[Role.courier]
    place = cast.session.get_one(Posting, (UUID(other.person_id), Role.courier)).service_point_id
    ride(cast, at)
    ride(cast, at, courier=other, office_id=place)
    tell(cast, query(device(cast.courier), at))
    assert foreign.get("/positions") == []
    tell(cast, query(device(other), at))
    assert [one["courier"]["id"] for one in foreign.get("/positions")] == [other.person_id]
    assert [one["courier"]["id"] for one in cast.dispatcher.get("/positions")] == [cast.courier.person_id]


def test_who_is_posted_nowhere_sees_nobody(cast: Cast) -> None:
    cast.session.execute(text("DELETE FROM posting WHERE role = 'dispatcher'"))
    cast.session.commit()
    refused(cast, cast.dispatcher, "GET", "/positions", None, 403, "posted_nowhere")


def test_who_is_back_is_seen_no_more(cast: Cast) -> None:
    at = now().replace(microsecond=0) - HOUR
    round_ = ride(cast, at)
    tell(cast, query(device(cast.courier), at + HOUR / 2))
    assert len(cast.dispatcher.get("/positions")) == 1
    round_ = cast.session.merge(round_)
    for state in (RoundState.finished, RoundState.withdrawn):
        round_.state, round_.finished_at = state, now() if state is RoundState.finished else None
        cast.session.commit()
        assert cast.dispatcher.get("/positions") == []


def test_a_new_round_does_not_show_where_the_last_one_ended(cast: Cast) -> None:
    at = now().replace(microsecond=0) - 5 * HOUR
    ride(cast, at, at + HOUR)
    phone = device(cast.courier)
    tell(cast, query(phone, at + HOUR))
    ride(cast, at + 3 * HOUR)
    assert cast.dispatcher.get("/positions") == []
    tell(cast, query(phone, at + 4 * HOUR))
    assert len(cast.dispatcher.get("/positions")) == 1


def test_a_forgotten_round_shows_nobody_at_home(cast: Cast) -> None:
    at = now().replace(microsecond=0) - 12 * HOUR
    ride(cast, at, shift_end=at + 4 * HOUR)
    tell(cast, query(device(cast.courier), at + 3 * HOUR))
    assert cast.dispatcher.get("/positions") == []


@pytest.mark.parametrize("role", [Role.courier, Role.clerk, Role.citizen, Role.officer])
def test_nobody_else_sees_where_couriers_are(cast: Cast, role: Role) -> None:
    who = cast.outsider[role]
    refused(cast, who, "GET", "/api/v1/dispatchers/positions", None, 403, "wrong_role")


def test_the_newest_is_found_by_the_index(cast: Cast) -> None:
    """However many positions there are, one is read for each courier."""
    at = now().replace(microsecond=0) - HOUR
    ride(cast, at)
    cast.session.execute(
        text(
            "INSERT INTO position SELECT :courier, :at + n * interval '1 second', now(), 'SRID=4326;POINT(106 20)',"
            " 9, 1, 1, 1, true, 'app' FROM generate_series(1, 3000) n"
        ),
        {"courier": cast.courier.person_id, "at": at},
    )
    cast.session.execute(text("ANALYZE position"))
    asked: list[tuple[str, Any]] = []

    def hear(_: Any, __: Any, statement: str, parameters: Any, *___: Any) -> None:
        asked.append((statement, parameters))

    connection = cast.session.connection()
    event.listen(connection, "before_cursor_execute", hear)
    whereabouts.of_office(cast.session, cast.office)
    event.remove(connection, "before_cursor_execute", hear)
    ((statement, parameters),) = asked
    plan = connection.exec_driver_sql(f"EXPLAIN {statement}", parameters).scalars().all()
    assert any("Index Scan Backward using pk_position" in line for line in plan), plan

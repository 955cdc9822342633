"""Closed roads: who may close what, and that planning rides round them until they open."""

from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select, text

from courier_api import tasks
from courier_api.db import now
from courier_api.journey import dispatching
from courier_api.places import closures
from courier_api.queue import Outbox
from courier_api.rounds import planning
from courier_api.settings import settings
from routing.problem import Location
from tests import cast as story
from tests.cast import HOME, Cast
from tests.refusals import refused
from tests.roads import install as install_roads
from tests.roads import near

SQUARE = 0.004


def around(lon: float, lat: float, size: float = SQUARE) -> list[list[float]]:
    return [[lon - size, lat - size], [lon + size, lat - size], [lon + size, lat + size], [lon - size, lat + size]]


def close(cast: Cast, **changes: Any) -> dict[str, Any]:
    body = {"area": around(*HOME), "reason": "Ngập nước"} | changes
    return cast.dispatcher.post("/closures", body)


@pytest.fixture
def town(roads: None, tmp_path: Path) -> Any:
    """The roads near the closed square; after the test those of the province again, all of them open."""
    planning.install_roads(near(*HOME, 0.04, tmp_path / "town.osm.pbf"))
    yield
    install_roads()


def seconds_home(cast: Cast) -> int:
    """From the post office to the middle of the closed square."""
    office = cast.session.execute(
        text("SELECT ST_X(point), ST_Y(point) FROM service_point WHERE id = :id"), {"id": cast.office.id}
    ).one()
    places = (Location("office", *office), Location("home", *HOME))
    return int(planning.travel_times().table(places).durations[0, 1])


def test_a_closed_area_is_ridden_round_until_it_opens(cast: Cast, town: None) -> None:
    before = seconds_home(cast)
    closure = close(cast)
    assert (closure["applied"], closure["ends_at"], closure["area"]["type"]) == (False, None, "Polygon")
    story.work(cast)
    assert [c["applied"] for c in cast.dispatcher.get("/closures")] == [True]
    assert seconds_home(cast) != before
    opened = cast.dispatcher.put(f"/closures/{closure['id']}/reopening")
    assert opened["ends_at"] is not None
    story.work(cast)
    assert cast.dispatcher.get("/closures") == []
    assert seconds_home(cast) == before


def test_a_closure_begins_and_ends_by_itself(cast: Cast) -> None:
    start, end = now() + timedelta(hours=1), now() + timedelta(hours=2)
    close(cast, starts_at=start.isoformat(), ends_at=end.isoformat())
    cast.session.execute(text("UPDATE outbox SET done_at = now()"))
    assert not dispatching.keep_roads_true(cast.session)
    cast.session.execute(text("UPDATE road_closure SET starts_at = now() - interval '1 hour'"))
    cast.session.expire_all()
    assert dispatching.keep_roads_true(cast.session)
    closures.mark_applied(cast.session, {x.id for x in closures.shut_now(cast.session)}, {})
    assert not dispatching.keep_roads_true(cast.session)
    cast.session.execute(text("UPDATE road_closure SET ends_at = now() - interval '1 minute'"))
    cast.session.expire_all()
    assert dispatching.keep_roads_true(cast.session)


def test_a_way_that_is_not_there_holds_up_no_other_closure(cast: Cast, town: None) -> None:
    before = seconds_home(cast)
    close(cast, area=None, ways=[4_000_000_000])
    story.work(cast)
    (wrong,) = cast.dispatcher.get("/closures")
    assert (wrong["applied"], wrong["fault"]) == (False, "way 4000000000: extract.osm.pbf has no road of this id")
    assert seconds_home(cast) == before
    assert not dispatching.keep_roads_true(cast.session)  # tried once, not every minute
    close(cast)
    story.work(cast)
    assert {(c["applied"], c["fault"] is None) for c in cast.dispatcher.get("/closures")} == {
        (False, False),
        (True, True),
    }
    assert seconds_home(cast) != before
    assert not dispatching.keep_roads_true(cast.session)


def test_what_is_shut_while_a_graph_is_built_is_not_forgotten(
    cast: Cast, town: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build_slowly(shut: Any) -> dict[Any, str]:
        close(cast, area=around(HOME[0] + 0.02, HOME[1]))
        return {}

    first = close(cast)
    monkeypatch.setattr(planning, "rebuild_roads", build_slowly)
    row = cast.session.scalars(select(Outbox).where(Outbox.argument == UUID(first["id"]))).one()
    tasks.run(str(row.id))
    cast.session.expire_all()
    assert sorted(c["applied"] for c in cast.dispatcher.get("/closures")) == [False, True]
    assert dispatching.keep_roads_true(cast.session)


def test_only_the_graphs_in_use_are_kept(town: None) -> None:
    folder = settings().graph_dir
    for size in (0.001, 0.002):
        planning.rebuild_roads([closures.Shut(uuid4(), frozenset(), tuple(map(tuple, around(*HOME, size))))])
    assert len(list(folder.glob("extract-*"))) == 2
    assert planning.travel_times().source


@pytest.mark.parametrize(
    ("changes", "code", "pointer"),
    [
        ({"area": None}, "nothing_to_close", "/area"),
        ({"area": [[106, 20], [106, 20], [106, 20]]}, "not_a_polygon", "/area"),
        ({"area": [[106, 20], [106.1, 20.1], [106.1, 20], [106, 20.1]]}, "not_a_polygon", "/area"),
        ({"area": [[106, 20], [106.1, 20]]}, "bad_fields", "/area"),
        ({"area": [[206, 20], [106.1, 20], [106, 21]]}, "bad_fields", "/area/0/0"),
        ({"ways": [-1]}, "bad_fields", "/ways/0"),
        ({"reason": ""}, "bad_fields", "/reason"),
        ({"ends_at": "2020-01-01T00:00:00+07:00"}, "ends_before_it_starts", "/ends_at"),
    ],
    ids=str,
)
def test_what_cannot_be_closed(cast: Cast, changes: dict[str, Any], code: str, pointer: str) -> None:
    body = {"area": around(*HOME), "reason": "Ngập nước"} | changes
    refused(cast, cast.dispatcher, "POST", "/closures", body, 422, code, pointer)


def test_a_road_opens_once(cast: Cast) -> None:
    closure = close(cast)
    cast.dispatcher.put(f"/closures/{closure['id']}/reopening")
    refused(cast, cast.dispatcher, "PUT", f"/closures/{closure['id']}/reopening", None, 409, "closure_over")
    refused(cast, cast.dispatcher, "PUT", f"/closures/{uuid4()}/reopening", None, 404, "not_found")

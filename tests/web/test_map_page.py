"""The first page and what it reads: languages, the notice, and the dispatcher's lists behind the map."""

import json
import re
from typing import Any

from flask.testing import FlaskClient
from sqlalchemy import update
from sqlalchemy.orm import Session

from courier_api.places.models import ImportRun, PointQuality, ServicePoint
from tests import cast as story
from tests.cast import Cast, tomorrow


def text_of(client: FlaskClient, path: str = "/", **headers: str) -> str:
    response = client.get(path, headers={k.replace("_", "-"): v for k, v in headers.items()})
    assert response.status_code == 200
    return response.get_data(as_text=True)


def told(client: FlaskClient) -> dict[str, Any]:
    block = re.search(r'id="told">(.*?)</script>', text_of(client), re.S)
    assert block
    found: dict[str, Any] = json.loads(block[1])
    return found


def test_the_page_speaks_vietnamese_unless_asked_otherwise(client: FlaskClient) -> None:
    assert '<html lang="vi">' in text_of(client)
    assert '<html lang="vi">' in text_of(client, Accept_Language="vi-VN,vi;q=0.9,en;q=0.8")
    assert '<html lang="vi">' in text_of(client, Accept_Language="fr")
    assert '<html lang="en">' in text_of(client, Accept_Language="en-GB,en;q=0.9")


def test_a_chosen_language_is_remembered(client: FlaskClient) -> None:
    assert '<html lang="en">' in text_of(client, "/?lang=en")
    assert '<html lang="en">' in text_of(client, "/track")
    assert '<html lang="en">' in text_of(client, "/track?lang=xx")
    assert '<html lang="vi">' in text_of(client, "/?lang=vi", Accept_Language="en")
    client.delete_cookie("lang")


def test_the_notice_stands_on_the_page_as_long_as_the_ground_is_synthetic(
    client: FlaskClient, session: Session
) -> None:
    both = text_of(client)
    assert "Đường và thôn xóm là dữ liệu mô phỏng" in both
    assert "Vị trí bưu cục là gần đúng" in both
    assert "Roads and hamlets are synthetic" in text_of(client, Accept_Language="en")
    session.execute(update(ImportRun).values(synthetic=False))
    session.execute(update(ServicePoint).values(point_quality=PointQuality.surveyed))
    session.commit()
    assert 'id="notice"' not in text_of(client)


def test_the_page_knows_the_ground_but_no_dossier(cast: Cast) -> None:
    story.book(cast)
    page = told(cast.client)
    west, south, east, north = page["bounds"]
    assert 105 < west < east < 107
    assert 20 < south < north < 22
    assert page["tiles"].startswith("/tiles/{z}/{x}/{y}.mvt?v=")
    assert "Nguyễn Thị Hoa" not in text_of(cast.client)


def test_the_dispatcher_reads_rounds_as_lines_and_plans_of_the_day(cast: Cast) -> None:
    story.book(cast)
    assert cast.dispatcher.get("/plans")["items"] == []
    round_ = story.plan_and_publish(cast)
    day = tomorrow().date().isoformat()
    lines = cast.dispatcher.get(f"/rounds?day={day}", Accept="application/geo+json")
    assert cast.dispatcher.last.headers.getlist("Content-Type") == ["application/geo+json"]
    mine = next(f for f in lines["features"] if f["id"] == round_["id"])
    assert mine["geometry"]["type"] == "LineString"
    assert mine["properties"]["stop_count"] == 1
    plan = cast.dispatcher.get(f"/plans?day={day}&limit=200")["items"][0]
    assert (plan["half"], plan["state"], plan["planned"]) == ("morning", "done", 1)
    assert cast.dispatcher.get("/plans?day=2020-01-01")["items"] == []
    assert cast.citizen.get("/api/v1/dispatchers/plans", 403)["title"] == "wrong role"

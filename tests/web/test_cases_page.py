"""The page of cases as it is sent: in words, from here alone, with no case in it, and kept by nobody."""

import html
import json
import re
from typing import Any

import pytest
from flask.testing import FlaskClient

from courier_api.web import assets, cases
from tests.cast import Cast


def text_of(client: FlaskClient, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200
    return response.get_data(as_text=True)


def told(page: str) -> dict[str, Any]:
    block = re.search(r'id="told">(.*?)</script>', page, re.S)
    assert block
    found: dict[str, Any] = json.loads(block[1])
    return found


def test_it_speaks_both_languages(client: FlaskClient) -> None:
    assert ">Việc cần quyết định</h1>" in text_of(client, "/cases")
    english = text_of(client, "/cases?lang=en")
    assert ">Cases to decide</h1>" in english
    assert told(english)["words"]["do_record"] == "Record the handover"
    assert told(english)["states"]["cancelled"] == "cancelled"
    client.delete_cookie("lang")


def test_it_is_a_shell_that_nobody_keeps_or_finds(client: FlaskClient) -> None:
    response = client.get("/cases")
    assert response.headers["Cache-Control"] == "no-store"
    assert response.headers["X-Robots-Tag"] == "noindex, nofollow"
    page = response.get_data(as_text=True)
    assert not re.search(r"<script(?![^>]*(?:src=|application/json))", page)
    assert not re.search(r"\son\w+=|style=", page)
    assert re.search(r'<div data-signed="in" hidden>', page)
    assert "JavaScript" in html.unescape(re.search(r"<noscript>(.*?)</noscript>", page, re.S)[1])  # type: ignore[index]


def test_what_signs_is_served_from_here(client: FlaskClient) -> None:
    page = told(text_of(client, "/cases"))
    assert page["canonicalize"] == assets.library_url("canonicalize/lib/canonicalize.js")
    if assets.library_files()["canonicalize/lib/canonicalize.js"].is_file():
        assert client.get(page["canonicalize"]).content_type.startswith("text/javascript")
    assert page["app"] == f"web-{assets.own_version()[:8]}"


@pytest.mark.parametrize("name", ["cancelled", "collected", "delivered", "pending", "started"])
def test_states_that_the_api_names_have_words(name: str) -> None:
    assert all(cases.STATES[name])


def test_the_first_page_leads_there(cast: Cast) -> None:
    page = text_of(cast.client, "/")
    assert 'href="/cases"' in page
    assert told(page)["words"]["cases_count_one"] == "1 việc chờ bạn quyết định"

"""What every refusal must be: a problem with the right code and field, in two languages, and nothing half-written."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from sqlalchemy import text
from sqlalchemy.orm import Session

from courier_api import messages, models
from courier_api.db import Base
from tests.cast import Actor, Cast

assert models.all_models

GROUND = {
    "commune",
    "old_unit",
    "service_point",
    "hamlet",
    "road",
    "calendar_day",
    "import_run",
    "procedure",
    "procedure_version",
    "document_requirement",
}
STORY = sorted(set(Base.metadata.tables) - GROUND)
PREFIX = "urn:problem:courier:"


def contents(session: Session) -> dict[str, tuple[int, str]]:
    """How many rows each table of the story has, and a digest of all that stands in them."""
    each = [
        f"SELECT '{name}', count(*), md5(coalesce(string_agg(t::text, chr(10) ORDER BY t::text), '')) FROM {name} t"
        for name in STORY
    ]
    return {name: (rows, digest) for name, rows, digest in session.execute(text(" UNION ALL ".join(each)))}


@contextmanager
def nothing_written(session: Session, *but: str) -> Iterator[None]:
    """Fail when any row of the story is added, changed or gone after the block; `but` names tables left out."""
    session.flush()
    before = contents(session)
    yield
    session.expire_all()
    after = contents(session)
    changed = [name for name in STORY if before[name] != after[name] and name not in but]
    assert not changed, {name: (before[name][0], after[name][0]) for name in changed}


def problem_in(response: Any, status: int, code: str, *pointers: str) -> dict[str, Any]:
    """The problem that a response holds, checked: its status, type, language, and the fields that it names."""
    assert response.status_code == status, (response.status_code, response.get_data(as_text=True))
    assert response.content_type == "application/problem+json"
    body: dict[str, Any] = response.get_json()
    assert body["type"] == PREFIX + code, body
    assert body["status"] == status
    assert body["detail"]
    named = [error["pointer"] for error in body.get("errors", [])]
    for pointer in pointers:
        assert pointer in named, body
    for each in [code, *(error["code"] for error in body.get("errors", []))]:
        vietnamese, english = messages.TEXTS[each]
        assert vietnamese
        assert english
        assert vietnamese != english
    return body


def refused(
    cast: Cast,
    who: Actor,
    method: str,
    path: str,
    body: Any,
    status: int,
    code: str,
    *pointers: str,
    **headers: str,
) -> dict[str, Any]:
    """Ask for what must be refused, and check that the refusal is right and that nothing of it was written."""
    if method == "POST":
        headers.setdefault("Idempotency_Key", '"a key for a refusal"')
    with nothing_written(cast.session):
        who.call(method, path, body, None, **headers)
    return problem_in(who.last, status, code, *pointers)


def codes(problem: dict[str, Any]) -> set[tuple[str, str]]:
    """The fields that a problem names, each with what is wrong with it."""
    return {(error["pointer"], error["code"]) for error in problem["errors"]}

"""The service worker of the courier's app, run in node: a version is kept whole or not at all, the rest of it later."""

from typing import Any

import pytest

from tests.web import node

run = node.script("run_worker.mjs")
named = pytest.mark.parametrize
VERSION = "0123456789abcdef"
KEPT, OTHER = f"courier-{VERSION}", "courier-" + "f" * 16
PAGES = {"/courier?lang=vi": "page-vi", "/courier?lang=en": "page-en"}
FILES = [f"/assets/own/1/{n}.js" for n in range(20)]
LATER = ["/assets/lib/1/map.mjs", "/assets/lib/1/reader.wasm"]
SHELL = {"version": VERSION, "pages": PAGES, "files": FILES, "later": LATER}
FOR_EVER = {"headers": {"Cache-Control": "public, max-age=31536000, immutable"}}
GOOD = {page: {"headers": {"Page-Version": version}} for page, version in PAGES.items()}
GOOD |= dict.fromkeys((*FILES, *LATER), FOR_EVER)
NOT_KEPT = {"headers": {"Cache-Control": "no-store"}}
WHOLE = {address: address for address in (*PAGES, *FILES)}
INSTALL, ACTIVATE, ASK_LATER = ["install"], ["activate"], ["message", "keep later"]


def worker(*events: list[str], answers: dict[str, Any] | None = None, **more: Any) -> Any:
    case = {"do": "worker", "shell": SHELL, "answers": GOOD | (answers or {}), "events": events}
    return run(case | more)[0]


def test_a_version_is_kept_whole_and_few_files_are_asked_for_at_once() -> None:
    found = worker(INSTALL, ACTIVATE, before={OTHER: {"/old": "old"}, "courier-later": {}, "courier-tiles": {}})
    assert [one["fault"] for one in found["outcomes"]] == [None, None]
    assert found["caches"] == {KEPT: WHOLE, "courier-later": {}, "courier-tiles": {}}
    assert found["skipped"]
    assert 1 < found["most"] <= 6


@named(
    ("address", "answer"),
    [
        (FILES[7], NOT_KEPT),
        (FILES[7], {"status": 404}),
        (FILES[7], None),
        (FILES[7], FOR_EVER | {"cut": True}),
        ("/courier?lang=en", {"headers": {"Page-Version": "page-en-of-another"}}),
        ("/courier?lang=en", {"headers": {}}),
        ("/courier?lang=en", {"headers": {"Page-Version": "page-en"}, "status": 500}),
    ],
)
def test_of_a_version_that_another_process_answers_too_nothing_is_kept(address: str, answer: Any) -> None:
    running = {OTHER: {"/old": "old"}}
    found = worker(INSTALL, answers={address: answer}, before=running)
    assert found["outcomes"][0]["fault"]
    assert found["caches"] == running
    assert not found["skipped"]


def test_after_a_fault_no_more_is_asked_for() -> None:
    found = worker(INSTALL, answers={FILES[-1]: NOT_KEPT})
    assert found["outcomes"][0]["fault"]
    assert len(found["asked"]) < len(WHOLE)


def test_on_a_full_disk_nothing_half_is_left_and_what_the_running_worker_serves_stays() -> None:
    assert worker(INSTALL, room=9)["caches"] == {}
    found = worker(INSTALL, room=9, before={KEPT: WHOLE})
    assert found["outcomes"][0]["fault"]
    assert found["caches"] == {KEPT: WHOLE}


def test_the_rest_is_fetched_within_the_event_and_said_to_be_there_only_if_it_is() -> None:
    old = {"/assets/lib/0/map.mjs": "old"}
    (said,), caches = asked(before={"courier-later": old})
    assert said == {"held": 1, "fault": None, "said": ["later kept"]}
    assert caches["courier-later"] == {address: address for address in LATER}
    for answer in (None, NOT_KEPT, {"status": 503}):
        (said,), caches = asked(answers={LATER[0]: answer})
        assert said["said"] == ["later missing"]
        assert caches["courier-later"] == {LATER[1]: LATER[1]}


def test_what_is_there_is_not_fetched_again() -> None:
    found = worker(ASK_LATER, before={"courier-later": {LATER[0]: "here"}})
    assert found["asked"] == [LATER[1]]
    assert found["caches"]["courier-later"] == {LATER[0]: "here", LATER[1]: LATER[1]}


def asked(**more: Any) -> tuple[list[Any], dict[str, Any]]:
    found = worker(ASK_LATER, **more)
    return found["outcomes"], found["caches"]


def later(**case: Any) -> tuple[Any, list[int]]:
    (found,) = run({"do": "later"} | case)
    assert found["listening"] == 0
    return found["given"], found["waits"]


def test_preparing_a_day_goes_on_where_no_worker_becomes_active() -> None:
    assert later(container=False) == (False, [])
    assert later(ready=False) == (False, [20_000])
    assert later(registered=False)[0] is False
    assert later(says=None) == (False, [20_000, 120_000])


def test_the_worker_s_word_is_taken() -> None:
    assert later(says="later kept")[0] is True
    assert later(says="later missing")[0] is False


@named("hash_", ["", "#/", "#/me"])
def test_with_no_screen_at_all_nothing_is_looked_for_without_end(hash_: str) -> None:
    (found,) = run({"do": "noRoute", "hash": hash_})
    assert found["shown"] is None
    assert found["hash"] in ("", "#/")

"""Letting several do the same thing at once, on real connections."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any

from flask import Flask

from tests.cast import Actor


def race[T](*calls: Callable[[], T]) -> list[T]:
    """Call all at the same moment, each in a thread of its own; what they returned, in their order."""
    barrier = Barrier(len(calls))

    def run(call: Callable[[], T]) -> T:
        barrier.wait()
        return call()

    with ThreadPoolExecutor(len(calls)) as pool:
        return list(pool.map(run, calls))


def asking(app: Flask, who: Actor, method: str, path: str, body: Any, **headers: str) -> Callable[[], Any]:
    """A request by someone with a client of its own; gives the response."""
    mine = replace(who, client=app.test_client(), etags={})
    path = path if path.startswith("/api") else f"/api/v1/{who.audience}{path}"
    path, body = who.signed(path, body)  # here: the database of the cast is not for threads

    def ask() -> Any:
        mine.call(method, path, body, None, **headers)
        return mine.last

    return ask


def outcome(response: Any) -> tuple[int, str]:
    """The status, and the code of a refusal."""
    return response.status_code, response.get_json().get("type", "").removeprefix("urn:problem:courier:")

"""What may go wrong as the courier's app is opened, in Chromium: said plainly, and whole again with the next try."""

from collections.abc import Iterable
from typing import Any

import pytest
from flask import Flask
from werkzeug.datastructures import Headers

from courier_api.web.courier_words import COURIER
from tests.browser.driving import drive

SECONDS = 150  # some 15 on an idle machine


class TwoVersions:
    """The application; of one file a process of another version answers, where /test/other/NAME said so."""

    def __init__(self, inner: Any) -> None:
        self.inner = inner
        self.other = "none"

    def __call__(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        path = environ["PATH_INFO"]
        if path.startswith("/test/other/"):
            self.other = path.rpartition("/")[2]
            start_response("204 No Content", [])
            return []

        def answer(status: str, headers: list[tuple[str, str]], *more: Any) -> Any:
            said = Headers(headers)
            if path.endswith(f"/{self.other}"):
                said["Cache-Control"] = "no-store"
            return start_response(status, said.to_wsgi_list(), *more)

        answered: Iterable[bytes] = self.inner(environ, answer)
        return answered


def test_what_goes_wrong_at_the_start_is_said_and_the_next_try_is_whole(
    app: Flask, address: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app, "wsgi_app", TwoVersions(app.wsgi_app))
    found = drive("app_opening.mjs", address, seconds=SECONDS)
    for language, n in (("vi", 0), ("en", 1)):
        refused = found["refused"][language]
        for key in ("unopened", "unopened_text", "open_again"):
            assert COURIER[key][n] in refused["text"]
        assert "\nInvalidStateError: not here\n" in refused["text"]
        assert refused["still"] == 1
        (fault,) = refused["faults"]  # on the console once, and nothing after it
        assert "app/main.js" in fault
    assert [found[kind] for kind in ("axe", "small", "wide", "empty")] == [[]] * 4
    # Nothing of the mixture stays, and the next look keeps the app, which opens without a network.
    assert found["mixed"] == {"first": {"state": found["mixed"]["first"]["state"], "kept": []}, "then": 1}
    assert found["mixed"]["first"]["state"] in ("redundant", "gone")
    without, with_ = found["receipt"]["without"], found["receipt"]["with"]
    assert COURIER["receipt_no_code_text"][0] in without["text"]
    assert "EH123456785VN" in without["text"]
    assert (without["pictures"], without["live"]) == (0, True)
    assert (with_["pictures"], with_["live"]) == (1, False)
    half = found["half"]
    for key in ("half_loaded", "half_loaded_text", "open_again"):
        assert COURIER[key][0] in half["round"]
        assert COURIER[key][0] in half["queue"]
    assert COURIER["sending_half"][0] in half["queue"]
    assert half["offline"] == COURIER["open_again_network"][0]
    assert (half["then"], half["faults"] > 0) == ("#/queue", True)
    # Sent where something else is missing, and beside a screen that hangs; where that cannot be had, the round is up.
    assert found["dutyFaults"] > 0
    assert found["hanging"]
    assert (found["instead"], found["insteadFaults"] > 0) == ("#/", True)
    assert found["first"]
    assert found["pressed"] == {"pressed": {"done": 1, "made": 1}, "focus": "title", "beneath": 0, "after": 1}

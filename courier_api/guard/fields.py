"""Reading requests strictly: unknown fields are refused in queries too, and each bad field gets a code of ours."""

import re
from typing import Any

from flask import Request
from marshmallow import RAISE
from webargs.flaskparser import FlaskParser

from courier_api.errors import DomainError, FieldError

# What marshmallow says, and our code for it; groups of the pattern fill the code's sentence.
CODES: tuple[tuple[re.Pattern[str], str], ...] = tuple(
    (re.compile(pattern, re.DOTALL), code)
    for pattern, code in (
        (r"Missing data for required field\.", "field_missing"),
        (r"Unknown field\.", "unknown_field"),
        (r"Field may not be null\.", "field_null"),
        (r"Must be one of: (?P<choices>.*)\.", "not_one_of"),
        (r"Must be greater than or equal to (?P<least>\S+) and less than or equal to (?P<most>\S+)\.", "out_of_range"),
        (r"Length must be between (?P<least>\d+) and (?P<most>\d+)\.", "wrong_length"),
        (r"Length must be (?P<least>(?P<most>\d+))\.", "wrong_length"),
        (r"(Not a valid|Invalid input type|Number too large|Special numeric values).*", "wrong_type"),
    )
)


class BadJson(DomainError):
    """A body that says it is JSON and is not."""


class StrictParser(FlaskParser):
    """webargs' parser, refusing unknown fields of a query and every kind of broken JSON."""

    DEFAULT_UNKNOWN_BY_LOCATION = FlaskParser.DEFAULT_UNKNOWN_BY_LOCATION | {"query": RAISE}

    def _raw_load_json(self, req: Request) -> Any:
        try:
            return super()._raw_load_json(req)
        except RecursionError:
            raise BadJson("bad_json", "/") from None
        except ValueError as error:
            # An empty body is no JSON either, but the fields that it lacks say more.
            if getattr(error, "doc", None) == "":
                raise
            raise BadJson("bad_json", "/") from None


def field_errors(messages: dict[str, Any]) -> list[FieldError]:
    """Turn webargs' messages, by location and then nested as the fields are, into JSON pointers and codes."""
    return [error for located in messages.values() for error in _pointed(located, "")]


def _pointed(messages: Any, pointer: str) -> list[FieldError]:
    if not isinstance(messages, dict):
        return [_coded(pointer or "/", str(message)) for message in messages]
    found = []
    for key, value in messages.items():
        step = "" if key == "_schema" else "/" + str(key).replace("~", "~0").replace("/", "~1")
        found += _pointed(value, pointer + step)
    return found


def _coded(pointer: str, message: str) -> FieldError:
    for pattern, code in CODES:
        match = pattern.fullmatch(message)
        if match:
            return FieldError(pointer, code, match.groupdict())
    # Our own fields and validators give a code for a message.
    return FieldError(pointer, message)

"""Reads and writes the model as JSON by the dataclasses' own types, and describes it as a JSON Schema (2020-12)."""

from __future__ import annotations

import types
from collections.abc import Callable
from dataclasses import MISSING, fields, is_dataclass
from enum import StrEnum
from functools import cache
from typing import Any, Literal, Union, get_args, get_origin, get_type_hints

type Refuse = Callable[[str, str], Exception]
"""Makes the error for a path such as `requests[3].pickup` and what is wrong there."""


def read(kind: Any, value: Any, path: str, refuse: Refuse) -> Any:
    """Return a JSON value as the given type; raises what `refuse` makes for the first thing that does not fit."""
    if is_dataclass(kind):
        return _read_object(kind, value, path, refuse)
    options = _options(kind)
    if options:
        if value is None and type(None) in options:
            return None
        return read(next(option for option in options if option is not type(None)), value, path, refuse)
    origin = get_origin(kind)
    if origin in (tuple, frozenset):
        if not isinstance(value, list):
            raise refuse(path, "is not a list")
        (item, *_) = get_args(kind)
        return origin(read(item, entry, f"{path}[{i}]", refuse) for i, entry in enumerate(value))
    if origin is Literal:
        if value not in get_args(kind):
            raise refuse(path, f"is none of {', '.join(get_args(kind))}")
        return value
    if issubclass(kind, StrEnum):
        if value not in list(kind):
            raise refuse(path, f"is none of {', '.join(kind)}")
        return kind(value)
    if kind is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if not isinstance(value, kind) or (isinstance(value, bool) and kind is not bool):
        raise refuse(path, f"is not {_WORDS[kind]}")
    return value


_WORDS = {int: "an integer", float: "a number", str: "a text", bool: "true or false"}


def _read_object(kind: Any, value: Any, path: str, refuse: Refuse) -> Any:
    if not isinstance(value, dict):
        raise refuse(path, "is not an object")
    hints = _hints(kind)
    if unknown := sorted(value.keys() - hints.keys()):
        raise refuse(path, f"unknown field {unknown[0]!r}")
    if missing := sorted(_required(kind) - value.keys()):
        raise refuse(path, f"field {missing[0]!r} is missing")
    dot = path and f"{path}."
    return kind(**{name: read(hints[name], entry, f"{dot}{name}", refuse) for name, entry in value.items()})


def schema(kind: Any) -> dict[str, Any]:
    """Return the JSON Schema of a dataclass; every dataclass in it becomes a definition under its own name."""
    definitions: dict[str, Any] = {}
    described = _describe(kind, definitions)
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **described, "$defs": definitions}


def _describe(kind: Any, definitions: dict[str, Any]) -> dict[str, Any]:
    if isinstance(kind, type) and is_dataclass(kind):
        name = kind.__name__
        if name not in definitions:
            definitions[name] = {}
            definitions[name] = {
                "type": "object",
                "description": (kind.__doc__ or "").partition("\n")[0],
                "properties": {field: _describe(hint, definitions) for field, hint in _hints(kind).items()},
                "required": sorted(_required(kind)),
                "additionalProperties": False,
            }
        return {"$ref": f"#/$defs/{name}"}
    if options := _options(kind):
        return {"anyOf": [_describe(option, definitions) for option in options]}
    origin = get_origin(kind)
    if origin in (tuple, frozenset):
        listed = {"type": "array", "items": _describe(get_args(kind)[0], definitions)}
        return listed | {"uniqueItems": True} if origin is frozenset else listed
    if origin is Literal:
        return {"enum": list(get_args(kind))}
    if isinstance(kind, type) and issubclass(kind, StrEnum):
        return {"enum": [member.value for member in kind]}
    return {"type": _NAMES[kind]}


_NAMES = {int: "integer", float: "number", str: "string", bool: "boolean", type(None): "null"}


@cache
def _hints(kind: type[Any]) -> dict[str, Any]:
    return {name: _plain(hint) for name, hint in get_type_hints(kind).items()}


def _plain(hint: Any) -> Any:
    """Return what a `type` alias stands for."""
    return getattr(hint, "__value__", hint)


def _options(kind: Any) -> tuple[Any, ...]:
    return get_args(kind) if get_origin(kind) in (Union, types.UnionType) else ()


@cache
def _required(kind: type[Any]) -> frozenset[str]:
    return frozenset(f.name for f in fields(kind) if f.default is MISSING and f.default_factory is MISSING)

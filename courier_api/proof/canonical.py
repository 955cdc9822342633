"""Canonical JSON (RFC 8785): the one spelling of an event that is hashed, stored as it is and never written anew."""

import hashlib
import json
from typing import Any, NoReturn
from unicodedata import is_normalized

import rfc8785

MOST_BYTES = 16_384
MOST_LEVELS = 16  # events have four; without an end, depth alone would exhaust the stack
SAFE = 2**53  # integers from here on are not the same number in every language
SALT_BYTES = 32


class Malformed(ValueError):
    """Bytes that are no canonical event; `code` names what is wrong with them."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def write(value: Any) -> bytes:
    """Write a value as canonical JSON; raises Malformed for what has no canonical form here."""
    check(value)
    return rfc8785.dumps(value)


def read(content: bytes) -> dict[str, Any]:
    """Read an object that is canonical byte for byte; raises Malformed saying what is wrong with another."""
    if len(content) > MOST_BYTES:
        raise Malformed("event_too_large")
    try:
        value = json.loads(content, parse_float=_no_float, parse_constant=_no_float)
    except Malformed:
        raise
    except (ValueError, RecursionError):
        raise Malformed("event_not_json") from None
    if not isinstance(value, dict):
        raise Malformed("event_not_json")
    check(value)
    # Two keys of one name, another order, a space, another escape: each is written differently from how it was read.
    if rfc8785.dumps(value) != content:
        raise Malformed("event_not_canonical")
    return value


def check(value: Any, level: int = 0) -> None:
    """Refuse what two languages would not write alike: floats, integers from 2^53 on, text that is not in NFC."""
    if level > MOST_LEVELS:
        raise Malformed("event_not_json")
    if isinstance(value, str):
        if not is_normalized("NFC", value):
            raise Malformed("event_not_nfc")
        if any("\ud800" <= c <= "\udfff" for c in value):
            raise Malformed("event_not_json")
    elif isinstance(value, bool) or value is None:
        return
    elif isinstance(value, int):
        if not -SAFE < value < SAFE:
            raise Malformed("event_number_too_large")
    elif isinstance(value, dict):
        for key, inner in value.items():
            if not isinstance(key, str):
                raise Malformed("event_not_json")
            check(key)
            check(inner, level + 1)
    elif isinstance(value, list | tuple):
        for inner in value:
            check(inner, level + 1)
    else:
        raise Malformed("event_has_float")


def _no_float(_: str) -> NoReturn:
    raise Malformed("event_has_float")


def commitment(salt: bytes, content: bytes) -> str:
    """SHA-256(salt || content) in hex: says nothing of the content to who lacks the salt.

    Raises ValueError for a salt that is not 32 bytes: of another length, it would open to several contents.
    """
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt has {SALT_BYTES} bytes")
    return hashlib.sha256(salt + content).hexdigest()

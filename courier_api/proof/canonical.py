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
    return _spell(value, plain=check(value))


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
    plain = check(value)
    # Two keys of one name, another order, a space, another escape: each is written differently from how it was read.
    if _spell(value, plain=plain) != content:
        raise Malformed("event_not_canonical")
    return value


def check(value: Any, level: int = 0) -> bool:
    """Refuse what two languages would not write alike: floats, integers from 2^53 on, text that is not in NFC.

    True when all keys are ASCII, so that there are no two minds about their order.
    """
    kind = type(value)
    plain = True
    if kind is int:
        if not -SAFE < value < SAFE:
            raise Malformed("event_number_too_large")
    elif kind is str:
        _check_text(value)
    elif kind is bool or value is None:
        pass
    elif kind not in (dict, list, tuple):
        raise Malformed("event_has_float")
    elif level >= MOST_LEVELS:
        raise Malformed("event_not_json")
    elif kind is dict:
        for key, inner in value.items():
            if type(key) is not str:
                raise Malformed("event_not_json")
            _check_text(key)
            plain = check(inner, level + 1) and plain and key.isascii()
    else:
        for inner in value:
            plain = check(inner, level + 1) and plain
    return plain


def _check_text(text: str) -> None:
    if text.isascii():
        return
    if not is_normalized("NFC", text):
        raise Malformed("event_not_nfc")
    if any("\ud800" <= c <= "\udfff" for c in text):
        raise Malformed("event_not_json")


def _spell(value: Any, *, plain: bool) -> bytes:
    # Of what `check` lets through, Python's own writer gives the bytes of RFC 8785, many times faster: integers, the
    # same escapes, and keys in ASCII, whose order is that of UTF-16. Tests hold the two together.
    if not plain:
        return rfc8785.dumps(value)
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def _no_float(_: str) -> NoReturn:
    raise Malformed("event_has_float")


def commitment(salt: bytes, content: bytes) -> str:
    """SHA-256(salt || content) in hex: says nothing of the content to who lacks the salt.

    Raises ValueError for a salt that is not 32 bytes: of another length, it would open to several contents.
    """
    if len(salt) != SALT_BYTES:
        raise ValueError(f"a salt has {SALT_BYTES} bytes")
    return hashlib.sha256(salt + content).hexdigest()

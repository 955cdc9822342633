"""Events from their stored bytes, by a short cut that refuses all that the strict reader refuses."""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from courier_api.custody import events
from courier_api.proof import canonical
from courier_api.proof.canonical import Malformed

_LONG_NUMBER = re.compile(rb"[:,\[]-?[0-9]{16}")


@dataclass(frozen=True, slots=True)
class Read:
    """An event that is in order, and the core that it has."""

    fields: Mapping[str, Any]
    core: bytes
    counter: int
    previous: str
    commitments: Mapping[str, str]


def read(content: bytes, digest: bytes) -> Read:
    """Read an event whose SHA-256 is known; raises Malformed."""
    fields = _canonical(content)
    try:
        if fields["v"] != events.VERSION:
            raise Malformed("event_version")
        core = events.core_of(fields, digest).pack()
        return Read(fields, core, fields["dev"]["ctr"], fields["dev"]["prev"], commitments(fields))
    except Malformed:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        raise Malformed("event_malformed") from None


def commitments(fields: Mapping[str, Any]) -> dict[str, str]:
    """What an event commits to, by name, the citizen's name among it."""
    found = dict(fields.get("ev") or {})
    for side in ("from", "to"):
        party = fields.get(side)
        if isinstance(party, dict) and "c" in party:
            found["citizen"] = party["c"]
    return found


def loads(text: str | bytes | None) -> Any:
    """A value out of JSON of which nobody knows yet who wrote it; None for what is none."""
    try:
        return json.loads(text or "null")
    except (ValueError, RecursionError):
        return None


def fields_of(text: str | bytes | None) -> dict[str, Any]:
    """An object out of such JSON; an empty one for anything else."""
    found = loads(text)
    return found if isinstance(found, dict) else {}


def _canonical(content: bytes) -> dict[str, Any]:
    # For plain ASCII, Python's own writer, which is compiled, gives the same bytes as RFC 8785: keys sorted, no spaces,
    # the same escapes. All that it could write otherwise (floats, large numbers, other letters) goes the long way.
    if (
        content.isascii()
        and len(content) <= canonical.MOST_BYTES
        and not _LONG_NUMBER.search(content)
        and content.count(b"{") + content.count(b"[") <= canonical.MOST_LEVELS
    ):
        try:
            value = json.loads(content, parse_float=_none, parse_constant=_none)
        except ValueError:
            value = None
        if isinstance(value, dict) and written(value) == content:
            return value
    return canonical.read(content)


def _none(_: str) -> None:
    """A float becomes null, which is not written as it was read."""


def written(value: Any) -> bytes | None:
    """A value as compact JSON with sorted keys; None for what cannot be written in UTF-8."""
    try:
        return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        return None


def opens(committed: object, salt: bytes, value: Any) -> bool:
    """Whether a content is the one behind a commitment: text as UTF-8, everything else as canonical JSON."""
    if len(salt) != canonical.SALT_BYTES:
        return False
    if isinstance(value, str):
        try:
            return canonical.commitment(salt, value.encode()) == committed
        except UnicodeError:
            return False
    short = written(value)
    if short is not None and canonical.commitment(salt, short) == committed:
        return True
    try:
        return canonical.commitment(salt, canonical.write(value)) == committed
    except ValueError:
        return False


def salts_of(content: Mapping[str, Any]) -> dict[str, bytes]:
    """The salts that stand in an opening, those that are hex."""
    found: dict[str, bytes] = {}
    salts = content.get("salts")
    for name, salt in (salts if isinstance(salts, dict) else {}).items():
        try:
            found[name] = bytes.fromhex(salt)
        except (ValueError, TypeError):
            continue
    return found

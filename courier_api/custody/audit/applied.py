"""Events of a kind that were done, with what they say; whether their bytes were signed is a check of its own."""

from collections.abc import Iterator
from typing import Any, NamedTuple
from uuid import UUID

from courier_api.custody import events
from courier_api.custody.audit.reading import fields_of
from courier_api.custody.audit.snapshot import Snapshot, microseconds
from courier_api.proof.core import Kind

# What was parked or rejected changed nothing.
DONE = "(s.state IS NULL OR s.state = 'applied')"

_QUERY = f"""
SELECT e.id::text, e.kid, {microseconds("e.received_at")}, e.event
FROM ledger_entry e LEFT JOIN operation s ON s.id = e.id
WHERE e.kind = %s AND e.event IS NOT NULL AND {DONE} AND position(convert_to(%s, 'UTF8') IN e.event) > 0
"""  # noqa: S608


class Applied(NamedTuple):
    """An event and when it came."""

    id: str
    kid: str
    received_us: int
    said: dict[str, Any]


def applied(snapshot: Snapshot, kind: Kind, naming: str = "") -> Iterator[Applied]:
    """The events of a kind that were done; only those in whose bytes `naming` stands, which few have."""
    for id_, kid, received_us, event in snapshot.rows(_QUERY, [int(kind), naming]):
        yield Applied(id_, kid, received_us, fields_of(event))


def signed_us(said: dict[str, Any]) -> int:
    """When it was signed, by the device's clock; -1 for what is no time."""
    try:
        return events.time_ms(said["t"]) * 1000
    except (KeyError, ValueError, TypeError):
        return -1


def same_id(text: object) -> str:
    """An id as the database spells it; empty for what is none."""
    try:
        return str(UUID(str(text)))
    except ValueError:
        return ""

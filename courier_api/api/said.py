"""Reads what an event says in plain; raises Invalid for what is missing or has another form, so that it is parked."""

from datetime import date
from enum import StrEnum
from typing import Any
from uuid import UUID

from marshmallow import Schema, fields
from sqlalchemy.orm import Session

from courier_api.custody import entries, events, evidence
from courier_api.custody.entries import Accepted
from courier_api.custody.models import EvidenceKind
from courier_api.errors import FieldError, Invalid
from courier_api.proof import canonical
from courier_api.rounds.states import Half

EVENT = "/signed/event"
PHOTO = frozenset({"photo"})
MOST_NAMED = 400  # ids or times in one event


class OperationIn(Schema):
    """What every operation has: the id of its event, and the event."""

    id = fields.UUID(required=True)


def malformed() -> Invalid:
    """A field of the event is missing or wrong."""
    return Invalid("event_malformed", EVENT)


def id_in(accepted: Accepted, name: str) -> UUID:
    """The id in a field."""
    return _id(accepted.event.fields.get(name))


def ids_in(accepted: Accepted, name: str) -> list[UUID]:
    """The ids in a field; none where it is left out."""
    return [_id(one) for one in _list(accepted, name)]


def _id(text: object) -> UUID:
    try:
        found = UUID(str(text))
    except ValueError:
        raise malformed() from None
    return found


def whole_in(accepted: Accepted, name: str, least: int = 0, most: int = 2**31 - 1) -> int:
    """The whole number in a field."""
    number = accepted.event.fields.get(name)
    if type(number) is not int or not least <= number <= most:
        raise malformed()
    return number


def code_in(accepted: Accepted, name: str) -> str:
    """The code in a field."""
    code = accepted.event.fields.get(name)
    if not isinstance(code, str) or not code:
        raise malformed()
    return code


def one_of[E: StrEnum](kind: type[E], accepted: Accepted, name: str) -> E | None:
    """The value in a field, one of a few; None where it is left out."""
    said = accepted.event.fields.get(name)
    if said is None:
        return None
    try:
        return kind(said)
    except ValueError:
        raise malformed() from None


def times_in(accepted: Accepted, name: str) -> list[str]:
    """The times in a field, as they stand there; none where it is left out."""
    times = _list(accepted, name)
    try:
        for one in times:
            events.time_ms(one)
    except (ValueError, TypeError):
        raise malformed() from None
    return times


def half_in(accepted: Accepted, name: str) -> tuple[date, Half] | None:
    """The half-day in a field, as 2026-12-01.morning; None where it is left out."""
    text = accepted.event.fields.get(name)
    if text is None:
        return None
    try:
        day, _, half = text.partition(".")
        return date.fromisoformat(day), Half(half)
    except (ValueError, AttributeError):
        raise malformed() from None


def _list(accepted: Accepted, name: str) -> list[Any]:
    found = accepted.event.fields.get(name, [])
    if not isinstance(found, list) or len(found) > MOST_NAMED:
        raise malformed()
    return found


def opened(
    session: Session,
    accepted: Accepted,
    values: dict[str, Any],
    by_hand: list[dict[str, Any]] | None = None,
    later: frozenset[str] = PHOTO,
) -> None:
    """Hold what stands beside the event against its commitments, and keep it; what is in `later` may come by itself."""
    wrong = events.unopened(accepted.event, values | {"strokes": by_hand}, accepted.signed.salts, later)
    if wrong is not None:
        raise Invalid("event_differs", FieldError(EVENT, "event_differs", {"field": wrong}), field=wrong)
    if accepted.event.commitments:
        entries.open_with(session, accepted.entry, accepted.signed, values)
    if by_hand is not None:
        salt = accepted.signed.salts["strokes"]
        evidence.keep(session, accepted.entry, EvidenceKind.strokes, canonical.write(by_hand), salt)

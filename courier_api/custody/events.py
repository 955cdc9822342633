"""Events as they are signed: read from their bytes, turned into their core, held against a request. Pure."""

import base64
import hashlib
import re
import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from courier_api.proof import canonical
from courier_api.proof.canonical import Malformed, commitment
from courier_api.proof.core import NOWHERE, Core, Kind, PartyKind

VERSION = 1
TYPES = {
    "custody.handover": Kind.handover,
    "courier.arrival": Kind.arrival,
    "courier.failure": Kind.failure,
    "courier.start": Kind.start,
    "courier.finish": Kind.finish,
    "custody.correction": Kind.correction,
    "custody.evidence": Kind.evidence,
    "custody.erasure": Kind.erasure,
    "courier.seen": Kind.seen,
    "courier.settlement": Kind.settlement,
    "courier.remark": Kind.remark,
}
PARTIES = {
    "citizen": PartyKind.citizen,
    "courier": PartyKind.courier,
    "office": PartyKind.office,
    "agency": PartyKind.agency,
}
NO_EVENT = bytes(32)
# What may stand in an event of each type, and nothing else: what is signed cannot be erased, so nothing personal.
COMMON = {"v", "typ", "eid", "dev", "t", "mono", "boot", "anchor", "geo", "app", "ev"}
FIELDS = {
    "custody.handover": {
        *("item", "no", "leg", "from", "to", "stop", "fee", "identity", "receiver", "by", "code", "due", "manifest"),
        "recalled",
    },
    "courier.arrival": {"stop", "why"},
    "courier.failure": {"stop", "reason", "next", "missing", "called", "wished"},
    "courier.start": {"round"},
    "courier.finish": {"round"},
    "custody.correction": {"of", "case", "decision", "skip"},
    "custody.evidence": {"of", "kind", "original", "stored"},
    "custody.erasure": {"entries"},
    "courier.seen": {"round", "version"},
    "courier.settlement": {"office", "amount", "by", "handovers", "recalled"},
    "courier.remark": {"of", "why"},
}
INSIDE = {
    "dev": {"kid", "ctr", "prev"},
    "geo": {"lat", "lon", "acc"},
    "ev": {"documents", "seal", "third_party", "strokes", "photo", "note"},
    "from": {"r", "id", "c"},
    "to": {"r", "id", "c"},
    "skip": {"kid", "after", "before"},
}
_PLAIN = re.compile(r"[\w.:/+-]{0,64}", re.ASCII)  # codes, ids, hashes and times; no names, no sentences
_KEY_ID = re.compile(r"[0-9a-f]{16}")
_HEX = re.compile(r"[0-9a-f]{64}")
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Signed:
    """What a device sends beside a request: the event's bytes, the signed core, and the salts of its commitments."""

    event: bytes
    core: bytes
    signature: bytes
    salts: Mapping[str, bytes] = field(default_factory=dict)
    countersignature: tuple[str, bytes] | None = None  # key id of the other side, and its signature

    @classmethod
    def read(cls, sent: Mapping[str, Any]) -> "Signed":
        """Read base64; raises Malformed."""
        try:
            counter = sent.get("countersignature")
            return cls(
                _base64(sent["event"]),
                _base64(sent["core"]),
                _base64(sent["signature"]),
                {str(name): _base64(salt) for name, salt in (sent.get("salts") or {}).items()},
                (_key_id(counter["kid"]), _base64(counter["signature"])) if counter else None,
            )
        except (KeyError, TypeError, ValueError, AttributeError):
            raise Malformed("signed_malformed") from None

    def parsed_core(self) -> Core:
        """The core with its fields apart; raises Malformed, also when it is not about these bytes."""
        try:
            core = Core.unpack(self.core)
        except ValueError:
            raise Malformed("core_malformed") from None
        if core.digest != hashlib.sha256(self.event).digest():
            raise Malformed("core_of_other_event")
        return core


def _key_id(text: str) -> str:
    if not _KEY_ID.fullmatch(text):
        raise ValueError(text)
    return text


def _base64(text: str) -> bytes:
    return base64.b64decode(text, validate=True)


@dataclass(frozen=True, slots=True)
class Event:
    """An event that was read; `fields` are as they stand in its bytes."""

    fields: Mapping[str, Any]
    id: UUID
    kind: Kind
    counter: int
    previous: bytes
    device_at: datetime

    @property
    def of(self) -> UUID | None:
        """The event that a correction is about, or for which one is asked."""
        return UUID(self.fields["of"]) if self.kind in (Kind.correction, Kind.remark) else None

    @property
    def commitments(self) -> Mapping[str, str]:
        """Its commitments by name, the citizen's name among them."""
        found = dict(self.fields.get("ev") or {})
        for side in ("from", "to"):
            if "c" in (self.fields.get(side) or {}):
                found["citizen"] = self.fields[side]["c"]
        return found

    @property
    def place(self) -> tuple[float, float] | None:
        """Longitude and latitude in degrees."""
        geo = self.fields.get("geo")
        return (geo["lon"] / 1e7, geo["lat"] / 1e7) if geo else None

    @property
    def accuracy_m(self) -> int | None:
        """How exact the place is, in metres."""
        geo = self.fields.get("geo")
        return geo.get("acc") if geo else None


def read(content: bytes) -> Event:
    """Read an event's bytes; raises Malformed for what is not canonical or lacks what every event has."""
    fields = canonical.read(content)
    try:
        if fields["v"] != VERSION:
            raise Malformed("event_version")
        _must_be_plain(fields)
        device = fields["dev"]
        core_of(fields, NO_EVENT).pack()  # everything that the core says must be there and fit
        event = Event(
            fields,
            UUID(fields["eid"]),
            TYPES[fields["typ"]],
            device["ctr"],
            bytes.fromhex(device["prev"]),
            _EPOCH + timedelta(milliseconds=time_ms(fields["t"])),
        )
        _ = event.of  # a correction names what it corrects, and a remark as well
        for value in event.commitments.values():
            if not _HEX.fullmatch(value):
                raise Malformed("event_malformed")
        if event.counter < 1 or len(event.previous) != 32 or not isinstance(fields.get("app", ""), str):
            raise Malformed("event_malformed")
    except Malformed:
        raise
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError, struct.error):
        raise Malformed("event_malformed") from None
    return event


def _must_be_plain(fields: Mapping[str, Any]) -> None:
    if set(fields) - COMMON - FIELDS[fields["typ"]]:
        raise Malformed("event_unknown_field")
    for name, allowed in INSIDE.items():
        if set(fields.get(name) or {}) - allowed:
            raise Malformed("event_unknown_field")
    for text in _texts(fields):
        if not _PLAIN.fullmatch(text):
            raise Malformed("event_not_plain")


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for inner in value.values() if isinstance(value, dict) else value:
            yield from _texts(inner)


def time_ms(text: str) -> int:
    """Milliseconds since 1970 of a time as events write it."""
    if not _TIME.fullmatch(text):
        raise ValueError(text)
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def moment(at: datetime) -> str:
    """A time as events write it: UTC, milliseconds."""
    return at.astimezone(UTC).isoformat(timespec="milliseconds").removesuffix("+00:00") + "Z"


def core_of(fields: Mapping[str, Any], digest: bytes) -> Core:
    """The core that an event has: nothing in it is the signer's free choice."""
    geo = fields.get("geo") or {}
    giver, taker = fields.get("from") or {}, fields.get("to") or {}
    return Core(
        kind=TYPES[fields["typ"]],
        kid=bytes.fromhex(fields["dev"]["kid"]),
        counter=fields["dev"]["ctr"],
        event_id=UUID(fields["eid"]),
        tracking_number=fields.get("no", ""),
        leg=fields.get("leg", 0),
        giver=PARTIES[giver["r"]] if giver else PartyKind.none,
        giver_code=giver.get("id", ""),
        taker=PARTIES[taker["r"]] if taker else PartyKind.none,
        taker_code=taker.get("id", ""),
        time_ms=time_ms(fields["t"]),
        lat=geo.get("lat", NOWHERE),
        lon=geo.get("lon", NOWHERE),
        digest=digest,
    )


def contents(values: Mapping[str, Any]) -> dict[str, bytes]:
    """The bytes behind the commitments: text as UTF-8, everything else as canonical JSON; what is None has none."""
    return {
        name: value.encode() if isinstance(value, str) else canonical.write(value)
        for name, value in values.items()
        if value is not None
    }


def unopened(event: Event, values: Mapping[str, Any], salts: Mapping[str, bytes], later: frozenset[str]) -> str | None:
    """The first commitment that these values and salts do not open, or value without one; None when all is well.

    `later` names what may come by an upload, so that there is nothing to open yet.
    """
    made = contents(values)
    for name, committed in event.commitments.items():
        if name in made:
            salt = salts.get(name, b"")
            if len(salt) != 32 or commitment(salt, made[name]) != committed:
                return name
        elif name not in later:
            return name
    return next((name for name in made if name not in event.commitments), None)


def differing(event: Event, expected: Mapping[str, Any]) -> str | None:
    """The first field in which an event is not what the request asks for."""
    return next((name for name, value in expected.items() if event.fields.get(name) != value), None)

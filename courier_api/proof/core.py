"""The core: the 114 bytes of an event that a device signs, small enough for a printed code.

    0    1   version, 1
    1    1   kind (see Kind)
    2    8   key id of the signer
    10   4   counter of the signer's device
    14  16   event id
    30  13   tracking number, ASCII, or zeros
    43   1   leg of the item's way, 0 for none
    44   1   role of the giver (see PartyKind), 0 for none
    45  10   the giver's code, ASCII, padded with zeros; a citizen has none
    55   1   role of the taker
    56  10   the taker's code
    66   8   time by the device's clock, milliseconds since 1970
    74   4   latitude x 10^7, signed; -2^31 where it is not known
    78   4   longitude x 10^7
    82  32   SHA-256 of the event's bytes

Numbers are big-endian. A code longer than its place is cut; the event, whose SHA-256 is here, has all of it.
"""

import hashlib
import struct
from dataclasses import dataclass, replace
from enum import IntEnum
from uuid import UUID

SIZE = 114
MARK = 2**62 - 1  # the part of a UUIDv7 behind its variant
NOWHERE = -(2**31)
_FORM = struct.Struct(">BB8sI16s13sBB10sB10sQii32s")
assert _FORM.size == SIZE


class Kind(IntEnum):
    """What was signed."""

    handover = 1
    countersignature = 2  # the same core, signed by the other side
    arrival = 3
    failure = 4
    start = 5
    finish = 6
    correction = 7
    evidence = 8
    erasure = 9
    seen = 10  # a changed plan
    settlement = 11  # cash against vouchers, at the office
    remark = 12  # a correction asked for


class PartyKind(IntEnum):
    """In what capacity someone gives, takes or signs."""

    none = 0
    citizen = 1
    courier = 2
    office = 3
    agency = 4
    dispatcher = 5
    operator = 6


@dataclass(frozen=True, slots=True)
class Core:
    """A core with its fields apart."""

    kind: Kind
    kid: bytes
    counter: int
    event_id: UUID
    tracking_number: str
    leg: int
    giver: PartyKind
    giver_code: str
    taker: PartyKind
    taker_code: str
    time_ms: int
    lat: int
    lon: int
    digest: bytes

    @property
    def has_own_id(self) -> bool:
        """Whether the event's id ends with the mark of the key that signed it."""
        return self.event_id.int & MARK == mark_of(self.kid)

    def pack(self) -> bytes:
        """Write it; raises ValueError for what does not fit."""
        if (len(self.kid), len(self.digest)) != (8, 32) or len(self.tracking_number) > 13:
            raise ValueError("a key id has 8 bytes, a digest 32, a tracking number 13 at most")
        if (self.lat == NOWHERE) != (self.lon == NOWHERE):
            raise ValueError("half a place")
        try:
            return self._packed()
        except struct.error as error:
            raise ValueError(str(error)) from None

    def _packed(self) -> bytes:
        return _FORM.pack(
            1,
            self.kind,
            self.kid,
            self.counter,
            self.event_id.bytes,
            ascii_bytes(self.tracking_number),
            self.leg,
            self.giver,
            ascii_bytes(self.giver_code)[:10],
            self.taker,
            ascii_bytes(self.taker_code)[:10],
            self.time_ms,
            self.lat,
            self.lon,
            self.digest,
        )

    @classmethod
    def unpack(cls, content: bytes) -> "Core":
        """Read it; raises ValueError for what is no core of version 1."""
        if len(content) != SIZE or content[0] != 1:
            raise ValueError("no core of version 1")
        _, kind, kid, counter, event, number, leg, giver, giver_code, taker, taker_code, time_ms, lat, lon, digest = (
            _FORM.unpack(content)
        )
        core = cls(
            Kind(kind),
            kid,
            counter,
            UUID(bytes=event),
            ascii_text(number),
            leg,
            PartyKind(giver),
            ascii_text(giver_code),
            PartyKind(taker),
            ascii_text(taker_code),
            time_ms,
            lat,
            lon,
            digest,
        )
        if core.pack() != content:
            raise ValueError("a core has one spelling")
        return core

    def countersigned_by(self, kid: bytes) -> bytes:
        """What the other side signs: the same core, marked as a countersignature and with its own key id."""
        return replace(self, kind=Kind.countersignature, kid=kid, counter=0).pack()


def ascii_bytes(text: str) -> bytes:
    """Write a code; raises ValueError for anything but printable ASCII, which reads alike wherever it is printed."""
    if not (text.isascii() and text.isprintable()):
        raise ValueError(f"no code: {text!r}")
    return text.encode()


def ascii_text(padded: bytes) -> str:
    """Read a code that is padded with zeros; raises ValueError for anything but printable ASCII."""
    text = padded.rstrip(b"\0").decode("ascii")
    ascii_bytes(text)
    return text


def mark_of(kid: bytes) -> int:
    """The last 62 bits of every event id of a key: nobody takes an id that another device will want or has shown."""
    return int.from_bytes(hashlib.sha256(b"event id v1\n" + kid).digest()[:8]) >> 2


def event_id(kid: bytes, ticks: int) -> UUID:
    """A UUIDv7 with a key's mark; `ticks` are milliseconds since 1970 times 4096, and each is used once by a device."""
    return UUID(int=(ticks >> 12) << 80 | 0x7 << 76 | (ticks & 0xFFF) << 64 | 0b10 << 62 | mark_of(kid))

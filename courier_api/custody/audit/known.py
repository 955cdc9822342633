"""Who may sign and who is named: devices with what certified them, staff codes, service points, erasures."""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Set
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from courier_api.custody.audit.reading import fields_of
from courier_api.custody.audit.snapshot import Snapshot, microseconds
from courier_api.custody.audit.trust import Trust
from courier_api.people.devices import CERTIFIED_FOR, KINDS
from courier_api.people.models import LETTERS, Role
from courier_api.proof import note
from courier_api.proof.certificate import CONTEXT, Certificate
from courier_api.proof.core import Kind
from courier_api.proof.keys import device_key, key_id, verify_operator

SECOND = 1_000_000  # in microseconds


@dataclass(slots=True)
class KnownDevice:
    """A row of `device`, and the certificates that hold, as (from, until) in microseconds."""

    kid: str
    person_id: str
    role: str
    public_key: bytes
    created_us: int
    certified_us: int
    revoked_us: int | None
    quarantined_us: int | None
    last_counter: int
    last_digest: bytes
    entries: int
    staff_number: int | None
    certified: list[tuple[int, int]] = field(default_factory=list)
    key: ec.EllipticCurvePublicKey | None = None

    @property
    def holder(self) -> str:
        """The staff code that its certificates must name."""
        return f"{LETTERS[Role(self.role)]}-{self.staff_number or 0:05d}"

    def fault(self, content: bytes, issued_us: int, operators: Mapping[bytes, bytes]) -> str | None:
        """What is wrong with a certificate of this device; None when it holds."""
        try:
            found = Certificate.unpack(content)
        except ValueError:
            return "it cannot be read"
        public = operators.get(found.operator)
        if public is None or not verify_operator(public, found.signature, CONTEXT + content[:57]):
            return "no known key of the operator signed it"
        if found.public_key != self.public_key:
            return "it is for another key"
        if found.role is not KINDS[Role(self.role)] or found.holder != self.holder:
            return f"it names {found.holder} ({found.role.name}), the row says {self.holder}"
        if found.not_before * SECOND != issued_us:
            return "it was not issued at that moment"
        if not 0 <= found.not_after - found.not_before <= CERTIFIED_FOR.total_seconds():
            return "it holds longer than certificates do"
        return None


@dataclass(slots=True)
class Known:
    """What the checks of single rows need beside the row."""

    trust: Trust
    operator: Mapping[str, bytes]
    devices: Mapping[str, KnownDevice]
    kids: Mapping[str, int]  # how many entries of each key there are, also of keys that are not known
    codes: Mapping[tuple[str, str], str]  # (role of a party, id) -> how events name it
    erasures: Mapping[str, set[str]]  # entry -> the erasures that name it
    skips: Mapping[str, list[tuple[int, int]]]  # key -> what a dispatcher decided to go on without: after, before
    waiting: Set[str]  # entries that are to get a place in the tree; few, unless nobody gives them one
    anchors: Mapping[str, int]  # SHA-256 of a checkpoint's text -> its size
    at_us: int
    overdue_us: int | None

    def erased(self, entry_id: str, erasure_id: str | None) -> bool:
        """Whether an erasure names an entry."""
        return erasure_id in self.erasures.get(entry_id, ())


def read(snapshot: Snapshot, trust: Trust, at: datetime | None = None, overdue: timedelta | None = None) -> Known:
    """Read it all; a few thousand rows."""
    moment = at or datetime.now(UTC)
    kids: dict[str, int] = dict(snapshot.rows("SELECT kid, count(*) FROM ledger_entry GROUP BY kid"))
    devices = _devices(snapshot, trust, kids)
    return Known(
        trust,
        trust.operator,
        devices,
        kids,
        _codes(snapshot),
        _erasures(snapshot),
        _skips(snapshot, devices),
        {entry for (entry,) in snapshot.rows("SELECT entry_id::text FROM ledger_waiting")},
        _anchors(snapshot),
        round(moment.timestamp() * SECOND),
        None if overdue is None else round(overdue.total_seconds() * SECOND),
    )


def _devices(snapshot: Snapshot, trust: Trust, kids: Mapping[str, int]) -> dict[str, KnownDevice]:
    query = f"""SELECT d.kid, d.person_id::text, d.role, d.public_key, {microseconds("d.created_at")},
        {microseconds("d.certified_until")}, {microseconds("d.revoked_at")}, {microseconds("d.quarantined_at")},
        d.last_counter, d.last_digest, p.staff_number
        FROM device d LEFT JOIN person p ON p.id = d.person_id"""  # noqa: S608
    found = {}
    for kid, person, role, public, created, certified, revoked, shut, counter, digest, number in snapshot.rows(query):
        device = KnownDevice(
            kid,
            person,
            role,
            public,
            created,
            certified,
            revoked,
            shut,
            counter,
            digest,
            kids.get(kid, 0),
            number,
        )
        if key_id(device.public_key).hex() == kid and Role(role) in KINDS:
            device.key = _or_none(device_key, device.public_key)
        found[kid] = device
    operators = trust.short
    for kid, issued_us, content in certificates(snapshot):
        device_ = found.get(kid)
        if device_ is not None and Role(device_.role) in KINDS and not device_.fault(content, issued_us, operators):
            certificate = Certificate.unpack(content)
            device_.certified.append((certificate.not_before * SECOND, certificate.not_after * SECOND))
    return found


def certificates(snapshot: Snapshot) -> list[tuple[str, int, bytes]]:
    """Every certificate: whose, when it was issued, its bytes."""
    query = f"SELECT kid, {microseconds('issued_at')}, content FROM device_certificate"  # noqa: S608
    return [(kid, issued_us, content) for kid, issued_us, content in snapshot.rows(query)]


def _codes(snapshot: Snapshot) -> dict[tuple[str, str], str]:
    staff = snapshot.rows("SELECT id::text, staff_number FROM person WHERE staff_number IS NOT NULL")
    found = {("courier", person): f"{LETTERS[Role.courier]}-{number:05d}" for person, number in staff}
    sides = {"post_office": "office", "one_stop_unit": "agency"}
    for place, kind, code in snapshot.rows("SELECT id::text, kind, code FROM service_point"):
        found[sides[kind], place] = code
    return found


def _erasures(snapshot: Snapshot) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for erasure, _, said in _events(snapshot, Kind.erasure):
        for name in ("entries", "operations"):
            named = said.get(name)
            for one in named if isinstance(named, list) else ():
                found.setdefault(str(one), set()).add(erasure)
    return found


def _skips(snapshot: Snapshot, devices: Mapping[str, KnownDevice]) -> dict[str, list[tuple[int, int]]]:
    found: dict[str, list[tuple[int, int]]] = {}
    for _, signer, said in _events(snapshot, Kind.correction):
        skip, device = said.get("skip"), devices.get(signer)
        if not isinstance(skip, dict) or device is None or device.role != Role.dispatcher:
            continue
        after, before = skip.get("after"), skip.get("before")
        if isinstance(after, int) and isinstance(before, int):
            found.setdefault(str(skip.get("kid")), []).append((after, before))
    return found


def _anchors(snapshot: Snapshot) -> dict[str, int]:
    found = {}
    for size, signed in snapshot.rows("SELECT size, note FROM checkpoint"):
        text = _or_none(note.split, signed)
        if text is not None:
            found[hashlib.sha256(text[0].encode()).hexdigest()] = size
    return found


def _events(snapshot: Snapshot, kind: Kind) -> Iterator[tuple[str, str, dict[str, Any]]]:
    """Id, key and fields of events of a kind; whether their bytes were signed is a check of its own."""
    query = "SELECT id::text, kid, event FROM ledger_entry WHERE kind = %s AND event IS NOT NULL"
    for id_, kid, event in snapshot.rows(query, [int(kind)]):
        yield id_, kid, fields_of(event)


def _or_none[A, B](read: Callable[[A], B], content: A) -> B | None:
    try:
        return read(content)
    except ValueError:
        return None

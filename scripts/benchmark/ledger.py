"""A large ledger made quickly, with real signatures and all that hangs on it: for measuring what reads all of it.

    python -m scripts.benchmark.ledger ENTRIES [EVIDENCE]    into DATABASE_URL, which has the ground and no entries yet

Each dossier goes all the way there and back: six handovers and two arrivals, of which the courier's come by sync.
"""

import hashlib
import io
import json
import random
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from multiprocessing import get_context
from typing import Any
from uuid import UUID

import click
from sqlalchemy import Connection, create_engine, text

from courier_api.custody import events
from courier_api.custody.inbox import RECEIPT
from courier_api.custody.sealing import MasterKeys, seal
from courier_api.custody.stores import open_store
from courier_api.money.quoting import voucher_number
from courier_api.people.devices import CERTIFIED_FOR, KINDS
from courier_api.people.models import LETTERS, Role
from courier_api.proof import note, tree
from courier_api.proof.certificate import Certificate
from courier_api.proof.core import event_id
from courier_api.proof.files import operator_key, verifier_keys
from courier_api.settings import settings
from scripts.simulation.device import Device

PER_DOSSIER = 8  # entries
PER_COURIER = 4_000  # entries; as many clerks and officers
PER_CHECKPOINT = 1_000
DAYS = 18  # that it took
AT_ONCE = 5_000  # dossiers, or leaves, for each COPY
FEE = 88_000
SECOND = 1_000_000
PAPERS = [[1, "Tờ khai đăng ký", 1, 0], [2, "Bản sao căn cước công dân", 0, 2], [3, "Giấy uỷ quyền", 1, 1]]
RESULT = [[1, "Giấy chứng nhận", 1, 0]]
STROKES = [
    {"relationship": "self", "signer_name": "Người Dân", "strokes": [[[n, n * 7 % 90, n, 50] for n in range(60)]]}
]
COLUMNS = {
    "person": "id, phone, full_name, staff_number",
    "device": "kid, person_id, role, public_key, label, created_at, certified_until, last_counter, last_digest",
    "device_certificate": "kid, issued_at, content",
    "dossier": "id, citizen_id, procedure_version_id, service, state, version, link_secret, contact_name,"
    " contact_phone, address, note, commune_code, point, point_quality, office_id, centre_id, competent_agency",
    "postal_item": "id, dossier_id, kind, tracking_number",
    "manifest": "id, number, office_id, centre_id, made_by",
    "manifest_line": "manifest_id, position, item_id, state, dossier_code, due_date",
    "ledger_entry": "id, kind, kid, counter, event, core, signature, received_at",
    "opening": "entry_id, content",
    "handover": "id, item_id, leg, from_role, from_id, to_role, to_id, recorded_by, recorded_role, device_at, at,"
    " point, accuracy_m, identity_check, receiver, fee_collected, request_digest",
    "evidence": "id, entry_id, kind, digest, size, key_id, wrapped_key, stored_at",
    "operation": "id, person_id, kid, counter, digest, received_at, state, receipt, receipt_signature",
    "voucher": "id, handover_id, dossier_id, courier_id, amount, taken_at, number",
    "ledger_leaf": "index, entry_id, hash",
    "ledger_node": "level, index, hash",
    "checkpoint": "size, root, note, at",
}


@dataclass(frozen=True, slots=True)
class Ground:
    """What a dossier stands on, and when the first one was."""

    version: str
    commune: str
    office: tuple[str, str]  # id and code
    agency: tuple[str, str]
    staff_number: int
    began_us: int


@dataclass(frozen=True, slots=True)
class Share:
    """The dossiers that one process makes."""

    number: int
    of: int
    dossiers: int
    evidence: int


@dataclass(slots=True)
class Staff:
    """One who signs."""

    id: str
    role: Role
    number: int
    device: Device = field(default_factory=Device)

    @property
    def code(self) -> str:
        """How events name him."""
        return f"{LETTERS[self.role]}-{self.number:05d}"


def build(url: str, entries: int, *, evidence: int = 0, processes: int = 2) -> None:
    """Fill a database that has the ground and no entries; `evidence` handovers at a door have strokes in the store."""
    engine = create_engine(url)
    with engine.begin() as connection:
        ground = _ground(connection)
    with ProcessPoolExecutor(processes, get_context("spawn")) as pool:
        list(
            pool.map(
                _fill_in_its_own, *zip(*((url, ground, s) for s in _shares(entries, evidence, processes)), strict=True)
            )
        )
    with engine.begin() as connection:
        _grow(connection)
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text("VACUUM ANALYZE"))


def fill(connection: Connection, entries: int, *, evidence: int = 0) -> None:
    """The same in the open transaction of a connection, in this process."""
    ground = _ground(connection)
    for share in _shares(entries, evidence, 1):
        _fill(connection, ground, share)
    _grow(connection)


def _shares(entries: int, evidence: int, processes: int) -> list[Share]:
    dossiers = -(-entries // (PER_DOSSIER * processes))
    return [Share(n, processes, dossiers, -(-evidence // processes)) for n in range(processes)]


def _ground(connection: Connection) -> Ground:
    if connection.scalar(text("SELECT EXISTS (SELECT FROM ledger_entry)")):
        raise ValueError("there is a ledger already")
    row = connection.execute(
        text(
            "SELECT c.code, o.id::text AS office, o.code AS office_code, a.id::text AS agency, a.code AS agency_code,"
            " (SELECT id::text FROM procedure_version LIMIT 1) AS version FROM commune c"
            " JOIN service_point o ON o.id = c.post_office_id"
            " JOIN service_point a ON a.commune_code = c.code AND a.kind = 'one_stop_unit' ORDER BY c.code LIMIT 1"
        )
    ).one()
    number = connection.scalar(text("SELECT nextval('staff_number') + coalesce(max(staff_number), 0) FROM person"))
    began = round(time.time() - DAYS * 86_400) * SECOND
    office, agency = (row.office, row.office_code), (row.agency, row.agency_code)
    return Ground(row.version, row.code, office, agency, number or 1, began)


def _fill_in_its_own(url: str, ground: Ground, share: Share) -> None:
    with create_engine(url).begin() as connection:
        _fill(connection, ground, share)


def _fill(connection: Connection, ground: Ground, share: Share) -> None:
    making = Making(connection, ground, share)
    for start in range(0, share.dossiers, AT_ONCE):
        for n in range(start, min(start + AT_ONCE, share.dossiers)):
            making.dossier(n)
        making.write()
    making.end()


class Making:
    """Makes the dossiers of one share, and keeps the rows until they are written."""

    def __init__(self, connection: Connection, ground: Ground, share: Share) -> None:
        self._connection, self._ground, self._share = connection, ground, share
        self._rng = random.Random(share.number)
        self._rows: dict[str, list[str]] = defaultdict(list)
        self._operator, self._name = operator_key(), operator_key().id.hex()
        self._step_us = DAYS * 86_400 * SECOND // max(1, share.dossiers)
        self._staff: dict[Role, list[Staff]] = {role: [] for role in (Role.courier, Role.clerk, Role.officer)}
        each = max(1, share.dossiers * PER_DOSSIER // PER_COURIER)
        number = ground.staff_number + share.number * 3 * each
        for role, members in self._staff.items():
            for _ in range(each):
                members.append(Staff(str(self._id(0)), role, number))
                number += 1
                self._add("person", members[-1].id, self._phone(number), "Nhân Viên", members[-1].number)
        self._manifest = ""
        self._put, self._keys = open_store(settings().evidence_store).put, None

    def dossier(self, n: int) -> None:
        """One dossier: collected, handed in, and its result delivered."""
        courier, clerk, officer = (self._rng.choice(members) for members in self._staff.values())
        number = n * self._share.of + self._share.number
        at = self._ground.began_us + n * self._step_us + self._share.number
        citizen, dossier, papers, result, stop = (str(self._id(at)) for _ in range(5))
        self._add("person", citizen, self._phone(10**7 + number), "Người Dân", None)
        self._add(
            "dossier", dossier, citizen, self._ground.version, "both", "delivered", 1, f"bench{dossier}", "Người Dân",
            "+84912000000", "Số 1", "", self._ground.commune, "SRID=4326;POINT(106.06 20.66)", "pinned",
            self._ground.office[0], self._ground.agency[0], "Bench",
        )  # fmt: skip
        numbers = [f"QA{2 * number + k:09d}VN" for k in range(2)]
        for item, kind, no in zip((papers, result), ("send", "result"), numbers, strict=True):
            self._add("postal_item", item, dossier, kind, no)
        self._list(n, papers, clerk)
        home = ("citizen", citizen, "")
        bag = ("courier", courier.id, courier.code)
        office, agency = ("office", *self._ground.office), ("agency", *self._ground.agency)
        out, back = (papers, numbers[0], PAPERS), (result, numbers[1], RESULT)
        self._arrival(courier, at, stop)
        taken = self._handover(courier, at + SECOND, out, 1, home, bag, stop=stop, fee=FEE, identity="card_seen",
                               seal=f"NS-{number:06d}", strokes=n < self._share.evidence)  # fmt: skip
        self._add("voucher", str(self._id(at)), taken, dossier, courier.id, FEE, self._claimed(at + SECOND),
                  voucher_number(UUID(taken)))  # fmt: skip
        self._handover(clerk, at + 2 * SECOND, out, 2, bag, office)
        self._handover(officer, at + 3 * SECOND, out, 3, office, agency, code="000.00-261124-0001", due="2026-12-01")
        self._handover(officer, at + 4 * SECOND, back, 1, agency, office, by=clerk.code)
        self._handover(clerk, at + 5 * SECOND, back, 2, office, bag)
        self._arrival(courier, at + 6 * SECOND, stop)
        self._handover(courier, at + 7 * SECOND, back, 3, bag, home, stop=stop, identity="card_seen", receiver="self")

    def _list(self, n: int, item: str, clerk: Staff) -> None:
        if n % 50 == 0:
            self._manifest = str(self._id(0))
            self._add(
                "manifest",
                self._manifest,
                f"BK-{self._manifest}",
                self._ground.office[0],
                self._ground.agency[0],
                clerk.id,
            )
        self._add("manifest_line", self._manifest, n % 50 + 1, item, "accepted", "000.00-261124-0001", "2026-12-01")

    def _arrival(self, courier: Staff, at: int, stop: str) -> None:
        eid = self._event_id(courier, at)
        digest = self._sign(
            courier, at, eid, "courier.arrival", stop=stop, geo={"acc": 9, "lat": 206600000, "lon": 1060600000}
        )
        self._operation(courier, at, eid, digest)

    def _handover(self, signer: Staff, at: int, what: Any, leg: int, giver: Any, taker: Any, **said: Any) -> str:
        eid = self._event_id(signer, at)
        item, number, papers = what
        values: dict[str, Any] = {"documents": papers}
        if said.get("seal"):
            values["seal"] = said.pop("seal")
        if "citizen" in (giver[0], taker[0]):
            values["citizen"] = "Người Dân"
        salts = {name: self._rng.randbytes(32) for name in values}
        committed = {
            name: hashlib.sha256(salts[name] + (v.encode() if isinstance(v, str) else _json(v))).hexdigest()
            for name, v in values.items()
        }
        citizen = committed.pop("citizen", "")
        if said.pop("strokes", False):
            salts["strokes"] = self._rng.randbytes(32)
            committed["strokes"] = self._evidence(eid, at, salts["strokes"])
        sides = {
            side: {"r": "citizen", "c": citizen} if party[0] == "citizen" else {"r": party[0], "id": party[2]}
            for side, party in (("from", giver), ("to", taker))
        }
        place = {"acc": 9, "lat": 206600000, "lon": 1060600000} if signer.role is Role.courier else None
        fields = {"item": item, "no": number, "leg": leg, "fee": said.pop("fee", 0), "ev": committed, "geo": place}
        asked = self._rng.randbytes(32)
        self._sign(signer, at, eid, "custody.handover", **fields, **sides, **said)
        opened = {"salts": {name: salt.hex() for name, salt in salts.items()}} | values
        self._add("opening", eid, json.dumps(opened, ensure_ascii=False))
        self._add(
            "handover", eid, item, leg, giver[0], giver[1], taker[0], taker[1], signer.id, signer.role.value,
            self._claimed(at), self._time(at), "SRID=4326;POINT(106.06 20.66)" if place else None,
            9 if place else None, said.get("identity"), said.get("receiver"), fields["fee"], asked,
        )  # fmt: skip
        if signer.role is Role.courier:
            self._operation(signer, at, eid, asked)
        return eid

    def _sign(self, signer: Staff, at: int, eid: str, typ: str, **said: Any) -> bytes:
        device = signer.device
        event = {
            "v": events.VERSION,
            "typ": typ,
            "eid": eid,
            "dev": {"kid": device.kid, "ctr": device.counter + 1, "prev": device.previous.hex()},
            "t": events.moment(events._EPOCH + events.timedelta(microseconds=at)),
            "mono": at // 1000 % 10**9,
            "boot": device.boot,
            "app": "bench",
        } | {name: value for name, value in said.items() if value is not None}
        content = _json(event)
        digest = hashlib.sha256(content).digest()
        core = events.core_of(event, digest)
        packed = core.pack()
        device.counter, device.previous = core.counter, digest
        self._add("ledger_entry", eid, int(core.kind), device.kid, core.counter, content, packed, device.sign(packed),
                  self._time(at))  # fmt: skip
        return digest

    def _operation(self, by: Staff, at: int, eid: str, digest: bytes) -> None:
        moment = events.moment(events._EPOCH + events.timedelta(microseconds=at))
        receipt = _json(
            {"v": 1, "typ": "sync.receipt", "op": eid, "sha256": digest.hex(), "at": moment, "key": self._name}
        )
        self._add("operation", eid, by.id, by.device.kid, by.device.counter, digest, self._time(at), "applied",
                  receipt.decode(), self._operator.sign(RECEIPT + receipt))  # fmt: skip

    def _evidence(self, eid: str, at: int, salt: bytes) -> str:
        keys = self._keys = self._keys or MasterKeys.read(settings().operator_keys)
        content, id_ = _json(STROKES), self._id(at)
        sealed = seal(keys, content, id_.bytes)
        self._put(id_.hex, sealed.content)
        digest = hashlib.sha256(salt + content)
        row = str(id_), eid, "strokes", digest.digest(), len(content), sealed.key_id, sealed.wrapped_key
        self._add("evidence", *row, self._time(at))
        return digest.hexdigest()

    def end(self) -> None:
        """Write the devices, now that what they signed is counted."""
        until = self._ground.began_us // SECOND + round(CERTIFIED_FOR.total_seconds())
        began = self._time(self._ground.began_us)
        for member in (member for members in self._staff.values() for member in members):
            device = member.device
            certificate = Certificate(
                self._operator.short_id,
                device.public,
                KINDS[member.role],
                member.code,
                self._ground.began_us // SECOND,
                until,
            ).issue(self._operator.sign)
            self._add("device", device.kid, member.id, member.role.value, device.public, "bench", began,
                      self._time(until * SECOND), device.counter, device.previous)  # fmt: skip
            self._add("device_certificate", device.kid, began, certificate)
        self.write()

    def write(self) -> None:
        """Write what there is."""
        for table in COLUMNS:
            if rows := self._rows.pop(table, None):
                copy(self._connection, table, rows)

    def _add(self, table: str, *values: Any) -> None:
        self._rows[table].append(_line(values))

    def _id(self, at_us: int) -> UUID:
        """A UUIDv7 of that moment."""
        return UUID(
            int=(at_us // 1000 << 80)
            | (7 << 76)
            | (self._rng.getrandbits(12) << 64)
            | (2 << 62)
            | self._rng.getrandbits(62)
        )

    @staticmethod
    def _event_id(signer: Staff, at_us: int) -> str:
        kid = bytes.fromhex(signer.device.kid)
        return str(event_id(kid, (at_us // 1000 << 12) + signer.device.counter % 4096))

    @staticmethod
    def _phone(number: int) -> str:
        return f"+8499{number:08d}"

    @classmethod
    def _claimed(cls, at_us: int) -> str:
        """The device's time: events know milliseconds."""
        return cls._time(at_us // 1000 * 1000)

    @staticmethod
    def _time(at_us: int) -> str:
        return (events._EPOCH + events.timedelta(microseconds=at_us)).isoformat()


def _json(value: Any) -> bytes:
    """Canonical JSON of plain values, which Python's own writer writes alike."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


def _line(values: tuple[Any, ...]) -> str:
    """A line of COPY's text form."""
    return "\t".join(
        "\\N"
        if v is None
        else "\\\\x" + v.hex()
        if isinstance(v, bytes)
        else str(v).replace("\\", "\\\\").replace("\n", "\\n")
        for v in values
    )


def copy(connection: Connection, table: str, lines: list[str]) -> None:
    """Write rows at once."""
    names = ", ".join(f'"{name.strip()}"' for name in COLUMNS[table].split(","))
    cursor = connection.connection.cursor()
    cursor.copy_expert(f'COPY "{table}" ({names}) FROM STDIN', io.StringIO("\n".join(lines) + "\n"))


def _grow(connection: Connection) -> None:
    """Give every entry its place in the tree, a checkpoint now and then."""
    key, name = operator_key(), note.VerifierKey.read(verifier_keys()[-1])
    frontier, rows = tree.Frontier(), defaultdict[str, list[str]](list)
    total = connection.scalar(text("SELECT count(*) FROM ledger_entry")) or 0
    for id_, core, signature, at in _entries(connection):
        for level, index, value in frontier.append(tree.ledger_leaf(core, signature, at)):
            if level == 0:
                rows["ledger_leaf"].append(_line((index, id_, value)))
            else:
                rows["ledger_node"].append(_line((level, index, value)))
        if frontier.size % PER_CHECKPOINT == 0 or frontier.size == total:
            root = frontier.root()
            signed = note.sign(note.Checkpoint(name.name, frontier.size, root).write(), name, key.sign)
            rows["checkpoint"].append(_line((frontier.size, root, signed, Making._time(at))))
    for table, lines in rows.items():
        copy(connection, table, lines)


def _entries(connection: Connection) -> Iterator[tuple[str, bytes, bytes, int]]:
    query = """SELECT id::text, core, signature, (extract(epoch FROM received_at) * 1000000)::bigint FROM ledger_entry
        ORDER BY received_at, id"""
    cursor = connection.connection.driver_connection.cursor(name="grow")  # type: ignore[union-attr]
    cursor.itersize = AT_ONCE
    cursor.execute(query)
    for id_, core, signature, at in cursor:
        yield id_, bytes(core), bytes(signature), at
    cursor.close()


@click.command()
@click.argument("entries", type=click.IntRange(1))
@click.argument("evidence", type=click.IntRange(0), default=0)
def main(entries: int, evidence: int) -> None:
    """Fill DATABASE_URL."""
    began = time.monotonic()
    build(settings().database_url, entries, evidence=evidence)
    click.echo(f"{entries:,} entries in {time.monotonic() - began:.1f} s", err=True)


if __name__ == "__main__":
    sys.exit(main())

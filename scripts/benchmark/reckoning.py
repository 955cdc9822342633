"""The reckoning after the faults: what devices hold receipts for, against what the database has. Nothing is trusted."""

import base64
import hashlib
import json
import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, text

from courier_api.custody.inbox import bytes_of
from courier_api.proof import tree
from courier_api.proof.note import open_checkpoint, read_keys
from scripts.benchmark.fleet import Phone
from scripts.simulation.rides import Signed

SHOWN = 20


@dataclass(slots=True)
class Reckoning:
    """What came out; `found` says of each kind what, and how often."""

    acknowledged: int = 0
    lost: Counter[str] = field(default_factory=Counter)
    doubled: Counter[str] = field(default_factory=Counter)
    misbound: Counter[str] = field(default_factory=Counter)
    unexpected: Counter[str] = field(default_factory=Counter)

    @property
    def clean(self) -> bool:
        """Whether nothing was found."""
        return not (self.lost or self.doubled or self.misbound or self.unexpected)

    def counts(self) -> dict[str, int]:
        """How many of each kind."""
        kinds = ("lost", "doubled", "misbound", "unexpected")
        return {"acknowledged": self.acknowledged} | {kind: getattr(self, kind).total() for kind in kinds}

    def found(self) -> list[str]:
        """What was found, the most frequent first."""
        lines = []
        for kind in ("lost", "doubled", "misbound", "unexpected"):
            lines += [f"{kind}: {what} ({count})" for what, count in getattr(self, kind).most_common(SHOWN)]
        return lines


# What waits still. Nothing may, once the processes have had their time.
WAITING = {
    "operations not done": "SELECT count(*) FROM operation WHERE state IN ('received', 'waiting')",
    "entries without a place in the tree": "SELECT count(*) FROM ledger_waiting",
    "work in the outbox": "SELECT count(*) FROM outbox WHERE done_at IS NULL",
}


def settle(engine: Engine, within_s: float, idle_s: float) -> Counter[str]:
    """Wait until nothing waits; or for so long, or until nothing has moved for a while. What is left is given."""
    end = time.monotonic() + within_s
    moved, before = time.monotonic(), Counter[str]()
    while True:
        with engine.connect() as connection:
            left = Counter({what: connection.scalar(text(query)) or 0 for what, query in WAITING.items()})
        if not left.total():
            return Counter()
        if left != before:
            moved, before = time.monotonic(), left
        if time.monotonic() > end or time.monotonic() - moved > idle_s:
            return +left
        time.sleep(0.25)


class Database:
    """The database as the checker reads it: one state of it, rows by their keys."""

    def __init__(self, engine: Engine) -> None:
        self._connection = engine.connect().execution_options(isolation_level="REPEATABLE READ")

    def close(self) -> None:
        """Be done with it."""
        self._connection.close()

    def rows(self, query: str) -> Sequence[Any]:
        """All rows."""
        return self._connection.execute(text(query)).all()

    def by(self, key: str, query: str) -> dict[str, list[Any]]:
        """Rows in groups."""
        found: dict[str, list[Any]] = {}
        for row in self.rows(query):
            found.setdefault(str(getattr(row, key)), []).append(row)
        return found


OPERATIONS = "SELECT id::text, digest, state, receipt, counter, kid, person_id::text FROM operation"
ENTRIES = """SELECT e.id::text, e.kind, e.kid, e.counter, e.core, e.signature, e.event, e."of"::text,
    (extract(epoch FROM e.received_at) * 1000000)::bigint AS received_us, l.index, l.hash
    FROM ledger_entry e LEFT JOIN ledger_leaf l ON l.entry_id = e.id"""
HANDOVERS = """SELECT h.id::text, h.item_id::text, h.leg, h.from_role, h.from_id::text, h.to_role, h.to_id::text,
    h.recorded_by::text, h.fee_collected, h.receiver, o.content, i.dossier_id::text, d.citizen_id::text,
    d.state AS dossier_state FROM handover h JOIN postal_item i ON i.id = h.item_id
    JOIN dossier d ON d.id = i.dossier_id
    LEFT JOIN opening o ON o.entry_id = h.id"""
STOPS = """SELECT s.id::text, s.state, s.round_id::text, r.courier_id::text, s.arrived_at, s.ended_at, r.started_at,
    r.finished_at, r.state AS round_state, j.id::text AS job_id, j.item_id::text, j.dossier_id::text,
    j.state AS job_state,
    j.outcome FROM stop s JOIN round r ON r.id = s.round_id JOIN job j ON j.id = s.job_id"""
ATTEMPTS = "SELECT id::text, job_id::text, courier_id::text, reason, note, next_action FROM attempt"
VOUCHERS = "SELECT handover_id::text, dossier_id::text, courier_id::text, amount FROM voucher"
EVIDENCE = "SELECT entry_id::text || ' ' || kind AS id, size, digest, wrapped_key, proof_id::text FROM evidence"
UPLOADS = 'SELECT entry_id::text AS id, length, "offset", kept_at, fault FROM upload'
EVENTS = """SELECT dossier_id::text || ' ' || kind AS id FROM dossier_event
    WHERE kind IN ('collected', 'delivered', 'pickup_failed', 'delivery_failed')"""
DEVICES = "SELECT kid AS id, last_counter, last_digest, quarantined_at FROM device"
CASES = "SELECT kind, code, operation_id::text FROM custody_case"


class Checker:
    """Compares what phones signed and got receipts for with every table that it must have left its mark in."""

    def __init__(self, database: Database, phones: Sequence[Phone], log: Path, keys: str) -> None:
        """`log` is the file of receipts, outside of everything that was killed; `keys` are the operator's."""
        self.phones = phones
        self.keys = read_keys(keys)
        self.log = [json.loads(line) for line in log.read_text().splitlines()]
        self.result = Reckoning(acknowledged=len({line["op"] for line in self.log}))
        self.operations = database.by("id", OPERATIONS)
        self.entries = database.by("id", ENTRIES)
        self.handovers = database.by("id", HANDOVERS)
        self.legs = Counter(h[0].item_id for h in self.handovers.values())
        self.stops = database.by("id", STOPS)
        self.rounds = {row[0].round_id: row[0] for row in self.stops.values()}
        self.attempts = database.by("id", ATTEMPTS)
        self.vouchers = database.by("handover_id", VOUCHERS)
        self.evidence = database.by("id", EVIDENCE)
        self.uploads = database.by("id", UPLOADS)
        self.events = Counter(row.id for row in database.rows(EVENTS))
        self.devices = database.by("id", DEVICES)
        self.proofs = Counter(e[0].of for e in self.entries.values() if e[0].kind == 8)
        self._database = database

    def check(self) -> Reckoning:
        """Check everything."""
        known = {one.id for phone in self.phones for one in phone.signed}
        for line in self.log:
            if line["op"] not in known:
                self.result.unexpected["a receipt for what nobody signed"] += 1
        receipts = {line["op"]: line for line in self.log}
        for phone in self.phones:
            for one in phone.signed:
                if one.id in receipts:
                    self._operation(phone, one, receipts[one.id])
                else:
                    self.result.unexpected["an operation that nobody acknowledged"] += 1
            self._chain(phone)
        self._nothing_else(known)
        self._tree()
        for row in self._database.rows(CASES):
            self.result.unexpected[f"case {row.kind} {row.code}"] += 1
        return self.result

    def _operation(self, phone: Phone, one: Signed, line: dict[str, Any]) -> None:
        rows, entries = self.operations.get(one.id, []), self.entries.get(one.id, [])
        if not rows or not entries:
            self.result.lost[f"{one.typ}: no {'operation' if not rows else 'entry'}"] += 1
            return
        row, entry = rows[0], entries[0]
        said = {
            "digest": bytes(row.digest) == hashlib.sha256(bytes_of(one.operation)).digest(),
            "receipt": row.receipt == line["receipt"]["text"],
            "courier": row.person_id == phone.rider.person_id,
            "device": (row.kid, entry.kid) == (phone.rider.device.kid,) * 2,
            "counter": row.counter == entry.counter,
            "core": bytes(entry.core) == _decoded(one, "core"),
            "signature": bytes(entry.signature) == _decoded(one, "signature"),
            "event": bytes(entry.event or b"") == _decoded(one, "event"),
        }
        self._bound(one, said)
        if row.state != "applied":
            self.result.unexpected[f"{one.typ} is {row.state}"] += 1
            return
        {
            "custody.handover": self._handover,
            "courier.arrival": self._arrival,
            "courier.failure": self._failure,
            "courier.start": self._start,
            "courier.finish": self._finish,
        }[one.typ](phone, one)

    def _bound(self, one: Signed, said: dict[str, bool]) -> None:
        for what, agrees in said.items():
            if not agrees:
                self.result.misbound[f"{one.typ}: {what}"] += 1

    def _once(self, one: Signed, what: str, count: int) -> bool:
        """Whether there is exactly one of something; what is missing is lost, what is there twice is doubled."""
        if count == 0:
            self.result.lost[f"{one.typ}: {what}"] += 1
        elif count > 1:
            self.result.doubled[f"{one.typ}: {what}"] += 1
        return count == 1

    def _handover(self, phone: Phone, one: Signed) -> None:
        assert one.stop is not None
        custody, body = one.stop["custody"], one.operation
        pickup = one.stop["job"]["kind"] == "pickup"
        if not self._once(one, "handover", len(self.handovers.get(one.id, []))):
            return
        row, stop = self.handovers[one.id][0], self.stops[one.stop["id"]][0]
        sides = ("citizen", row.citizen_id), ("courier", phone.rider.person_id)
        giver, taker = sides if pickup else sides[::-1]
        opened = row.content or {}
        names = {line["position"]: line["name"] for line in one.stop["documents" if pickup else "lines"]}
        papers = [
            [n, names[line["position"]], line["originals"], line["copies"]] for n, line in enumerate(body["lines"], 1)
        ]
        said = {
            "item": (row.item_id, stop.item_id) == (custody["item_id"],) * 2,
            "leg": row.leg == custody["leg"] == self.legs[row.item_id],
            "giver": (row.from_role, row.from_id) == giver,
            "taker": (row.to_role, row.to_id) == taker,
            "courier": row.recorded_by == stop.courier_id == phone.rider.person_id,
            "fee": row.fee_collected == body["fee_collected"],
            "seal": opened.get("seal") == body.get("seal_number"),
            "documents": opened.get("documents") == papers,
            "citizen": opened.get("citizen") == one.stop["job"]["contact_name"],
            "receiver": row.receiver == body.get("receiver"),
            "stop": stop.state == "done" and stop.dossier_id == row.dossier_id,
            "job": (stop.job_state, stop.outcome) == ("closed", "succeeded"),
            "dossier": row.dossier_state == ("collected" if pickup else "delivered"),
        }
        self._bound(one, said)
        self._once(one, "timeline", self.events[f"{row.dossier_id} {'collected' if pickup else 'delivered'}"])
        if self._once(one, "voucher", len(vouchers := self.vouchers.get(one.id, []))):
            paid = (vouchers[0].amount, vouchers[0].dossier_id, vouchers[0].courier_id)
            self._bound(one, {"voucher": paid == (body["fee_collected"], row.dossier_id, phone.rider.person_id)})
        self._once(one, "signature by hand", len(self.evidence.get(f"{one.id} strokes", [])))
        if one.photo is not None:
            self._photo(phone, one, one.photo)

    def _photo(self, phone: Phone, one: Signed, photo: bytes) -> None:
        if one.id not in phone.uploaded:
            self.result.unexpected["a photo that could not be sent"] += 1
            return
        uploads = self.uploads.get(one.id, [])
        if self._once(one, "upload", len(uploads)):
            row = uploads[0]
            if row.fault is not None:
                self.result.misbound[f"photo: {row.fault}"] += 1
            elif row.kept_at is None:
                self.result.unexpected["a photo that is not kept"] += 1
            elif (row.length, row.offset) != (len(photo),) * 2:
                self.result.misbound["photo: length"] += 1
        if self._once(one, "photo", len(kept := self.evidence.get(f"{one.id} photo", []))):
            self._bound(one, {"proof of the photo": kept[0].proof_id in self.entries})
        self._once(one, "proof of the photo", self.proofs[one.id])

    def _arrival(self, phone: Phone, one: Signed) -> None:
        row = self.stops[one.subject][0]
        self._once(one, "arrival", int(row.arrived_at is not None))
        started = row.started_at is not None and row.arrived_at is not None and row.started_at <= row.arrived_at
        self._bound(one, {"order": started, "courier": row.courier_id == phone.rider.person_id})

    def _failure(self, phone: Phone, one: Signed) -> None:
        row = self.stops[one.subject][0]
        if not self._once(one, "attempt", len(attempts := self.attempts.get(one.id, []))):
            return
        found = attempts[0]
        said = {
            "stop": row.state == "failed",
            "job": found.job_id == row.job_id,
            "courier": found.courier_id == phone.rider.person_id,
            "note": found.note == one.operation["note"],
            "reason": (found.reason, found.next_action) == ("not_home", "try_again"),
            "order": row.arrived_at is not None and row.ended_at is not None and row.arrived_at <= row.ended_at,
        }
        self._bound(one, said)
        kind = "pickup_failed" if one.stop is not None and one.stop["job"]["kind"] == "pickup" else "delivery_failed"
        self._once(one, "timeline", self.events[f"{row.dossier_id} {kind}"])

    def _start(self, phone: Phone, one: Signed) -> None:
        row = self.rounds[one.subject]
        self._once(one, "start", int(row.started_at is not None))
        self._bound(one, {"courier": row.courier_id == phone.rider.person_id})

    def _finish(self, phone: Phone, one: Signed) -> None:
        row = self.rounds[one.subject]
        self._once(one, "finish", int(row.round_state == "finished"))
        ended = [s[0].ended_at for s in self.stops.values() if s[0].round_id == one.subject]
        last = all(at is not None and row.finished_at is not None and at <= row.finished_at for at in ended)
        self._bound(one, {"order": last, "courier": row.courier_id == phone.rider.person_id})

    def _chain(self, phone: Phone) -> None:
        """The server knows each device's last event, and has all of those before it exactly once."""
        device = self.devices[phone.rider.device.kid][0]
        counters = sorted(e[0].counter for e in self.entries.values() if e[0].kid == device.id and e[0].counter)
        if len(counters) != len(set(counters)):
            self.result.doubled["counter of a device"] += 1
        if device.last_counter != phone.rider.device.counter or counters != list(range(1, device.last_counter + 1)):
            self.result.lost["events of a device's chain"] += 1
        elif bytes(device.last_digest) != phone.rider.device.previous:
            self.result.misbound["a device's last event"] += 1
        if device.quarantined_at is not None:
            self.result.unexpected["a device in quarantine"] += 1

    def _nothing_else(self, known: set[str]) -> None:
        """Nothing came into being that no device asked for."""
        for id_ in self.operations:
            if id_ not in known:
                self.result.unexpected["an operation that nobody sent"] += 1
        theirs = {phone.rider.device.kid for phone in self.phones}
        for id_, rows in self.entries.items():
            if rows[0].kid in theirs and id_ not in known:
                self.result.unexpected["an entry that nobody signed"] += 1

    def _tree(self) -> None:
        """Every entry has one leaf, which is its own, and over all leaves stands the root that was signed last."""
        leaves: dict[int, bytes] = {}
        for (row,) in self.entries.values():
            if row.index is None:
                self.result.lost["an entry without a place in the tree"] += 1
                continue
            if bytes(row.hash) != tree.ledger_leaf(bytes(row.core), bytes(row.signature), row.received_us):
                self.result.misbound["a leaf of other bytes than its entry's"] += 1
            leaves[row.index] = bytes(row.hash)
        newest = self._database.rows("SELECT note FROM checkpoint ORDER BY size DESC LIMIT 1")
        if not newest:
            self.result.lost["no checkpoint at all"] += 1
            return
        checkpoint = open_checkpoint(newest[0].note, self.keys)[0]
        ordered = [leaves[n] for n in range(len(leaves)) if n in leaves]
        if checkpoint.size != len(leaves) or len(ordered) != len(leaves):
            self.result.unexpected["leaves that no checkpoint covers, or gaps among them"] += 1
        elif tree.root(ordered) != checkpoint.root:
            self.result.unexpected["the signed root is not that of the leaves"] += 1


def _decoded(one: Signed, name: str) -> bytes:
    return base64.b64decode(one.operation["signed"][name])


def inclusion_holds(shown: dict[str, Any], one: Signed, keys: str) -> bool:
    """Whether what the API says of an entry proves that it stands in the ledger."""
    checkpoint = open_checkpoint(shown["checkpoint"], read_keys(keys))[0]
    core, signature = (base64.b64decode(shown[name]) for name in ("core", "signature"))
    leaf = tree.ledger_leaf(core, signature, shown["received_us"])
    proof = [base64.b64decode(node) for node in shown["inclusion"]]
    same = (core, signature) == (_decoded(one, "core"), _decoded(one, "signature"))
    return same and tree.verify_inclusion(leaf, shown["index"], checkpoint.size, proof, checkpoint.root)

"""What somebody with all rights on the database could do to custody: one change at a time, chosen by chance.

Each mutation changes something that the auditor must see. What nobody could see from the database alone is in UNSEEN,
with the reason, and is not generated.
"""

# ruff: noqa: S608 - names of tables and columns are this file's own

import json
import os
import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from sqlalchemy import Connection, text
from sqlalchemy.exc import DBAPIError

from courier_api.custody.audit.auditing import audit
from courier_api.custody.audit.trust import Trust
from courier_api.custody.ledger import microseconds
from courier_api.custody.stores import FolderStore
from courier_api.dossiers.states import DossierState
from courier_api.proof import note, tree
from courier_api.proof.files import operator_key, verifier_keys

# The tables whose rows are changed, and their primary keys.
KEYS = {
    "ledger_entry": ("id",),
    "ledger_leaf": ("index",),
    "ledger_node": ("level", "index"),
    "checkpoint": ("size",),
    "cosignature": ("size", "witness"),
    "handover": ("id",),
    "opening": ("entry_id",),
    "evidence": ("id",),
    "device": ("kid",),
    "device_certificate": ("kid", "issued_at"),
    "operation": ("id",),
    "custody_case": ("id",),
    "voucher": ("id",),
    "settlement": ("id",),
    "recalled": ("handover_id", "position"),
    "round": ("id",),
    "stop": ("id",),
    "attempt": ("id",),
    "dossier": ("id",),
    "person": ("id",),
    "service_point": ("id",),
    "postal_item": ("id",),
}
# What is put back or taken away wholesale, in an order in which references could stand.
STATE = (
    "person",
    "device",
    "device_certificate",
    "dossier",
    "dossier_event",
    "postal_item",
    "manifest",
    "manifest_line",
    "ledger_entry",
    "ledger_leaf",
    "ledger_waiting",
    "ledger_node",
    "checkpoint",
    "cosignature",
    "handover",
    "opening",
    "evidence",
    "upload",
    "operation",
    "custody_case",
    "settlement",
    "voucher",
    "recalled",
    "round",
    "stop",
    "attempt",
)

UNSEEN = {
    ("ledger_entry", "received_at of what waits"): "only its leaf vouches for when it came",
    ("ledger_entry", "deleting the last that wait"): "nothing signed names them yet, for 10 s at most",
    ("checkpoint", "at"): "the note does not say when it was signed",
    ("checkpoint", "deleting one that is not the newest"): "the newest covers all that it covered, but for anchors",
    ("cosignature", "at"): "when we took it in; the time that the witness signed is in the line",
    ("cosignature", "deleting one"): "nothing in the ledger says that a witness signed; the witness knows",
    ("handover", "request_digest without an operation"): "only the sender of the request could say what he asked for",
    ("opening", "salts of what is not committed to"): "they open nothing; a notice",
    ("opening", "salt of evidence that has not come"): "it is compared when the evidence comes, which is refused then",
    ("evidence", "id, size, key_id of what was erased"): "they are good for opening it only",
    ("evidence", "stored_at"): "when the file was written; nothing signed depends on it",
    (
        "evidence",
        "deleting signatures by hand that came with the handover",
    ): "as if still to come: a notice, or --overdue",
    ("device", "label"): "what the holder calls it",
    ("device", "revoked_at, quarantined_at"): "nobody signs this; events after it are found",
    ("device_certificate", "deleting one between the first and the last"): "found only where an event needs it",
    ("operation", "person_id, kid, counter, code, detail of rejected ones"): "no key vouches for what was rejected",
    ("operation", "state between received and waiting"): "neither is done yet, and the next sync sets it right",
    ("operation", "deleting one that is applied or was rejected"): "the entry stands, the phone has a receipt",
    ("custody_case", "kid, opened_at, decided_at, detail of other kinds"): "decisions are signed, these are not",
    ("voucher", "id, created_at"): "ours alone; all else, the settlement as well, is compared",
    ("round, stop, attempt", "what no courier signs"): "plans are ours; what is signed of a ride is compared",
    ("attempt", "deleting one"): "a failed visit may have been reported before, online",
    ("person", "staff_number without device or handover"): "it stands in nothing that was signed",
    ("service_point", "code without handover"): "it stands in nothing that was signed",
}

BYTES = "set_bit({c}, (:n % (length({c}) * 8))::int, 1 - get_bit({c}, (:n % (length({c}) * 8))::int))"
NUMBER = "{c} + 1 + :n % 1000"
SMALL = "{c} + 1 + (:n % 3)::smallint"
TIME = "{c} + make_interval(secs => (1 + :n % 100000) * 0.25)"
SOMEONE = "(SELECT id FROM person WHERE id <> {c} ORDER BY md5(id::text || :n) LIMIT 1)"
SOME_ENTRY = "(SELECT id FROM ledger_entry WHERE id <> {c} ORDER BY md5(id::text || :n) LIMIT 1)"
NEW_ID = "md5(CAST(:n AS text))::uuid"
TEXT = "overlay({c} placing CASE substr({c}, HERE, 1) WHEN 'x' THEN 'y' ELSE 'x' END from HERE)".replace(
    "HERE", "(1 + :n % length({c}))::int"
)
SOME_ITEM = "(SELECT id FROM postal_item WHERE id <> {c} ORDER BY md5(id::text || :n) LIMIT 1)"
SOME_DOSSIER = "(SELECT id FROM dossier WHERE id <> {c} ORDER BY md5(id::text || :n) LIMIT 1)"
SOME_KEY = "(SELECT d.kid FROM device d WHERE d.kid <> {c} ORDER BY md5(d.kid || :n) LIMIT 1)"


def other(*values: str) -> str:
    """Another of the values that a column may have."""
    listed = ", ".join(f"'{value}'" for value in values)
    return f"(SELECT v FROM unnest(ARRAY[{listed}]) v WHERE v IS DISTINCT FROM {{c}} ORDER BY md5(v || :n) LIMIT 1)"


_HAS_LEAF = "EXISTS (SELECT FROM ledger_leaf l WHERE l.entry_id = t.id)"
_NAMED = "EXISTS (SELECT FROM handover h WHERE t.id IN (h.from_id, h.to_id))"
_HAS_DEVICE = "EXISTS (SELECT FROM device d WHERE d.person_id = t.id)"
_HANDED = "EXISTS (SELECT FROM handover h WHERE h.item_id = t.id)"
_DONE = "state NOT IN ('received', 'waiting')"
_WITH_CITIZEN = """EXISTS (SELECT FROM postal_item i JOIN handover h ON h.item_id = i.id
    WHERE i.dossier_id = t.id AND 'citizen' IN (h.from_role, h.to_role))"""
_PROVEN = """kind = 'photo' OR EXISTS (SELECT FROM upload u
    WHERE u.entry_id = t.entry_id AND u.kind = t.kind AND u.kept_at IS NOT NULL)"""
_FIRST_OR_LAST = """issued_at IN (SELECT min(issued_at) FROM device_certificate GROUP BY kid
    UNION SELECT max(issued_at) FROM device_certificate GROUP BY kid)"""
_BARE = """event IS NOT NULL AND NOT EXISTS (SELECT FROM opening o WHERE o.entry_id = t.id)
    AND position('"ev"' IN encode(event, 'escape')) = 0"""
_LAST_LEG = "leg = (SELECT max(leg) FROM handover h WHERE h.item_id = t.item_id)"
_SAID = "SELECT convert_from(event, 'UTF8')::jsonb ->> '{}' FROM ledger_entry JOIN gone USING (id) WHERE kind = {}"
_APPLIED = "EXISTS (SELECT FROM operation o WHERE o.id = t.id AND o.state = 'applied' AND o.received_at = t.at)"

# (table, column, new value, which rows; all by default)
EDITS: tuple[tuple[str, str, str, str], ...] = (
    ("ledger_entry", "id", NEW_ID, ""),
    ("ledger_entry", "kind", "1 + (kind + :n % 7) % 9", "event IS NOT NULL"),
    ("ledger_entry", "kid", SOME_KEY, ""),
    ("ledger_entry", "counter", NUMBER, "counter IS NOT NULL"),
    ("ledger_entry", "counter", "NULL", "counter IS NOT NULL"),
    ("ledger_entry", "event", "NULL", "event IS NOT NULL"),
    ("ledger_entry", "event", BYTES, "event IS NOT NULL"),
    ("ledger_entry", "of", NEW_ID, "of IS NOT NULL"),
    ("ledger_entry", "of", SOME_ENTRY.format(c="t.id"), "of IS NULL"),
    ("ledger_entry", "core", BYTES, ""),
    ("ledger_entry", "signature", BYTES, ""),
    ("ledger_entry", "received_at", TIME, _HAS_LEAF),
    ("ledger_leaf", "index", NUMBER, ""),
    ("ledger_leaf", "entry_id", NEW_ID, ""),
    ("ledger_leaf", "hash", BYTES, ""),
    ("ledger_node", "level", SMALL, ""),
    ("ledger_node", "index", NUMBER, ""),
    ("ledger_node", "hash", BYTES, ""),
    ("checkpoint", "size", NUMBER, ""),
    ("checkpoint", "root", BYTES, ""),
    ("checkpoint", "note", TEXT, ""),
    ("cosignature", "size", NUMBER, ""),
    ("cosignature", "line", TEXT, ""),
    ("handover", "id", NEW_ID, ""),
    ("handover", "item_id", SOME_ITEM, ""),
    ("handover", "leg", SMALL, ""),
    ("handover", "from_role", other("citizen", "courier", "office", "agency"), ""),
    ("handover", "from_id", SOMEONE, ""),
    ("handover", "to_role", other("citizen", "courier", "office", "agency"), ""),
    ("handover", "to_id", SOMEONE, ""),
    ("handover", "recorded_by", SOMEONE, ""),
    ("handover", "recorded_role", other("courier", "clerk", "officer", "dispatcher"), ""),
    ("handover", "device_at", TIME, ""),
    ("handover", "at", TIME, ""),
    ("handover", "point", "ST_Translate({c}, (1 + :n % 100) * 1e-6, 0)", "point IS NOT NULL"),
    ("handover", "point", "NULL", "point IS NOT NULL"),
    ("handover", "accuracy_m", NUMBER, "accuracy_m IS NOT NULL"),
    ("handover", "identity_check", other("card_seen", "card_scanned", "known_person", "none"), ""),
    ("handover", "receiver", other("self", "family", "authorized"), ""),
    ("handover", "fee_collected", NUMBER, ""),
    ("handover", "request_digest", BYTES, _APPLIED),
    ("opening", "content", "NULL", "content IS NOT NULL"),
    ("opening", "erased_by", SOME_ENTRY.format(c="t.entry_id"), ""),
    ("opening", "entry_id", NEW_ID, ""),
    ("evidence", "id", NEW_ID, "wrapped_key IS NOT NULL"),
    ("evidence", "entry_id", SOME_ENTRY, ""),
    ("evidence", "kind", other("strokes", "photo"), ""),
    ("evidence", "digest", BYTES, ""),
    ("evidence", "size", NUMBER, "wrapped_key IS NOT NULL"),
    ("evidence", "key_id", TEXT, "wrapped_key IS NOT NULL"),
    ("evidence", "wrapped_key", BYTES, "wrapped_key IS NOT NULL"),
    ("evidence", "wrapped_key", "NULL", "wrapped_key IS NOT NULL"),
    ("evidence", "proof_id", SOME_ENTRY.replace("{c}", "t.entry_id"), ""),
    ("evidence", "erased_by", SOME_ENTRY.replace("{c}", "t.entry_id"), ""),
    ("device", "kid", TEXT, ""),
    ("device", "person_id", SOMEONE, ""),
    ("device", "role", other("courier", "clerk", "officer", "dispatcher"), ""),
    ("device", "public_key", BYTES, ""),
    ("device", "created_at", TIME, ""),
    ("device", "certified_until", TIME, ""),
    ("device", "last_counter", NUMBER, ""),
    ("device", "last_digest", BYTES, ""),
    ("device_certificate", "kid", TEXT, ""),
    ("device_certificate", "issued_at", TIME, ""),
    ("device_certificate", "content", BYTES, ""),
    ("operation", "id", NEW_ID, ""),
    ("operation", "person_id", SOMEONE, "state <> 'rejected'"),
    ("operation", "kid", TEXT, "state <> 'rejected'"),
    ("operation", "counter", NUMBER, "state <> 'rejected'"),
    ("operation", "digest", BYTES, ""),
    ("operation", "content", BYTES, "content IS NOT NULL"),
    ("operation", "content", "NULL", "content IS NOT NULL"),
    ("operation", "received_at", TIME, ""),
    ("operation", "state", other("received", "waiting", "applied", "parked", "rejected"), _DONE),
    ("operation", "state", other("applied", "parked", "rejected"), "state IN ('received', 'waiting')"),
    ("operation", "code", "'fee_differs'", "state IN ('applied', 'parked')"),
    ("operation", "receipt", TEXT, ""),
    ("operation", "receipt_signature", BYTES, ""),
    ("custody_case", "operation_id", NEW_ID, "kind = 'parked'"),
    ("custody_case", "kind", "'gap'", "kind = 'parked' AND decision IS NULL"),
    ("custody_case", "code", TEXT, "kind = 'parked' AND decision IS NULL"),
    ("custody_case", "decision", other("retry", "record", "skip", "dismiss"), ""),
    ("custody_case", "correction_id", SOME_ENTRY.format(c="t.id"), ""),
    ("voucher", "handover_id", NEW_ID, ""),
    ("voucher", "dossier_id", SOME_DOSSIER, ""),
    ("voucher", "courier_id", SOMEONE, ""),
    ("voucher", "amount", NUMBER, ""),
    ("voucher", "taken_at", TIME, ""),
    ("voucher", "number", TEXT, ""),
    ("voucher", "settlement_id", "NULL", "settlement_id IS NOT NULL"),
    ("settlement", "id", NEW_ID, ""),
    ("settlement", "courier_id", SOMEONE, ""),
    ("settlement", "clerk_id", SOMEONE, ""),
    ("settlement", "amount", NUMBER, ""),
    ("settlement", "device_at", TIME, ""),
    ("settlement", "at", TIME, ""),
    ("recalled", "handover_id", NEW_ID, ""),
    ("recalled", "originals", SMALL, ""),
    ("recalled", "courier_id", SOMEONE, ""),
    ("recalled", "settlement_id", "NULL", "settlement_id IS NOT NULL"),
    ("round", "seen_version", NUMBER, "seen_version IS NOT NULL"),
    ("round", "seen_at", TIME, "seen_at IS NOT NULL"),
    ("stop", "arrived_why", other("gps_wrong", "met_elsewhere", "address_wrong", "no_signal"), ""),
    ("attempt", "called", "NULL", "called IS NOT NULL"),
    ("custody_case", "code", "'other'", "kind = 'remark' AND code <> 'other' AND decision IS NULL"),
    ("dossier", "state", other(*DossierState), ""),
    ("dossier", "citizen_id", SOMEONE, _WITH_CITIZEN),
    ("person", "staff_number", "{c} + 100000 + :n % 1000", f"staff_number IS NOT NULL AND ({_NAMED} OR {_HAS_DEVICE})"),
    ("service_point", "code", TEXT, _NAMED),
    ("postal_item", "tracking_number", TEXT, _HANDED),
    ("postal_item", "kind", other("send", "result"), _HANDED),
)

DELETES: tuple[tuple[str, str], ...] = (
    ("ledger_entry", _HAS_LEAF),
    ("ledger_leaf", ""),
    ("ledger_node", ""),
    ("checkpoint", "size = (SELECT max(size) FROM checkpoint)"),
    ("handover", ""),
    ("opening", ""),
    ("evidence", _PROVEN),
    ("device", ""),
    ("device_certificate", _FIRST_OR_LAST),
    ("operation", "state = 'parked'"),
    ("custody_case", "kind IN ('parked', 'remark') AND decision IS NULL"),
    ("voucher", ""),
    ("settlement", ""),
    ("recalled", ""),
    ("dossier", "EXISTS (SELECT FROM postal_item i WHERE i.dossier_id = t.id)"),
    ("postal_item", _HANDED),
    ("person", _HAS_DEVICE),
    ("service_point", _NAMED),
)

# (table, columns that change places between two rows, which rows)
SWAPS: tuple[tuple[str, tuple[str, ...], str], ...] = (
    ("ledger_entry", ("event",), "event IS NOT NULL"),
    ("ledger_entry", ("signature",), ""),
    ("ledger_entry", ("core",), ""),
    ("ledger_entry", ("event", "core", "signature"), "event IS NOT NULL"),
    ("ledger_entry", ("received_at",), _HAS_LEAF),
    ("ledger_leaf", ("hash",), ""),
    ("ledger_node", ("hash",), ""),
    ("checkpoint", ("note",), ""),
    ("checkpoint", ("root",), ""),
    ("opening", ("content",), ""),
    ("evidence", ("digest",), ""),
    ("evidence", ("key_id", "wrapped_key", "digest", "size"), "wrapped_key IS NOT NULL"),
    ("handover", ("to_role", "to_id"), ""),
    ("handover", ("device_at",), ""),
    ("device", ("public_key",), ""),
    ("device", ("person_id",), ""),
    ("device", ("last_counter", "last_digest"), ""),
    ("device_certificate", ("content",), ""),
    ("operation", ("receipt", "receipt_signature"), ""),
    ("operation", ("digest",), ""),
    ("voucher", ("courier_id",), ""),
    ("voucher", ("amount",), ""),
)


class NothingToDo(Exception):
    """There are no rows for this mutation, or it would change nothing."""


@dataclass(frozen=True, slots=True)
class Mutation:
    """What was changed; `undo` mends what a rollback does not."""

    kind: str
    description: str
    undo: Callable[[], None] = field(default=lambda: None)


def unguard(connection: Connection) -> None:
    """Put triggers and foreign keys out of the way until the transaction is rolled back."""
    if connection.scalar(text("SELECT rolsuper FROM pg_roles WHERE rolname = current_user")):
        connection.execute(text("SET LOCAL session_replication_role = replica"))
        return
    # The owner of the tables can do as much, by other means.
    found = connection.execute(
        text(
            "SELECT conrelid::regclass::text, conname FROM pg_constraint WHERE contype = 'f' AND connamespace = "
            "'public'::regnamespace AND confrelid::regclass::text = ANY(:names)"
        ),
        {"names": [*STATE, "service_point"]},
    ).all()
    for table, name in found:
        connection.execute(text(f"ALTER TABLE {table} DROP CONSTRAINT {name}"))
    for table in STATE:
        connection.execute(text(f"ALTER TABLE {table} DISABLE TRIGGER USER"))


def remember(connection: Connection) -> None:
    """Keep the present state beside, for "restore"; gone with the connection."""
    for table in STATE:
        connection.execute(text(f"CREATE TEMP TABLE old_{table} AS TABLE {table}"))


@dataclass(slots=True)
class Tried:
    """How many mutations were made, and which of them the auditor did not see."""

    made: Counter[str] = field(default_factory=Counter)  # by kind
    missed: list[Mutation] = field(default_factory=list)
    slowest_s: float = 0.0


def try_many(
    connection: Connection,
    trust: Trust,
    count: int,
    rng: random.Random,
    store: FolderStore | None = None,
    seen: Sequence[str] = (),
) -> Tried:
    """Make so many mutations, one at a time, in the open transaction of a connection, and audit after each.

    The caller rolls back in the end. Before, everything must be clean, and no evidence outstanding.
    """
    unguard(connection)
    mutations, tried = Mutations(connection, rng, store), Tried()
    for _ in range(count):
        savepoint = connection.begin_nested()
        made = mutations.next()
        try:
            report = audit(connection, trust, seen=seen, overdue=timedelta(0))
        finally:
            savepoint.rollback()
            made.undo()
        tried.made[made.kind] += 1
        tried.slowest_s = max(tried.slowest_s, report.seconds)
        if report.clean:
            tried.missed.append(made)
    return tried


class Mutations:
    """Makes mutations in the open transaction of a connection, each in a savepoint that the caller rolls back."""

    def __init__(self, connection: Connection, rng: random.Random, store: FolderStore | None = None) -> None:
        self._connection, self._rng, self._store = connection, rng, store
        self._kinds: dict[str, tuple[int, Callable[[], Mutation]]] = {
            "edit": (60, self._edit),
            "delete": (12, self._delete),
            "swap": (12, self._swap),
            "insert": (8, self._insert),
            "truncate": (2, self._truncate),
            "restore": (2, self._restore),
            "rewrite": (2, self._rewrite),
            "file": (4, self._file),
        }

    def next(self) -> Mutation:
        """Change something."""
        while True:
            names = list(self._kinds)
            (name,) = self._rng.choices(names, [self._kinds[n][0] for n in names])
            try:
                return self.make(name)
            except NothingToDo:
                continue

    def make(self, kind: str) -> Mutation:
        """Change something in one way; raises NothingToDo."""
        savepoint = self._connection.begin_nested()
        try:
            made = self._kinds[kind][1]()
        except DBAPIError as refused:  # a rule of the tables that even a superuser meets: unique, not null, check
            savepoint.rollback()
            raise NothingToDo(str(refused)) from None
        except NothingToDo:
            savepoint.rollback()
            raise
        savepoint.commit()
        return made

    # --- rows ---------------------------------------------------------------------------------------------------------

    def _do(self, statement: str, **values: Any) -> Any:
        return self._connection.execute(text(statement), values)

    def _pick(self, table: str, where: str, count: int = 1) -> list[dict[str, Any]]:
        keys = ", ".join(f'"{key}"' for key in KEYS[table])
        rows = self._do(f'SELECT {keys} FROM "{table}" t {f"WHERE {where}" if where else ""} ORDER BY {keys}').all()
        if len(rows) < count:
            raise NothingToDo(table)
        return [dict(row._mapping) for row in self._rng.sample(rows, count)]

    @staticmethod
    def _is(row: dict[str, Any]) -> str:
        return " AND ".join(f'"{key}" = :k_{key}' for key in row)

    @staticmethod
    def _key(row: dict[str, Any]) -> dict[str, Any]:
        return {f"k_{key}": value for key, value in row.items()}

    def _edit(self) -> Mutation:
        if self._rng.random() < 0.06:
            return self._edit_content()
        table, column, value, where = self._rng.choice(EDITS)
        (row,) = self._pick(table, where)
        return self.edit(table, column, value, row)

    def edit(self, table: str, column: str, value: str, row: dict[str, Any]) -> Mutation:
        """Change one column of one row; raises NothingToDo when it is as it was."""
        new = value.format(c=f't."{column}"')
        changed = self._do(
            f'UPDATE "{table}" t SET "{column}" = {new} WHERE {self._is(row)} AND "{column}" IS DISTINCT FROM {new}',
            **self._key(row),
            **({"n": self._rng.randrange(10**6)} if ":n" in new else {}),
        )
        if changed.rowcount != 1:
            raise NothingToDo(column)
        return Mutation("edit", f"{table} {row}: {column} := {new}")

    def _edit_content(self) -> Mutation:
        """Another salt or another value behind a commitment, or one that is left out."""
        (row,) = self._pick("opening", "content IS NOT NULL")
        content = self._do(f"SELECT content FROM opening WHERE {self._is(row)}", **self._key(row)).scalar()
        kept = self._do(
            "SELECT kind FROM evidence WHERE entry_id = :k_entry_id AND wrapped_key IS NOT NULL", **self._key(row)
        ).scalars()
        opened = [name for name in content if name != "salts"]
        salted = [name for name in content["salts"] if name in {*opened, *kept}]
        what = self._rng.choice(["salt", "value", "left out", "another"])
        if what == "salt" and salted:
            content["salts"][self._rng.choice(salted)] = os.urandom(32).hex()
        elif what == "value" and opened:
            name = self._rng.choice(opened)
            content[name] = changed(content[name], self._rng)
        elif what == "left out" and opened:
            del content[self._rng.choice(opened)]
        else:
            content["remark"] = "?"
        self._do(
            f"UPDATE opening SET content = CAST(:content AS jsonb) WHERE {self._is(row)}",
            content=json.dumps(content),
            **self._key(row),
        )
        return Mutation("edit", f"opening {row}: {what}")

    def _delete(self) -> Mutation:
        table, where = self._rng.choice(DELETES)
        (row,) = self._pick(table, where)
        return self.delete(table, row)

    def delete(self, table: str, row: dict[str, Any]) -> Mutation:
        """Delete one row."""
        self._do(f'DELETE FROM "{table}" WHERE {self._is(row)}', **self._key(row))
        return Mutation("delete", f"{table} {row}")

    def _swap(self) -> Mutation:
        table, columns, where = self._rng.choice(SWAPS)
        one, two = self._pick(table, where, 2)
        return self.swap(table, columns, one, two)

    def swap(self, table: str, columns: tuple[str, ...], one: dict[str, Any], two: dict[str, Any]) -> Mutation:
        """Let columns of two rows change places; raises NothingToDo when they hold the same."""
        named = ", ".join(f'"{column}"' for column in columns)
        own = self._is(one)
        others = own.replace(":k_", ":o_")
        keys = self._key(one) | {f"o_{key}": value for key, value in two.items()}
        a, b = (f'SELECT {named} FROM "{table}" WHERE {which}' for which in (own, others))
        if self._do(f"SELECT EXISTS ({a} INTERSECT {b})", **keys).scalar():
            raise NothingToDo(table)
        self._do(
            f'WITH a AS ({a}), b AS ({b}), x AS (UPDATE "{table}" SET ({named}) = (SELECT * FROM a) WHERE {others}) '
            f'UPDATE "{table}" SET ({named}) = (SELECT * FROM b) WHERE {own}',
            **keys,
        )
        return Mutation("swap", f"{table} {one} and {two}: {', '.join(columns)}")

    # --- forgeries ----------------------------------------------------------------------------------------------------

    def _insert(self) -> Mutation:
        forge = self._rng.choice(
            [
                self._forged_handover,
                self._forged_entry,
                self._forged_countersignature,
                self._forged_leaf,
                self._forged_node,
                self._forged_checkpoint,
                self._forged_certificate,
                self._forged_voucher,
                self._forged_waiting,
                self._forged_opening,
            ]
        )
        return Mutation("insert", forge())

    def _copy(self, table: str, row: dict[str, Any], **changes: Any) -> None:
        """A row like another, but for some columns."""
        self._do(
            f'INSERT INTO "{table}" SELECT (jsonb_populate_record(t, CAST(:changes AS jsonb))).* FROM "{table}" t '
            f"WHERE {self._is(row)}",
            changes=json.dumps(changes, default=str),
            **self._key(row),
        )

    def _forged_handover(self) -> str:
        (row,) = self._pick("handover", _LAST_LEG)
        last = self._do(f"SELECT * FROM handover WHERE {self._is(row)}", **self._key(row)).one()
        self._copy(
            "handover",
            row,
            id=uuid4(),
            leg=last.leg + 1,
            from_role=last.to_role,
            from_id=last.to_id,
            to_role=last.from_role,
            to_id=last.from_id,
            fee_collected=0,
        )
        return f"a handover after {row}, signed by nobody"

    def _forged_entry(self) -> str:
        (row,) = self._pick("ledger_entry", "counter IS NOT NULL")
        last = self._do(f"SELECT kid FROM ledger_entry WHERE {self._is(row)}", **self._key(row)).scalar()
        counter = self._do("SELECT max(counter) FROM ledger_entry WHERE kid = :kid", kid=last).scalar()
        signature = "\\x" + os.urandom(64).hex()
        self._copy("ledger_entry", row, id=(new := uuid4()), counter=counter + 1, signature=signature)
        self._do("INSERT INTO ledger_waiting VALUES (:id)", id=new)
        return f"an entry like {row}, with a made-up signature"

    def _forged_countersignature(self) -> str:
        (row,) = self._pick("ledger_entry", "kind = 1")
        kid = self._do(
            "SELECT kid FROM device WHERE kid NOT IN (SELECT kid FROM ledger_entry WHERE :id IN (id, of)) LIMIT 1",
            **row,
        ).scalar()
        if kid is None:
            raise NothingToDo
        self._copy(
            "ledger_entry",
            row,
            id=(new := uuid4()),
            kind=2,
            kid=kid,
            counter=None,
            event=None,
            of=row["id"],
            signature="\\x" + os.urandom(64).hex(),
        )
        self._do("INSERT INTO ledger_waiting VALUES (:id)", id=new)
        return f"a countersignature of {row}, made up"

    def _forged_leaf(self) -> str:
        (row,) = self._pick("ledger_leaf", "")
        last = self._do("SELECT max(index) FROM ledger_leaf").scalar()
        self._copy("ledger_leaf", row, index=last + 1, entry_id=uuid4())
        return f"leaf {last + 1}, of no entry"

    def _forged_node(self) -> str:
        self._do("INSERT INTO ledger_node VALUES (3, :n, :hash)", n=self._rng.randrange(99), hash=os.urandom(32))
        return "a node that the tree does not have"

    def _forged_checkpoint(self) -> str:
        last = self._do("SELECT max(index) + 1 FROM ledger_leaf").scalar()
        size = last + 1 + self._rng.randrange(3)
        name, key = note.VerifierKey.read(verifier_keys()[-1]).name, Ed25519PrivateKey.generate()
        body = note.Checkpoint(name, size, os.urandom(32)).write()
        signed = note.sign(body, note.VerifierKey.of(name, key), key)
        self._do(
            "INSERT INTO checkpoint (size, root, note, at) VALUES (:s, :r, :n, now())",
            s=size,
            r=os.urandom(32),
            n=signed,
        )
        return f"a checkpoint of {size}, signed by another"

    def _forged_certificate(self) -> str:
        (row,) = self._pick("device_certificate", "")
        self._do(
            "INSERT INTO device_certificate SELECT kid, issued_at + interval '1 hour', set_bit(content, 450, "
            f"1 - get_bit(content, 450)) FROM device_certificate WHERE {self._is(row)}",
            **self._key(row),
        )
        return f"a certificate like {row}, not signed"

    def _forged_voucher(self) -> str:
        (row,) = self._pick("voucher", "")
        self._copy("voucher", row, id=uuid4(), handover_id=uuid4(), number=uuid4().hex[:20])
        return f"a voucher like {row}, for no handover"

    def _forged_waiting(self) -> str:
        (row,) = self._pick("ledger_entry", _HAS_LEAF)
        self._do("INSERT INTO ledger_waiting VALUES (:id)", **row)
        return f"{row} waits again"

    def _forged_opening(self) -> str:
        (row,) = self._pick("ledger_entry", _BARE)
        self._do("INSERT INTO opening (entry_id, content) VALUES (:id, CAST(:c AS jsonb))", c='{"note": "?"}', **row)
        return f"something that {row} never said"

    # --- whole histories ----------------------------------------------------------------------------------------------

    def _truncate(self) -> Mutation:
        """Take the last entries away with all that hangs on them: what is left hangs together."""
        sizes = self._do("SELECT size FROM checkpoint ORDER BY size").scalars().all()
        if len(sizes) < 2:
            raise NothingToDo
        return self.truncate(self._rng.choice(sizes[:-1]))

    def truncate(self, size: int) -> Mutation:
        """Take away all from a leaf on."""
        self._do("CREATE TEMP TABLE gone AS SELECT entry_id AS id FROM ledger_leaf WHERE index >= :s", s=size)
        self._do("INSERT INTO gone SELECT entry_id FROM ledger_waiting")
        items = self._do("SELECT DISTINCT item_id FROM handover JOIN gone USING (id)").scalars().all()
        for statement in (
            "DELETE FROM ledger_leaf WHERE entry_id IN (TABLE gone)",
            "DELETE FROM ledger_waiting",
            "DELETE FROM custody_case WHERE operation_id IN (TABLE gone)",
            "DELETE FROM operation WHERE id IN (TABLE gone)",
            "UPDATE voucher SET settlement_id = NULL WHERE settlement_id IN (TABLE gone)",
            "UPDATE recalled SET settlement_id = NULL WHERE settlement_id IN (TABLE gone)",
            "DELETE FROM voucher WHERE handover_id IN (TABLE gone)",
            "DELETE FROM recalled WHERE handover_id IN (TABLE gone)",
            "DELETE FROM settlement WHERE id IN (TABLE gone)",
            "DELETE FROM attempt WHERE id IN (TABLE gone)",
            f"UPDATE round SET seen_version = NULL, seen_at = NULL WHERE id::text IN ({_SAID.format('round', 10)})",
            f"UPDATE stop SET arrived_why = NULL WHERE id::text IN ({_SAID.format('stop', 3)})",
            "DELETE FROM handover WHERE id IN (TABLE gone)",
            "DELETE FROM opening WHERE entry_id IN (TABLE gone)",
            "DELETE FROM evidence WHERE entry_id IN (TABLE gone) OR proof_id IN (TABLE gone)",
            "DELETE FROM upload WHERE entry_id IN (TABLE gone)",
            "DELETE FROM ledger_entry WHERE id IN (TABLE gone)",
        ):
            self._do(statement)
        self._do("DELETE FROM ledger_node WHERE (index + 1) * power(256, level) > :s", s=size)
        self._do("DELETE FROM cosignature WHERE size > :s", s=size)
        self._do("DELETE FROM checkpoint WHERE size > :s", s=size)
        self._do("""UPDATE device d SET
            last_counter = coalesce((SELECT max(counter) FROM ledger_entry e WHERE e.kid = d.kid), 0),
            last_digest = coalesce((SELECT digest(event, 'sha256') FROM ledger_entry e WHERE e.kid = d.kid
                ORDER BY counter DESC NULLS LAST LIMIT 1), decode(repeat('00', 32), 'hex'))""")
        self._do("DROP TABLE gone")
        for item in items:
            self._put_back(item)
        return Mutation("truncate", f"back to {size} leaves")

    def _put_back(self, item: UUID) -> None:
        """Let a dossier stand where its remaining handovers say."""
        last = self._do(
            "SELECT from_role || to_role FROM handover WHERE item_id = :i ORDER BY leg DESC LIMIT 1", i=item
        ).scalar()
        states = {None: "submitted", "citizencourier": "collected", "courieroffice": "at_office"}
        if last in states:
            self._do("DELETE FROM manifest_line WHERE item_id = :i", i=item)
            self._do(
                "UPDATE dossier SET state = :s WHERE id = (SELECT dossier_id FROM postal_item WHERE id = :i)",
                s=states[last],
                i=item,
            )

    def _restore(self) -> Mutation:
        """The backup of yesterday."""
        if not self._do("SELECT to_regclass('pg_temp.old_ledger_entry') IS NOT NULL").scalar():
            raise NothingToDo
        if not self._do("SELECT EXISTS (TABLE ledger_leaf EXCEPT TABLE old_ledger_leaf)").scalar():
            raise NothingToDo  # of what had no place in the tree by then, nobody outside could know
        for table in reversed(STATE):
            self._do(f"DELETE FROM {table}")
        for table in STATE:
            columns = self._do(
                "SELECT string_agg(quote_ident(attname), ', ') FROM pg_attribute WHERE attrelid = CAST(:t AS regclass) "
                "AND attnum > 0 AND NOT attisdropped",
                t=table,
            ).scalar()
            self._do(f"INSERT INTO {table} ({columns}) OVERRIDING SYSTEM VALUE SELECT {columns} FROM old_{table}")
        return Mutation("restore", "an old state of all tables")

    def _rewrite(self) -> Mutation:
        """Change when something arrived, rebuild the tree and sign every checkpoint anew, as the operator could."""
        online = f"kind = 1 AND {_HAS_LEAF} AND NOT EXISTS (SELECT FROM operation o WHERE o.id = t.id)"
        (row,) = self._pick("ledger_entry", online)
        self._do("UPDATE ledger_entry SET received_at = received_at + interval '1 second' WHERE id = :id", **row)
        self._do("UPDATE handover SET at = at + interval '1 second' WHERE id = :id", **row)
        self._do("DELETE FROM cosignature")
        key, name = operator_key(), note.VerifierKey.read(verifier_keys()[-1])
        sizes = set(self._do("SELECT size FROM checkpoint").scalars())
        frontier = tree.Frontier()
        for index, core, signature, at in self._do(
            "SELECT l.index, e.core, e.signature, e.received_at FROM ledger_leaf l "
            "JOIN ledger_entry e ON e.id = l.entry_id ORDER BY l.index"
        ).all():
            leaf = tree.ledger_leaf(bytes(core), bytes(signature), microseconds(at))
            for level, place, value in frontier.append(leaf):
                if level == 0:
                    self._do("UPDATE ledger_leaf SET hash = :h WHERE index = :i", h=value, i=index)
                else:
                    where = "WHERE level = :l AND index = :i"
                    self._do(f"UPDATE ledger_node SET hash = :h {where}", h=value, l=level, i=place)
            if frontier.size in sizes:
                body = note.Checkpoint(name.name, frontier.size, frontier.root()).write()
                self._do(
                    "UPDATE checkpoint SET root = :r, note = :n WHERE size = :s",
                    r=frontier.root(),
                    n=note.sign(body, name, key.sign),
                    s=frontier.size,
                )
        return Mutation("rewrite", f"{row} arrived a second later, and everything was signed anew")

    # --- the store ----------------------------------------------------------------------------------------------------

    def _file(self) -> Mutation:
        if self._store is None:
            raise NothingToDo
        store = self._store
        (row,) = self._pick("evidence", "wrapped_key IS NOT NULL")
        name = row["id"].hex
        content = store.get(name)
        how = self._rng.choice(["bit", "cut", "gone"])
        if how == "gone":
            store.delete(name)
        elif how == "cut":
            store.put(name, content[: self._rng.randrange(len(content))])
        else:
            place = self._rng.randrange(len(content))
            bit = bytes([content[place] ^ 1 << self._rng.randrange(8)])
            store.put(name, content[:place] + bit + content[place + 1 :])
        return Mutation("file", f"the file of evidence {row['id']}: {how}", lambda: store.put(name, content))


def changed(value: Any, rng: random.Random) -> Any:
    """Something else of the same form."""
    if isinstance(value, str):
        return value + rng.choice(["x", " ", "0"])
    if isinstance(value, int):
        return value + 1
    if isinstance(value, list) and value:
        place = rng.randrange(len(value))
        return [changed(one, rng) if n == place else one for n, one in enumerate(value)]
    if isinstance(value, dict) and value:
        name = rng.choice(sorted(value))
        return value | {name: changed(value[name], rng)}
    return "x"

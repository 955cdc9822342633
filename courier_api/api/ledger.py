"""For everybody: the ledger, its checkpoints, proofs and tiles, and the receipts' place in it."""

from base64 import b64encode
from typing import Any
from uuid import UUID

from flask import Response
from marshmallow import Schema, fields, validate

from courier_api.api.public import blp, from_address
from courier_api.custody import ledger
from courier_api.errors import NotFound
from courier_api.guard.audience import db
from courier_api.proof import tree
from courier_api.proof.files import verifier_keys

TEXT = "text/plain; charset=utf-8"
_asked = from_address("ledger", 20_000)


def _text(content: str) -> Response:
    return Response(content, content_type=TEXT)


@blp.endpoint("GET", "/ledger/keys", "getLedgerKeys")
@blp.response(200, content_type="text/plain")
def get_keys() -> Any:
    """Give the operator's verifier keys, one C2SP verifier key a line, oldest first."""
    return _text("".join(f"{line}\n" for line in verifier_keys()))


@blp.endpoint("GET", "/ledger/checkpoint", "getCheckpoint", limited=_asked)
@blp.response(200, content_type="text/plain")
def get_checkpoint() -> Any:
    """Give the newest checkpoint with its cosignatures (C2SP tlog-checkpoint in a signed-note)."""
    return _text(ledger.with_cosignatures(db(), ledger.latest(db())))


class ConsistencyQuery(Schema):
    """From which size of the tree to which."""

    old = fields.Integer(required=True, strict=False, validate=validate.Range(0, 2**62), metadata={"example": 1})
    new = fields.Integer(required=True, strict=False, validate=validate.Range(0, 2**62), metadata={"example": 1})


class ConsistencyShown(Schema):
    """Proof that the tree of the old size is the beginning of that of the new one (RFC 6962, 2.1.2)."""

    old = fields.Integer(required=True)
    new = fields.Integer(required=True)
    hashes = fields.List(fields.String(), required=True, metadata={"description": "base64"})


@blp.endpoint("GET", "/ledger/consistency", "getConsistency", limited=_asked)
@blp.arguments(ConsistencyQuery, location="query")
@blp.response(200, ConsistencyShown)
def get_consistency(query: dict[str, int]) -> Any:
    """Prove that nothing was changed between two sizes of the tree."""
    return query | {"hashes": ledger.encoded(ledger.consistency(db(), query["old"], query["new"]))}


class EntryShown(Schema):
    """An entry with the proof that it stands in the ledger. It names nobody: codes, time and place only."""

    id = fields.UUID(attribute="entry.id", required=True)
    index = fields.Integer(required=True)
    size = fields.Integer(required=True)
    received_us = fields.Integer(required=True, metadata={"description": "Microseconds since 1970, the server's clock"})
    core = fields.Method("_core", required=True, metadata={"type": "string", "description": "base64"})
    signature = fields.Method("_signature", required=True, metadata={"type": "string", "description": "base64"})
    certificate = fields.Method("_certificate", required=True, metadata={"type": ["string", "null"]})
    inclusion = fields.Method("_inclusion", required=True, metadata={"type": "array", "items": {"type": "string"}})
    checkpoint = fields.String(required=True)

    def _core(self, proven: Any) -> str:
        return b64encode(proven.entry.core).decode()

    def _signature(self, proven: Any) -> str:
        return b64encode(proven.entry.signature).decode()

    def _certificate(self, proven: Any) -> str | None:
        return b64encode(proven.certificate).decode() if proven.certificate else None

    def _inclusion(self, proven: Any) -> list[str]:
        return ledger.encoded(proven.inclusion)


@blp.endpoint("GET", "/ledger/entries/<uuid:entry_id>", "getLedgerEntry", limited=_asked)
@blp.response(200, EntryShown)
def get_entry(entry_id: UUID) -> Any:
    """Prove that an event stands in the ledger; its id is on the receipt."""
    return ledger.proven(db(), entry_id)


@blp.endpoint("GET", "/ledger/tile/<int:level>/<path:place>", "getTile", limited=_asked)
@blp.response(200, content_type="application/octet-stream")
def get_tile(level: int, place: str) -> Any:
    """Give a tile of hashes (C2SP tlog-tiles): level, then the number as x001/234, partial ones with .p/WIDTH."""
    try:
        index, width = tree.read_index(place)
    except ValueError:
        raise NotFound from None
    if level > 5:
        raise NotFound
    return Response(ledger.tile(db(), level, index, width), content_type="application/octet-stream")


class CosignatureIn(Schema):
    """A checkpoint's note with a witness's line beneath."""

    note = fields.String(required=True, validate=validate.Length(1, 20_000))


class CosignatureShown(Schema):
    """What was cosigned."""

    size = fields.Integer(required=True)


@blp.endpoint("POST", "/ledger/cosignatures", "addCosignature", limited=from_address("cosignatures", 2_000))
@blp.arguments(CosignatureIn)
@blp.response(201, CosignatureShown)
def add_cosignature(body: dict[str, str]) -> Any:
    """Keep a witness's signature under a checkpoint of ours; only witnesses that we know."""
    return {"size": ledger.cosign(db(), body["note"])}

"""For couriers' phones: photos and signatures by hand come in pieces and are resumed at the last byte (tus 1.0.0)."""

import base64
import hashlib
from typing import Any
from uuid import UUID

from flask import Response, request
from werkzeug.exceptions import ClientDisconnected

from courier_api.api.couriers import blp
from courier_api.custody import uploads
from courier_api.custody.models import EvidenceKind, Upload
from courier_api.db import transaction
from courier_api.errors import Invalid
from courier_api.guard.audience import caller, db

VERSION = "1.0.0"
HEADERS = {
    "Tus-Resumable": VERSION,
    "Tus-Version": VERSION,
    "Tus-Extension": "creation,checksum,termination",
    "Tus-Checksum-Algorithm": "sha256,sha1",
    "Tus-Max-Size": str(uploads.MOST_BYTES),
}
RECEIPT = {
    "Upload-Receipt": {
        "description": "Once complete: our word for the bytes, canonical JSON with their SHA-256 (docs/custody.md)",
        "schema": {"type": "string"},
    },
    "Upload-Receipt-Signature": {
        "description": "Ed25519 over 'evidence receipt v1', a line feed and the text; base64, 64 bytes",
        "schema": {"type": "string"},
    },
}
PIECE = "application/offset+octet-stream"
AT_ONCE = 1 << 16
CHECKSUM_MISMATCH = 460


def _answer(status: int, upload: Upload | None = None, **headers: str) -> Response:
    response = Response(status=status, headers=HEADERS | {k.replace("_", "-"): v for k, v in headers.items()})
    if upload is not None:
        response.headers["Upload-Offset"] = str(upload.offset)
        response.headers["Upload-Length"] = str(upload.length)
        if upload.fault:
            response.headers["Upload-Fault"] = upload.fault
        if upload.receipt is not None and upload.receipt_signature is not None:
            response.headers["Upload-Receipt"] = upload.receipt
            response.headers["Upload-Receipt-Signature"] = base64.b64encode(upload.receipt_signature).decode()
    return response


def _speaks_tus() -> None:
    if request.headers.get("Tus-Resumable") != VERSION:
        raise Invalid("tus_version", "Tus-Resumable")


def _number(name: str) -> int:
    text = request.headers.get(name, "")
    if not (text.isascii() and text.isdecimal() and len(text) < 15):
        raise Invalid("wrong_form", name)
    return int(text)


@blp.endpoint("POST", "/evidence", "createUpload")
@blp.response(201, headers=RECEIPT)
@blp.doc(
    parameters=[
        {"in": "header", "name": "Tus-Resumable", "required": True, "schema": {"type": "string"}},
        {"in": "header", "name": "Upload-Length", "required": True, "schema": {"type": "integer"}},
        {
            "in": "header",
            "name": "Upload-Metadata",
            "required": True,
            "schema": {"type": "string"},
            "description": "`event` and `kind` (photo or strokes), each with its value in base64",
        },
    ]
)
def create() -> Any:
    """Announce evidence of an event; announced again it is the same upload, to be resumed."""
    _speaks_tus()
    told = _metadata()
    try:
        entry_id, kind = UUID(told["event"]), EvidenceKind(told["kind"])
    except (KeyError, ValueError):
        raise Invalid("wrong_form", "Upload-Metadata") from None
    upload = uploads.begin(db(), caller(), entry_id, kind, _number("Upload-Length"))
    return _answer(201, upload, Location=f"/api/v1/couriers/evidence/{upload.id}")


def _metadata() -> dict[str, str]:
    told = {}
    for pair in request.headers.get("Upload-Metadata", "").split(","):
        name, _, value = pair.strip().partition(" ")
        try:
            told[name] = base64.b64decode(value, validate=True).decode()
        except ValueError:
            raise Invalid("wrong_form", "Upload-Metadata") from None
    return told


@blp.endpoint("HEAD", "/evidence/<uuid:upload_id>", "getUploadOffset")
@blp.response(200, headers=RECEIPT)
def show_offset(upload_id: UUID) -> Any:
    """Say how many bytes have come."""
    return _answer(200, uploads.of_person(db(), caller(), upload_id))


@blp.endpoint("PATCH", "/evidence/<uuid:upload_id>", "continueUpload", by_itself=True)
@blp.response(204, headers=RECEIPT)
@blp.doc(
    requestBody={"content": {PIECE: {"schema": {"type": "string", "format": "binary"}}}, "required": True},
    parameters=[
        {"in": "header", "name": "Tus-Resumable", "required": True, "schema": {"type": "string"}},
        {"in": "header", "name": "Upload-Offset", "required": True, "schema": {"type": "integer"}},
        {"in": "header", "name": "Upload-Checksum", "required": False, "schema": {"type": "string"}},
    ],
)
def patch(upload_id: UUID) -> Any:
    """Send the next piece; what arrives before the line is cut is kept, unless a checksum was given for all of it."""
    _speaks_tus()
    if request.mimetype != PIECE:
        raise Invalid("wrong_form", "Content-Type")
    offset, checksum = _number("Upload-Offset"), _checksum()
    piece, whole = _read()  # with no transaction open: the line may be slow
    with transaction() as session:
        upload = uploads.of_person(session, caller(), upload_id, lock=True)
        if checksum is not None:
            name, wanted = checksum
            if not whole or hashlib.new(name, piece, usedforsecurity=False).digest() != wanted:
                return _answer(CHECKSUM_MISMATCH, upload)
        uploads.add(session, upload, offset, piece)
        return _answer(204, upload)


def _checksum() -> tuple[str, bytes] | None:
    given = request.headers.get("Upload-Checksum")
    if given is None:
        return None
    name, _, value = given.partition(" ")
    if name not in HEADERS["Tus-Checksum-Algorithm"].split(","):
        raise Invalid("wrong_form", "Upload-Checksum")
    try:
        return name, base64.b64decode(value, validate=True)
    except ValueError:
        raise Invalid("wrong_form", "Upload-Checksum") from None


def _read() -> tuple[bytes, bool]:
    """What arrives of the body, and whether it is all of it."""
    pieces = []
    try:
        while piece := request.stream.read(AT_ONCE):
            pieces.append(piece)
    except (ClientDisconnected, OSError):
        return b"".join(pieces), False
    content = b"".join(pieces)
    return content, request.content_length in (None, len(content))


@blp.endpoint("DELETE", "/evidence/<uuid:upload_id>", "endUpload")
@blp.response(204)
def end(upload_id: UUID) -> Any:
    """Give an upload up that is not complete."""
    uploads.end(db(), uploads.of_person(db(), caller(), upload_id, lock=True))
    return _answer(204)

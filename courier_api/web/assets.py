"""Serves the pages' own files and the few needed ones of the web libraries, by name from a list and never by path."""

import gzip
import hashlib
import json
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from flask import Blueprint, Response, abort, request

blp = Blueprint("assets", __name__, url_prefix="/assets")

STATIC = Path(__file__).parent / "static"
NODE_MODULES = Path(__file__).parents[2] / "node_modules"
FONT = "@fontsource/be-vietnam-pro"
DEXIE = "dexie/dist/modern/dexie.min.mjs"
WEIGHTS = (400, 600)
LETTERS = ("latin", "latin-ext", "vietnamese")  # a browser fetches the parts that a page uses
LIBRARIES: dict[str, tuple[str, ...]] = {
    "maplibre-gl": ("dist/maplibre-gl.mjs", "dist/maplibre-gl-worker.mjs", "dist/maplibre-gl.css"),
    "@noble/ed25519": ("index.js",),
    "canonicalize": ("lib/canonicalize.js",),
    "dexie": ("dist/modern/dexie.min.mjs",),
    "signature_pad": ("dist/signature_pad.min.js",),
    "qr": ("decode.js", "index.js"),
    # The reader imports share.js by a relative name, so both keep their places.
    "zxing-wasm": ("dist/es/reader/index.js", "dist/es/share.js", "dist/reader/zxing_reader.wasm"),
    "swagger-ui-dist": ("swagger-ui-bundle.js", "swagger-ui.css"),
    FONT: (
        *(f"{weight}.css" for weight in WEIGHTS),
        *(f"files/be-vietnam-pro-{part}-{weight}-normal.woff2" for part in LETTERS for weight in WEIGHTS),
    ),
}
TYPES = {
    ".mjs": "text/javascript; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".svg": "image/svg+xml",
    ".woff2": "font/woff2",
    ".wasm": "application/wasm",
}
FOR_EVER = "public, max-age=31536000, immutable"


@dataclass(frozen=True, slots=True)
class File:
    """A file in memory, as it is and compressed."""

    content: bytes
    zipped: bytes | None
    type: str
    etag: str


@blp.get("/own/<version>/<path:name>")
def own(version: str, name: str) -> Response:
    """One of our own files; its address changes with the content of any of them."""
    path = own_files().get(name)
    if path is None:
        abort(404)
    # During a change of versions a page of one may ask a process of the other: answer, but let nobody keep it.
    return _send(path, FOR_EVER if version == own_version() else "no-store")


@blp.get("/lib/<version>/<path:name>")
def library(version: str, name: str) -> Response:
    """One file of a web library that the pages need."""
    path = library_files().get(name)
    if path is None or not path.is_file():
        abort(404)
    return _send(path, FOR_EVER if version == library_version() else "no-store")


def own_url(name: str) -> str:
    """The address of one of our own files; raises KeyError for a name that is not there."""
    own_files()[name]
    return f"/assets/own/{own_version()}/{name}"


def library_url(name: str) -> str:
    """The address of a library's file, e.g. maplibre-gl/dist/maplibre-gl.mjs; raises KeyError for another."""
    library_files()[name]
    return f"/assets/lib/{library_version()}/{name}"


@cache
def own_files() -> dict[str, Path]:
    """Every file under static, by its name there."""
    return {p.relative_to(STATIC).as_posix(): p for p in sorted(STATIC.rglob("*")) if p.suffix in TYPES}


@cache
def library_files() -> dict[str, Path]:
    """The files of the libraries that may be served."""
    return {f"{name}/{file}": NODE_MODULES / name / file for name, files in LIBRARIES.items() for file in files}


@cache
def own_version() -> str:
    """One mark for all of our own files: modules import each other by relative names, so they change together."""
    total = hashlib.sha256()
    for name, path in own_files().items():
        total.update(name.encode() + b"\0" + path.read_bytes())
    return total.hexdigest()[:16]


@cache
def library_version() -> str:
    """One mark for the installed versions of the libraries."""
    total = hashlib.sha256()
    for name in LIBRARIES:
        package = NODE_MODULES / name / "package.json"
        total.update(json.loads(package.read_bytes())["version"].encode() if package.is_file() else b"-")
    return total.hexdigest()[:16]


@cache
def _read(path: Path) -> File:
    content = path.read_bytes()
    zipped = None if path.suffix == ".woff2" else gzip.compress(content, 6, mtime=0)
    return File(content, zipped, TYPES[path.suffix], hashlib.sha256(content).hexdigest()[:32])


def _send(path: Path, cache_control: str) -> Response:
    file = _read(path)
    zipped = file.zipped if request.accept_encodings["gzip"] else None
    response = Response(zipped or file.content, content_type=file.type)
    if zipped:
        response.headers["Content-Encoding"] = "gzip"
    response.headers["Cache-Control"] = cache_control
    response.vary.add("Accept-Encoding")
    # Weak: the same mark stands for the compressed bytes.
    response.set_etag(file.etag, weak=True)
    response.make_conditional(request)
    return response

"""The page on which anyone checks a receipt, and the worker that keeps it on the device for hours without network."""

import hashlib
import json

from flask import Blueprint, Response, make_response

from courier_api.proof.files import verifier_keys
from courier_api.settings import settings
from courier_api.web import assets, headers, languages, pages, words

blp = Blueprint("verify", __name__, template_folder="templates")
pages.speak_html(blp)

ED25519 = "@noble/ed25519/index.js"
QR = "qr/decode.js"
OWN = ("css/site.css", "css/verify.css", "img/mark.svg", "js/dom.js", "js/told.js")


@blp.get("/verify")
@blp.get("/VERIFY")  # a printed code holds capitals more tightly
def page() -> Response:
    """The page; the receipt stands behind the address's #, which never comes here."""
    return _page(languages.language())


@blp.get("/verify-worker.js")
def worker() -> Response:
    """The service worker: another text, and so a new version, whenever a page or a file is another."""
    texts = [_page(tongue).get_data() for tongue in languages.LANGUAGES]
    script = (assets.STATIC / "js/verify/worker.js").read_text()
    shell = {
        "version": hashlib.sha256(b"\0".join(texts)).hexdigest()[:16],
        "pages": [f"/verify?lang={tongue}" for tongue in languages.LANGUAGES],
        "files": _files(),
    }
    response = make_response(f"const SHELL = {json.dumps(shell)};\n{script}")
    response.content_type = assets.TYPES[".js"]
    response.headers["Cache-Control"] = "no-cache"
    return response


def _page(tongue: str) -> Response:
    spoken = words.spoken(words.VERIFY, tongue)
    told = {
        "timezone": settings().timezone.key,
        "keys": verifier_keys(),
        "ledger": "/api/v1/public/ledger/entries/",
        "worker": "/verify-worker.js",
        "ed25519": assets.library_url(ED25519),
        "qr": assets.library_url(QR),
        "words": spoken,
    }
    response = pages.page("verify.html", tongue=tongue, told=told, v=spoken)
    response.headers["Permissions-Policy"] = headers.WITH_CAMERA
    return response


def _files() -> list[str]:
    own = [name for name in assets.own_files() if name in OWN or name.startswith("js/verify/")]
    library = [name for name in assets.library_files() if name.startswith((assets.FONT, "@noble/ed25519/", "qr/"))]
    return [*map(assets.own_url, own), *map(assets.library_url, library)]

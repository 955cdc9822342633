"""The page on which anyone checks a receipt, and the worker that keeps it on the device for hours without network."""

from flask import Blueprint, Response

from courier_api.proof.files import verifier_keys
from courier_api.settings import settings
from courier_api.web import assets, headers, languages, pages, words, workers

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
    """The service worker."""
    pages_ = {f"/verify?lang={tongue}": _page(tongue) for tongue in languages.LANGUAGES}
    return workers.worker("js/verify/worker.js", pages_, files=_files())


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
    return workers.marked(response)


def _files() -> list[str]:
    own = [name for name in assets.own_files() if name in OWN or name.startswith("js/verify/")]
    library = [name for name in assets.library_files() if name.startswith((assets.FONT, "@noble/ed25519/", "qr/"))]
    return [*map(assets.own_url, own), *map(assets.library_url, library)]

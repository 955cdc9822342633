"""The courier's app: one page in each language, the worker that keeps it on the phone, and what installs it."""

import json
import posixpath
import re
from datetime import timedelta
from functools import cache
from zoneinfo import ZoneInfo

from flask import Blueprint, Response, make_response

from courier_api.custody import backup_keys
from courier_api.db import now, transaction
from courier_api.proof.files import verifier_keys
from courier_api.settings import settings
from courier_api.web import assets, courier_words, headers, languages, pages, words, workers
from courier_api.web import ground as grounds

blp = Blueprint("courier", __name__, template_folder="templates")
pages.speak_html(blp)

LIBRARIES = {
    "dexie": "dexie/dist/modern/dexie.min.mjs",
    "canonicalize": "canonicalize/lib/canonicalize.js",
    "ed25519": "@noble/ed25519/index.js",
    "signature_pad": "signature_pad/dist/signature_pad.min.js",
    "qr_encode": "qr/index.js",
    "zxing": "zxing-wasm/dist/es/reader/index.js",
    "zxing_wasm": "zxing-wasm/dist/reader/zxing_reader.wasm",
    "maplibre": "maplibre-gl/dist/maplibre-gl.mjs",
    "maplibre_css": "maplibre-gl/dist/maplibre-gl.css",
}
# Large, and needed only when the first code is read or the map looked at: fetched behind the rest.
LATER = ("zxing-wasm/", "maplibre-gl/")
FOLDERS = ("js/app/", "js/device/", "js/verify/")
OWN = ("css/site.css", "css/courier.css", "css/courier-map.css", "img/mark.svg", *(
    f"js/{name}.js" for name in ("dom", "told", "format", "ground", "colours")
))  # fmt: skip
NOT_NEEDED = ("js/app/worker.js", "js/verify/worker.js", "js/verify/page.js", "js/verify/show.js", "js/verify/scan.js")
IMPORT = re.compile(r'^(?:import|export)\b[^;]*?"(\.[^"]+)";', re.MULTILINE)
WORDS = words.ROUND_MAP | courier_words.COURIER


@blp.get("/courier")
def page() -> Response:
    """The app; all that it shows it asks the API for, or has on the phone."""
    return _page(languages.language())


@blp.get("/courier-worker.js")
def worker() -> Response:
    """The service worker."""
    files = _files()
    return workers.worker(
        "js/app/worker.js",
        {f"/courier?lang={tongue}": _page(tongue) for tongue in languages.LANGUAGES},
        files=[f for f in files if not _is_later(f)],
        later=[f for f in files if _is_later(f)],
    )


@blp.get("/courier.webmanifest")
def manifest() -> Response:
    """How a phone installs the app."""
    tongue = languages.language()
    said = words.spoken(courier_words.COURIER, tongue)
    mark = assets.own_url("img/mark.svg")
    response = make_response(
        json.dumps(
            {
                "id": "/courier",
                "name": said["app_name"],
                "short_name": said["app_short"],
                "description": said["app_text"],
                "lang": tongue,
                "start_url": "/courier",
                "scope": "/courier",
                "display": "standalone",
                "orientation": "portrait",
                "background_color": "#faf7f0",
                "theme_color": "#12395c",
                "icons": [{"src": mark, "sizes": "any", "type": "image/svg+xml", "purpose": "any maskable"}],
            },
            ensure_ascii=False,
        )
    )
    response.content_type = "application/manifest+json; charset=utf-8"
    response.headers["Cache-Control"] = "no-cache"
    response.vary.update(("Accept-Language", "Cookie"))
    return response


def _page(tongue: str) -> Response:
    with transaction() as session:
        ground = grounds.ground(session)
    spoken = words.spoken(WORDS, tongue)
    told = {
        "timezone": settings().timezone.key,
        "utc_offset": fixed_offset(settings().timezone),
        "app": f"courier-{assets.own_version()[:8]}",
        "keys": verifier_keys(),
        "backup_key": backup_keys.public_point(),
        "verify": f"{settings().public_url}/verify",
        "worker": "/courier-worker.js",
        "bounds": ground.bounds,
        "tiles": f"/tiles/{{z}}/{{x}}/{{y}}.mvt?v={ground.version}",
        "synthetic": ground.synthetic,
        "approximate": ground.approximate,
        "words": spoken,
    } | {name: assets.library_url(file) for name, file in LIBRARIES.items()}
    response = pages.page("courier.html", tongue=tongue, told=told, c=spoken, modules=_modules(), private=True)
    response.headers.update(headers.COURIER)
    return workers.marked(response)


def fixed_offset(zone: ZoneInfo) -> int | None:
    """Minutes ahead of UTC, None where clocks are changed in the course of a year."""
    found = {(now() + timedelta(days=30 * month)).astimezone(zone).utcoffset() for month in range(13)}
    (offset, *others) = found
    return None if others or offset is None else offset // timedelta(minutes=1)


def _modules() -> list[str]:
    """The scripts that are needed before the first screen: asked for at once, not one after the other."""
    return [
        *map(assets.own_url, _imported("js/app/main.js", assets.own_version())),
        assets.library_url(LIBRARIES["dexie"]),
    ]


@cache
def _imported(first: str, _version: str) -> list[str]:
    """A script and all that it imports; what it loads later by itself is not among them."""
    found: dict[str, None] = {}
    ahead = [first]
    while ahead:
        name = ahead.pop()
        if name in found:
            continue
        found[name] = None
        text = assets.own_files()[name].read_text()
        ahead += [posixpath.normpath(f"{posixpath.dirname(name)}/{other}") for other in IMPORT.findall(text)]
    return sorted(found)


def _own() -> list[str]:
    return [n for n in assets.own_files() if (n in OWN or n.startswith(FOLDERS)) and n not in NOT_NEEDED]


def _files() -> list[str]:
    wanted = ("dexie/", "canonicalize/", "@noble/ed25519/", "signature_pad/", "qr/index.js", assets.FONT, *LATER)
    library = [name for name in assets.library_files() if name.startswith(wanted)]
    return [*map(assets.own_url, _own()), *map(assets.library_url, library)]


def _is_later(address: str) -> bool:
    return any(f"/{name}" in address for name in LATER) or ".woff2" in address

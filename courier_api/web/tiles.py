"""Vector tiles of the public ground, made by PostGIS, kept in memory until the ground is imported anew."""

import gzip
from functools import lru_cache

from flask import Blueprint, Response, request

from courier_api.db import transaction
from courier_api.guard.problems import problem
from courier_api.web import ground

blp = Blueprint("tiles", __name__, url_prefix="/tiles")

MIN_ZOOM, MAX_ZOOM = 0, 14  # the browser enlarges the last one
TYPE = "application/vnd.mapbox-vector-tile"
FORM = "1"  # to be counted up when tiles of the same ground come to look different
A_DAY = "public, max-age=86400"


@blp.get("/<int:z>/<int:x>/<int:y>.mvt")
def tile(z: int, x: int, y: int) -> Response:
    """One tile; 204 where the ground is empty."""
    if not (MIN_ZOOM <= z <= MAX_ZOOM and x < 2**z and y < 2**z):
        return problem(404, "not_found")
    with transaction() as session:
        version = ground.version(session)
    zipped = drawn(version, z, x, y)
    if zipped and request.accept_encodings["gzip"]:
        response = Response(zipped, content_type=TYPE, headers={"Content-Encoding": "gzip"})
    elif zipped:
        response = Response(gzip.decompress(zipped), content_type=TYPE)
    else:
        response = Response(status=204)
    # The page asks with the version it knows; such an address never changes its content.
    response.headers["Cache-Control"] = A_DAY if request.args.get("v") == version else "no-cache"
    response.vary.add("Accept-Encoding")
    response.set_etag(f"{version}-{FORM}", weak=True)
    response.make_conditional(request)
    return response


@lru_cache(maxsize=2048)  # some 20 MB; the whole province down to zoom 14 is about 1,200 tiles
def drawn(version: str, z: int, x: int, y: int) -> bytes:
    """The compressed tile of one version of the ground; empty where there is nothing."""
    with transaction() as session:
        content = ground.draw_tile(session, z, x, y)
    return gzip.compress(content, 5, mtime=0) if content else b""

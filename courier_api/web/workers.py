"""Service workers, which keep pages on a device: one version of them, whole or not at all, while two may answer."""

import hashlib
import json
from collections.abc import Sequence
from typing import Any

from flask import Response, make_response

from courier_api.web import assets

PAGE_VERSION = "Page-Version"
KEEPING = "js/keeping.js"


def marked(page: Response) -> Response:
    """Have a page say which version it is: by it a worker knows whose page it was given."""
    page.headers[PAGE_VERSION] = _mark(page.get_data())
    return page


def worker(script: str, pages: dict[str, Response], **files: Sequence[str]) -> Response:
    """The script below what it keeps: another text, and so a new version, whenever a page or a file is another."""
    shell: dict[str, Any] = {"pages": {address: page.headers[PAGE_VERSION] for address, page in pages.items()}, **files}
    shell["version"] = _mark(json.dumps(shell).encode())
    scripts = [(assets.STATIC / name).read_text() for name in (KEEPING, script)]
    response = make_response("\n".join([f"const SHELL = {json.dumps(shell)};", *scripts]))
    response.content_type = assets.TYPES[".js"]
    response.headers["Cache-Control"] = "no-cache"
    return response


def _mark(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()[:16]

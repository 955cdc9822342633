"""Courier API: citizens' dossiers from door to agency and back, every handover signed."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def create_app() -> "Flask":
    """Build the WSGI application; the imports stand here so that capabilities can be used without Flask."""
    from courier_api.api.app import build
    from courier_api.web.site import add_to

    app = build()
    add_to(app)  # here and not in api: the two do not know each other
    return app

"""Courier API: citizens' dossiers from door to agency and back, every handover signed."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from flask import Flask


def create_app() -> "Flask":
    """Build the WSGI application; the imports stand here so that capabilities can be used without Flask."""
    from courier_api.api.app import build

    return build()

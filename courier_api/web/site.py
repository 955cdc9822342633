"""Puts the pages, the tiles, their files and the security headers on the app."""

from flask import Flask

from courier_api.web import assets, cases, courier, headers, health, pages, tiles, tracking, verify


def add_to(app: Flask) -> None:
    """Register everything that a browser meets."""
    for module in (pages, tracking, cases, courier, verify, tiles, assets, health):
        app.register_blueprint(module.blp)
    app.register_error_handler(404, pages.missing)
    headers.register(app)

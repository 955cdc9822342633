"""Putting the Flask app together: settings, blueprints, error handlers, pages."""

from flask import Flask
from werkzeug.middleware.proxy_fix import ProxyFix

from courier_api import models
from courier_api.api import (
    agencies,
    citizens,
    clerks,
    corrections,
    couriers,
    devices,
    dispatchers,
    doors,
    ledger,
    papers,
    positions,
    public,
    roads,
    settling,
    sync,
    tracking,
    uploads,
)
from courier_api.guard import problems
from courier_api.settings import settings

assert models.all_models
# These add operations to an audience that has a file of its own.
assert devices
assert papers
assert tracking
assert roads.blp is corrections.blp is dispatchers.blp
assert doors.blp is settling.blp is sync.blp is uploads.blp is couriers.blp
assert ledger.blp is public.blp

AUDIENCES = (public, citizens, couriers, clerks, dispatchers, agencies)
MAX_BODY = 1 << 20  # a handover with its strokes is some 50 kB


def build() -> Flask:
    """Build the WSGI application."""
    app = Flask(__name__, static_folder=None)
    app.config.update(
        API_TITLE="Courier API",
        API_VERSION="v1",
        OPENAPI_VERSION="3.1.0",
        OPENAPI_URL_PREFIX="/api",
        OPENAPI_JSON_PATH="openapi.json",
        MAX_CONTENT_LENGTH=MAX_BODY,
        API_SPEC_OPTIONS={
            "info": {
                "description": "Carries citizens' administrative dossiers: home pickup, handover to the agency, "
                "delivery of the result, every handover signed.",
                "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
            },
            "components": {"securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}}},
        },
    )
    app.json.sort_keys = False  # type: ignore[attr-defined]
    if hops := settings().trusted_proxies:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops)  # type: ignore[method-assign]
    api = problems.ProblemApi(app)
    for group in (*AUDIENCES, positions):
        api.register_blueprint(group.blp)
    problems.register(app)
    return app

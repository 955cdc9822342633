"""The first page with the day's rounds, the API's page, and what is shown when a page cannot be."""

import logging
from functools import partial
from typing import Any
from urllib.parse import urlencode

from flask import Blueprint, Response, make_response, render_template, request
from werkzeug.exceptions import HTTPException

from courier_api.db import transaction
from courier_api.errors import DomainError, NotFound, TooMany
from courier_api.guard.problems import problem
from courier_api.settings import settings
from courier_api.web import assets, languages, words
from courier_api.web import ground as grounds

blp = Blueprint("pages", __name__, template_folder="templates")
log = logging.getLogger(__name__)

# Of the cases the first page says only how many wait.
COUNTED = {f"cases_{key}": words.CASES[key] for key in ("count", "count_one", "count_more", "count_none")}


@blp.get("/")
def home() -> Response:
    """The map of the day; without a sign-in the ground, the tracking form and the way in for staff."""
    with transaction() as session:
        ground = grounds.ground(session)
    tongue = languages.language()
    told = {
        "timezone": settings().timezone.key,
        "bounds": ground.bounds,
        "tiles": f"/tiles/{{z}}/{{x}}/{{y}}.mvt?v={ground.version}",
        "maplibre": assets.library_url("maplibre-gl/dist/maplibre-gl.mjs"),
        "dexie": assets.library_url(assets.DEXIE),
        "words": words.spoken(words.MAP | words.SIGN_IN | COUNTED, tongue),
    }
    return page("home.html", ground=ground, told=told)


@blp.get("/api/docs")
def docs() -> Response:
    """The API's document to browse."""
    return page("docs.html")


def page(
    template: str, status: int = 200, *, private: bool = False, tongue: str | None = None, **values: Any
) -> Response:
    """Render a page in the caller's language; a private one is kept by nobody and found by no search engine."""
    tongue = tongue or languages.language()
    response = make_response(
        render_template(
            template,
            lang=tongue,
            other="en" if tongue == "vi" else "vi",
            other_url=_in_language("en" if tongue == "vi" else "vi"),
            w=partial(words.word, tongue=tongue),
            own=assets.own_url,
            library=assets.library_url,
            font=assets.FONT,
            private=private,
            **values,
        ),
        status,
    )
    response.headers["Content-Language"] = tongue
    response.headers["Cache-Control"] = "no-store" if private else "no-cache"
    if private:
        response.headers["X-Robots-Tag"] = "noindex, nofollow"
    response.vary.update(("Accept-Language", "Cookie"))
    return languages.remember(response)


def _in_language(tongue: str) -> str:
    return f"?{urlencode({**request.args, 'lang': tongue})}"


def refused(error: DomainError) -> Response:
    """A page in place of a domain error."""
    if isinstance(error, NotFound):
        return sorry(404)
    if isinstance(error, TooMany):
        return sorry(429, minutes=max(1, round(error.retry_after / 60)), retry_after=error.retry_after)
    log.error("a page was refused: %s", error.code)
    return sorry(500)


def fault(error: Exception) -> Response:
    """A page in place of a fault."""
    if isinstance(error, HTTPException):
        return sorry(404 if error.code == 404 else 500)
    log.exception("fault in %s %s", request.method, request.path)
    return sorry(500)


def sorry(status: int, *, retry_after: int | None = None, **values: object) -> Response:
    """What a person reads when there is no page to show."""
    kind = {404: "missing", 429: "too_many"}.get(status, "fault")
    tongue = languages.language()
    text = words.word("too_many" if kind == "too_many" else f"{kind}_text", tongue, **values)
    response = page("sorry.html", status, private=True, heading=words.word(f"{kind}_heading", tongue), text=text)
    if retry_after:
        response.headers["Retry-After"] = str(retry_after)
    return response


def missing(_: Exception) -> Response:
    """An address that is nowhere: a page for a person, a problem for a program."""
    wants_page = request.accept_mimetypes.best_match(["application/json", "text/html"]) == "text/html"
    if wants_page and not request.path.startswith(("/api/", "/assets/", "/tiles/")):
        return sorry(404)
    return problem(404, "not_found")


def speak_html(blueprint: Blueprint) -> None:
    """Let a blueprint of pages answer errors with pages."""
    blueprint.register_error_handler(DomainError, refused)
    blueprint.register_error_handler(Exception, fault)


speak_html(blp)

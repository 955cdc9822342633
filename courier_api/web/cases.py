"""The page on which dispatchers decide what our rules have no place for; its scripts ask the API and sign."""

from flask import Blueprint, Response

from courier_api.settings import settings
from courier_api.web import assets, languages, pages, words

blp = Blueprint("cases", __name__, template_folder="templates")
pages.speak_html(blp)

# What the API's sentences call by its code, as “cancelled”: states of dossiers, stops and rounds.
OTHER_STATES = {key.split("_")[1]: both for key, both in words.MAP.items() if key.startswith(("stop_", "round_"))}
STATES = words.STATES | OTHER_STATES


@blp.get("/cases")
def page() -> Response:
    """The page; without a sign-in it shows nothing but the way in."""
    tongue = languages.language()
    spoken = words.spoken(words.CASES, tongue)
    told = {
        "timezone": settings().timezone.key,
        "canonicalize": assets.library_url("canonicalize/lib/canonicalize.js"),
        "dexie": assets.library_url(assets.DEXIE),
        "app": f"web-{assets.own_version()[:8]}",
        "states": words.spoken(STATES, tongue),
        "words": spoken | words.spoken(words.SIGN_IN, tongue),
    }
    return pages.page("cases.html", told=told, c=spoken, private=True)

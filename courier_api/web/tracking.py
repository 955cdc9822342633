"""Where a dossier is, for who has its link or its number with the phone's last digits; works without scripts."""

from datetime import date, datetime
from typing import Any

from flask import Blueprint, Response, request

from courier_api.db import now, transaction
from courier_api.dossiers import cases
from courier_api.dossiers.models import Dossier, DossierEvent
from courier_api.dossiers.numbers import is_valid
from courier_api.dossiers.states import DossierState, ItemKind, Service
from courier_api.errors import NotFound
from courier_api.guard import guesses, limits
from courier_api.messages import tell
from courier_api.settings import settings
from courier_api.web import languages, pages, words

blp = Blueprint("tracking", __name__, template_folder="templates")
pages.speak_html(blp)

AN_HOUR_S = 3600
LINKS_PER_HOUR = 2000

S = DossierState
STEPS = ("step_home", "step_agency", "step_result", "step_delivered")
HALVES = {Service.send: (0, 2), Service.return_: (2, 4), Service.both: (0, 4)}  # which of them go by post
# How many of the steps are behind a dossier in a state; refused and cancelled ones go another way.
STEPS_DONE = {
    S.submitted: 0,
    S.collected: 1,
    S.at_office: 1,
    S.handed_over: 1,
    S.received: 2,
    S.closed: 2,
    S.result_ready: 3,
    S.out_for_delivery: 3,
    S.delivered: 4,
}


@blp.get("/t/<secret>")
def by_link(secret: str) -> Response:
    """The page behind the unguessable link."""
    limits.spend("tracking-link", request.remote_addr or "", LINKS_PER_HOUR, AN_HOUR_S)
    with transaction() as session:
        return _shown(cases.by_link(session, secret))


@blp.get("/track")
def by_number() -> Response:
    """The form, and the page behind a right answer to it."""
    number = request.args.get("number", "")[:40].replace(" ", "").upper()
    digits = request.args.get("phone_digits", "").strip()[:10]
    if "number" not in request.args and "phone_digits" not in request.args:
        return _form("", "", {})
    errors = {}
    if not is_valid(number):
        errors["number"] = "number_wrong" if number else "number_missing"
    if not (len(digits) == 4 and digits.isascii() and digits.isdecimal()):
        errors["phone_digits"] = "digits_missing"
    if errors:
        return _form(number, digits, errors)
    guesses.allow(number, request.remote_addr)
    try:
        with transaction() as session:
            return _shown(cases.by_number(session, number, digits))
    except NotFound:
        guesses.wrong(number, request.remote_addr)
        return _form(number, digits, {"number": "not_matched"}, 404)


def _form(number: str, digits: str, errors: dict[str, str], status: int = 422) -> Response:
    return pages.page(
        "track.html", status if errors else 200, private=True, number=number, digits=digits, errors=errors
    )


def _shown(dossier: Dossier) -> Response:
    tongue = languages.language()
    state = dossier.state.value
    if dossier.state is S.submitted and dossier.service is Service.return_:
        state = "submitted_return"
    today = now().astimezone(settings().timezone).date()
    first, last = HALVES[dossier.service]
    done = _steps_done(dossier)
    return pages.page(
        "dossier.html",
        private=True,
        headline=words.spoken(words.STATES, tongue)[state],
        what_next=words.spoken(words.NEXT, tongue)[state],
        procedure=_procedure(dossier, tongue),
        numbers=[item.tracking_number for item in dossier.items],
        due=languages.day(dossier.due_date, tongue) if dossier.due_date else None,
        overdue=bool(dossier.due_date and dossier.due_date < today and dossier.state is S.received),
        steps=STEPS[first:last],
        done=None if done is None else max(0, done - first),
        events=[_event(e, tongue) for e in dossier.events],
    )


def _steps_done(dossier: Dossier) -> int | None:
    refused = dossier.state is S.out_for_delivery and cases.item_of(dossier, ItemKind.result) is None
    return None if refused else STEPS_DONE.get(dossier.state)


def _procedure(dossier: Dossier, tongue: str) -> str:
    version = dossier.procedure_version
    return version.name_en if tongue == "en" and version.name_en else version.name


def _event(event: DossierEvent, tongue: str) -> dict[str, str]:
    # What a courier without network did is told at his hour, but a clock that runs ahead is not believed.
    at = min(event.device_at or event.at, event.at)
    return {
        "text": tell(event.kind, tongue, _readable(event.detail, tongue)),
        "at": languages.moment(at, tongue),
        "datetime": at.astimezone(settings().timezone).isoformat(timespec="minutes"),
    }


def _readable(detail: dict[str, Any], tongue: str) -> dict[str, Any]:
    """Days and hours as people write them; the timeline keeps them as ISO 8601."""
    words_ = dict(detail)
    if isinstance(words_.get("expected"), str):
        words_["expected"] = languages.moment(datetime.fromisoformat(words_["expected"]), tongue)
    if isinstance(words_.get("due_date"), str):
        words_["due_date"] = languages.day(date.fromisoformat(words_["due_date"]), tongue)
    return words_

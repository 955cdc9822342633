"""The citizen's part: ask the price, book, cancel."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy.orm import Session

from courier_api.db import new_id, now, point
from courier_api.dossiers import cases
from courier_api.dossiers.models import Dossier
from courier_api.dossiers.states import Caution, DossierAction, DossierState, ItemKind, Service
from courier_api.errors import Invalid, NotFound, Refused
from courier_api.jobs import work
from courier_api.jobs.models import Job
from courier_api.jobs.states import JobKind, Outcome
from courier_api.money import quoting
from courier_api.people import signing_in
from courier_api.people.models import Person
from courier_api.people.phones import normalise
from courier_api.places import geography
from courier_api.places.models import PointQuality
from courier_api.procedures import catalogue
from courier_api.procedures.models import ProcedureVersion
from courier_api.rounds import daywork, riding
from courier_api.rounds.states import Half
from courier_api.settings import settings

FARTHEST_BOOKING = timedelta(days=30)
SHORTEST_WINDOW = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Booking:
    """What a citizen asks for."""

    procedure_code: str
    procedure_suffix: str
    service: Service
    contact_name: str
    contact_phone: str
    address: str
    note: str
    cautions: list[Caution]
    lon: float
    lat: float
    documents: list[cases.DocumentCount]
    window: tuple[datetime, datetime] | None
    dossier_code: str | None
    consent: bool


def price(session: Session, code: str, suffix: str, service: Service) -> tuple[ProcedureVersion, quoting.Quote]:
    """Quote a procedure by post; raises NotFound or Refused when it may not go that way."""
    today = now().astimezone(settings().timezone).date()
    version = catalogue.current(session, code, suffix, today)
    catalogue.require_postal(version, service.value)
    return version, quoting.quote(session, version, service, today)


def submit_dossier(session: Session, citizen: Person, booking: Booking) -> Dossier:
    """Open a dossier: checklist, place, price, postal item, and the pickup job when papers go out with us."""
    if not booking.consent:
        raise Invalid("consent_missing", "/consent")
    version, amount = _price_of(session, booking)
    commune = geography.require_inside(session, booking.lon, booking.lat)
    if commune.post_office_id is None:
        raise Refused("commune_has_no_office", "/point")
    sends = booking.service is not Service.return_
    window = checked_window(booking.window) if sends else None
    if not sends and booking.window is not None:
        raise Invalid("window_not_for_return", "/window")
    if not sends and booking.documents:
        raise Invalid("documents_not_for_return", "/documents")
    signing_in.give_consent(session, citizen, "carry_dossier")
    dossier = Dossier(
        id=new_id(),
        citizen_id=citizen.id,
        citizen=citizen,
        procedure_version_id=version.id,
        procedure_version=version,
        service=booking.service,
        state=DossierState.submitted,
        link_secret=cases.new_link_secret(),
        contact_name=booking.contact_name,
        contact_phone=normalise(booking.contact_phone, "/contact_phone"),
        address=booking.address,
        note=booking.note,
        cautions=sorted({caution.value for caution in booking.cautions}),
        commune_code=commune.code,
        commune=commune,
        point=point(booking.lon, booking.lat),
        point_quality=PointQuality.pinned,
        office_id=commune.post_office_id,
        centre_id=geography.centre_for(session, commune.code, version.level.value).id,
        competent_agency=version.competent_agency,
        window_start=window[0] if window else None,
        window_end=window[1] if window else None,
        dossier_code=booking.dossier_code,
        due_date=None,
        refusal_reason=None,
        documents=cases.documents_for(version, booking.documents) if sends else [],
        items=[],
        events=[],
    )
    session.add(dossier)
    session.flush()
    quoting.charge(session, dossier, amount)
    item = cases.add_item(session, dossier, ItemKind.send if sends else ItemKind.result)
    if sends:
        work.open_job(session, dossier, item, JobKind.pickup, window)
    cases.tell(session, dossier, "submitted", tracking_number=item.tracking_number)
    session.flush()
    return dossier


def _price_of(session: Session, booking: Booking) -> tuple[ProcedureVersion, quoting.Quote]:
    try:
        return price(session, booking.procedure_code, booking.procedure_suffix, booking.service)
    except NotFound as error:
        raise Invalid(error.code, "/procedure_code") from None
    except Refused as error:
        if error.code == "not_bookable":
            raise Refused(error.code, "/procedure_code") from None
        raise


def checked_window(window: tuple[datetime, datetime] | None) -> tuple[datetime, datetime]:
    """A window in which a courier can come; raises Invalid."""
    if window is None:
        raise Invalid("window_missing", "/window")
    start, end = window
    if start.tzinfo is None or end.tzinfo is None:
        raise Invalid("time_without_zone", "/window")
    if start <= now():
        raise Invalid("window_in_the_past", "/window/start")
    if end - start < SHORTEST_WINDOW:
        raise Invalid("window_too_short", "/window/end")
    if end > now() + FARTHEST_BOOKING:
        raise Invalid("window_too_far", "/window/end")
    zone = settings().timezone
    if start.astimezone(zone).date() != end.astimezone(zone).date():
        raise Invalid("window_over_midnight", "/window/end")
    if not _can_be_planned(start, end):
        raise Invalid("window_outside_hours", "/window")
    return start, end


def _can_be_planned(start: datetime, end: datetime) -> bool:
    """Whether half an hour of the window lies where a courier collects and is back before the agency closes."""
    day = start.astimezone(settings().timezone).date()
    for half in Half:
        opens = daywork.half_day(day, half)[0]
        closes = daywork.time_of(day, daywork.back_by(half))
        if min(end, closes) - max(start, opens) >= SHORTEST_WINDOW:
            return True
    return False


def cancel_dossier(session: Session, citizen: Person, dossier_id: UUID) -> Dossier:
    """Call a dossier off while its papers are still at home; its job and stop go with it."""
    dossier = cases.of_citizen(session, citizen, dossier_id, lock=True)
    if dossier.state is DossierState.cancelled:
        return dossier
    cases.move(dossier, DossierAction.cancel)
    job = work.open_job_of(session, dossier, JobKind.pickup, lock=True)
    if job is not None:
        riding.cancel_stop_of(session, job)
        work.close(job, Outcome.cancelled)
    cases.tell(session, dossier, "cancelled")
    session.flush()
    return dossier


def book_again(session: Session, citizen: Person, dossier_id: UUID, window: tuple[datetime, datetime]) -> Job:
    """Book a pickup anew: the last one failed, or its window passed. Raises Refused while one is still to come."""
    dossier = cases.of_citizen(session, citizen, dossier_id, lock=True)
    window = checked_window(window)
    item = cases.item_of(dossier, ItemKind.send)
    if dossier.state is not DossierState.submitted or item is None:
        raise Refused("wrong_state", state=dossier.state.value, action="pickup")
    job = work.renew_expired(session, dossier, JobKind.pickup, window)
    job = job or work.open_job(session, dossier, item, JobKind.pickup, window)
    dossier.window_start, dossier.window_end = window
    session.flush()
    return job

"""For everybody: signing in, procedures, places, tracking."""

from base64 import b64decode, b64encode
from typing import Any

from flask import request
from marshmallow import Schema, fields, validate

from courier_api.api.fields import Text
from courier_api.api.schemas import Amounts, CommuneShown, ServicePointShown, TrackingShown
from courier_api.db import now, transaction
from courier_api.dossiers import cases
from courier_api.dossiers.numbers import is_valid
from courier_api.dossiers.states import Service
from courier_api.errors import Invalid, NotFound, NotSignedIn
from courier_api.guard import guesses, limits
from courier_api.guard.audience import Audience, bearer, db
from courier_api.journey import booking
from courier_api.notices.senders import send_sms
from courier_api.people import signing_in
from courier_api.people.devices import OfferedKey
from courier_api.people.models import Role
from courier_api.places import finder, geography
from courier_api.places.models import PointQuality, Posting
from courier_api.procedures import catalogue
from courier_api.procedures.models import AgencyLevel, Authorization, Eligibility
from courier_api.proof.certificate import Certificate
from courier_api.settings import settings

blp = Audience("public", None, "For everybody: signing in, procedures, places, tracking")


def from_address(name: str, per_hour: int) -> Any:
    def spend() -> limits.Allowance | None:
        return limits.spend(name, request.remote_addr or "", per_hour, 3600)

    return spend


class CodeRequest(Schema):
    """Who wants to sign in."""

    phone = Text(30, required=True, metadata={"example": "0912345678"})


class CodeSent(Schema):
    """A code is on its way; the answer is the same for every phone."""

    expires_in = fields.Integer(required=True, metadata={"description": "seconds"})


def _codes_from_address() -> limits.Allowance | None:
    return limits.spend("codes", limits.network(request.remote_addr), settings().codes_per_hour, 3600)


@blp.endpoint("POST", "/sign-in-codes", "requestSignInCode", limited=_codes_from_address)
@blp.arguments(CodeRequest)
@blp.response(202, CodeSent)
def request_code(body: dict[str, Any]) -> Any:
    """Send a one-time code to a Vietnamese mobile phone."""
    # Sent once it is committed: a code that arrives must be good.
    with transaction() as session:
        phone, code = signing_in.issue_code(session, body["phone"])
    send_sms(phone, f"Ma dang nhap: {code}. Hieu luc 5 phut. Khong dua ma nay cho ai.")
    return {"expires_in": round(signing_in.CODE_LIFETIME.total_seconds())}


class DeviceKeyIn(Schema):
    """A P-256 key made on the device, and its signature that shows who holds it."""

    public_key = fields.String(
        required=True, validate=validate.Length(1, 200), metadata={"description": "base64 of the point, 65 or 33 bytes"}
    )
    signature = fields.String(
        required=True,
        validate=validate.Length(1, 200),
        metadata={
            "description": "base64 of r || s over 'courier device v1', a line feed, the code, a line feed and the"
            " SHA-256 of the point's bytes"
        },
    )
    label = Text(120, load_default="", least=0, metadata={"example": "Android 15, Chrome"})


class SignIn(Schema):
    """A code, and the role to act in."""

    phone = Text(30, required=True, metadata={"example": "0912345678"})
    code = fields.String(
        required=True, validate=validate.Regexp(r"^[0-9]{6}$", error="wrong_form"), metadata={"example": "123456"}
    )
    role = fields.Enum(Role, by_value=True, load_default=Role.citizen)
    full_name = Text(120, load_default=None, allow_none=True)
    device_key = fields.Nested(
        DeviceKeyIn,
        load_default=None,
        allow_none=True,
        metadata={"description": "Staff: the key that this device signs with, to be certified"},
    )


class Token(Schema):
    """A bearer token; it is shown once."""

    token = fields.String(required=True)
    expires_at = fields.AwareDateTime(required=True)
    person_id = fields.UUID(required=True, attribute="person.id")
    full_name = fields.String(required=True, attribute="person.full_name")
    role = fields.Enum(Role, by_value=True, required=True)
    staff_code = fields.Method("_code", required=True, metadata={"type": ["string", "null"], "example": "C-00417"})
    kid = fields.Method(
        "_kid", required=True, metadata={"type": ["string", "null"], "description": "The key id of the certified key"}
    )
    place_code = fields.Method(
        "_place", required=True, metadata={"type": ["string", "null"], "description": "Staff: where they are posted"}
    )
    certificate = fields.Method(
        "_certificate", required=True, metadata={"type": ["string", "null"], "description": "base64, 121 bytes"}
    )

    def _code(self, signed: Any) -> str | None:
        return signed.person.staff_code(signed.role) if signed.role is not Role.citizen else None

    def _kid(self, signed: Any) -> str | None:
        return Certificate.unpack(signed.certificate).kid.hex() if signed.certificate else None

    def _place(self, signed: Any) -> str | None:
        posting = db().get(Posting, (signed.person.id, signed.role))
        return posting.service_point.code if posting else None

    def _certificate(self, signed: Any) -> str | None:
        return b64encode(signed.certificate).decode() if signed.certificate else None


@blp.endpoint("POST", "/sign-ins", "signIn", limited=from_address("sign-ins", 5000))
@blp.arguments(SignIn)
@blp.response(201, Token)
@blp.doc(responses={401: {"description": "The code is wrong or has run out"}})
def sign_in(body: dict[str, Any]) -> Any:
    """Exchange a one-time code for a token; three wrong tries end the code."""
    # In a transaction of its own: a wrong try is counted although the request is refused.
    with transaction() as session:
        signed = signing_in.exchange_code(
            session, body["phone"], body["code"], body["role"], body["full_name"], _offered(body["device_key"])
        )
    if signed is None:
        raise NotSignedIn("wrong_code")
    return signed


def _offered(key: dict[str, str] | None) -> OfferedKey | None:
    if key is None:
        return None
    try:
        point, signature = (b64decode(key[name], validate=True) for name in ("public_key", "signature"))
    except ValueError:
        raise Invalid("key_wrong_curve", "/device_key/public_key") from None
    return OfferedKey(point, signature, key["label"])


@blp.endpoint("DELETE", "/sign-ins/current", "signOut")
@blp.response(204)
def sign_out() -> None:
    """End the token that this request carries."""
    signing_in.sign_out(db(), bearer())


class RequirementShown(Schema):
    """A line of the checklist."""

    position = fields.Integer(required=True)
    name = fields.String(required=True)
    name_en = fields.String(allow_none=True)
    originals = fields.Integer(required=True)
    copies = fields.Integer(required=True)
    mandatory = fields.Boolean(required=True)
    recalled_original = fields.Boolean(
        required=True, metadata={"description": "The old paper is taken back when the result is delivered"}
    )


class ProcedureShown(Schema):
    """A procedure as it stands today."""

    code = fields.String(attribute="procedure.code", required=True, metadata={"example": "2.000635"})
    suffix = fields.String(attribute="procedure.suffix", required=True)
    name = fields.String(required=True)
    name_en = fields.String(allow_none=True)
    field = fields.String(required=True)
    level = fields.Enum(AgencyLevel, by_value=True, required=True)
    competent_agency = fields.String(required=True)
    eligibility = fields.Enum(Eligibility, by_value=True, required=True)
    authorization = fields.Enum(Authorization, by_value=True, required=True)
    working_days = fields.Integer(allow_none=True)
    state_fee = fields.Integer(allow_none=True, metadata={"description": "đồng"})
    bookable = fields.Boolean(required=True)


class ProcedureWithChecklist(ProcedureShown):
    """A procedure with the papers it asks for."""

    requirements = fields.List(fields.Nested(RequirementShown), required=True)


class ProcedureQuery(Schema):
    """What to look for."""

    q = Text(200, load_default="", least=0)
    limit = fields.Integer(load_default=20, validate=validate.Range(1, 50))


@blp.endpoint("GET", "/procedures", "findProcedures")
@blp.arguments(ProcedureQuery, location="query")
@blp.response(200, ProcedureShown(many=True))
def find_procedures(query: dict[str, Any]) -> Any:
    """Find procedures by name or code, accents or not."""
    return catalogue.search(db(), query["q"], query["limit"])


class SuffixQuery(Schema):
    """An agency's own variant of a procedure."""

    suffix = Text(30, load_default="", least=0)


@blp.endpoint("GET", "/procedures/<code>", "getProcedure")
@blp.arguments(SuffixQuery, location="query")
@blp.response(200, ProcedureWithChecklist)
def get_procedure(query: dict[str, Any], code: str) -> Any:
    """Show a procedure's checklist, fee, time and whether it may go by post."""
    return catalogue.current(db(), code, query["suffix"], now().astimezone(settings().timezone).date())


class QuoteQuery(Schema):
    """What is to be priced."""

    procedure = Text(8, required=True)
    suffix = Text(30, load_default="", least=0)
    service = fields.Enum(Service, by_value=True, required=True)


@blp.endpoint("GET", "/quotes", "getQuote")
@blp.arguments(QuoteQuery, location="query")
@blp.response(200, Amounts)
def get_quote(query: dict[str, Any]) -> Any:
    """Say what a procedure by post costs, in three lines."""
    return booking.price(db(), query["procedure"], query["suffix"], query["service"])[1]


class PlaceQuery(Schema):
    """An address as a person writes it."""

    q = Text(200, required=True, metadata={"example": "Số 2 Chùa Chuông, P. Hiến Nam"})
    limit = fields.Integer(load_default=5, validate=validate.Range(1, 20))


class PlaceFound(Schema):
    """A place that an address may mean."""

    label = fields.String(required=True)
    commune = fields.Nested(CommuneShown, required=True)
    office = fields.Nested(ServicePointShown, required=True, allow_none=True)
    lon = fields.Float(required=True)
    lat = fields.Float(required=True)
    quality = fields.Enum(PointQuality, by_value=True, required=True)
    score = fields.Float(
        required=True, metadata={"description": "0 to 1; equal scores mean that the text does not decide"}
    )


@blp.endpoint("GET", "/places", "findPlaces")
@blp.arguments(PlaceQuery, location="query")
@blp.response(200, PlaceFound(many=True))
def find_places(query: dict[str, Any]) -> Any:
    """Find an address by old or new names, accents or not; best first."""
    return finder.find_address(db(), query["q"], query["limit"])


class PointQuery(Schema):
    """A point."""

    lon = fields.Float(required=True, validate=validate.Range(-180, 180))
    lat = fields.Float(required=True, validate=validate.Range(-90, 90))


class PointFound(Schema):
    """Whose ground a point is on, and the post office nearest to it."""

    commune = fields.Nested(CommuneShown, required=True)
    nearest_office = fields.Nested(ServicePointShown, required=True)
    metres = fields.Integer(required=True)


@blp.endpoint("GET", "/places/at", "findPlaceAt")
@blp.arguments(PointQuery, location="query")
@blp.response(200, PointFound)
def find_place_at(query: dict[str, Any]) -> Any:
    """Say which commune a point is in and which post office is nearest."""
    commune = geography.require_inside(db(), query["lon"], query["lat"])
    office, metres = geography.nearest_office(db(), query["lon"], query["lat"])
    return {"commune": commune, "nearest_office": office, "metres": round(metres)}


@blp.endpoint("GET", "/tracking/<secret>", "getTracking", limited=from_address("tracking-link", 2000))
@blp.response(200, TrackingShown)
def get_tracking(secret: str) -> Any:
    """Show where a dossier is, to who has its link."""
    return cases.by_link(db(), secret)


class TrackingQuery(Schema):
    """A tracking number is no secret: the last four digits of the phone go with it."""

    number = Text(40, required=True, metadata={"example": "EH123456785VN"})
    phone_digits = fields.String(
        required=True, validate=validate.Regexp(r"^[0-9]{4}$", error="code_or_phone"), metadata={"example": "5678"}
    )


def _written_together(number: str) -> str:
    """A number without spaces and in capitals: the same number is counted as the same, however it is written."""
    return "".join(number.split()).upper()


def _tracking_limit() -> limits.Allowance | None:
    return guesses.allow(_written_together(request.args.get("number", ""))[:13], request.remote_addr)


@blp.endpoint("GET", "/tracking", "findTracking", limited=_tracking_limit)
@blp.arguments(TrackingQuery, location="query")
@blp.response(200, TrackingShown)
def find_tracking(query: dict[str, Any]) -> Any:
    """Show where a dossier is, by tracking number and the last four digits of its phone."""
    number = _written_together(query["number"])
    if not is_valid(number):
        raise Invalid("bad_tracking_number", "/number")
    try:
        return cases.by_number(db(), number, query["phone_digits"])
    except NotFound:
        guesses.wrong(number, request.remote_addr)
        raise

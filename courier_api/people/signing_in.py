"""Signing in: a one-time code to the phone, then a bearer token in one role."""

import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import and_, exists, func, or_, select, update
from sqlalchemy.orm import Session

from courier_api.db import new_id, now
from courier_api.errors import NotAllowed, NotFound, NotSignedIn, Refused, TooMany
from courier_api.people import devices
from courier_api.people.devices import OfferedKey
from courier_api.people.models import STAFF_NUMBERS, AccessToken, Consent, Grant, OneTimeCode, Person, Role
from courier_api.people.phones import normalise
from courier_api.settings import settings

CODE_LIFETIME = timedelta(minutes=5)
WRONG_TRIES = 3
CONSENT_TEXT_VERSION = "2026-11"


@dataclass(frozen=True, slots=True)
class SignedIn:
    """A new token, shown once, and whose it is."""

    token: str
    expires_at: datetime
    person: Person
    role: Role
    certificate: bytes | None = None


def issue_code(session: Session, phone: str) -> tuple[str, str]:
    """Make a six-digit code for `phone`; return (E.164 phone, code) for the sender. Raises TooMany."""
    phone = normalise(phone)
    # One phone's requests stand in line, else many at once would each see a free place.
    session.execute(select(func.pg_advisory_xact_lock(func.hashtext("otp " + phone))))
    _keep_limits(session, phone)
    code = f"{secrets.randbelow(1_000_000):06d}"
    at = now()
    # An earlier code dies with the new one: two living codes would double the chance to guess.
    session.execute(
        update(OneTimeCode)
        .where(OneTimeCode.phone == phone, OneTimeCode.used_at.is_(None), OneTimeCode.expires_at > at)
        .values(expires_at=at)
    )
    session.add(
        OneTimeCode(id=new_id(), phone=phone, digest=_digest(phone, code), created_at=at, expires_at=at + CODE_LIFETIME)
    )
    return phone, code


def _keep_limits(session: Session, phone: str) -> None:
    limits = settings()
    at = now()

    def issued(since: datetime, *where: object) -> int:
        query = select(func.count()).select_from(OneTimeCode).where(OneTimeCode.created_at > since, *where)  # type: ignore[arg-type]
        return session.scalar(query) or 0

    mine = OneTimeCode.phone == phone
    if issued(at - timedelta(minutes=10), mine) >= limits.otp_per_10_minutes:
        raise TooMany("too_many_codes", retry_after=600)
    if issued(at - timedelta(days=1), mine) >= limits.otp_per_day:
        raise TooMany("too_many_codes", retry_after=86_400)
    staff = session.scalar(select(exists().where(Person.phone == phone, Grant.person_id == Person.id)))
    # Each message costs money: a flood is stopped, but never the staff's own morning.
    if not staff and issued(at - timedelta(days=1)) >= limits.otp_all_per_day:
        raise TooMany("codes_stopped", retry_after=3_600)


def exchange_code(
    session: Session,
    phone: str,
    code: str,
    role: Role,
    full_name: str | None = None,
    offered: OfferedKey | None = None,
) -> SignedIn | None:
    """Exchange a right code for a token; None for a wrong one, whose try is counted. Raises NotAllowed.

    A device key that is offered with the code is certified: nobody adds a device by a stolen token alone.

    The caller must commit a None too, else the count of wrong tries would be undone with the refusal. A code that was
    right for a role that is not granted stays good for the role that is.
    """
    phone = normalise(phone)
    row = session.scalar(
        select(OneTimeCode)
        .where(OneTimeCode.phone == phone, OneTimeCode.used_at.is_(None), OneTimeCode.expires_at > now())
        .order_by(OneTimeCode.created_at.desc())
        .limit(1)
        .with_for_update()
    )
    if row is None or row.wrong_tries >= WRONG_TRIES:
        return None
    if not hmac.compare_digest(row.digest, _digest(phone, code)):
        row.wrong_tries += 1
        return None
    if offered is not None:
        devices.prove(offered, code)
    signed = sign_in(session, phone, role, full_name, offered)
    row.used_at = now()
    return signed


def sign_in(
    session: Session, phone: str, role: Role, full_name: str | None = None, offered: OfferedKey | None = None
) -> SignedIn:
    """Give a token to the owner of a checked `phone`; anyone may be a citizen, other roles must be granted."""
    person = session.scalar(select(Person).where(Person.phone == phone))
    if role is Role.citizen:
        person = person or _new_citizen(session, phone)
        # The name of staff stands in custody: nobody gives himself another by signing in as a citizen.
        if full_name and not person.grants:
            person.full_name = full_name
    elif person is None or not any(grant.role is role for grant in person.grants):
        raise NotAllowed("role_not_granted", "/role")
    assert person is not None
    token = secrets.token_urlsafe(32)
    at = now()
    expires_at = at + settings().token_lifetime
    certificate = devices.certify(session, person, role, offered.public_key, offered.label) if offered else None
    session.add(
        AccessToken(
            digest=_token_digest(token),
            person_id=person.id,
            role=role,
            created_at=at,
            expires_at=expires_at,
            kid=certificate.kid if certificate else None,
        )
    )
    return SignedIn(token, expires_at, person, role, certificate.content if certificate else None)


def _new_citizen(session: Session, phone: str) -> Person:
    person = Person(id=new_id(), phone=phone, full_name="", grants=[])
    session.add(person)
    session.flush()
    return person


def give_consent(session: Session, person: Person, purpose: str) -> None:
    """Keep the evidence that a person agreed to a purpose; agreeing again changes nothing."""
    given = session.scalar(
        select(Consent).where(
            Consent.person_id == person.id, Consent.purpose == purpose, Consent.withdrawn_at.is_(None)
        )
    )
    if given is None:
        session.add(Consent(person_id=person.id, purpose=purpose, text_version=CONSENT_TEXT_VERSION, given_at=now()))


def who_is(session: Session, token: str) -> tuple[Person, Role]:
    """Return who carries this token and in which role; raises NotSignedIn, also when the role was taken away."""
    granted = and_(Grant.person_id == AccessToken.person_id, Grant.role == AccessToken.role)
    row = session.scalar(
        select(AccessToken)
        .outerjoin(Grant, granted)
        .where(
            AccessToken.digest == _token_digest(token),
            AccessToken.revoked_at.is_(None),
            AccessToken.expires_at > now(),
            or_(AccessToken.role == Role.citizen, Grant.role.is_not(None)),
        )
    )
    if row is None:
        raise NotSignedIn
    return row.person, row.role


def dismiss(session: Session, phone: str, role: Role) -> Person:
    """Take a role from a person, and end every token he holds in it; raises NotFound where he does not hold it."""
    person = session.scalar(select(Person).where(Person.phone == normalise(phone)))
    held = next((g for g in person.grants if g.role is role), None) if person else None
    if person is None or held is None:
        raise NotFound
    person.grants.remove(held)
    session.execute(
        update(AccessToken)
        .where(AccessToken.person_id == person.id, AccessToken.role == role, AccessToken.revoked_at.is_(None))
        .values(revoked_at=now())
    )
    for device in devices.of_person(session, person):
        if device.role is role:
            devices.revoke(session, device.kid)
    session.flush()
    return person


def sign_out(session: Session, token: str) -> None:
    """End a token; ending an ended one changes nothing."""
    session.execute(
        update(AccessToken)
        .where(AccessToken.digest == _token_digest(token), AccessToken.revoked_at.is_(None))
        .values(revoked_at=now())
    )


def grant(session: Session, phone: str, full_name: str, role: Role) -> Person:
    """Make a person a member of staff in `role`; granting again changes nothing."""
    phone = normalise(phone)
    person = session.scalar(select(Person).where(Person.phone == phone))
    if person is None:
        person = Person(id=new_id(), phone=phone, full_name=full_name, grants=[])
        session.add(person)
    if role is Role.citizen:
        raise Refused("role_needs_no_grant")
    if person.staff_number is None:
        person.staff_number = session.scalar(STAFF_NUMBERS.next_value())
    if not any(held.role is role for held in person.grants):
        person.grants.append(Grant(role=role))
    session.flush()
    return person


def _digest(phone: str, code: str) -> bytes:
    return hmac.digest(settings().secret_key, f"otp {phone} {code}".encode(), "sha256")


def _token_digest(token: str) -> bytes:
    return hashlib.sha256(token.encode()).digest()

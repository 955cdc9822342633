"""Device keys: certified when their holder signs in with a fresh code, listed, revoked, quarantined when cloned."""

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from courier_api.db import now
from courier_api.errors import Invalid, NotFound, Refused
from courier_api.people.models import AccessToken, Device, DeviceCertificate, Person, Role
from courier_api.proof.certificate import Certificate
from courier_api.proof.core import PartyKind
from courier_api.proof.files import operator_key
from courier_api.proof.keys import compressed, device_key, key_id, verify_device

CERTIFIED_FOR = timedelta(days=30)
KINDS = {
    Role.courier: PartyKind.courier,
    Role.clerk: PartyKind.office,
    Role.officer: PartyKind.agency,
    Role.dispatcher: PartyKind.dispatcher,
}


@dataclass(frozen=True, slots=True)
class OfferedKey:
    """A public key of 65 or 33 bytes, and its signature over `challenge`: whoever offers it holds the private half."""

    public_key: bytes
    signature: bytes
    label: str = ""


def challenge(code: str, public_key: bytes) -> bytes:
    """What a device signs to show that it holds a key: the one-time code makes it fresh."""
    return b"courier device v1\n" + code.encode() + b"\n" + hashlib.sha256(public_key).digest()


def prove(offered: OfferedKey, code: str) -> None:
    """Check that an offered key is a P-256 key in the hand of who offers it; raises Invalid."""
    try:
        key = device_key(offered.public_key)
    except ValueError:
        raise Invalid("key_wrong_curve", "/device_key/public_key") from None
    fault = verify_device(key, offered.signature, challenge(code, offered.public_key))
    if fault:
        raise Invalid(fault, "/device_key/signature")


def certify(session: Session, person: Person, role: Role, public_key: bytes, label: str = "") -> DeviceCertificate:
    """Vouch for a person's key in one role for 30 days; raises Refused for a key that was revoked or is another's."""
    if role not in KINDS:
        raise Refused("role_signs_nothing", "/device_key")
    public = compressed(device_key(public_key))
    kid = key_id(public).hex()
    at = now().replace(microsecond=0)
    device = session.scalar(select(Device).where(Device.kid == kid).with_for_update(of=Device))
    if device is None:
        device = Device(kid=kid, person_id=person.id, role=role, public_key=public, created_at=at, certified_until=at)
        session.add(device)
        session.flush()  # the counters get their first values
    if (device.person_id, device.role) != (person.id, role):
        raise Refused("key_of_another", "/device_key")
    if device.revoked_at or device.quarantined_at:
        raise Refused("key_revoked", "/device_key")
    operator = operator_key()
    until = at + CERTIFIED_FOR
    content = Certificate(
        operator.short_id, public, KINDS[role], person.staff_code(role), int(at.timestamp()), int(until.timestamp())
    ).issue(operator.sign)
    device.label, device.certified_until = label or device.label, until
    certificate = session.get(DeviceCertificate, (kid, at)) or DeviceCertificate(kid=kid, issued_at=at, content=content)
    session.add(certificate)
    session.flush()
    return certificate


def certificate_at(session: Session, kid: str, at: datetime) -> bytes | None:
    """The certificate that a device had when it signed: the newest issued until then by its clock, else its first."""
    issued = session.execute(
        select(DeviceCertificate.issued_at, DeviceCertificate.content)
        .where(DeviceCertificate.kid == kid)
        .order_by(DeviceCertificate.issued_at)
    ).all()
    until_then = [row.content for row in issued if row.issued_at <= at]
    return until_then[-1] if until_then else issued[0].content if issued else None


def of_person(session: Session, person: Person) -> Sequence[Device]:
    """A person's devices, newest first."""
    return session.scalars(select(Device).where(Device.person_id == person.id).order_by(Device.created_at.desc())).all()


def revoke(session: Session, kid: str, person_id: UUID | None = None) -> Device:
    """End a lost device and every token that it was given; its key is never certified again. Raises NotFound."""
    device = session.scalar(select(Device).where(Device.kid == kid).with_for_update(of=Device))
    if device is None or person_id not in (None, device.person_id):
        raise NotFound
    device.revoked_at = device.revoked_at or now()
    session.execute(
        update(AccessToken).where(AccessToken.kid == kid, AccessToken.revoked_at.is_(None)).values(revoked_at=now())
    )
    session.flush()
    return device


def quarantine(session: Session, kid: str) -> None:
    """Take no more from a key with which two devices sign."""
    session.execute(
        update(Device).where(Device.kid == kid, Device.quarantined_at.is_(None)).values(quarantined_at=now())
    )

"""What a dossier costs: the state's fee, the postage, and the charge for carrying the fee."""

import hashlib
from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import func, or_, select
from sqlalchemy.orm import Session

from courier_api.db import new_id
from courier_api.dossiers.models import Dossier
from courier_api.dossiers.states import Service
from courier_api.errors import Refused
from courier_api.money.models import Charge, ChargeKind, Tariff, Voucher
from courier_api.procedures.models import ProcedureVersion


@dataclass(frozen=True, slots=True)
class Quote:
    """Three amounts in đồng that the citizen pays at the door."""

    state_fee: int
    postage: int
    fee_transfer: int

    @property
    def total(self) -> int:
        """All three together."""
        return self.state_fee + self.postage + self.fee_transfer


def quote(session: Session, version: ProcedureVersion, service: Service, on: date) -> Quote:
    """Price a service on a day; the state fee is ours to carry only when the papers go out with us."""
    tariff = session.scalar(
        select(Tariff).where(
            Tariff.service == service,
            Tariff.valid_from <= on,
            or_(Tariff.valid_to.is_(None), Tariff.valid_to > on),
        )
    )
    if tariff is None:
        raise Refused("no_tariff", "/service")
    fee = (version.state_fee or 0) if service is not Service.return_ else 0
    return Quote(state_fee=fee, postage=tariff.postage, fee_transfer=tariff.fee_transfer if fee else 0)


def charge(session: Session, dossier: Dossier, price: Quote) -> None:
    """Fix what a dossier costs; later tariffs do not touch it."""
    session.add_all(Charge(dossier_id=dossier.id, kind=kind, amount=getattr(price, kind.value)) for kind in ChargeKind)


def charges(session: Session, dossier: Dossier) -> Quote:
    """What was fixed for a dossier."""
    return charges_of(session, [dossier.id])[dossier.id]


def charges_of(session: Session, dossier_ids: Collection[UUID]) -> dict[UUID, Quote]:
    """What was fixed for each of some dossiers."""
    rows = session.execute(
        select(Charge.dossier_id, Charge.kind, Charge.amount).where(Charge.dossier_id.in_(dossier_ids))
    )
    amounts = {(dossier_id, kind): amount for dossier_id, kind, amount in rows}
    return {
        dossier_id: Quote(**{kind.value: amounts.get((dossier_id, kind), 0) for kind in ChargeKind})
        for dossier_id in dossier_ids
    }


def due(session: Session, dossier: Dossier) -> int:
    """What is still to be collected: everything is paid at the first door."""
    return due_of(session, [dossier.id])[dossier.id]


def due_of(session: Session, dossier_ids: Collection[UUID]) -> dict[UUID, int]:
    """What is still to be collected of each of some dossiers."""
    charged = select(func.coalesce(func.sum(Charge.amount), 0)).where(Charge.dossier_id == Dossier.id)
    paid = select(func.coalesce(func.sum(Voucher.amount), 0)).where(Voucher.dossier_id == Dossier.id)
    owed = charged.scalar_subquery() - paid.scalar_subquery()
    rows = session.execute(select(Dossier.id, owed).where(Dossier.id.in_(dossier_ids)))
    return {dossier_id: int(amount) for dossier_id, amount in rows}


NOTHING = Quote(0, 0, 0)


def voucher_of(session: Session, handover_id: UUID) -> Voucher | None:
    """The slip for the cash of a handover; None where none was taken."""
    return session.scalar(select(Voucher).where(Voucher.handover_id == handover_id))


def voucher_number(handover_id: UUID) -> str:
    """The number of a handover's slip: of its hash, since a device's ids of one minute begin and end alike."""
    digest = hashlib.sha256(handover_id.bytes).hexdigest().upper()
    return f"BL-{digest[:8]}-{digest[8:16]}"


def give_voucher(
    session: Session, dossier: Dossier, handover_id: UUID, courier_id: UUID, amount: int, taken_at: datetime
) -> Voucher:
    """Write the slip for cash taken at the door; its number is that of the handover."""
    voucher = Voucher(
        id=new_id(),
        handover_id=handover_id,
        dossier_id=dossier.id,
        courier_id=courier_id,
        amount=amount,
        taken_at=taken_at,
        number=voucher_number(handover_id),
    )
    session.add(voucher)
    return voucher


def set_tariff(session: Session, service: Service, valid_from: date, postage: int, fee_transfer: int) -> Tariff:
    """Put a price in force from a day on and end the one before; setting it again changes nothing."""
    current = session.scalar(select(Tariff).where(Tariff.service == service, Tariff.valid_to.is_(None)))
    if current is not None:
        if (current.postage, current.fee_transfer) == (postage, fee_transfer):
            return current
        if current.valid_from >= valid_from:
            raise Refused("tariff_not_later", "/valid_from")
        current.valid_to = valid_from
        session.flush()
    tariff = Tariff(
        id=new_id(), service=service, valid_from=valid_from, valid_to=None, postage=postage, fee_transfer=fee_transfer
    )
    session.add(tariff)
    session.flush()
    return tariff

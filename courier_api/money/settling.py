"""What a courier owes his post office: cash against vouchers, recalled originals, until a settlement takes them in."""

from collections.abc import Collection, Sequence
from datetime import datetime
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from courier_api.errors import Invalid, Refused
from courier_api.money.models import Recalled, Settlement, Voucher

MOST_SHOWN = 1000


def unsettled(session: Session, courier_id: UUID) -> Sequence[Voucher]:
    """The vouchers whose cash a courier still has, oldest first."""
    return session.scalars(
        select(Voucher)
        .where(Voucher.courier_id == courier_id, Voucher.settlement_id.is_(None))
        .order_by(Voucher.taken_at, Voucher.id)
        .limit(MOST_SHOWN)
    ).all()


def recall(session: Session, handover_id: UUID, courier_id: UUID, originals: Sequence[tuple[int, int]]) -> None:
    """Write down the old originals that were taken back at a delivery: where on the checklist, how many."""
    if len({position for position, _ in originals}) < len(originals):
        raise Invalid("given_twice", "/recalled")
    session.add_all(
        Recalled(handover_id=handover_id, position=position, originals=count, courier_id=courier_id)
        for position, count in originals
    )


def settle(
    session: Session,
    settlement_id: UUID,
    courier_id: UUID,
    office_id: UUID,
    clerk_id: UUID,
    amount: int,
    handover_ids: Sequence[UUID],
    recalled_at: Sequence[UUID],
    device_at: datetime,
    at: datetime,
) -> Settlement:
    """Take in the cash of some handovers, and the originals recalled at some.

    Raises Refused for a voucher that is not this courier's or is settled already, and for another sum than theirs.
    """
    if not handover_ids and not recalled_at:
        raise Invalid("nothing_to_settle")
    if len(set(handover_ids)) < len(handover_ids) or len(set(recalled_at)) < len(recalled_at):
        raise Invalid("given_twice")
    vouchers = _all_unsettled(_vouchers(session, courier_id, handover_ids), handover_ids)
    owed = sum(voucher.amount for voucher in vouchers)
    if amount != owed:
        raise Refused("settlement_differs", sum=owed)
    originals = _all_to_give_in(_originals(session, courier_id, recalled_at), recalled_at)
    return _write(session, settlement_id, courier_id, office_id, clerk_id, amount, vouchers, originals, device_at, at)


def settle_anyway(
    session: Session,
    settlement_id: UUID,
    courier_id: UUID,
    office_id: UUID,
    clerk_id: UUID,
    amount: int,
    handover_ids: Sequence[UUID],
    recalled_at: Sequence[UUID],
    device_at: datetime,
    at: datetime,
) -> Settlement:
    """Write down the sum that was paid in, with what there is unsettled of what it was said to be for."""
    if not handover_ids and not recalled_at:
        raise Invalid("nothing_to_settle")
    vouchers = [one for one in _vouchers(session, courier_id, handover_ids) if one.settlement_id is None]
    originals = [one for one in _originals(session, courier_id, recalled_at) if one.settlement_id is None]
    return _write(session, settlement_id, courier_id, office_id, clerk_id, amount, vouchers, originals, device_at, at)


def _write(
    session: Session,
    settlement_id: UUID,
    courier_id: UUID,
    office_id: UUID,
    clerk_id: UUID,
    amount: int,
    vouchers: Sequence[Voucher],
    originals: Sequence[Recalled],
    device_at: datetime,
    at: datetime,
) -> Settlement:
    settlement = Settlement(
        id=settlement_id,
        courier_id=courier_id,
        office_id=office_id,
        clerk_id=clerk_id,
        amount=amount,
        device_at=device_at,
        at=at,
    )
    session.add(settlement)
    session.flush()
    for voucher in vouchers:
        voucher.settlement_id = settlement_id
    for original in originals:
        original.settlement_id = settlement_id
    session.flush()
    return settlement


def _vouchers(session: Session, courier_id: UUID, handover_ids: Collection[UUID]) -> Sequence[Voucher]:
    """The courier's vouchers of these handovers, locked: of two settlements of one the second finds it settled."""
    return session.scalars(
        select(Voucher)
        .where(Voucher.handover_id.in_(handover_ids), Voucher.courier_id == courier_id)
        .order_by(Voucher.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def _all_unsettled(found: Sequence[Voucher], handover_ids: Collection[UUID]) -> Sequence[Voucher]:
    if len(found) < len(handover_ids):
        raise Refused("no_such_voucher")
    settled = next((voucher for voucher in found if voucher.settlement_id is not None), None)
    if settled is not None:
        raise Refused("voucher_settled", number=settled.number)
    return found


def _originals(session: Session, courier_id: UUID, handover_ids: Collection[UUID]) -> Sequence[Recalled]:
    return session.scalars(
        select(Recalled)
        .where(Recalled.handover_id.in_(handover_ids), Recalled.courier_id == courier_id)
        .order_by(Recalled.handover_id, Recalled.position)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def _all_to_give_in(found: Sequence[Recalled], handover_ids: Collection[UUID]) -> Sequence[Recalled]:
    if {one.handover_id for one in found} != set(handover_ids):
        raise Refused("nothing_recalled")
    if any(one.settlement_id is not None for one in found):
        raise Refused("recalled_settled")
    return found

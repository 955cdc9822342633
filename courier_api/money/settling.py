"""What a courier owes his post office: cash against vouchers, recalled originals, until a settlement takes them in."""

from collections.abc import Collection, Sequence
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
    settlement: Settlement,
    handover_ids: Collection[UUID],
    recalled_at: Collection[UUID],
    *,
    anyway: bool = False,
) -> None:
    """Take in the cash of some handovers, and the originals recalled at some.

    Raises Invalid for nothing at all and for what is named twice; Refused for a voucher that is not this courier's or
    is settled already, and for another sum than theirs. `anyway` writes down the sum that was paid in, with what there
    is unsettled of what it was said to be for.
    """
    if not handover_ids and not recalled_at:
        raise Invalid("nothing_to_settle")
    vouchers = _vouchers(session, settlement.courier_id, handover_ids)
    originals = _originals(session, settlement.courier_id, recalled_at)
    if not anyway:
        _require_each_once(handover_ids, recalled_at)
        _require_all_unsettled(vouchers, handover_ids)
        owed = sum(voucher.amount for voucher in vouchers)
        if settlement.amount != owed:
            raise Refused("settlement_differs", sum=owed)
        _require_all_to_give_in(originals, recalled_at)
    session.add(settlement)
    session.flush()
    for voucher in vouchers:
        voucher.settlement_id = voucher.settlement_id or settlement.id
    for original in originals:
        original.settlement_id = original.settlement_id or settlement.id
    session.flush()


def _vouchers(session: Session, courier_id: UUID, handover_ids: Collection[UUID]) -> Sequence[Voucher]:
    """The courier's vouchers of these handovers, locked: of two settlements of one the second finds it settled."""
    return session.scalars(
        select(Voucher)
        .where(Voucher.handover_id.in_(handover_ids), Voucher.courier_id == courier_id)
        .order_by(Voucher.id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def _require_each_once(*named: Collection[UUID]) -> None:
    if any(len(set(ids)) < len(ids) for ids in named):
        raise Invalid("given_twice")


def _require_all_unsettled(found: Sequence[Voucher], handover_ids: Collection[UUID]) -> None:
    if len(found) < len(handover_ids):
        raise Refused("no_such_voucher")
    settled = next((voucher for voucher in found if voucher.settlement_id is not None), None)
    if settled is not None:
        raise Refused("voucher_settled", number=settled.number)


def _originals(session: Session, courier_id: UUID, handover_ids: Collection[UUID]) -> Sequence[Recalled]:
    return session.scalars(
        select(Recalled)
        .where(Recalled.handover_id.in_(handover_ids), Recalled.courier_id == courier_id)
        .order_by(Recalled.handover_id, Recalled.position)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).all()


def _require_all_to_give_in(found: Sequence[Recalled], handover_ids: Collection[UUID]) -> None:
    if {one.handover_id for one in found} != set(handover_ids):
        raise Refused("nothing_recalled")
    if any(one.settlement_id is not None for one in found):
        raise Refused("recalled_settled")

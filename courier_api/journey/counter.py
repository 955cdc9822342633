"""A handover at a counter: one item, its papers counted again; what post office and agency have in common."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy.orm import Session

from courier_api.custody import holding
from courier_api.custody.holding import Party, Proof
from courier_api.custody.models import Handover
from courier_api.dossiers.models import PostalItem
from courier_api.journey.riding import CountedLine
from courier_api.people.models import Person, Role


@dataclass(frozen=True, slots=True)
class CounterHandover:
    """What is recorded at a counter: one item, its papers counted again."""

    handover_id: UUID
    item_id: UUID
    lines: Sequence[CountedLine]
    proof: Proof
    digest: bytes

    @property
    def counts(self) -> list[tuple[int, int, int]]:
        """Position, originals, copies of each line."""
        return [(line.position, line.originals, line.copies) for line in self.lines]


def replayed(session: Session, person: Person, given: CounterHandover) -> Handover | None:
    """The handover, if this person sent this very request before; raises NotFound when it was another person."""
    return holding.replayed(session, person, given.handover_id, given.digest)


def record_counted(
    session: Session,
    given: CounterHandover,
    item: PostalItem,
    giver: Party,
    taker: Party,
    by: tuple[Person, Role],
    **stated: str,
) -> Handover:
    """Record a change of custody whose papers were counted and found as the last holder signed for them."""
    lines = holding.recount(session, item.id, given.counts)
    return holding.record(
        session, given.handover_id, given.digest, item, giver, taker, lines, given.proof, by, **stated
    )

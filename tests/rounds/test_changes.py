"""The courier's feed: in commit order, nothing left out, whoever commits late."""

import time
from uuid import UUID, uuid4

from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, sessionmaker

from courier_api.people.models import Person
from courier_api.rounds import changes
from tests import cast as story
from tests.cast import Cast


def kinds(found: changes.Changes) -> list[str]:
    return [row.kind for row in found.items]


def cursor(found: changes.Changes) -> tuple[int, UUID]:
    txid, last = found.cursor.split(".")
    return int(txid), UUID(last)


def test_a_transaction_that_commits_late_is_not_passed_over(committed: Engine) -> None:
    make = sessionmaker(committed)
    with make() as session:
        courier = session.scalars(select(Person.id)).first() or _somebody(make)
    with make() as late, make() as soon, make() as reader:
        seen = changes.since(reader, courier, None, 200)
        while seen.more:
            seen = changes.since(reader, courier, cursor(seen), 200)
        reader.rollback()
        changes.add(late, courier, "late", uuid4())
        late.flush()
        changes.add(soon, courier, "soon", uuid4())
        soon.commit()
        between = changes.since(reader, courier, cursor(seen), 10)
        reader.rollback()
        assert kinds(between) == []  # "soon" waits for "late": else the cursor would pass it over
        late.commit()
        after = _settled(reader, courier, cursor(between), 2)
        assert kinds(after) == ["late", "soon"]
        assert changes.since(reader, courier, cursor(after), 10).items == []


def _settled(reader: Session, courier: UUID, at: tuple[int, UUID] | None, count: int) -> changes.Changes:
    """The feed once it shows so many: a transaction of another database on this server may hold it up for a while."""
    for _ in range(600):
        found = changes.since(reader, courier, at, 200)
        reader.rollback()
        if len(found.items) >= count:
            return found
        time.sleep(0.05)
    raise AssertionError(found)


def _somebody(make: sessionmaker) -> UUID:  # type: ignore[type-arg]
    with make.begin() as session:
        person = Person(id=uuid4(), phone="+84912999001", full_name="Ai", grants=[])
        session.add(person)
        session.flush()
        return person.id


def test_the_feed_pages_without_gaps(committed_cast: Cast) -> None:
    cast = committed_cast
    dossier = story.book(cast, **story.window_on(7))
    round_ = story.plan_and_publish(cast, "morning", 7)
    cast.citizen.put(f"/dossiers/{dossier['id']}/cancellation", If_Match="*")
    stop = next(s for s in round_["stops"] if s["job"]["dossier_id"] == dossier["id"])
    for _ in range(600):
        all_ = cast.courier.get("/changes?limit=200")["items"]
        if all_ and all_[-1]["subject_id"] == stop["id"]:
            break
        time.sleep(0.05)
    mine = [(c["kind"], c["subject_id"]) for c in all_]
    assert mine[-2:] == [("round_published", round_["id"]), ("stop_cancelled", stop["id"])]
    paged, at = [], None
    while True:
        answer = cast.courier.get("/changes?limit=1" + (f"&cursor={at}" if at else ""))
        paged += answer["items"]
        at = answer["cursor"]
        if not answer["more"]:
            break
    assert paged == all_
    for wrong in ("x", "1", "1.x", "-1." + str(uuid4()), "9" * 30 + "." + str(uuid4())):
        cast.courier.get(f"/changes?cursor={wrong}", 422)

"""Custody is only added to: the database refuses all else, and of two who give away one item one is refused."""

from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from courier_api import db
from courier_api.custody import holding
from courier_api.custody.holding import Party, Proof
from courier_api.custody.models import APPEND_ONLY, Handover, HandoverLine, PartyRole, Signature
from courier_api.db import now
from courier_api.dossiers.models import Dossier, PostalItem
from courier_api.errors import Refused
from courier_api.people.models import Person, Role
from tests import cast as story
from tests.cast import Cast
from tests.races import asking, outcome, race

CHANGES = {
    "handover": "seal_number = 'NS-0'",
    "handover_line": "originals = 0",
    "signature": "strokes = '[]'",
}


def refused_by_the_database(session: Session, statement: str) -> None:
    """Run what the database must refuse, in a savepoint."""
    with pytest.raises(DBAPIError) as refusal, session.begin_nested():
        session.execute(text(statement))
    assert refusal.value.orig.pgcode == "42501"
    assert "append-only" in str(refusal.value.orig)


@pytest.mark.parametrize("table", APPEND_ONLY)
@pytest.mark.parametrize("where", ["", " WHERE false"], ids=["all", "none"])
def test_no_row_is_changed_or_deleted(cast: Cast, table: str, where: str) -> None:
    story.collected(cast)
    refused_by_the_database(cast.session, f"UPDATE {table} SET {CHANGES[table]}{where}")
    refused_by_the_database(cast.session, f"DELETE FROM {table}{where}")
    assert cast.session.scalar(text(f"SELECT count(*) FROM {table}")) > 0


@pytest.mark.parametrize(
    "statement",
    [
        "TRUNCATE handover CASCADE",
        "TRUNCATE handover_line",
        "TRUNCATE signature",
        "TRUNCATE dossier CASCADE",
        "TRUNCATE person CASCADE",
        "TRUNCATE postal_item CASCADE",
    ],
)
def test_no_table_is_emptied(session: Session, statement: str) -> None:
    refused_by_the_database(session, statement)


def test_nothing_that_custody_speaks_of_can_go(cast: Cast) -> None:
    story.collected(cast)
    for statement in ("DELETE FROM postal_item", "DELETE FROM document", "DELETE FROM person"):
        with pytest.raises(IntegrityError), cast.session.begin_nested():
            cast.session.execute(text(statement))


def test_every_table_of_custody_is_guarded() -> None:
    assert set(APPEND_ONLY) == {m.__tablename__ for m in (Handover, HandoverLine, Signature)}


def test_a_leg_is_given_once_and_has_two_parties(cast: Cast) -> None:
    story.collected(cast)
    copy = (
        "INSERT INTO handover SELECT (json_populate_record(h, json_build_object('id', gen_random_uuid(){}))).* "
        "FROM handover h"
    )
    for change in ("", ", 'leg', 0", ", 'leg', 2, 'to_id', from_id, 'to_role', from_role"):
        with pytest.raises(IntegrityError), cast.session.begin_nested():
            cast.session.execute(text(copy.format(change)))
    cast.session.execute(text(copy.format(", 'leg', 2")))


def test_the_holder_follows_from_handovers_and_nothing_else(cast: Cast) -> None:
    story.collected(cast)
    dossier = cast.session.scalars(select(Dossier)).one()
    item = dossier.items[0]
    assert holding.holder(cast.session, item).role == "courier"
    cast.session.execute(text("UPDATE dossier SET state = 'submitted'; UPDATE job SET state = 'open', outcome = NULL"))
    cast.session.expire_all()
    assert str(holding.holder(cast.session, item).id) == cast.courier.person_id
    courier = cast.session.get_one(Person, UUID(cast.courier.person_id))
    home = Party.citizen(dossier)
    holding.record(
        cast.session, uuid4(), b"x" * 32, item, Party.courier(courier), home, [], Proof(now()), (courier, Role.courier)
    )
    assert holding.holder(cast.session, item) == home
    assert holding.held_by(cast.session, Party.courier(courier)) == []
    assert [h.leg for h in holding.chain(cast.session, item.id)] == [1, 2]


def test_of_four_who_take_one_item_at_once_three_are_refused(committed_cast: Cast) -> None:
    story.book(committed_cast)
    item_id = committed_cast.session.scalars(select(PostalItem.id).order_by(PostalItem.id.desc())).first()

    def take() -> str:
        with db.sessions()() as session:
            item = session.get_one(PostalItem, item_id)
            dossier = item.dossier
            taker = Party(PartyRole.courier, uuid4(), "courier")
            by = (dossier.citizen, Role.courier)
            try:
                holding.record(session, uuid4(), b"x" * 32, item, Party.citizen(dossier), taker, [], Proof(now()), by)
                session.commit()
            except Refused as refusal:
                return refusal.code
            return "taken"

    assert sorted(race(*[take] * 4)) == ["not_the_holder"] * 3 + ["taken"]
    assert [h.leg for h in holding.chain(committed_cast.session, item_id)] == [1]


def test_of_four_handovers_at_one_door_one_is_recorded(committed_cast: Cast, app: Flask) -> None:
    cast = committed_cast
    dossier = story.book(cast, **story.window_on(3))
    round_ = story.plan_and_publish(cast, "morning", 3)
    stop = next(s for s in round_["stops"] if s["job"]["dossier_id"] == dossier["id"])
    story.start(cast, round_["id"])
    body = story.pickup(cast, story.arrive(cast, stop))
    put = [asking(app, cast.courier, "PUT", f"/handovers/{uuid4()}", body) for _ in range(4)]
    assert sorted(outcome(r) for r in race(*put)) == [(200, ""), *[(409, "wrong_state")] * 3]
    chain = holding.chain(cast.session, UUID(dossier["items"][0]["id"]))
    assert [h.leg for h in chain] == [1]
    story.finish(cast, round_["id"])


def test_one_receipt_sent_by_four_at_once_is_recorded_once(committed_cast: Cast, app: Flask) -> None:
    cast = committed_cast
    dossier = story.book(cast, **story.window_on(5))
    round_ = story.plan_and_publish(cast, "morning", 5)
    stop = next(s for s in round_["stops"] if s["job"]["dossier_id"] == dossier["id"])
    story.start(cast, round_["id"])
    cast.courier.put(f"/handovers/{uuid4()}", story.pickup(cast, story.arrive(cast, stop)))
    items = cast.clerk.get(f"/couriers/{cast.courier.person_id}/items")
    item = next(i for i in items if i["dossier_id"] == dossier["id"])
    path, body = f"/receipts/{uuid4()}", story.at_counter(item)
    answers = race(*[asking(app, cast.clerk, "PUT", path, body) for _ in range(4)])
    assert {outcome(a) for a in answers} == {(200, "")}
    assert len({a.data for a in answers}) == 1
    assert [h.leg for h in holding.chain(cast.session, UUID(item["id"]))] == [1, 2]


@pytest.mark.parametrize(
    "slipped_in",
    [
        "INSERT INTO handover_line (handover_id, position, name, originals, copies) VALUES (:id, 99, 'Sổ đỏ', 1, 0)",
        "INSERT INTO signature (handover_id, position, signer_name, relationship, strokes, digest) "
        "VALUES (:id, 9, 'Ai đó', 'self', '[]', decode(repeat('00', 32), 'hex'))",
    ],
)
def test_nothing_is_slipped_into_a_recorded_handover(cast: Cast, slipped_in: str) -> None:
    dossier, _, _ = story.collected(cast)
    handover = holding.last_handover(cast.session, UUID(dossier["items"][0]["id"]))
    assert handover is not None
    with pytest.raises(DBAPIError, match="not more"), cast.session.begin_nested():
        cast.session.execute(text(slipped_in), {"id": handover.id})

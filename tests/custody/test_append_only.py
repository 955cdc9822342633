"""Custody is only added to: the database refuses all else, and of two who give away one item one is refused."""

from uuid import UUID, uuid4

import pytest
from flask import Flask
from sqlalchemy import select, text
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from courier_api import db
from courier_api.custody import holding, ledger
from courier_api.custody.holding import Party
from courier_api.custody.models import APPEND_ONLY
from courier_api.dossiers.models import Dossier, PostalItem
from courier_api.errors import Refused
from courier_api.people.models import Person, Role
from tests import cast as story
from tests.cast import Cast
from tests.races import asking, outcome, race
from tests.signing import by_force

CHANGES = {
    "ledger_entry": "received_at = now()",
    "ledger_leaf": "hash = decode(repeat('00', 32), 'hex')",
    "ledger_node": "hash = decode(repeat('00', 32), 'hex')",
    "checkpoint": "note = ''",
    "cosignature": "line = ''",
    "handover": "fee_collected = 0",
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
    ledger.grow(cast.session)
    refused_by_the_database(cast.session, f"UPDATE {table} SET {CHANGES[table]}{where}")
    refused_by_the_database(cast.session, f"DELETE FROM {table}{where}")
    if table not in ("ledger_node", "cosignature"):  # these come with the 256th entry, and with a witness
        assert cast.session.scalar(text(f"SELECT count(*) FROM {table}")) > 0


@pytest.mark.parametrize(
    "statement",
    [
        "TRUNCATE handover",
        "TRUNCATE ledger_entry CASCADE",
        "TRUNCATE ledger_leaf",
        "TRUNCATE ledger_node",
        "TRUNCATE checkpoint CASCADE",
        "TRUNCATE cosignature",
        "TRUNCATE dossier CASCADE",
        "TRUNCATE person CASCADE",
        "TRUNCATE postal_item CASCADE",
    ],
)
def test_no_table_is_emptied(session: Session, statement: str) -> None:
    refused_by_the_database(session, statement)


def test_nothing_that_custody_speaks_of_can_go(cast: Cast) -> None:
    story.collected(cast)
    for statement in ("DELETE FROM postal_item", "DELETE FROM dossier", "DELETE FROM person"):
        with pytest.raises(IntegrityError), cast.session.begin_nested():
            cast.session.execute(text(statement))


def test_every_table_of_custody_is_guarded() -> None:
    assert set(APPEND_ONLY) == set(CHANGES)


def test_a_leg_is_given_once_and_has_two_parties(cast: Cast) -> None:
    story.collected(cast)
    copy = (
        "WITH e AS (INSERT INTO ledger_entry SELECT (json_populate_record(l, json_build_object("
        "'id', gen_random_uuid(), 'counter', 99))).* FROM ledger_entry l RETURNING id) "
        "INSERT INTO handover SELECT (json_populate_record(h, json_build_object('id', e.id{}))).* FROM handover h, e"
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
    by_force(cast.session, cast.courier, item, Party.courier(courier), home, (courier, Role.courier))
    assert holding.holder(cast.session, item) == home
    assert holding.held_by(cast.session, Party.courier(courier)) == []
    assert [h.leg for h in holding.chain(cast.session, item.id)] == [1, 2]


def test_of_four_who_take_one_item_at_once_three_are_refused(committed_cast: Cast) -> None:
    story.book(committed_cast)
    item_id = committed_cast.session.scalars(select(PostalItem.id).order_by(PostalItem.id.desc())).first()

    def take() -> str:
        with db.sessions()() as session:
            item = session.get_one(PostalItem, item_id)
            other = session.get_one(Person, UUID(committed_cast.outsider[Role.courier].person_id))
            taker = Party.courier(other)
            courier = session.get_one(Person, UUID(committed_cast.courier.person_id))
            giver = Party.citizen(item.dossier)
            try:
                by_force(session, committed_cast.courier, item, giver, taker, (courier, Role.courier))
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

"""Work is sent once, after the commit and only then; lost work is sent again; work done twice has one effect."""

from contextlib import suppress
from uuid import UUID, uuid4

import pytest
from sqlalchemy import Engine, text
from sqlalchemy.orm import Session, sessionmaker

from courier_api import db, queue, tasks
from courier_api.queue import Outbox
from tests import cast as story
from tests.cast import Cast, tomorrow


@pytest.fixture
def sent(monkeypatch: pytest.MonkeyPatch) -> list[UUID]:
    """What is sent to Redis, in order."""
    ids: list[UUID] = []
    monkeypatch.setattr(queue, "_send", lambda row_id, attempt=0: ids.append(row_id))
    return ids


class Undo(Exception):
    """Raised to roll something back."""


def test_it_is_sent_once_and_after_the_commit(session: Session, sent: list[UUID]) -> None:
    with db.transaction() as work:
        row = queue.later(work, "plan_day", uuid4())
        work.flush()
        assert sent == []
    assert sent == [row]
    with db.transaction() as work:
        work.execute(text("SELECT 1"))
    assert sent == [row]


def test_a_rollback_sends_nothing(session: Session, sent: list[UUID]) -> None:
    with suppress(Undo), db.transaction() as work:
        queue.later(work, "plan_day", uuid4())
        work.flush()
        raise Undo
    assert sent == []


def test_nothing_of_a_rolled_back_transaction_is_sent_with_the_next_one(session: Session, sent: list[UUID]) -> None:
    with db.sessions()() as work:
        queue.later(work, "plan_day", uuid4())
        work.rollback()
        kept = queue.later(work, "plan_day", uuid4())
        work.commit()
    assert sent == [kept]


def test_a_committed_savepoint_waits_for_the_outer_commit(session: Session, sent: list[UUID]) -> None:
    with db.transaction() as work:
        with work.begin_nested():
            inner = queue.later(work, "plan_day", uuid4())
        assert sent == []
        with work.begin_nested(), work.begin_nested():
            deeper = queue.later(work, "plan_day", uuid4())
        assert sent == []
    assert sent == [inner, deeper]


def test_a_rolled_back_savepoint_takes_its_own_work_and_no_other(session: Session, sent: list[UUID]) -> None:
    with db.transaction() as work:
        before = queue.later(work, "plan_day", uuid4())
        with suppress(Undo), work.begin_nested():
            queue.later(work, "plan_day", uuid4())
            with work.begin_nested():
                queue.later(work, "plan_day", uuid4())
            raise Undo
        after = queue.later(work, "plan_day", uuid4())
    assert sent == [before, after]
    rows = session.query(Outbox).filter(Outbox.id.in_([before, after])).count()
    assert rows == session.query(Outbox).count() == 2


def test_a_committed_savepoint_in_a_rolled_back_transaction_sends_nothing(session: Session, sent: list[UUID]) -> None:
    with suppress(Undo), db.transaction() as work:
        with work.begin_nested():
            queue.later(work, "plan_day", uuid4())
        raise Undo
    assert sent == []


def test_without_redis_the_request_succeeds_and_the_sweep_sends_later(
    cast: Cast, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as away:
        away.setattr(queue, "redis", lambda: queue.connect("redis://127.0.0.1:1/0"))
        plan = cast.dispatcher.post("/plans", {"day": tomorrow().date().isoformat(), "half": "morning"}, 202)
    assert plan["state"] == "queued"
    ids: list[UUID] = []
    monkeypatch.setattr(queue, "_send", lambda row_id, attempt=0: ids.append(row_id))
    with db.transaction() as work:
        assert queue.sweep(work) == 0  # it may still be on its way
    cast.session.execute(text("UPDATE outbox SET sent_at = now() - interval '61 seconds'"))
    cast.session.commit()
    with db.transaction() as work:
        assert queue.sweep(work) == 1
    with db.transaction() as work:
        assert queue.sweep(work) == 0
    assert len(ids) == 1
    tasks.run(str(ids[0]))
    cast.session.expire_all()
    assert cast.dispatcher.get(f"/plans/{plan['id']}")["state"] == "done"


def test_what_is_sent_is_a_job_that_a_worker_finds(session: Session) -> None:
    with db.transaction() as work:
        row = queue.later(work, "plan_day", uuid4())
    job = queue.queue().fetch_job(f"outbox-{row}-0")
    assert job is not None
    try:
        assert job.func_name == "courier_api.tasks.run"
        assert job.args == (str(row),) or job.args == [str(row)]
        assert queue.queue().name == "courier"
    finally:
        job.delete()


def test_a_job_that_runs_twice_has_one_effect(cast: Cast) -> None:
    story.book(cast)
    story.give_shift(cast, cast.courier)
    cast.dispatcher.post("/plans", {"day": tomorrow().date().isoformat(), "half": "morning"}, 202)
    row = cast.session.query(Outbox).one()
    tasks.run(str(row.id))
    rounds = cast.dispatcher.get("/rounds")["items"]
    tasks.run(str(row.id))
    # The worker that was killed before it could mark the row: all of it runs again.
    cast.session.execute(text("UPDATE outbox SET done_at = NULL"))
    cast.session.commit()
    tasks.run(str(row.id))
    assert cast.dispatcher.get("/rounds")["items"] == rounds
    assert len(rounds) == 1


def test_a_row_that_is_gone_is_no_error(session: Session) -> None:
    tasks.run(str(uuid4()))


def test_a_claim_skips_a_row_that_another_worker_holds(committed: Engine) -> None:
    make = sessionmaker(committed)
    with make.begin() as work:
        row = Outbox(task="plan_day", argument=uuid4(), sent_at=db.now())
        work.add(row)
        work.flush()
        row_id = row.id
    with make() as one, make() as other:
        assert queue.claim(one, row_id) is not None
        assert queue.claim(other, row_id) is None
        one.rollback()
        assert queue.claim(other, row_id) is not None

"""Work is sent once, after the commit and only then; lost work is sent again; work done twice has one effect."""

import time
from contextlib import suppress
from datetime import timedelta
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
        mine = queue.claim(other, row_id)
        assert mine is not None
        queue.finish(other, mine)  # else the next test that commits would find it waiting
        other.commit()


def test_who_was_superseded_records_nothing(committed: Engine) -> None:
    make = sessionmaker(committed)
    with make.begin() as work:
        row = Outbox(task="plan_day", argument=uuid4(), sent_at=db.now())
        work.add(row)
        work.flush()
        row_id = row.id
    with make.begin() as work:
        slow = queue.claim(work, row_id)
    assert slow is not None
    with make.begin() as work:
        assert queue.claim(work, row_id) is None  # the lease runs
        work.execute(
            text("UPDATE outbox SET leased_until = now() - interval '1 second' WHERE id = :id"), {"id": row_id}
        )
    with make.begin() as work:
        quick = queue.claim(work, row_id)
    assert quick is not None
    assert quick.token == slow.token + 1

    def record(claimed: queue.Claim) -> None:
        with make.begin() as work:
            work.execute(text("UPDATE outbox SET task = 'the effect' WHERE id = :id"), {"id": row_id})
            queue.finish(work, claimed)

    with pytest.raises(queue.Superseded):
        record(slow)
    with make.begin() as work:
        queue.renew(work, slow)  # lengthens nothing: the lease is another's
        queue.finish(work, quick)
    with make.begin() as work:
        assert work.scalar(text("SELECT task FROM outbox WHERE id = :id"), {"id": row_id}) == "plan_day"
        assert queue.claim(work, row_id) is None
        assert queue.sweep(work) == 0


def test_what_fails_is_free_again_at_once(cast: Cast, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(_: queue.Claim) -> None:
        raise ZeroDivisionError

    cast.dispatcher.post("/plans", {"day": tomorrow().date().isoformat(), "half": "morning"}, 202)
    row = cast.session.query(Outbox).one()
    with monkeypatch.context() as failing:
        failing.setitem(tasks.TASKS, "plan_day", broken)
        with pytest.raises(ZeroDivisionError):
            tasks.run(str(row.id))
    tasks.run(str(row.id))
    cast.session.expire_all()
    assert cast.session.query(Outbox).one().done_at is not None


def test_a_long_task_keeps_its_lease(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(queue, "LEASE", timedelta(seconds=0.3))
    renewed: list[queue.Claim] = []
    claimed = queue.Claim(uuid4(), "plan_day", uuid4(), 1)
    with queue.kept(claimed, renewed.append):
        time.sleep(0.5)
    count = len(renewed)
    assert count >= 2
    time.sleep(0.25)
    assert len(renewed) == count

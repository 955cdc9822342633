"""A migrated database with the province in it, each test in a transaction that is undone, and a fixed cast."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Engine, create_engine
from sqlalchemy.orm import Session, sessionmaker

from tests import workers

ROOT = Path(__file__).parent.parent
os.environ.setdefault("SECRET_KEY", "only-for-tests-" + "0" * 32)
os.environ.setdefault("PLANNING_SECONDS", "1")
os.environ.setdefault("CODES_PER_HOUR", "1000000")
workers.settle_in(ROOT / ".local" / "tests")

from courier_api import create_app, db, models  # noqa: E402 - the settings above come first
from courier_api.rounds import planning  # noqa: E402
from courier_api.settings import settings  # noqa: E402
from scripts.commands.ground import load_province  # noqa: E402
from scripts.commands.operator import make_keys, open_for_business  # noqa: E402
from tests.cast import Cast, assemble  # noqa: E402
from tests.copies import copied  # noqa: E402
from tests.roads import install as install_roads  # noqa: E402

HUNG_YEN = ROOT / "scripts" / "data" / "hung_yen"
assert models.all_models


@pytest.fixture(scope="session", autouse=True)
def operator_keys() -> None:
    """The operator's keys, made once."""
    make_keys()


@pytest.fixture(scope="session")
def engine() -> Iterator[Engine]:
    """The test database; scripts/test made it and brought its schema to head."""
    engine = create_engine(settings().database_url)
    yield engine
    engine.dispose()
    workers.leave()


@pytest.fixture(scope="session")
def ground(engine: Engine) -> None:
    """The province, its tariffs and tracking numbers, loaded once and kept for all tests."""
    with Session(engine, expire_on_commit=False) as session, session.begin():
        load_province(session, HUNG_YEN)
        open_for_business(session)


@pytest.fixture
def session(engine: Engine) -> Iterator[Session]:
    """A session whose commits are savepoints; the API under test uses the same connection. All is undone at the end."""
    with engine.connect() as connection:
        outer = connection.begin()
        factory = sessionmaker(connection, expire_on_commit=False, join_transaction_mode="create_savepoint")
        db.use_sessions(factory)
        with factory() as session:
            yield session
        db.use_sessions(None)
        outer.rollback()


@pytest.fixture(scope="module")
def committed(engine: Engine, ground: None) -> Iterator[Engine]:
    """A database of the module's own, for tests that commit, some of it for ever: custody cannot be deleted."""
    with copied(engine, "committed") as copy:
        yield copy


@pytest.fixture
def committed_cast(committed: Engine, app: Flask, roads: None) -> Iterator[Cast]:
    """Everybody, in the copy: what they do is committed, and threads may do it at once."""
    db.use_sessions(sessionmaker(committed, expire_on_commit=False))
    with db.sessions()() as session:
        yield assemble(session, app.test_client())
    db.use_sessions(None)


@pytest.fixture(scope="session")
def roads() -> None:
    """The road graph of the province, in our own folder."""
    install_roads()
    planning.warm_up()


@pytest.fixture(scope="session")
def app() -> Flask:
    """The application."""
    app = create_app()
    app.config["TESTING"] = True
    app.config["PROPAGATE_EXCEPTIONS"] = False
    return app


@pytest.fixture
def client(app: Flask, session: Session, ground: None) -> FlaskClient:
    """A client of the application on the test's own transaction."""
    return app.test_client()


@pytest.fixture
def cast(session: Session, client: FlaskClient, roads: None) -> Cast:
    """Everybody, in place."""
    return assemble(session, client)

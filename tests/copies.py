"""Copies of the test database, for tests that commit."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Engine, create_engine

from scripts.lib.database import connect_beside, copy, drop


@contextmanager
def copied(engine: Engine, name: str) -> Iterator[Engine]:
    """A copy of the test database, dropped at the end."""
    engine.dispose()  # a database is copied while nobody is connected to it
    url = copy(engine.url, name)
    own = create_engine(url, pool_size=10, max_overflow=10)
    yield own
    own.dispose()
    drop(connect_beside(url).cursor(), str(url.database))

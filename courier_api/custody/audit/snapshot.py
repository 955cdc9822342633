"""One state of the database, read row by row: whatever is written meanwhile, an audit sees a single moment."""

from collections.abc import Iterator, Sequence
from itertools import count
from typing import Any

from psycopg2 import BINARY  # type: ignore[import-untyped]
from psycopg2.extensions import new_type, register_type  # type: ignore[import-untyped]
from sqlalchemy import Connection

AT_ONCE = 2_000
_numbers = count(1)


def _bytes(value: str | None, cursor: object) -> bytes | None:
    return None if value is None else bytes(BINARY(value, cursor))


# Without it they are memoryviews of a kind that equals no bytes.
_BYTES = new_type(BINARY.values, "BYTES", _bytes)


def microseconds(column: str) -> str:
    """SQL for a time in microseconds since 1970, as leaves hold it; -1 for one that never is."""
    return f"CASE WHEN NOT isfinite({column}) THEN -1 ELSE (extract(epoch FROM {column}) * 1000000)::bigint END"


class Snapshot:
    """Reads in the transaction that a connection has open. Every answer streams: no table is held in memory."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection  # else it would end the transaction when it is forgotten
        # The driver's own: a million rows through SQLAlchemy's take as long as checking them.
        self._driver: Any = connection.connection.driver_connection

    def rows(self, query: str, values: Sequence[object] = ()) -> Iterator[tuple[Any, ...]]:
        """The rows of a query, one after the other; several may be read in turns."""
        cursor = self._driver.cursor(name=f"audit_{next(_numbers)}")
        try:
            register_type(_BYTES, cursor)
            cursor.itersize = AT_ONCE
            cursor.execute(query, tuple(values) or None)
            yield from cursor
        finally:
            cursor.close()

"""Make and drop the databases that tests run on, beside whatever database a URL names.

database.py create URL [NAME]   make it anew (NAME defaults to that of URL with "_test") and print its URL
database.py drop URL NAME       drop it and its copies
database.py empty-redis URL     print the URL of an empty database of that Redis server
"""

import contextlib
import sys
from pathlib import Path

import psycopg2
import psycopg2.errors
import redis
from psycopg2.sql import SQL, Identifier
from sqlalchemy import URL, make_url

EXTENSIONS = ("postgis", "btree_gist", "unaccent", "pg_trgm", "pgcrypto")
RUNS = Path(__file__).resolve().parents[2] / ".local" / "runs"
OURS = "courier_test_"
DROP_TRIES = 5  # each waits 5 s for autovacuum


def parse(url: str) -> URL:
    """Read a URL in any of the spellings in use: postgres://, postgresql://, with or without a driver."""
    scheme, _, rest = url.partition("://")
    return make_url(f"postgresql+psycopg2://{rest}" if scheme.startswith("postgres") else url)


def connect(url: URL) -> psycopg2.extensions.connection:
    """Open a connection that commits each statement by itself."""
    connection = psycopg2.connect(url.set(drivername="postgresql").render_as_string(hide_password=False))
    connection.autocommit = True
    return connection


def connect_beside(url: URL) -> psycopg2.extensions.connection:
    """Connect to the server's maintenance database, or to the named one where that is refused."""
    try:
        return connect(url.set(database="postgres"))
    except psycopg2.OperationalError:
        return connect(url)


def create(server: URL, name: str) -> URL:
    """Make the database anew, with the extensions, and give its URL."""
    cursor = connect_beside(server).cursor()
    if name.startswith(OURS):
        drop_left_over(cursor)
    cursor.execute(SQL("DROP DATABASE IF EXISTS {}").format(Identifier(name)))
    cursor.execute(SQL("CREATE DATABASE {}").format(Identifier(name)))
    url = server.set(database=name)
    made = connect(url).cursor()
    for extension in EXTENSIONS:
        made.execute(SQL("CREATE EXTENSION IF NOT EXISTS {}").format(Identifier(extension)))
    return url


def copy(url: URL, suffix: str) -> URL:
    """Copy a database that nobody is connected to, to one beside it that is dropped with it."""
    made = url.set(database=f"{url.database}_{suffix}")
    cursor = connect_beside(url).cursor()
    drop(cursor, str(made.database))
    to, from_ = Identifier(str(made.database)), Identifier(str(url.database))
    cursor.execute(SQL("CREATE DATABASE {} TEMPLATE {}").format(to, from_))
    return made


def drop_left_over(cursor: psycopg2.extensions.cursor) -> None:
    """Drop the databases of test runs that were killed before they could."""
    # A run's id is its pid and when it began; other names are somebody's own.
    cursor.execute("SELECT datname, substring(datname from %s) FROM pg_database", (f"^{OURS}([0-9]+_[0-9]+)(?:_|$)",))
    for name, run in cursor.fetchall():
        if run and not (RUNS / run).exists():
            drop(cursor, name)


def drop_all(cursor: psycopg2.extensions.cursor, name: str) -> None:
    """Drop a database of ours and its copies."""
    cursor.execute("SELECT datname FROM pg_database WHERE datname = %s OR starts_with(datname, %s)", (name, f"{name}_"))
    for (found,) in cursor.fetchall():
        drop(cursor, found)


def drop(cursor: psycopg2.extensions.cursor, name: str) -> None:
    """Drop a database of ours, whoever is still connected."""
    plainly = SQL("DROP DATABASE IF EXISTS {}").format(Identifier(name))
    for tries_left in reversed(range(DROP_TRIES)):
        try:
            cursor.execute(plainly + SQL(" WITH (FORCE)"))
            return
        except psycopg2.errors.InsufficientPrivilege:
            # Autovacuum is at work there, which only a superuser may end; without force it is asked to leave.
            with contextlib.suppress(psycopg2.errors.ObjectInUse):
                cursor.execute(plainly)
                return
            if not tries_left:
                raise


def empty_redis(url: str) -> str:
    """Find an empty database, so that no one's keys are touched."""
    for number in range(15, 0, -1):
        with redis.Redis.from_url(url, db=number) as client:
            # a number in the URL's path or query would win over db=
            client.connection_pool.connection_kwargs["db"] = number
            if client.dbsize() == 0:
                base = url.split("?")[0]
                if base.startswith("unix:"):
                    return f"{base}?db={number}"
                scheme, _, rest = base.partition("://")
                return f"{scheme}://{rest.split('/')[0]}/{number}"
    raise SystemExit("every database of that Redis server (1 to 15) holds keys: give another REDIS_URL")


def main(action: str, url: str, name: str = "") -> None:
    """Do what the command line asks."""
    if action == "empty-redis":
        print(empty_redis(url))
    elif action == "drop":
        drop_all(connect_beside(parse(url)).cursor(), name)
    else:
        server = parse(url)
        print(create(server, name or f"{server.database}_test").render_as_string(hide_password=False))


if __name__ == "__main__":
    try:
        main(*sys.argv[1:])
    except (psycopg2.Error, redis.RedisError) as refused:
        sys.exit(f"database.py: {refused}".strip())

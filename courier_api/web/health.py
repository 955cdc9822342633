"""Whether this process can do its work: the database and Redis answer."""

import logging
from functools import cache

from flask import Blueprint, Response, jsonify
from redis import Redis
from redis.exceptions import RedisError
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from courier_api.db import transaction
from courier_api.settings import settings

blp = Blueprint("health", __name__)
log = logging.getLogger(__name__)

WAIT_S = 2.0


@blp.get("/health")
def health() -> tuple[Response, int]:
    """Say ok or down, and which of the two it is that is down."""
    checks = {"database": _database(), "redis": _redis()}
    well = all(check == "ok" for check in checks.values())
    response = jsonify(status="ok" if well else "down", checks=checks)
    response.headers["Cache-Control"] = "no-store"
    return response, 200 if well else 503


def _database() -> str:
    try:
        with transaction() as session:
            session.execute(text(f"SET LOCAL statement_timeout = {int(WAIT_S * 1000)}"))
            session.execute(text("SELECT 1"))
    except SQLAlchemyError as error:
        log.error("database: %s", error)
        return "down"
    return "ok"


def _redis() -> str:
    try:
        _patient_for_two_seconds().ping()
    except RedisError as error:
        log.error("redis: %s", error)
        return "down"
    return "ok"


@cache
def _patient_for_two_seconds() -> Redis:
    # Of its own: the pool that everybody uses waits as long as it takes.
    return Redis.from_url(settings().redis_url, socket_timeout=WAIT_S, socket_connect_timeout=WAIT_S)

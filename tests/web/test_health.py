"""Whether a process says truly that it can work."""

import pytest
from flask.testing import FlaskClient
from redis import Redis
from redis.exceptions import ConnectionError as NoRedis

from courier_api import db
from courier_api.web import health


def test_all_is_well(client: FlaskClient) -> None:
    response = client.get("/health")
    assert response.status_code == 200
    assert response.get_json() == {"status": "ok", "checks": {"database": "ok", "redis": "ok"}}
    assert response.headers["Cache-Control"] == "no-store"


def test_redis_is_down(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(self: Redis) -> None:
        raise NoRedis

    monkeypatch.setattr(Redis, "ping", refuse)
    response = client.get("/health")
    assert response.status_code == 503
    assert response.get_json()["checks"] == {"database": "ok", "redis": "down"}


def test_the_database_is_down(client: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    from sqlalchemy import create_engine
    from sqlalchemy.orm import sessionmaker

    nowhere = create_engine("postgresql+psycopg2://nobody@127.0.0.1:1/nothing")
    before = db.sessions()
    db.use_sessions(sessionmaker(nowhere))
    try:
        response = client.get("/health")
    finally:
        db.use_sessions(before)
    assert response.status_code == 503
    assert response.get_json() == {"status": "down", "checks": {"database": "down", "redis": "ok"}}
    assert health.WAIT_S < 5

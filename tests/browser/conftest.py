"""Tests in a browser run for long, each request in a transaction of its own: an open one holds up everybody's news."""

import random
from collections.abc import Iterator

import pytest
from flask import Flask
from sqlalchemy import Engine
from sqlalchemy.orm import Session, sessionmaker

from courier_api import db
from scripts.simulation.cohort import Cohort
from tests.cast import Cast
from tests.serving import serving


@pytest.fixture
def cast(committed_cast: Cast) -> Cast:
    """Everybody, in a database of the module's own."""
    return committed_cast


@pytest.fixture
def address(app: Flask, committed: Engine, roads: None) -> Iterator[str]:
    """A live server on the module's database."""
    db.use_sessions(sessionmaker(committed, expire_on_commit=False))
    with serving(app) as address:
        yield address
    db.use_sessions(None)


@pytest.fixture(scope="module")
def cohort(committed: Engine) -> Iterator[Cohort]:
    """Couriers with rounds, as many as are asked for."""
    with Session(committed, expire_on_commit=False) as session:
        yield Cohort(session, random.Random(7))

"""What an operator does from the shell."""

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from courier_api.dossiers.models import NumberRange
from courier_api.dossiers.numbers import numbers_left
from courier_api.errors import Refused
from courier_api.money.models import Tariff
from courier_api.people.models import Person, Role
from courier_api.places.models import Posting
from scripts.commands import operator


def run(*arguments: str) -> str:
    """Run a command; fail with its output when it fails."""
    result = CliRunner().invoke(operator.main, arguments, catch_exceptions=False)
    assert result.exit_code == 0, result.output
    return result.output


def test_opening_twice_changes_nothing(ground: None, session: Session) -> None:
    before = session.scalar(select(func.count()).select_from(NumberRange))
    run("open")
    assert session.scalar(select(func.count()).select_from(NumberRange)) == before


def test_a_range_is_added_in_lanes_and_counted(ground: None, session: Session) -> None:
    run("numbers", "RB", "100", "1099")
    assert numbers_left(session, "RB") == 1000
    lanes = session.scalar(select(func.count()).select_from(NumberRange).where(NumberRange.prefix == "RB"))
    assert lanes == operator.LANES


def test_a_range_that_overlaps_is_refused(ground: None, session: Session) -> None:
    run("numbers", "RB", "100", "1099")
    with pytest.raises(Refused, match="number_range_overlaps"):
        run("numbers", "RB", "1050", "2000")


def test_a_tariff_ends_the_one_before(ground: None, session: Session) -> None:
    run("tariff", "send", "30000", "9000", "--from", "2026-12-01")
    rows = session.scalars(select(Tariff).where(Tariff.service == "send").order_by(Tariff.valid_from)).all()
    assert rows[-2].valid_to == rows[-1].valid_from
    assert rows[-1].postage == 30_000


def test_staff_is_posted_and_moved(ground: None, session: Session) -> None:
    run("staff", "0912345678", "Trần Văn Nam", "courier", "160000")
    run("staff", "0912345678", "Trần Văn Nam", "courier", "161300")
    person = session.scalars(select(Person).where(Person.phone == "+84912345678")).one()
    posting = session.get_one(Posting, (person.id, Role.courier))
    assert posting.service_point.code == "161300"


def test_an_unknown_place_is_named(ground: None, session: Session) -> None:
    result = CliRunner().invoke(operator.main, ["staff", "0912345678", "Nam", "courier", "999999"])
    assert result.exit_code == 1
    assert "999999" in result.output

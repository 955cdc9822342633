"""Tracking numbers: S10's check digit, and that no number is ever given twice."""

import logging
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Engine, select
from sqlalchemy.orm import Session, sessionmaker

from courier_api.dossiers import numbers
from courier_api.dossiers.models import NumberRange
from courier_api.dossiers.numbers import add_range, allocate, check_digit, is_valid, numbers_left, tracking_number
from courier_api.errors import Refused
from tests.races import race

serials = st.integers(0, 99_999_999)
# 10 becomes 0 and 11 becomes 5: the remainders 0 and 6 share the digit 5, all others have one of their own.
SHARED = {0, 6}


def remainder(serial: int) -> int:
    """What S10 sums up, modulo 11."""
    return sum(w * int(d) for w, d in zip((8, 6, 4, 2, 3, 5, 9, 7), f"{serial:08d}", strict=True)) % 11


@pytest.mark.parametrize(
    ("number", "valid"),
    [
        ("EH123456785VN", True),
        ("RB123456785GB", True),
        ("RB123456786US", False),
        ("EH123456789VN", False),
        ("EH000000005VN", True),
        ("eh123456785vn", False),
        ("EH123456785V", False),
        ("EH1234567855VN", False),
        ("E1123456785VN", False),
        ("EH123456785VN\n", False),
        ("EH１２３４５６７８５VN", False),
        ("", False),
    ],
)
def test_examples(number: str, valid: bool) -> None:
    assert is_valid(number) is valid


@given(serials)
def test_a_number_made_is_valid(serial: int) -> None:
    number = tracking_number("EH", serial)
    assert is_valid(number)
    assert (len(number), int(number[2:10])) == (13, serial)


@given(serials)
def test_the_check_digit_is_that_of_the_standard(serial: int) -> None:
    c = 11 - remainder(serial)
    assert check_digit(serial) == (0 if c == 10 else 5 if c == 11 else c)


@given(serials, st.integers(0, 8), st.integers(1, 9))
def test_one_wrong_digit_is_found(serial: int, place: int, shift: int) -> None:
    digits = f"{serial:08d}{check_digit(serial)}"
    wrong = digits[:place] + str((int(digits[place]) + shift) % 10) + digits[place + 1 :]
    assert wrong != digits
    found = not is_valid(f"EH{wrong}VN")
    blind = place < 8 and {remainder(serial), remainder(int(wrong[:8]))} == SHARED
    assert found is not blind


@given(serials, st.integers(0, 6))
def test_two_neighbours_exchanged_are_found(serial: int, place: int) -> None:
    digits = f"{serial:08d}"
    wrong = digits[:place] + digits[place + 1] + digits[place] + digits[place + 2 :]
    found = not is_valid(f"EH{wrong}{check_digit(serial)}VN")
    same = digits[place] == digits[place + 1]
    blind = {remainder(serial), remainder(int(wrong))} == SHARED
    assert found is not (same or blind)


def test_numbers_come_in_order_and_across_ranges(session: Session) -> None:
    add_range(session, "QA", 500, 502)
    add_range(session, "QA", 100, 101)
    given_out = [int(allocate(session, "QA")[2:10]) for _ in range(5)]
    assert given_out == [100, 101, 500, 501, 502]
    assert numbers_left(session, "QA") == 0
    with pytest.raises(Refused) as refusal:
        allocate(session, "QA")
    assert refusal.value.code == "tracking_numbers_used_up"
    add_range(session, "QA", 99_999_999, 99_999_999)
    assert allocate(session, "QA") == tracking_number("QA", 99_999_999)


@pytest.mark.parametrize(("first", "last"), [(100, 199), (150, 160), (0, 100), (199, 300), (0, 99_999_999)])
def test_ranges_never_overlap(session: Session, first: int, last: int) -> None:
    add_range(session, "QA", 100, 199)
    with pytest.raises(Refused) as refusal:
        add_range(session, "QA", first, last)
    assert refusal.value.code == "number_range_overlaps"
    add_range(session, "QB", first, last)


def test_a_number_of_an_undone_transaction_goes_to_the_next(session: Session) -> None:
    add_range(session, "QA", 100, 199)
    with pytest.raises(ZeroDivisionError), session.begin_nested():
        assert int(allocate(session, "QA")[2:10]) / 0
    assert allocate(session, "QA") == tracking_number("QA", 100)


def test_a_range_that_runs_low_is_told_in_the_log(session: Session, caplog: pytest.LogCaptureFixture) -> None:
    add_range(session, "QA", 0, numbers.LOW_WATER + 1)
    with caplog.at_level(logging.ERROR, "courier_api.dossiers.numbers"):
        allocate(session, "QA")
        assert caplog.messages == []
        allocate(session, "QA")
    assert caplog.messages == ["tracking numbers run low: 1000 left in a range of prefix QA"]
    session.scalars(select(NumberRange).where(NumberRange.prefix == "QA")).one().next = numbers.LOW_WATER + 1
    session.flush()
    allocate(session, "QA")
    assert caplog.messages[-1].startswith("tracking numbers run low: 0 left")


def test_eight_at_once_never_get_the_same(committed: Engine) -> None:
    make = sessionmaker(committed)
    with make.begin() as session:
        add_range(session, "QT", 1_000, 1_999)
        add_range(session, "QT", 50_000, 51_499)

    def take() -> list[str]:
        mine = []
        for _ in range(10):
            with make.begin() as session:
                mine += [allocate(session, "QT") for _ in range(25)]
        return mine

    given_out = [number for mine in race(*[take] * 8) for number in mine]
    assert len(given_out) == len(set(given_out)) == 2_000
    assert all(is_valid(number) for number in given_out)
    # Who finds a range locked takes the next one: each range is used from its beginning and without gaps.
    serials_given = sorted(int(number[2:10]) for number in given_out)
    first = [serial for serial in serials_given if serial < 50_000]
    second = serials_given[len(first) :]
    assert first == [*range(1_000, 1_000 + len(first))]
    assert second == [*range(50_000, 50_000 + len(second))]
    with make() as session:
        assert numbers_left(session, "QT") == 500


def test_the_last_number_goes_to_one_of_eight(committed: Engine) -> None:
    make = sessionmaker(committed)
    with make.begin() as session:
        add_range(session, "QU", 7, 7)
        assert isinstance(session.scalars(select(NumberRange.id)).first(), UUID)

    def take() -> str:
        try:
            with make.begin() as session:
                return allocate(session, "QU")
        except Refused as refusal:
            return refusal.code

    assert sorted(race(*[take] * 8)) == [tracking_number("QU", 7), *["tracking_numbers_used_up"] * 7]

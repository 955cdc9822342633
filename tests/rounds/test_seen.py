"""A courier signs that he knows what became of his round."""

from typing import Any

import pytest
from sqlalchemy import select

from courier_api.people.models import Role
from courier_api.rounds.models import Round
from tests import cast as story
from tests.cast import Cast
from tests.custody.phone import Phone, nowhere


def of(cast: Cast) -> tuple[int, int | None, Any]:
    """Version, the version seen, and when."""
    cast.session.expire_all()
    round_ = cast.session.scalars(select(Round)).one()
    return round_.version, round_.seen_version, round_.seen_at


def codes(phone: Phone, *sent: dict[str, Any]) -> list[str | None]:
    return [answer["code"] for answer in phone.sync(*sent)]


@pytest.fixture
def phone(cast: Cast) -> Any:
    """A courier with a published round."""
    story.book(cast)
    phone: Any = Phone(cast)
    phone.round_ = story.plan_and_publish(cast)
    return phone


def test_the_newest_that_he_signed_for_stands_in_the_round(cast: Cast, phone: Any) -> None:
    id_, version = phone.round_["id"], phone.round_["version"]
    assert (phone.round_["seen_version"], version >= 1) == (None, True)
    first = phone.seen(id_, version)
    assert codes(phone, first) == [None]
    found = of(cast)
    assert found[:2] == (version, version)  # to have seen it makes no new version
    assert codes(phone, phone.start(id_)) == [None]
    newer = cast.courier.get(f"/rounds/{id_}")
    assert (newer["version"], newer["seen_version"]) == (version + 1, version)
    assert codes(phone, phone.seen(id_, version + 1)) == [None]
    later = of(cast)
    assert (later[1], later[2] > found[2]) == (version + 1, True)
    assert codes(phone, phone.seen(id_, version), phone.seen(id_, version + 1)) == [None, None]
    assert of(cast) == later  # what is older, or the same again, changes nothing
    assert phone.sync(first)[0]["result"] == "duplicate"
    day = story.tomorrow().date()
    assert cast.courier.get(f"/rounds?day={day}")[0]["seen_version"] == version + 1
    assert cast.dispatcher.get(f"/rounds/{id_}")["seen_version"] == version + 1


def test_a_version_that_is_not_there_is_parked(cast: Cast, phone: Any) -> None:
    id_, version = phone.round_["id"], phone.round_["version"]
    sent = [phone.seen(id_, version + 1), phone.seen(id_, 0)]
    assert codes(phone, *sent) == ["no_such_version"] * 2
    wrong = [phone.seen(id_, one) for one in (-1, str(version), True, None, [version])]
    assert codes(phone, *wrong) == ["event_malformed"] * 5
    assert codes(phone, phone.seen("x", version), phone.seen(nowhere(), version)) == ["event_malformed", "not_found"]
    assert codes(phone, phone.seen(id_, version) | {"note": "x"}) == ["bad_fields"]
    assert of(cast)[1:] == (None, None)


def test_anothers_round_is_not_seen(cast: Cast, phone: Any) -> None:
    other = Phone(cast, cast.outsider[Role.courier])
    assert codes(other, other.seen(phone.round_["id"], phone.round_["version"])) == ["not_found"]
    assert of(cast)[1] is None

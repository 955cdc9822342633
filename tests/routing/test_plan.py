"""A plan survives JSON, and nothing else is taken for one."""

from __future__ import annotations

import pytest
from test_check import PLAN

from routing.plan import Plan


def test_json_round_trip() -> None:
    assert Plan.from_json(PLAN.to_json()) == PLAN


@pytest.mark.parametrize(
    "text",
    ["{", "[]", "{}", PLAN.to_json().replace("over_capacity", "bored"), PLAN.to_json().replace("arrival", "arrived")],
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="not a plan"):
        Plan.from_json(text)

"""Transition tables: the next state, or `Refused`."""

from collections.abc import Mapping
from enum import StrEnum

from courier_api.errors import Refused


def next_state[S: StrEnum, A: StrEnum](table: Mapping[tuple[S, A], S], state: S, action: A) -> S:
    """Look up where `action` leads from `state`; refuse what the table does not list."""
    try:
        return table[state, action]
    except KeyError:
        raise Refused("wrong_state", state=state.value, action=action.value) from None

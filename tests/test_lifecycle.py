"""Every state with every action: what the tables list moves on, all else is refused."""

from enum import StrEnum
from itertools import product

import pytest

from courier_api.dossiers.states import DOSSIER, DossierAction, DossierState
from courier_api.errors import Refused
from courier_api.lifecycle import next_state
from courier_api.rounds.states import ROUND, STOP, RoundAction, RoundState, StopAction, StopState

MACHINES = {
    "dossier": (DOSSIER, DossierState, DossierAction),
    "round": (ROUND, RoundState, RoundAction),
    "stop": (STOP, StopState, StopAction),
}
PAIRS = [
    (name, state, action)
    for name, (_, states, actions) in MACHINES.items()
    for state, action in product(states, actions)
]
BEGIN = {"dossier": DossierState.submitted, "round": RoundState.draft, "stop": StopState.pending}


@pytest.mark.parametrize(("name", "state", "action"), PAIRS, ids=lambda x: getattr(x, "value", x))
def test_every_pair_moves_or_is_refused(name: str, state: StrEnum, action: StrEnum) -> None:
    table = MACHINES[name][0]
    if (state, action) in table:
        assert next_state(table, state, action) is table[state, action]
        return
    with pytest.raises(Refused) as refusal:
        next_state(table, state, action)
    assert refusal.value.code == "wrong_state"
    assert refusal.value.values == {"state": state.value, "action": action.value}


@pytest.mark.parametrize("name", MACHINES)
def test_every_state_can_be_reached(name: str) -> None:
    table, states, _ = MACHINES[name]
    reached = {BEGIN[name]}
    for _ in states:
        reached |= {after for (before, _), after in table.items() if before in reached}
    assert reached == set(states)


def test_a_dossier_ends_delivered_returned_closed_or_cancelled() -> None:
    ends = {state for state in DossierState if state not in {before for before, _ in DOSSIER}}
    assert ends == {DossierState.delivered, DossierState.returned, DossierState.closed, DossierState.cancelled}

"""Guessing the last digits of a phone: wrong answers are counted, right ones cost nothing.

Numbers are in order and four digits are ten thousand guesses. One address gets few tries for a number and more in all;
a number gets a wide cap over all addresses, so that a stranger's guesses do not soon shut its owner out.
"""

from courier_api.guard import limits
from courier_api.settings import settings

AN_HOUR_S = 3600
PER_NUMBER_AND_ADDRESS = 20
PER_NUMBER = 200


def allow(number: str, address: str | None) -> limits.Allowance | None:
    """Say what is left of the address's tries; raises TooMany when any limit is reached."""
    return [limits.look(name, whose, limit, AN_HOUR_S) for name, whose, limit in _counters(number, address)][-1]


def wrong(number: str, address: str | None) -> None:
    """Count a wrong answer."""
    for name, whose, _ in _counters(number, address):
        limits.count(name, whose, AN_HOUR_S)


def _counters(number: str, address: str | None) -> list[tuple[str, str, int]]:
    network = limits.network(address)
    return [
        ("tracking-number", number, PER_NUMBER),
        ("tracking-guess", f"{number} {network}", PER_NUMBER_AND_ADDRESS),
        ("tracking", network, settings().tracking_per_hour),
    ]

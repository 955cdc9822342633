"""How often a caller may ask: fixed windows counted in Redis."""

import time
from dataclasses import dataclass
from ipaddress import ip_address, ip_network

from redis.exceptions import RedisError

from courier_api.errors import TooMany
from courier_api.queue import redis


@dataclass(frozen=True, slots=True)
class Allowance:
    """What is left of a limit, for the RateLimit headers."""

    name: str
    limit: int
    window_s: int
    left: int
    reset_s: int

    def headers(self) -> dict[str, str]:
        """The headers of draft-ietf-httpapi-ratelimit-headers."""
        return {
            "RateLimit-Policy": f'"{self.name}";q={self.limit};w={self.window_s}',
            "RateLimit": f'"{self.name}";r={self.left};t={self.reset_s}',
        }


def network(address: str | None) -> str:
    """Whose address it is: an IPv6 customer has 2^64 of them and counts as one."""
    try:
        found = ip_address(address or "")
    except ValueError:  # a proxy on a Unix socket gives none
        return address or ""
    return str(ip_network((found, 64), strict=False)) if found.version == 6 else str(found)


def spend(name: str, whose: str, limit: int, window_s: int) -> Allowance | None:
    """Count one use; raises TooMany beyond the limit. Without Redis nothing is counted and None is returned:
    a citizen in front of a closed page is worse than an attacker with a few more guesses."""
    used = count(name, whose, window_s)
    return None if used is None else _judged(name, used, limit, window_s)


def look(name: str, whose: str, limit: int, window_s: int) -> Allowance | None:
    """Say what is left without counting; raises TooMany when nothing is. None without Redis."""
    try:
        used = int(redis().get(_key(name, whose, window_s)) or 0)
    except RedisError:
        return None
    return _judged(name, used + 1, limit, window_s)


def count(name: str, whose: str, window_s: int) -> int | None:
    """Count one use and return how many there are in this window; None without Redis."""
    try:
        with redis().pipeline() as pipe:
            pipe.incr(_key(name, whose, window_s))
            pipe.expire(_key(name, whose, window_s), window_s)
            return int(pipe.execute()[0])
    except RedisError:
        return None


def _key(name: str, whose: str, window_s: int) -> str:
    return f"limit:{name}:{whose}:{int(time.time()) // window_s}"


def _judged(name: str, used: int, limit: int, window_s: int) -> Allowance:
    reset_s = window_s - int(time.time()) % window_s
    if used > limit:
        raise TooMany("too_many_requests", retry_after=reset_s)
    return Allowance(name, limit, window_s, limit - used, reset_s)

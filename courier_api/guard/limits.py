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
    found = ip_address(address or "0.0.0.0")  # noqa: S104 - a socket without a peer has no address
    return str(ip_network((found, 64), strict=False)) if found.version == 6 else str(found)


def spend(name: str, whose: str, limit: int, window_s: int) -> Allowance | None:
    """Count one use; raises TooMany beyond the limit. Without Redis nothing is counted and None is returned:
    a citizen in front of a closed page is worse than an attacker with a few more guesses."""
    moment = int(time.time())
    window = moment // window_s
    reset_s = window_s - moment % window_s
    key = f"limit:{name}:{whose}:{window}"
    try:
        with redis().pipeline() as pipe:
            pipe.incr(key)
            pipe.expire(key, window_s)
            used = int(pipe.execute()[0])
    except RedisError:
        return None
    if used > limit:
        raise TooMany("too_many_requests", retry_after=reset_s)
    return Allowance(name, limit, window_s, limit - used, reset_s)

"""What a phone says of where it is: read from the forms of Traccar Client and from our own app's batch. Pure.

Anybody can send anything here. What cannot be right becomes None in the place of its fix, and nothing raises.
"""

import json
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

MOST = 500  # fixes at once
MOST_FIELDS = 100
KNOT = 1852 / 3600  # metres a second
FASTEST_MPS = 100.0
MILLISECONDS_FROM = 10**11  # as seconds that would be the year 5138


@dataclass(frozen=True, slots=True)
class Fix:
    """One position as a phone measured it; None is what it did not say, or not sensibly."""

    captured_at: datetime  # by the phone's clock, whole seconds
    lon: float
    lat: float
    accuracy_m: float | None
    speed_mps: float | None
    heading: int | None
    battery: int | None
    moving: bool | None


@dataclass(frozen=True, slots=True)
class Sent:
    """Who says it, and each fix, or None for what is none."""

    device_id: str
    fixes: Sequence[Fix | None]


NOTHING = Sent("", [None])


def read(query: bytes, body: bytes, *, is_json: bool) -> Sent:
    """Read a request: JSON, or the OsmAnd protocol in the address, in a form, or in both."""
    if is_json or body.lstrip().startswith(b"{"):
        return _of_json(body)
    try:
        said = [pair for text in (query, body) for pair in parse_qsl(_ascii(text), max_num_fields=MOST_FIELDS)]
    except ValueError:
        return NOTHING
    pairs = dict(reversed(said))  # of a name given twice the first counts
    return Sent(pairs.get("id") or pairs.get("deviceid") or "", [_of_form(pairs)])


def _ascii(text: bytes) -> str:
    return text.decode("ascii", "replace")


def _of_form(pairs: Mapping[str, str]) -> Fix | None:
    lat, lon = pairs.get("lat"), pairs.get("lon")
    if "location" in pairs:
        lat, _, lon = pairs["location"].partition(",")
    knots = _number(pairs.get("speed"))
    if pairs.get("valid") in ("false", "0"):  # the phone itself does not believe it
        return None
    return _fix(
        pairs.get("timestamp"),
        (_number(lon), _number(lat)),
        accuracy=pairs.get("accuracy"),
        speed=None if knots is None else knots * KNOT,
        heading=_number(pairs.get("bearing") or pairs.get("heading")),
        battery=_number(pairs.get("batt")),
    )


def _of_json(body: bytes) -> Sent:
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        return NOTHING
    if not isinstance(content, dict):
        return NOTHING
    device_id = content.get("device_id")
    said = content["locations"] if "locations" in content else content.get("location")
    several = said if isinstance(said, list) else [said]
    return Sent(device_id if isinstance(device_id, str) else "", [_of_location(one) for one in several])


def _of_location(location: Any) -> Fix | None:
    if not isinstance(location, dict) or not isinstance(location.get("coords"), dict):
        return None
    coords, battery, moving = location["coords"], location.get("battery"), location.get("is_moving")
    level = _json_number(battery.get("level")) if isinstance(battery, dict) else None
    return _fix(
        location.get("timestamp"),
        (_json_number(coords.get("longitude")), _json_number(coords.get("latitude"))),
        accuracy=coords.get("accuracy"),
        speed=_json_number(coords.get("speed")),
        heading=_json_number(coords.get("heading")),
        battery=None if level is None else level * 100,
        moving=moving if isinstance(moving, bool) else None,
    )


def _fix(
    timestamp: Any,
    lon_lat: tuple[float | None, float | None],
    *,
    accuracy: Any,
    speed: float | None,
    heading: float | None,
    battery: float | None,
    moving: bool | None = None,
) -> Fix | None:
    captured_at = _moment(timestamp)
    lon, lat = lon_lat
    if captured_at is None or lon is None or lat is None:
        return None
    # 0, 0 is what a chip says that knows nothing.
    if not (-180 <= lon <= 180 and -90 <= lat <= 90) or lon == lat == 0:
        return None
    metres = _number(accuracy)
    if accuracy is not None and (metres is None or metres < 0):  # an iPhone says -1 of a place that it guessed
        return None
    return Fix(
        captured_at,
        lon,
        lat,
        metres,
        _within(speed, FASTEST_MPS),
        None if _within(heading, 360) is None else round(heading or 0) % 360,
        None if _within(battery, 100) is None else round(battery or 0),
        moving,
    )


def _within(value: float | None, most: float) -> float | None:
    """A measure where it can be one: phones say -1 of what they do not know."""
    return value if value is not None and 0 <= value <= most else None


def _number(value: Any) -> float | None:
    """A finite number, or the text of one."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        number = float(value)
    except (ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None


def _json_number(value: Any) -> float | None:
    return None if isinstance(value, str) else _number(value)


def _moment(timestamp: Any) -> datetime | None:
    """Seconds or milliseconds since 1970, or ISO 8601, UTC where it names no zone; None for what no clock says."""
    number = _number(timestamp)
    try:
        if number is not None:
            seconds = number / 1000 if number >= MILLISECONDS_FROM else number
            return datetime.fromtimestamp(int(seconds), UTC)
        if not isinstance(timestamp, str):
            return None
        moment = datetime.fromisoformat(timestamp.strip())
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC).replace(microsecond=0)
    except (ValueError, OverflowError, OSError):
        return None

"""What phones send, written after Traccar Client 9's own template and the requests in the tests of Traccar's decoder.

Not recorded from a phone; the fields, names and units are theirs, the ids, times and places ours.
"""

import json
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

HERE = (106.0582, 20.6588)


def query(device_id: str, at: datetime, **changes: str) -> str:
    """The address as the older Traccar Client writes it; the body is empty."""
    lon, lat = HERE
    said = {
        "id": device_id,
        "timestamp": str(int(at.timestamp())),
        "lat": str(lat),
        "lon": str(lon),
        "speed": "13.4989200863931",
        "bearing": "91.4",
        "altitude": "4.0",
        "accuracy": "7.5",
        "batt": "87.0",
    }
    return urlencode(said | changes)


def osmand(device_id: str, at: datetime) -> str:
    """The address in OsmAnd's protocol with its other names, and milliseconds."""
    said = {"deviceid": device_id, "timestamp": str(int(at.timestamp() * 1000)), "location": f"{HERE[1]},{HERE[0]}"}
    return urlencode(said | {"hdop": "6.0", "altitude": "224.0", "speed": "0.0", "heading": "0.0"})


def location(at: datetime, **changes: Any) -> dict[str, Any]:
    """One location as Traccar Client 9 writes it."""
    lon, lat = HERE
    coords = {"latitude": lat, "longitude": lon, "accuracy": 12.4, "speed": 6.94, "heading": 271.6, "altitude": 3.7}
    when = at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return {
        "timestamp": when,
        "coords": coords | changes.pop("coords", {}),
        "is_moving": True,
        "odometer": 1735.2,
        "event": "motionchange",
        "battery": {"level": 0.82, "is_charging": False},
        "activity": {"type": "in_vehicle"},
        "extras": {},
        "_": f"&id=5f&lat={lat}&lon={lon}&timestamp={when}&",
    } | changes


def traccar(device_id: str, at: datetime, **changes: Any) -> dict[str, Any]:
    """The body as Traccar Client 9 sends it."""
    return {"location": location(at, **changes), "device_id": device_id}


def batch(device_id: str, *at: datetime) -> dict[str, Any]:
    """Several at once, as our own app sends them."""
    return {"device_id": device_id, "locations": [location(one) for one in at]}


def written(body: dict[str, Any]) -> bytes:
    """A body as bytes."""
    return json.dumps(body).encode()

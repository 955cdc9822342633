"""Fields and small shapes of which requests and answers are made."""

from datetime import UTC, date, datetime
from typing import Any
from unicodedata import category, normalize

from marshmallow import Schema, ValidationError, fields, validate

from courier_api.db import lon_lat

# What a clock can say: a phone that was reset begins at 1970. At the ends of the calendar no zone can be reckoned.
YEARS = range(1970, 3000)


class Text(fields.String):
    """Text in NFC, trimmed; without control characters and halves of characters, which PostgreSQL cannot all keep."""

    def __init__(self, most: int, *, least: int = 1, **kwargs: Any) -> None:
        super().__init__(validate=validate.Length(least, most), **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> str:
        text = normalize("NFC", super()._deserialize(value, attr, data, **kwargs)).strip()
        if any(category(c) in ("Cc", "Cs") and c not in "\n\t" for c in text):
            raise ValidationError("bad_text")
        return text


class Moment(fields.AwareDateTime):
    """An RFC 3339 time with its offset; inside it is UTC, so that an answer reads the same when it is replayed."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(format="iso", **kwargs)

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> datetime:
        moment = super()._deserialize(value, attr, data, **kwargs)
        if moment.year not in YEARS:
            raise ValidationError("bad_time")
        return moment.astimezone(UTC)


class Day(fields.Date):
    """A day, RFC 3339."""

    def _deserialize(self, value: Any, attr: str | None, data: Any, **kwargs: Any) -> date:
        day = super()._deserialize(value, attr, data, **kwargs)
        if day.year not in YEARS:
            raise ValidationError("bad_time")
        return day


class Place(Schema):
    """A point: WGS 84, degrees."""

    lon = fields.Float(required=True, validate=validate.Range(-180, 180), metadata={"example": 106.0582})
    lat = fields.Float(required=True, validate=validate.Range(-90, 90), metadata={"example": 20.6588})


class PointField(fields.Field[Any]):
    """A geometry column shown as {lon, lat}."""

    def _serialize(self, value: Any, attr: str | None, obj: Any, **_: Any) -> dict[str, float] | None:
        if value is None:
            return None
        lon, lat = lon_lat(value)
        return {"lon": lon, "lat": lat}


def point_field(**kwargs: Any) -> fields.Field[Any]:
    """A point for dumping, documented as Place."""
    return PointField(
        dump_only=True,
        metadata={
            "type": "object",
            "properties": {"lon": {"type": "number"}, "lat": {"type": "number"}},
            "required": ["lon", "lat"],
        },
        **kwargs,
    )


class Window(Schema):
    """From when to when."""

    start = Moment(required=True, metadata={"example": "2026-11-24T08:00:00+07:00"})
    end = Moment(required=True, metadata={"example": "2026-11-24T10:00:00+07:00"})

"""Cursor pages: what a list takes, and how one page is answered."""

from functools import cache
from typing import Any
from urllib.parse import urlencode
from uuid import UUID

from flask import request
from marshmallow import Schema, fields, validate


class PageQuery(Schema):
    """Which page of a list."""

    limit = fields.Integer(load_default=50, validate=validate.Range(1, 200))
    cursor = fields.UUID(load_default=None, metadata={"description": "`next_cursor` of the page before"})


@cache
def page_of(shown: type[Schema]) -> type[Schema]:
    """The schema of one page of a list."""
    return Schema.from_dict(
        {
            "items": fields.List(fields.Nested(shown), required=True),
            "next_cursor": fields.UUID(allow_none=True, required=True),
        },
        name=f"{shown.__name__}Page",
    )


def page(rows: list[Any], limit: int) -> tuple[dict[str, Any], int, dict[str, str]]:
    """Answer one page; `rows` was asked for with one more than `limit`, to know whether there is another."""
    items, more = rows[:limit], len(rows) > limit
    following: UUID | None = items[-1].id if more else None
    headers = {}
    if following:
        arguments = {**request.args, "cursor": str(following), "limit": str(limit)}
        query = urlencode(arguments)
        headers["Link"] = f'<{request.path}?{query}>; rel="next"'
    return {"items": items, "next_cursor": following}, 200, headers

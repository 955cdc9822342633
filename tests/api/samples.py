"""Requests that are right in form for any operation, made from the served document alone."""

from datetime import timedelta
from functools import cache
from typing import Any
from uuid import uuid4

from courier_api import create_app
from tests.cast import tomorrow

METHODS = ("get", "post", "put", "delete", "patch")


class Operation:
    """One operation of the document."""

    def __init__(self, document: dict[str, Any], path: str, method: str, described: dict[str, Any]) -> None:
        self.document = document
        self.path = path
        self.method = method.upper()
        self.id: str = described["operationId"]
        self.audience: str = described["tags"][0]
        self.guarded = bool(described.get("security"))
        parameters = [*document["paths"][path].get("parameters", []), *described.get("parameters", [])]
        self.headers = [p["name"] for p in parameters if p["in"] == "header" and p["required"]]
        self.query = [p for p in parameters if p["in"] == "query"]
        self.in_path = [p["name"] for p in parameters if p["in"] == "path"]
        content = described.get("requestBody", {}).get("content", {})
        self.raw_type = next((kind for kind in content if kind != "application/json"), None)
        self.body_schema: dict[str, Any] | None = content.get("application/json", {}).get("schema")
        self.answers = set(described["responses"])

    def __repr__(self) -> str:
        return self.id

    def url(self, ids: dict[str, str], **query: str) -> str:
        """The address with its parameters filled in: ids where they are known, else made up."""
        path = self.path
        for name in self.in_path:
            path = path.replace("{" + name + "}", ids.get(name, str(uuid4())))
        asked = {p["name"]: str(self.sample(p["schema"], p["name"])) for p in self.query if p.get("required")} | query
        return path + ("?" + "&".join(f"{k}={v}" for k, v in asked.items()).replace("+", "%2B") if asked else "")

    def body(self, ids: dict[str, str]) -> Any:
        """A body that is right in form; ids in it are those that are known."""
        return self.sample(self.body_schema, "", ids) if self.body_schema is not None else None

    def sent_headers(self) -> dict[str, str]:
        """The headers that the document asks for."""
        known = {
            "Idempotency-Key": f'"{uuid4()}"',
            "If-Match": '"1"',
            "Tus-Resumable": "1.0.0",
            "Upload-Length": "10",
            "Upload-Offset": "0",
            "Upload-Metadata": "event MDE5MzJmNjAtMDAwMC03MDAwLTgwMDAtMDAwMDAwMDAwMDAx,kind cGhvdG8=",
        }
        return {name: known[name] for name in self.headers}

    def sample(self, schema: dict[str, Any], name: str, ids: dict[str, str] | None = None) -> Any:
        """A value that a schema allows."""
        ids = ids or {}
        if "$ref" in schema:
            return self.sample(self.document["components"]["schemas"][schema["$ref"].rpartition("/")[2]], name, ids)
        for choice in ("allOf", "anyOf", "oneOf"):
            if choice in schema:
                return self.sample(schema[choice][0], name, ids)
        if name in ids and schema.get("format") == "uuid":
            return ids[name]
        if "enum" in schema:
            return next(v for v in schema["enum"] if v is not None)
        kind = schema.get("type")
        kind = next(k for k in kind if k != "null") if isinstance(kind, list) else kind
        if kind == "object":
            wanted = {k: v for k, v in schema.get("properties", {}).items() if k in schema.get("required", ())}
            return {k: self.sample(v, k, ids) for k, v in wanted.items()}
        if kind == "array":
            return [self.sample(schema["items"], name.removesuffix("s"), ids)] * max(1, schema.get("minItems", 1))
        if kind in ("integer", "number"):
            return schema.get("example", max(1, schema.get("minimum", 1)))
        if kind == "boolean":
            return True
        return self._text(schema, name)

    @staticmethod
    def _text(schema: dict[str, Any], name: str) -> str:
        by_format = {
            "uuid": str(uuid4()),
            "date": tomorrow().date().isoformat(),
            "date-time": (tomorrow(8) + timedelta(hours=2 * (name == "end" or name == "ends_at"))).isoformat(),
        }
        return by_format.get(schema.get("format", ""), schema.get("example", "x"))


@cache
def document() -> dict[str, Any]:
    """The document as served."""
    served: dict[str, Any] = create_app().test_client().get("/api/openapi.json").get_json()
    return served


def operations() -> list[Operation]:
    """Every operation of the document."""
    return [
        Operation(document(), path, method, item[method])
        for path, item in document()["paths"].items()
        for method in METHODS
        if method in item
    ]

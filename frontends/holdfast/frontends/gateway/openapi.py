"""The OpenAPI document, made from the operations and from the types that they take and answer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import msgspec
from msgspec import Struct

from holdfast.domain.answers import Verification
from holdfast.domain.keeping import KnownAgent
from holdfast.domain.projections.roster import Row
from holdfast.frontends.gateway.operations import CAUSE, PREFIX, Nothing
from holdfast.frontends.gateway.problems import MEDIA_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterable

    from holdfast.frontends.gateway.operations import Operation, Operations

Schema = dict[str, Any]

_REF: Final = "#/components/schemas/{name}"


class Problem(Struct, frozen=True):
    """What went wrong (RFC 9457); `code` is stable, `detail` is for people."""

    type: str
    title: str
    status: int
    detail: str
    code: str
    name: str = ""
    candidates: list[str] = []


def document(operations: Operations, version: str) -> Schema:
    """Return the document as JSON has it."""
    types = [each for operation in operations for each in (operation.takes, operation.answers) if _is_type(each)]
    _, schemas = msgspec.json.schema_components(
        [*types, Row, Problem, Verification, KnownAgent], ref_template=_REF, schema_hook=_anything
    )
    paths: dict[str, Schema] = {}
    for operation in operations:
        paths.setdefault(PREFIX + operation.path, {})[operation.method.lower()] = _operation(operation)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "Holdfast",
            "version": version,
            "description": "Sessions that outlive every window. Unknown members of requests and answers are ignored.",
        },
        "servers": [{"url": "/"}],
        "security": [{"token": []}],
        "paths": paths,
        "components": {
            "schemas": schemas | _SHAPES,
            "securitySchemes": {
                "token": {"type": "http", "scheme": "bearer", "description": "The token in the home's file `token`."}
            },
        },
    }


def _operation(operation: Operation[Any]) -> Schema:
    name = operation.path.replace("/", "_").replace("{", "").replace("}", "")
    described: Schema = {
        "summary": operation.summary,
        "operationId": f"{operation.method.lower()}{name}",
        "parameters": [*_in_path(operation.path)],
        "responses": {str(operation.status): _success(operation)}
        | {str(status): _problem(status) for status in sorted(_refusals(operation))},
    }
    if operation.status == 204:
        described["responses"]["200"] = _success(operation, 200)
    if operation.method in ("GET", "DELETE"):
        described["parameters"] += _in_query(operation.takes)
    else:
        body = _ref(operation.takes)
        required = any(field.required for field in msgspec.structs.fields(operation.takes))
        described["requestBody"] = {"required": required, "content": {"application/json": {"schema": body}}}
        described["parameters"].append(
            {
                "name": "Idempotency-Key",
                "in": "header",
                "description": "Stands for `client_id`.",
                "schema": {"type": "string", "pattern": CAUSE},
            }
        )
    if not operation.credential:
        described["security"] = []
    return described


def _refusals(operation: Operation[Any]) -> Iterable[int]:
    common = {400, 401, 403, 421, 429, 431, 500, 503}
    if operation.method not in ("GET", "DELETE"):
        common |= {408, 413, 415}
    if operation.writes:
        common.add(507)
    if "{" in operation.path:
        common.add(404)
    return (common | set(operation.statuses)) - {operation.status, 200}


def _in_path(path: str) -> Iterable[Schema]:
    for part in path.split("/"):
        if part.startswith("{"):
            text = {"type": "string", "minLength": 1}
            yield {"name": part.strip("{}"), "in": "path", "required": True, "schema": text}


def _in_query(takes: type[Struct]) -> Iterable[Schema]:
    if takes is Nothing:
        return
    (own,), components = msgspec.json.schema_components([takes], ref_template=_REF, schema_hook=_anything)
    properties = components[own["$ref"].rpartition("/")[2]]["properties"]
    for field in msgspec.structs.fields(takes):
        schema = _without_null(properties[field.encode_name])
        yield {"name": field.encode_name, "in": "query", "required": field.required, "schema": schema}


def _anything(kind: type) -> Schema:
    """The schema of what may be any JSON: content blocks say themselves what else they hold."""
    assert kind is object, kind
    return {"description": "Any JSON."}


def _without_null(schema: Schema) -> Schema:
    """A query has no null: what may be absent is absent."""
    kept = [each for each in schema.get("anyOf", ()) if each != {"type": "null"}]
    rest = {name: value for name, value in schema.items() if name not in ("anyOf", "default")}
    return rest | (kept[0] if len(kept) == 1 else {"anyOf": kept}) if kept else schema


def _success(operation: Operation[Any], status: int | None = None) -> Schema:
    if (status or operation.status) == 204:
        return {"description": "It is done."}
    content: Schema = {"schema": {} if operation.answers is None else _ref(operation.answers)}
    media = {operation.media_type: content}
    if operation.media_type == "application/json":
        media["application/x-ndjson"] = {"schema": {}}
    return {"description": operation.summary, "content": media}


def _problem(status: int) -> Schema:
    return {"description": _MEANINGS.get(status, "Refused."), "content": {MEDIA_TYPE: {"schema": _ref(Problem)}}}


def _ref(what: object) -> Schema:
    if isinstance(what, str):
        return {"$ref": _REF.format(name=what)}
    if isinstance(what, type) and issubclass(what, Struct):
        return {"$ref": _REF.format(name=what.__name__)}
    return msgspec.json.schema(what)


def _is_type(what: object) -> bool:
    return isinstance(what, type) and issubclass(what, Struct)


def _list_of(item: Schema) -> Schema:
    after = {"type": ["string", "null"], "description": "The cursor of what comes next; null at the end."}
    return {
        "type": "object",
        "required": ["items", "after"],
        "properties": {"items": {"type": "array", "items": item}, "after": after},
    }


_ITEM: Final[Schema] = {
    "type": "object",
    "required": ["id", "position", "kind", "at"],
    "properties": {
        "id": {"type": "string"},
        "position": {"type": "integer"},
        "kind": {"enum": ["message", "thought", "tool_call", "plan", "permission", "notice", "raw"]},
        "at": {"type": "string"},
        "role": {"type": ["string", "null"]},
        "text": {"type": "string"},
        "status": {"type": ["string", "null"]},
    },
}

_REQUEST: Final[Schema] = {
    "type": "object",
    "required": ["request_id", "session_id", "turn_id", "title", "input", "options", "requested_at"],
    "properties": {
        "request_id": {"type": "string"},
        "session_id": {"type": "string"},
        "turn_id": {"type": ["string", "null"]},
        "title": {"type": "string"},
        "input": {},
        "options": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["option_id", "kind", "name"],
                "properties": {name: {"type": "string"} for name in ("option_id", "kind", "name")},
            },
        },
        "requested_at": {"type": "string"},
    },
}

_HIT: Final[Schema] = {
    "type": "object",
    "required": ["session_id", "item_id", "position", "title", "snippet", "permalink"],
    "properties": {
        "position": {"type": "integer"},
        **{name: {"type": "string"} for name in ("session_id", "item_id", "title", "snippet", "permalink")},
    },
}

_SHAPES: Final[dict[str, Schema]] = {
    "Item": _ITEM,
    "Rows": _list_of({"$ref": _REF.format(name="Row")}),
    "Inbox": _list_of(_REQUEST),
    "Hits": _list_of(_HIT),
    "KnownAgents": _list_of({"$ref": _REF.format(name="KnownAgent")}),
    "Page": {
        "type": "object",
        "required": ["session", "items", "position", "before"],
        "properties": {
            "session": {"$ref": _REF.format(name="Row")},
            "items": {"type": "array", "items": {"$ref": _REF.format(name="Item")}},
            "position": {"type": "integer"},
            "before": {"type": ["string", "null"], "description": "The cursor of the page before this one."},
        },
    },
}
"""Shapes that are put together by hand, in `holdfast.domain.wire`."""

_MEANINGS: Final = {
    400: "The request cannot be used.",
    401: "A credential is needed.",
    403: "Another origin, or a credential that may only read.",
    404: "It does not exist.",
    408: "It did not happen in time.",
    409: "It contradicts what is there.",
    410: "The cursor cannot be used: begin again without one.",
    413: "The body is too long.",
    415: "The body is no JSON.",
    421: "Another host was asked for.",
    422: "It is no transcript, or the agent cannot be started here.",
    429: "Too many wrong credentials.",
    431: "The head is too long.",
    500: "Something is wrong with the store, or with Holdfast.",
    502: "The agent cannot be reached.",
    503: "The daemon ends, or its store is closed.",
    507: "No space is left where the store lies.",
}

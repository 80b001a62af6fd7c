"""The flow that every client runs, as data: operations by their published names, seeds, edits and associations.

The clients are generated from the contract, so one plan fits them all; an operation that a client lacks is skipped
there and counted. A text such as `{asset}` in a seed stands for the id of the asset that the flow created.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from pieces_orm.server.app.routes import http_routes
from pieces_orm.server.app.unserved import refuse, upgrade_required
from pieces_orm.wire import routes
from pieces_orm.wire.associations import ASSOCIATIONS
from pieces_orm.wire.kinds import KINDS, Kind, Route
from tests.server.support import SEEDS, Wire, operation

_FOUND = "spring tide"
# By kind, a key with the value that the flow gives it.
_EDITS: dict[str, tuple[str, Any]] = {
    "asset": ("name", _FOUND),
    "anchor": ("name", _FOUND),
    "anchor_point": ("verified", True),
    "annotation": ("text", _FOUND),
    "activity": ("mechanism", "AUTOMATIC"),
    "conversation": ("name", _FOUND),
    "conversation_message": ("fragment", {"string": {"raw": _FOUND}}),
    "hint": ("text", _FOUND),
    "person": ("type", {"basic": {"name": _FOUND}}),
    "range": ("between", True),
    "sensitive": ("name", _FOUND),
    "share": ("name", _FOUND),
    "workstream_pattern_engine_source": ("readable", _FOUND),
    "workstream_pattern_engine_source_window": ("name", _FOUND),
    "workstream_summary": ("name", _FOUND),
    "tag": ("text", _FOUND),
    "website": ("name", _FOUND),
    "workstream_event": ("trigger", {"paste": True}),
}


class _Placeholders(Wire):
    """Makes nothing: what a seed needs is named by a placeholder."""

    def __init__(self) -> None:
        self.application = "{application}"  # type: ignore[assignment]

    def make(self, kind: Kind, **_extra: Any) -> dict[str, Any]:
        return {"id": f"{{{kind.name}}}"}

    def make_asset(self, *_: Any, **__: Any) -> Any:
        return _Asset("{asset document}")


class _Asset(str):  # noqa: SLOT000
    """The placeholder of an asset, or of its id."""

    def __getitem__(self, key: Any) -> Any:
        return "{asset}" if key == "id" else super().__getitem__(key)


def plan() -> dict[str, Any]:
    """Build the plan."""
    return {
        "connect": _operation(routes.CONNECT),
        "seeds_application": {"application": {"name": "OPEN_SOURCE", "version": "1.0.0", "platform": "LINUX"}},
        "kinds": [_kind(kind) for kind in KINDS.values()],
        "associations": [
            {
                "owner": row.owner.name,
                "other": row.other.name,
                "parameters": {row.owner.parameter: row.owner.name, row.parameter: row.other.name},
                "wire": row.wire,
                "associate": _operation(Route("POST", row.path("associate"))),
                "disassociate": _operation(Route("POST", row.path("disassociate"))),
            }
            for row in ASSOCIATIONS
        ],
        "others": [_operation(route) for route in _others()],
        "questions": {
            name: _operation(Route("POST", f"/qgpt/{name}")) for name in ("question", "relevance", "reprompt", "hints")
        },
        "search": {
            "query": _operation(routes.ASSETS_SEARCH),
            "filters": _operation(routes.ASSETS_SEARCH_FILTERS),
            "text": _FOUND,
        },
    }


def _others() -> Iterator[Route]:
    """Yield what can be read without a parameter or a query, and is no snapshot of a kind."""
    snapshots = {kind.route("all").path for kind in KINDS.values()}
    for method, path, endpoint in http_routes():
        # The published description has the page of a share at /, which this server does not serve.
        served = method == "GET" and path != "/" and endpoint.handler not in {refuse, upgrade_required}
        found = operation("get", path) if served and "{" not in path and "/search" not in path else None
        if found is not None and "requestBody" not in found and path not in snapshots:
            yield Route("GET", path)


def _kind(kind: Kind) -> dict[str, Any]:
    key, value = _EDITS.get(kind.name, (None, None))
    return {
        "name": kind.name,
        "schema": kind.schema,
        "parameter": kind.parameter,
        "seed": SEEDS[kind.name](_Placeholders()) if "create" in kind.routes else None,
        "edit": None if key is None else {key: value},
        "stream": kind.route("stream").path if "stream" in kind.routes else None,
        "operations": {
            verb: _operation(kind.route(verb))
            for verb in ("create", "all", "read", "update", "search", "stream", "delete")
            if verb in kind.routes
        },
    }


def _operation(route: Route) -> dict[str, Any]:
    found = operation(route.method.lower(), route.path)
    assert found is not None, f"the contract lacks {route.method} {route.path}"
    content = found.get("requestBody", {}).get("content", {}).get("application/json", {})
    schema = content.get("schema", {}).get("$ref", "").rpartition("/")[2]
    argument = found.get("x-sdk-body-argument")
    return {
        "api": found["x-sdk-class"],
        "function": found["operationId"],
        "body": {"argument": argument, "schema": schema} if schema else None,
    }

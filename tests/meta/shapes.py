"""Writes the shapes that the server ships: `python -m tests.meta.shapes > pieces_orm/server/domain/shapes.json`.

For each kind of material and what its own keys hold: the shape of each key, and which keys there must be. A shape is
`text`, `whole`, `number`, `truth`, `any`, the name of another schema with @ before it, or one of these in a list or,
for a map, an object.
"""

from __future__ import annotations

import json

from pieces_orm.server.domain.relations import relation_keys
from pieces_orm.wire.kinds import KINDS

from .sources import ROOT

SCHEMAS = json.loads((ROOT / "tests" / "contract" / "pieces-openapi.json").read_text("utf-8"))["components"]["schemas"]
SIMPLE = {"string": "text", "integer": "whole", "number": "number", "boolean": "truth"}


def shape(spec, found):
    """The shape of a property; schemas that it leads to go into `found`."""
    spec = next((each for each in spec.get("allOf", ()) if "$ref" in each), spec)
    if "$ref" in spec:
        name = spec["$ref"].rpartition("/")[2]
        target = SCHEMAS[name]
        if "properties" not in target:
            return shape(target, found)
        describe(name, found)
        return f"@{name}"
    kind = spec.get("type")
    kind = next((each for each in kind if each != "null"), None) if isinstance(kind, list) else kind
    if kind == "array":
        return [shape(spec["items"], found)]
    if isinstance(spec.get("additionalProperties"), dict):
        return {"": shape(spec["additionalProperties"], found)}
    return SIMPLE.get(kind, "any")


def describe(name, found, left_out=frozenset()):
    """Add a schema, and those that it leads to."""
    if name in found:
        return
    found[name] = {}
    properties = {key: spec for key, spec in SCHEMAS[name].get("properties", {}).items() if key not in left_out}
    found[name] = {
        "keys": {key: shape(spec, found) for key, spec in sorted(properties.items())},
        "required": sorted(set(SCHEMAS[name].get("required", ())) - left_out),
    }


def table():
    """All shapes."""
    found = {}
    for kind in KINDS.values():
        describe(kind.schema, found, relation_keys(kind) | {"id", "original", "preview"})
    return found


def text():
    """The file: a line for each schema."""
    lines = (f"{json.dumps(name)}:{json.dumps(each, separators=(',', ':'))}" for name, each in sorted(table().items()))
    return "{\n" + ",\n".join(lines) + "\n}\n"


if __name__ == "__main__":
    print(text(), end="")

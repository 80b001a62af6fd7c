"""Writes the data of the contract that the server ships: `python -m tests.meta.contract_data`.

schemas: of each kind of material, and of what its own keys hold, the shape of each key and which keys there must be.
seeds: of each kind that can be created, the keys that a seed must have.
operations: all paths, by method; those of streams under WEBSOCKET.

A shape is `text`, `whole`, `number`, `truth`, `object` (in seeds), `any`, the name of another schema with @ before it,
or one of these in a list or, for a map, an object.
"""

from __future__ import annotations

import json
from collections import defaultdict

from pieces_orm.server.domain.relations import ends_of, relation_keys
from pieces_orm.wire.kinds import KINDS

from .sources import ROOT

SHIPPED = ROOT / "pieces_orm" / "server" / "contract.json"
CONTRACT = json.loads((ROOT / "tests" / "contract" / "pieces-openapi.json").read_text("utf-8"))
SCHEMAS, PATHS = CONTRACT["components"]["schemas"], CONTRACT["paths"]
SIMPLE = {"string": "text", "integer": "whole", "number": "number", "boolean": "truth"}
# A body that is no document of a material, and is stored all the same.
OTHERS = ("SeededTrackedApplication",)


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


def schemas():
    """Every schema that something stored is checked against."""
    found = {}
    for kind in KINDS.values():
        describe(kind.schema, found, relation_keys(kind) | {"id", "original", "preview"})
    for name in OTHERS:
        describe(name, found)
    return dict(sorted(found.items()))


def seed(kind):
    """The keys that a seed must have: those of its schema, and the one material that the document must name."""
    body = PATHS[kind.route("create").path]["post"]["requestBody"]["content"]["application/json"]["schema"]
    schema = SCHEMAS[body["$ref"].rpartition("/")[2]]
    singles = {end.key[0] for end in ends_of(kind) if not end.many}
    names = set(schema.get("required", ())) | singles & set(SCHEMAS[kind.schema]["required"]) & set(
        schema["properties"]
    )
    shapes = {name: shape(schema["properties"][name], {}) for name in sorted(names)}
    return {name: "object" if each.startswith("@") else each for name, each in shapes.items()}


def operations():
    """All paths, by method; those of streams under WEBSOCKET."""
    found = defaultdict(list)
    for path, methods in sorted(PATHS.items()):
        for method, operation in methods.items():
            found["WEBSOCKET" if operation.get("x-websocket") else method.upper()].append(path)
    return found


def text():
    """The file: a line for each schema, seed and method."""
    data = {
        "schemas": schemas(),
        "seeds": {name: seed(kind) for name, kind in sorted(KINDS.items()) if "create" in kind.routes},
        "operations": operations(),
    }

    def lines(part):
        return ",\n".join(
            f"{json.dumps(name)}:{json.dumps(each, separators=(',', ':'))}" for name, each in part.items()
        )

    return "{\n" + ",\n".join(f'"{name}":{{\n{lines(part)}\n}}' for name, part in data.items()) + "\n}\n"


if __name__ == "__main__":
    SHIPPED.write_text(text(), "utf-8")

"""The contract for tests: rows, sample documents, and validation against its schemas."""

from __future__ import annotations

import copy
import functools
import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

FOLDER = Path(__file__).parents[1] / "contract"
ROWS = {row["operation_id"]: row for row in json.loads((FOLDER / "seeds.json").read_text())}


@functools.cache
def _validator(schema: str) -> Draft202012Validator:
    resource = Resource(json.loads((FOLDER / "pieces-openapi.json").read_text()), DRAFT202012)
    registry = Registry().with_resource("urn:pieces", resource)
    return Draft202012Validator({"$ref": f"urn:pieces#/components/schemas/{schema}"}, registry=registry)


def problems(data: Any, schema: str) -> list[str]:
    """Return the violations of a schema of the contract in some data."""
    return [f"{list(error.path)}: {error.message}" for error in _validator(schema).iter_errors(data)]


@functools.cache
def _sample(name: str) -> Any:
    return json.loads((FOLDER / "samples" / f"{name}.json").read_text())


def sample(name: str) -> Any:
    """Return a copy of a document of the contract."""
    return copy.deepcopy(_sample(name))

"""Checks of documents against the published contract: nothing is stored that could not be answered.

Keys that the contract does not know are kept as they come, and so are texts that one of its enums does not have.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...wire.kinds import Kind
from ..contract import Schema, Shape, contract
from ..request_errors import RequestError
from .relations import server_keys

_SIMPLE: Mapping[str, tuple[str, tuple[type, ...]]] = {
    "text": ("a string", (str,)),
    "whole": ("a whole number", (int,)),
    "number": ("a number", (int, float)),
    "truth": ("true or false", (bool,)),
    "object": ("a JSON object", (Mapping,)),
}


def validated(kind: Kind, own: Mapping[str, Any]) -> dict[str, Any]:
    """Check a material's own keys; the result has no nulls where a key may be absent, and no key of the server's.

    Raises:
        RequestError: 400, a value has another type than the contract says.
    """
    made = server_keys(kind)
    own = {name: value for name, value in own.items() if name not in made}
    return _fields(contract().schemas[kind.schema], own, f"a {kind.name}")


def validated_object(schema: str, value: Any, where: str) -> dict[str, Any]:
    """Check a JSON object against a schema of the contract; `where` names it in errors.

    Raises:
        RequestError: 400, it is not an object, lacks a required key, or has a value of another type than the contract.
    """
    check_type("object", value, where)
    described = contract().schemas[schema]
    missing = sorted(name for name in described.required if value.get(name) is None)
    if missing:
        raise RequestError(400, f"{where} lacks {', '.join(missing)}.")
    return _fields(described, value, where)


def check_type(shape: str, value: Any, where: str) -> None:
    """Refuse a value that is not of a simple shape, such as `text`.

    Raises:
        RequestError: 400.
    """
    words, types = _SIMPLE[shape]
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        raise RequestError(400, f"{where} must be {words}.")


def _fields(schema: Schema, value: Mapping[str, Any], where: str) -> dict[str, Any]:
    keys = schema.keys
    return {
        name: _value(keys[name], each, f"{name} of {where}") if name in keys else each
        for name, each in value.items()
        if each is not None or name not in keys
    }


def _value(shape: Shape, value: Any, where: str) -> Any:
    if isinstance(shape, list):
        if not isinstance(value, list):
            raise RequestError(400, f"{where} must be a list.")
        return [_value(shape[0], each, f"an item of {where}") for each in value]
    if isinstance(shape, dict):
        check_type("object", value, where)
        return {name: _value(shape[""], each, f"{name} of {where}") for name, each in value.items()}
    if shape.startswith("@"):
        return validated_object(shape[1:], value, where)
    if shape != "any":
        check_type(shape, value, where)
    return value

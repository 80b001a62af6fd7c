"""What the keys of documents hold, as the published contract says: nothing is stored that could not be answered.

Keys that the table does not have are kept as they come, and so are texts that an enum does not have.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec

from ...wire.kinds import Kind
from ..http.answers import RefusedError

Shape = str | list[Any] | dict[str, Any]

_SIMPLE: Mapping[str, tuple[str, tuple[type, ...]]] = {
    "text": ("a text", (str,)),
    "whole": ("a whole number", (int,)),
    "number": ("a number", (int, float)),
    "truth": ("true or false", (bool,)),
}


class _Object(msgspec.Struct):
    keys: dict[str, Any]
    required: list[str]


@functools.cache
def _table() -> dict[str, _Object]:
    data = Path(__file__).with_name("shapes.json").read_bytes()
    return msgspec.json.decode(data, type=dict[str, _Object])


def fitted(kind: Kind, own: Mapping[str, Any]) -> dict[str, Any]:
    """The own keys of a material, without nulls where a key may be missing as well.

    Raises:
        RefusedError: 400, a value is not of the type that the contract says.
    """
    keys = _table()[kind.schema].keys
    return {
        name: _fitted(keys[name], value, f"{name} of a {kind.name}") if name in keys else value
        for name, value in own.items()
    }


def _fitted(shape: Shape, value: Any, where: str) -> Any:
    if isinstance(shape, list):
        if not isinstance(value, list):
            raise RefusedError(400, f"{where} has to be a list.")
        return [_fitted(shape[0], each, f"an item of {where}") for each in value]
    if isinstance(shape, dict):
        if not isinstance(value, Mapping):
            raise RefusedError(400, f"{where} has to be a JSON object.")
        return {name: _fitted(shape[""], each, f"{name} in {where}") for name, each in value.items()}
    if shape.startswith("@"):
        return _object(_table()[shape[1:]], value, where)
    if shape != "any":
        said, types = _SIMPLE[shape]
        if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
            raise RefusedError(400, f"{where} has to be {said}.")
    return value


def _object(described: _Object, value: Any, where: str) -> dict[str, Any]:
    if not isinstance(value, Mapping):
        raise RefusedError(400, f"{where} has to be a JSON object.")
    missing = [name for name in described.required if value.get(name) is None]
    if missing:
        raise RefusedError(400, f"{where} lacks {', '.join(missing)}.")
    keys = described.keys
    return {
        name: _fitted(keys[name], each, f"{name} in {where}") if name in keys else each
        for name, each in value.items()
        if each is not None or name not in keys
    }

"""The published contract, as far as the server needs it at run time.

`contract.json` is generated from the published API description: `python -m tests.meta.contract_data`.
"""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import msgspec

Shape = str | list[Any] | dict[str, Any]
"""The type of a key's value: `text`, `whole`, `number`, `truth`, `object`, `any`, or `@` and the name of a schema; in a
list for a list of it, or in an object under an empty key for a map of it."""


class Schema(msgspec.Struct, frozen=True):
    """The keys of a JSON object, and which of them it must have."""

    keys: dict[str, Any]
    required: frozenset[str]


class Contract(msgspec.Struct, frozen=True):
    """The schemas of documents by name, what seeds must have by kind, and all paths by method.

    Streams have the method WEBSOCKET.
    """

    schemas: dict[str, Schema]
    seeds: dict[str, dict[str, str]]
    operations: dict[str, list[str]]


@functools.cache
def contract() -> Contract:
    """Load the contract."""
    return msgspec.json.decode(Path(__file__).with_name("contract.json").read_bytes(), type=Contract)

"""The official client, wired to a server of the tests: an independent witness of what the ORM wrote."""

from __future__ import annotations

import functools
import importlib
import json
import re
from pathlib import Path
from typing import Any

from pieces_os_client.api_client import ApiClient
from pieces_os_client.configuration import Configuration

CONTRACT = Path(__file__).parents[1] / "contract"


@functools.cache
def _class_of() -> dict[str, str]:
    """The API class of each operation of the contract."""
    paths = json.loads((CONTRACT / "pieces-openapi.json").read_text())["paths"]
    operations = [each for methods in paths.values() for each in methods.values()]
    return {each["operationId"]: each["x-sdk-class"] for each in operations if "x-sdk-class" in each}


class Official:
    """Calls operations of the official client by their ids."""

    def __init__(self, url: str) -> None:
        self._client = ApiClient(Configuration(host=url))

    def __call__(self, operation: str, **arguments: Any) -> Any:
        name = _class_of()[operation]
        module = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
        cls = getattr(importlib.import_module(f"pieces_os_client.api.{module}"), name)
        return getattr(cls(self._client), operation)(**arguments)


def model(schema: str, data: dict[str, Any]) -> Any:
    """A model of the official client from plain data."""
    module = re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", schema).lower()
    cls = getattr(importlib.import_module(f"pieces_os_client.models.{module}"), schema)
    return cls.from_dict(data)

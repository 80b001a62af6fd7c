"""Between JSON data and values: the one cattrs Converter, and how request bodies are encoded."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from types import MappingProxyType
from typing import Any, TypeVar

import attrs
import msgspec
from cattrs import Converter
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override
from msgspec import Raw

from .errors import InvalidValueError
from .values import WIRE_KEY, OpenEnum

T = TypeVar("T")


class Patch(dict[str, Any]):
    """The encoded form of a value: None removes a key, and keys that are not named stay."""


def _exactly(*types: type) -> Callable[[Any, Any], Any]:
    def structure(value: Any, _: Any) -> Any:
        if type(value) not in types:
            raise TypeError(f"expected {types[0].__name__}, got {type(value).__name__}")
        return value

    return structure


def _timestamp(value: Any, _: Any) -> datetime:
    text = value["value"] if isinstance(value, dict) else value
    moment: datetime = msgspec.convert(text, datetime)
    # A timestamp without a zone is UTC on this wire.
    return (moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).astimezone(timezone.utc)


def _timestamp_patch(moment: datetime) -> Patch:
    # `readable` ("5 days ago") would be wrong beside another value: it is removed.
    return Patch(value=moment.astimezone(timezone.utc).isoformat().replace("+00:00", "Z"), readable=None)


def _wire_overrides(cls: type[Any]) -> dict[str, Any]:
    names = {a.name: a.metadata.get(WIRE_KEY) for a in attrs.fields(cls)}
    return {name: override(rename=wire) for name, wire in names.items() if wire}


def _converter() -> Converter:
    converter = Converter(detailed_validation=False)
    for exact in ((str,), (bool,), (int,), (float, int)):
        # By predicate, not by type: an open enum is a str, and has a hook of its own.
        converter.register_structure_hook_func(functools.partial(operator.is_, exact[0]), _exactly(*exact))
    converter.register_structure_hook(datetime, _timestamp)
    converter.register_unstructure_hook(datetime, _timestamp_patch)
    converter.register_structure_hook_func(
        lambda cls: isinstance(cls, type) and issubclass(cls, OpenEnum), lambda value, cls: cls(value)
    )
    converter.register_structure_hook_factory(
        lambda cls: getattr(cls, "__origin__", None) in (Mapping, MappingProxyType), _mapping_hook
    )
    converter.register_structure_hook_factory(
        attrs.has, lambda cls: make_dict_structure_fn(cls, converter, **_wire_overrides(cls))
    )
    converter.register_unstructure_hook_factory(attrs.has, _value_patch)
    return converter


def _mapping_hook(cls: Any) -> Callable[[Any, Any], Any]:
    item = cls.__args__[1]
    structure = _CONVERTER.get_structure_hook(item)
    return lambda value, _: MappingProxyType({name: structure(each, item) for name, each in value.items()})


def _value_patch(cls: type[Any]) -> Callable[[Any], Patch]:
    unstructure = make_dict_unstructure_fn(cls, _CONVERTER, **_wire_overrides(cls))
    return lambda value: Patch(unstructure(value))


_CONVERTER = _converter()


def decoder(cls: Any) -> Callable[[Raw], Any]:
    """The function that decodes a slice to a type: JSON first, then the converter's hook for the type."""
    hook = _CONVERTER.get_structure_hook(cls)
    return lambda raw: hook(msgspec.json.decode(raw), cls)


def structure(value: Any, cls: type[T]) -> T:
    """Plain JSON data as a value."""
    return _CONVERTER.structure(value, cls)


def plain(value: Any) -> Any:
    """A value as plain JSON data, ready to be encoded; keys that are None are kept as removals (`Patch`)."""
    if isinstance(value, Mapping):
        items = ((name, plain(item)) for name, item in value.items())
        return Patch(items) if isinstance(value, Patch) else dict(items)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    return _CONVERTER.unstructure(value)


def encode(value: Any) -> bytes:
    """JSON data, with values in it, as a request body.

    Raises:
        InvalidValueError: there is something in it that JSON cannot say.
    """
    return encoded(without_removed(plain(value)))


def encoded(data: Any) -> bytes:
    """Data as JSON, as it is."""
    try:
        return msgspec.json.encode(data)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        message = f"This cannot be sent as JSON: {error}."
        raise InvalidValueError(message) from error


def encode_given(body: Mapping[str, Any]) -> bytes:
    """A request body without those of its keys that are None: what is not given is not sent."""
    return encode(Patch(body))


def without_removed(value: Any) -> Any:
    """Data without the keys that a `Patch` removes."""
    if isinstance(value, dict):
        items = ((name, without_removed(item)) for name, item in value.items())
        return {name: item for name, item in items if item is not None or not isinstance(value, Patch)}
    return [without_removed(item) for item in value] if isinstance(value, list | tuple) else value

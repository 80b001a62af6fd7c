"""Between JSON data and values: the one cattrs Converter, and how request bodies are encoded."""

from __future__ import annotations

import functools
import operator
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timezone
from types import MappingProxyType
from typing import Any, TypeVar

import attrs
import msgspec
import msgspec.structs
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


class _Stamp(msgspec.Struct, gc=False):
    value: datetime


_any = msgspec.json.Decoder().decode
_stamp = msgspec.json.Decoder(_Stamp).decode
_moment = msgspec.json.Decoder(datetime).decode


def _timestamp_in(raw: Raw) -> datetime:
    try:
        return _in_utc(_stamp(raw).value)
    except msgspec.ValidationError:
        return _in_utc(_moment(raw))


def _timestamp(value: Any, _: Any) -> datetime:
    text = value["value"] if isinstance(value, dict) else value
    return _in_utc(msgspec.convert(text, datetime))


def _in_utc(moment: datetime) -> datetime:
    if moment.tzinfo is timezone.utc:
        return moment
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
    """The function that decodes a slice to a type: JSON first, then the converter's hook for the type.

    A slice is never null: of an optional type it is the type without None that is decoded.
    """
    members = [each for each in typing.get_args(cls) if each is not type(None)]
    only = members[0] if len(members) == 1 and isinstance(cls, types.UnionType) else cls
    if only is datetime:
        return _timestamp_in
    if only in (str, bool, int):
        return functools.partial(_exact, only)
    hook = _CONVERTER.get_structure_hook(only)
    return lambda raw: hook(_any(raw), only)


# What is decoded in C alone.
PLAIN: Mapping[Any, Any] = {str: str, bool: bool, datetime: _Stamp}


def reader(columns: Sequence[tuple[str, Any]]) -> Callable[[bytes], tuple[Any, ...]]:
    """The function that reads some keys of a document together; None for those that it does not have.

    Args:
        columns: keys and types, of those in `PLAIN`.
    """
    kinds = [
        (f"at{place}", PLAIN[cls] | None, msgspec.field(name=key, default=None))
        for place, (key, cls) in enumerate(columns)
    ]
    decode = msgspec.json.Decoder(msgspec.defstruct("Columns", kinds, gc=False)).decode

    def read(data: bytes) -> tuple[Any, ...]:
        return tuple(
            [_in_utc(each.value) if type(each) is _Stamp else each for each in msgspec.structs.astuple(decode(data))]
        )

    return read


def _exact(cls: type[T], raw: Raw) -> T:
    value = _any(raw)
    if type(value) is not cls:
        raise TypeError(f"expected {cls.__name__}, got {type(value).__name__}")
    return value


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

"""The one cattrs Converter: how values are made of JSON data, and JSON data of values."""

from __future__ import annotations

import functools
import math
import operator
import types
import typing
from collections.abc import Callable, Mapping
from datetime import datetime, timezone
from types import MappingProxyType
from typing import Any

import attrs
import msgspec
from cattrs import Converter
from cattrs.gen import make_dict_structure_fn, make_dict_unstructure_fn, override

from ..values import Language, OpenEnum
from ..values.checking import named
from ..values.structs import WIRE_KEY, Patch, in_utc


def _exactly(*types: type) -> Callable[[Any, Any], Any]:
    def structure(value: Any, _: Any) -> Any:
        if type(value) not in types:
            raise TypeError(f"expected {types[0].__name__}, got {type(value).__name__}")
        return value

    return structure


def _timestamp(value: Any, _: Any) -> datetime:
    text = value["value"] if isinstance(value, dict) else value
    return in_utc(msgspec.convert(text, datetime))


def _timestamp_patch(moment: datetime) -> Patch:
    # `readable` ("5 days ago") would be wrong beside another value: it is removed.
    return Patch(value=moment.astimezone(timezone.utc).isoformat().replace("+00:00", "Z"), readable=None)


def _finite(value: float) -> float:
    if not math.isfinite(value):
        # The encoder would send null for it.
        raise ValueError(f"JSON has no {value}")
    return value


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
    converter.register_unstructure_hook(float, _finite)
    converter.register_structure_hook_func(lambda cls: cls is _enum_in(cls), lambda value, cls: cls(value))
    converter.register_unstructure_hook_factory(lambda cls: _enum_in(cls) is not None, _member)
    converter.register_unstructure_hook(Language, str.__str__)
    converter.register_structure_hook_factory(
        lambda cls: getattr(cls, "__origin__", None) in (Mapping, MappingProxyType), _mapping_hook
    )
    converter.register_structure_hook_factory(
        attrs.has, lambda cls: make_dict_structure_fn(cls, converter, **_wire_overrides(cls))
    )
    converter.register_unstructure_hook_factory(attrs.has, _value_patch)
    return converter


def _enum_in(cls: Any) -> type[OpenEnum] | None:
    """Return the open enum that a type is, or that it is with None; None for other types."""
    union = typing.get_origin(cls) in (typing.Union, types.UnionType)
    members = [each for each in typing.get_args(cls) if each is not type(None)] if union else [cls]
    only = members[0] if len(members) == 1 else None
    return only if isinstance(only, type) and issubclass(only, OpenEnum) else None


def _member(cls: Any) -> Callable[[Any], Any]:
    """Return the hook for an attribute of an open enum, in which a program may have put a text."""
    enum = _enum_in(cls)
    assert enum is not None
    return lambda value: str.__str__(named(enum, enum.__name__, value)) if isinstance(value, str) else value


def _mapping_hook(cls: Any) -> Callable[[Any, Any], Any]:
    item = cls.__args__[1]
    structure = CONVERTER.get_structure_hook(item)
    return lambda value, _: MappingProxyType({name: structure(each, item) for name, each in value.items()})


def _value_patch(cls: type[Any]) -> Callable[[Any], Patch]:
    unstructure = make_dict_unstructure_fn(cls, CONVERTER, **_wire_overrides(cls))
    return lambda value: Patch(unstructure(value))


CONVERTER = _converter()

"""Between JSON data and values, and how request bodies are encoded; what takes more than C is `converter`'s."""

from __future__ import annotations

import functools
import types
import typing
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
import msgspec.structs
from msgspec import Raw

from ..errors import InvalidValueError
from ..values.structs import Patch, in_utc

if TYPE_CHECKING:
    from cattrs import Converter

T = TypeVar("T")


class _Stamp(msgspec.Struct, gc=False):
    value: datetime


_any = msgspec.json.Decoder().decode
_stamp = msgspec.json.Decoder(_Stamp).decode
_moment = msgspec.json.Decoder(datetime).decode


def _timestamp_in(raw: Raw) -> datetime:
    try:
        return in_utc(_stamp(raw).value)
    except msgspec.ValidationError:
        return in_utc(_moment(raw))


@functools.cache
def _converter() -> Converter:
    from .structuring import CONVERTER  # noqa: PLC0415 plain fields do without cattrs and its import

    return CONVERTER


def decoder(cls: Any) -> Callable[[Raw], Any]:
    """Return the function that decodes a slice to a type: JSON first, then the converter's hook for the type.

    A slice is never null: of an optional type it is the type without None that is decoded.
    """
    members = [each for each in typing.get_args(cls) if each is not type(None)]
    only = members[0] if len(members) == 1 and isinstance(cls, types.UnionType) else cls
    if only is datetime:
        return _timestamp_in
    if only in (str, bool, int):
        return functools.partial(_exact, only)
    hook = _converter().get_structure_hook(only)
    return lambda raw: hook(_any(raw), only)


# Types that are decoded in C alone.
PLAIN: Mapping[Any, Any] = {str: str, bool: bool, datetime: _Stamp}


def reader(columns: Sequence[tuple[str, Any]]) -> Callable[[bytes], tuple[Any, ...]]:
    """Return the function that reads some keys of a document together; None for those that it does not have.

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
            [in_utc(each.value) if type(each) is _Stamp else each for each in msgspec.structs.astuple(decode(data))]
        )

    return read


def _exact(cls: type[T], raw: Raw) -> T:
    value = _any(raw)
    if type(value) is not cls:
        raise TypeError(f"expected {cls.__name__}, got {type(value).__name__}")
    return value


def structure(value: Any, cls: type[T]) -> T:
    """Plain JSON data as a value."""
    return _converter().structure(value, cls)


def plain(value: Any) -> Any:
    """Return a value as plain JSON data, ready to be encoded; keys that are None are kept as removals (`Patch`).

    Raises:
        InvalidValueError: there is a value in it that cannot be converted, such as a time outside years 1 to 9999.
    """
    if isinstance(value, Mapping):
        items = ((name, plain(item)) for name, item in value.items())
        return Patch(items) if isinstance(value, Patch) else dict(items)
    if isinstance(value, list | tuple):
        return [plain(item) for item in value]
    try:
        return _converter().unstructure(value)
    except (ValueError, TypeError, OverflowError, OSError, RecursionError) as error:
        raise _not_json(error) from error


def encode(value: Any) -> bytes:
    """JSON data, with values in it, as a request body.

    Raises:
        InvalidValueError: there is something in it that JSON cannot say.
    """
    return encoded(without_removed(plain(value)))


def encoded(data: Any) -> bytes:
    """Encode data as JSON, as it is."""
    try:
        return msgspec.json.encode(data)
    except (TypeError, ValueError, OverflowError, RecursionError) as error:
        raise _not_json(error) from error


def _not_json(error: Exception) -> InvalidValueError:
    return InvalidValueError(f"This cannot be sent as JSON: {error}.")


def check_sendable(name: str, value: Any) -> None:
    """Raise when a value cannot be sent.

    Raises:
        InvalidValueError: there is something in it that JSON cannot say.
    """
    try:
        encode(value)
    except InvalidValueError as error:
        message = f"{name} cannot be sent: {error.__cause__ or error}."
        raise InvalidValueError(message) from error


def encode_given(body: Mapping[str, Any]) -> bytes:
    """Return a request body without those of its keys that are None: what is not given is not sent."""
    return encode(Patch(body))


def without_removed(value: Any) -> Any:
    """Return data without the keys that a `Patch` removes."""
    if isinstance(value, dict):
        items = ((name, without_removed(item)) for name, item in value.items())
        return {name: item for name, item in items if item is not None or not isinstance(value, Patch)}
    return [without_removed(item) for item in value] if isinstance(value, list | tuple) else value

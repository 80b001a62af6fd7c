"""The arguments of `create()`, checked by the annotations of the seed before anything is sent."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import PurePath
from typing import Any

from .. import values
from ..errors import InvalidValueError
from ..orm.entity import Entity, Owner

_PLAIN: Mapping[str, type] = {
    "None": type(None), "bool": bool, "bytes": bytes, "datetime": datetime, "float": float, "int": int,
    "Mapping": Mapping, "PurePath": PurePath, "str": str,
}  # fmt: skip
_MANY = re.compile(r"(?:collections\.abc\.)?(Sequence|Iterable)\[(.*)\]")


def bound(
    seed: Callable[..., Any], where: str, owner: Owner, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> inspect.BoundArguments:
    """The arguments for a seed, each of the type that its annotation says.

    Raises:
        TypeError: one is missing, or there is no such argument.
        InvalidValueError: one is of another type. UsageError, StateError: an entity is of no use here.
    """
    signature = inspect.signature(seed)
    try:
        found = signature.bind(owner, *args, **kwargs)
    except TypeError as error:
        takes = ", ".join(list(signature.parameters)[1:])
        raise TypeError(f"{where}: {error}; it takes {takes}.") from None
    for name, value in list(found.arguments.items())[1:]:
        parameter = signature.parameters[name]
        members = value if parameter.kind is parameter.VAR_POSITIONAL else (value,)
        for each in members:
            _check(f"{where}: {name}", _text(parameter.annotation), each, owner)
    return found


def _check(name: str, annotation: str, value: Any, owner: Owner) -> None:
    wanted = _alternatives(annotation)
    for each in wanted:
        many = _MANY.fullmatch(each)
        if many is None:
            if isinstance(value, _type(each)) and not (isinstance(value, bool) and each in {"int", "float"}):
                break
        elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
            for member in value:
                _check(name, many[2], member, owner)
            break
    else:
        message = f"{name} takes {' or '.join(wanted)}, not {value!r} ({type(value).__name__})."
        raise InvalidValueError(message)
    if isinstance(value, Entity):
        value.check_usable()
        value.check_owner(owner)


def _text(annotation: Any) -> str:
    """An annotation as it is written; a seed's module need not postpone them."""
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


def _alternatives(annotation: str) -> list[str]:
    """The members of a union, which are not inside brackets."""
    return [each.strip() for each in re.findall(r"(?:[^|\[\]]|\[[^\]]*\])+", annotation.removeprefix("builtins."))]


def _type(name: str) -> type:
    name = name.split("[", maxsplit=1)[0].rsplit(".", maxsplit=1)[-1]
    # Of a name that says nothing here, such as a type of the seed's own module, anything is taken.
    found: Any = _PLAIN.get(name) or Entity.registry.get(name) or getattr(values, name, object)
    return found if isinstance(found, type) else object

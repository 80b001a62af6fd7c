"""The arguments of `create()`: checked by the annotations of the seed, and shown as its signature."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from pathlib import PurePath
from typing import Any, TypeVar

import attrs

from .. import values
from ..documents import decoding
from ..errors import InvalidIdError, InvalidValueError, UnsupportedOperationError
from ..model.natural_key import Key
from ..model.record import check_usable
from ..model.seed import Seed
from ..orm import natural_keys
from ..orm.context import Context, check_context
from ..orm.entity import Entity, registered
from ..values.checking import named, nonempty_text, plain_text, to_utc
from ..wire.paths import checked_id

E = TypeVar("E", bound=Entity)
F = TypeVar("F", bound=Callable[..., Any])

# The arguments of one call: by place, and by name.
Given = tuple[tuple[Any, ...], Mapping[str, Any]]

_PLAIN: Mapping[str, type] = {
    "None": type(None), "bool": bool, "bytes": bytes, "datetime": datetime, "float": float, "int": int,
    "Mapping": Mapping, "PurePath": PurePath, "str": str,
}  # fmt: skip
_MANY = re.compile(r"(?:collections\.abc\.)?(Sequence|Iterable)\[(.*)\]")


class _ShownSignature:
    """A method of a collection that shows the arguments of another function of the collection as its own.

    Args:
        of: the name of the collection's attribute that has the function.
        skip: its first parameters, which are not arguments of the method.
    """

    def __init__(self, method: Callable[..., Any], of: str, skip: int) -> None:
        self._method = method
        self._of = of
        self._skip = skip
        self.__doc__ = method.__doc__

    def __get__(self, collection: Any, owner: type[Any]) -> Any:
        if collection is None:
            return self._method

        @functools.wraps(self._method)
        def call(*args: Any, **kwargs: Any) -> Any:
            return self._method(collection, *args, **kwargs)

        function = getattr(collection, self._of)
        if function is not None:
            shown: Any = call
            shown.__signature__ = _signature(function, self._skip, _returned(self._method, collection))
            said, raises, errors = (inspect.getdoc(self._method) or "").partition("Raises:")
            shown.__doc__ = f"{said}{_documented_arguments(function)}{raises}{errors}"
        return call


def with_seed_signature(method: F) -> F:
    """Let `inspect.signature` and `help` show the real arguments of a method that takes those of a seed."""
    decorated: Any = _ShownSignature(method, "_seed", 1)
    return decorated  # type: ignore[no-any-return]


def with_conditions_signature(method: F) -> F:
    """Let `inspect.signature` and `help` show the conditions that a method takes."""
    decorated: Any = _ShownSignature(method, "_conditions", 0)
    return decorated  # type: ignore[no-any-return]


def _returned(method: Callable[..., Any], collection: Any) -> str:
    """Return the annotation of the result; the type variable stands for the collection's entity."""
    returned: str = method.__annotations__["return"]
    return re.sub(r"\bE\b", collection.entity.__name__, returned)


@functools.cache
def _signature(function: Callable[..., Any], skip: int, returned: str) -> inspect.Signature:
    signature = inspect.signature(function)
    return signature.replace(parameters=list(signature.parameters.values())[skip:], return_annotation=returned)


@functools.cache
def _documented_arguments(seed: Callable[..., Any]) -> str:
    _, _, listed = (inspect.getdoc(seed) or "").partition("Args:\n")
    return f"Args:\n{listed}\n\n" if listed else ""


def seeds(
    context: Context, cls: type[Entity], seed: Callable[..., Seed] | None, call: str, given: Sequence[Given]
) -> list[Seed]:
    """Return the seeds for the arguments of a call of this name; all are checked before any is used.

    Raises:
        UnsupportedOperationError: the wire has no such operation for this kind.
    """
    kind = cls._schema.kind
    kind.route("create")
    if seed is None:
        message = f"{cls.__name__} declares no seed, so it cannot be created."
        raise UnsupportedOperationError(message)
    where = f"{kind.collection}.{call}()"
    checked = [bound(seed, where, context, args, kwargs) for args, kwargs in given]
    composed = [seed(*each.args, **each.kwargs) for each in checked]
    return [
        attrs.evolve(made, keys=_keys_in(each)) if made.keys is None else made
        for made, each in zip(composed, checked, strict=True)
    ]


def _keys_in(found: inspect.BoundArguments) -> list[Key]:
    """Return the natural keys that arguments name materials by."""
    values = (each if isinstance(each, list | tuple) else (each,) for each in found.arguments.values())
    return [each for members in values for each in members if isinstance(each, Key)]


def bound(
    seed: Callable[..., Any], where: str, context: Context, args: tuple[Any, ...], kwargs: Mapping[str, Any]
) -> inspect.BoundArguments:
    """Return the arguments for a seed, each of the type that its annotation says, and as it can be sent.

    Raises:
        InvalidValueError: one is missing or of another type, or there is no such argument.
        UsageError, StateError: an entity cannot be used here.
    """
    signature = inspect.signature(seed)
    try:
        found = signature.bind(context, *args, **kwargs)
    except TypeError as error:
        takes = ", ".join(list(signature.parameters)[1:])
        message = f"{where}: {error}; it takes {takes}."
        raise InvalidValueError(message) from None
    for name, value in list(found.arguments.items())[1:]:
        parameter = signature.parameters[name]
        shown, annotation = f"{where}: {name}", _text(parameter.annotation)
        if parameter.kind is parameter.VAR_POSITIONAL:
            found.arguments[name] = tuple(_checked(shown, annotation, each, context) for each in value)
        else:
            found.arguments[name] = _checked(shown, annotation, value, context)
    return found


def _checked(name: str, annotation: str, value: Any, context: Context) -> Any:
    wanted = _alternatives(annotation)
    if isinstance(value, str | PurePath):
        cls = next((found for each in wanted if issubclass(found := _type(each), Entity)), None)
        if cls is not None:
            return natural_keys.named(context, cls, value, name)
    for each in wanted:
        many = _MANY.fullmatch(each)
        if many is None:
            cls = _type(each)
            if isinstance(value, str) and issubclass(cls, values.OpenEnum | values.Language):
                return named(cls, name, value)
            if isinstance(value, cls) and not (isinstance(value, bool) and each in {"int", "float"}):
                return _sendable(name, value, context)
        elif isinstance(value, Sequence) and not isinstance(value, str | bytes):
            return [_checked(name, many[2], member, context) for member in value]
    given = f"{value!r} ({type(value).__name__})"
    if isinstance(value, str) and any(_MANY.fullmatch(each) for each in wanted):
        given = _text_for_list(name, value)
    elif isinstance(value, PurePath) and "bytes" in wanted:
        given += ": pass path.read_text() or path.read_bytes(), or call create_from_file(path) for an asset"
    message = f"{name} takes {' or '.join(map(_worded, wanted))}, not {given}."
    raise InvalidValueError(message)


def _text_for_list(name: str, value: str) -> str:
    """Return the end of a message about a text that is passed for a list, with its remedy."""
    return f"a text: pass {name.rpartition(' ')[2]}=[{value!r}]"


def _worded(wanted: str) -> str:
    """Return a type of arguments as a message names it."""
    many = _MANY.fullmatch(wanted)
    return f"a list of {' or '.join(_alternatives(many[2]))}" if many else wanted


def _sendable(name: str, value: Any, context: Context) -> Any:
    """Return an argument of the right type as it is sent.

    Raises:
        InvalidValueError: JSON cannot say it. UsageError, StateError: an entity cannot be used here.
    """
    if isinstance(value, Entity):
        check_usable(value)
        check_context(value, context)
    elif isinstance(value, PurePath):
        plain_text(name, str(value))
    elif isinstance(value, str):
        return plain_text(name, value)
    elif isinstance(value, datetime):
        return to_utc(name, value)
    elif not isinstance(value, bytes | bool | None):
        decoding.check_sendable(name, value)
    return value


def _text(annotation: Any) -> str:
    """Return an annotation as it is written; a seed's module need not postpone them."""
    return annotation.__name__ if isinstance(annotation, type) else str(annotation)


def _alternatives(annotation: str) -> list[str]:
    """Split a union into its members; those inside brackets stay together."""
    return [each.strip() for each in re.findall(r"(?:[^|\[\]]|\[[^\]]*\])+", annotation.removeprefix("builtins."))]


def _type(name: str) -> type:
    name = name.split("[", maxsplit=1)[0].rsplit(".", maxsplit=1)[-1]
    # Of a name that says nothing here, such as a type of the seed's own module, anything is taken.
    found: Any = _PLAIN.get(name) or registered().get(name) or getattr(values, name, object)
    return found if isinstance(found, type) else object


# Of other calls -------------------------------------------------------------------------------------------------------


def listed(name: str, values: Any, wanted: str) -> list[Any]:
    """Return the members of an argument that is to be a list.

    Raises:
        InvalidValueError: it is none; a text is not taken for a list of letters.
    """
    if not isinstance(values, Iterable) or isinstance(values, str | bytes | Mapping):
        message = f"{name} takes a list{wanted}, not {values!r}."
        raise InvalidValueError(message)
    return list(values)


def checked_ids(name: str, ids: Any) -> list[str]:
    """Return ids as plain texts.

    Raises:
        InvalidIdError: this is no list of ids.
    """
    if not isinstance(ids, Iterable) or isinstance(ids, str | bytes | Mapping):
        message = f"{name} takes a list of ids, not {ids!r}."
        raise InvalidIdError(message)
    return [checked_id(id) for id in ids]


def listed_entities(name: str, entities: Any, cls: type[E], context: Context) -> list[E]:
    """Return entities of a class and this session.

    Raises:
        InvalidValueError: one is not of the class. UsageError: one belongs to another session.
    """
    found = listed(name, entities, f" of {cls.__name__} entities")
    for each in found:
        if not isinstance(each, cls):
            message = f"{name} takes {cls.__name__} entities, not {each!r}."
            raise InvalidValueError(message)
        check_context(each, context)
    return found


def existing(name: str, values: Any, cls: type[E], context: Context) -> list[E]:
    """Return the entities that a list names, each by itself, its id, or its natural key.

    Requests: none for entities and ids; those of `find` for natural keys.

    Raises:
        InvalidValueError: one names no material of the class. UsageError: one belongs to another session.
        NotFoundError: no material has a natural key. SeveralFoundError: several have it.
    """
    found = listed(name, values, f" of {cls.__name__} entities")
    return natural_keys.existing(context, [natural_keys.named(context, cls, each, name) for each in found])


def listed_texts(name: str, texts: Any) -> list[str]:
    """Return texts as they are sent.

    Raises:
        InvalidValueError: one is no text, is empty, or cannot be sent.
    """
    if isinstance(texts, str):
        message = f"{name} takes a list of texts, not {_text_for_list(name, texts)}."
        raise InvalidValueError(message)
    found = listed(name, texts, " of texts")
    for each in found:
        if not isinstance(each, str):
            message = f"{name} takes texts, not {each!r}."
            raise InvalidValueError(message)
    return [nonempty_text(name, each) for each in found]


def check_callable(name: str, given: Any) -> None:
    """Raise when an argument is neither None nor a function.

    Raises:
        InvalidValueError: so it is.
    """
    if given is not None and not callable(given):
        message = f"{name} takes a function, not {given!r}."
        raise InvalidValueError(message)


def check_flag(name: str, given: Any) -> None:
    """Raise when an argument is neither True nor False.

    Raises:
        InvalidValueError: so it is.
    """
    if not isinstance(given, bool):
        message = f"{name} is True or False, not {given!r}."
        raise InvalidValueError(message)


def flags(**given: bool | None) -> dict[str, Any]:
    """Return the query of a request from arguments that are True, False or None.

    Raises:
        InvalidValueError: one is something else.
    """
    for name, value in given.items():
        if not isinstance(value, bool | None):
            message = f"{name} is True, False or None, not {value!r}."
            raise InvalidValueError(message)
    return dict(given)

"""Natural keys: the values by which people name materials, such as the text of a tag or the url of a website.

One rule holds wherever a call takes an entity. An entity is itself. A text in the form of a UUID is an id. Any other
text is the natural key of a kind that has one, and is refused for the others; a path object is always the path of an
anchor. So a tag whose text has the form of a UUID is named by its entity, as `tags.find(text)` returns it.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Collection, Mapping
from os import PathLike
from typing import Any

import attrs

from ..errors import InvalidValueError
from ..values.checking import nonempty_text


def _never(key: str) -> bool:  # noqa: ARG001 for kinds that say nothing else
    return False


@attrs.frozen
class NaturalKey:
    """The declaration of a kind's natural key.

    Attributes:
        label: the name of the key for people, such as "text".
        paths: where documents have it; any of them is the key.
        known: return the keys of a record as far as they are known without a request; None when they are not.
        arguments: the arguments of `create` that can be the key, the first that is given counts; empty: the label.
        argument: return which of them a key is; None: it is the first.
        accepts: of a text, given the name of the argument and the text, returns it as plain text, or raises.
        normalize: return a key as the server knows it.
        is_shared: tell whether several materials may have this key rightly, such as the name of a person.
        is_path: whether path objects are keys too.
        is_obvious: tell whether a text can be a key of no other kind, such as an address with `://` in it.
        through: the name of the relation to the materials that have the keys; empty: the material itself has them.
    """

    label: str
    paths: tuple[str, ...]
    known: Callable[[Any], Collection[str] | None]
    arguments: tuple[str, ...] = ()
    argument: Callable[[str], str] | None = None
    accepts: Callable[[str, str], str] = nonempty_text
    normalize: Callable[[str], str] = str
    is_shared: Callable[[str], bool] = _never
    is_path: bool = False
    is_obvious: Callable[[str], bool] = _never
    through: str = ""

    def as_argument(self, text: str) -> dict[str, str]:
        """Return a key as an argument of `create`, by name."""
        name = self.argument(text) if self.argument is not None else (*self.arguments, self.label)[0]
        return {name: text}

    def in_arguments(self, name: str, given: Mapping[str, Any]) -> str:
        """Return the key among the arguments of `create`, as the server knows it.

        Raises:
            InvalidValueError: none of them is it.
        """
        names = self.arguments or (self.label,)
        values = [given[each] for each in names if given.get(each) is not None]
        if not values:
            message = f"{name} finds materials by their {self.label}: pass {' or '.join(f'{each}=' for each in names)}."
            raise InvalidValueError(message)
        return self.checked(name, values[0])

    def takes(self, value: object) -> bool:
        """Tell whether a value is of a type that keys have."""
        return isinstance(value, str) or (self.is_path and isinstance(value, PathLike))

    def claims(self, value: object) -> bool:
        """Tell whether a value can only be a key of this kind, and no relation needs to be named."""
        return self.is_obvious(value) if isinstance(value, str) else self.takes(value)

    def checked(self, name: str, value: Any) -> str:
        """Return a key as the server knows it.

        Raises:
            InvalidValueError: it is of another type, empty, or cannot be sent.
        """
        text = os.fspath(value) if self.is_path and isinstance(value, PathLike) else value
        if not isinstance(text, str):
            message = f"{name} takes the {self.label} as a text, not {value!r} ({type(value).__name__})."
            raise InvalidValueError(message)
        return self.normalize(self.accepts(name, text))


@attrs.frozen
class Key:
    """The natural key of a material that is still to be looked up; in the body of a seed it stands for the id.

    Attributes:
        cls: the class of the entity.
        text: the key, as the server knows it.
    """

    cls: type[Any]
    text: str

    @property
    def _schema(self) -> Any:
        return self.cls._schema

    def seed(self, context: Any) -> Any:
        """Return the seed that creates a material with this key."""
        return self.cls._seed(context, **self.cls._natural_key.as_argument(self.text))

    @property
    def id(self) -> Key:
        """The key itself, which keeps the place of the id."""
        return self


def with_ids(body: Any, ids: Callable[[Key], str]) -> Any:
    """Return the body of a seed with the ids of materials in the places of their keys."""
    if isinstance(body, Key):
        return ids(body)
    if isinstance(body, dict):
        return {name: with_ids(value, ids) for name, value in body.items()}
    if isinstance(body, list):
        return [with_ids(value, ids) for value in body]
    return body

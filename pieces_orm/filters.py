"""Filters of an asset search, as frozen values: combine them in a list (all must hold) or with `any_of`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from attrs import frozen

from .errors import InvalidValueError
from .values import AnnotationType


@frozen
class Filter:
    """One condition on assets, as the wire spells it; made by the functions of this module."""

    wire: Mapping[str, Any]


def _range(after: datetime | None, before: datetime | None) -> dict[str, Any]:
    if after is None and before is None:
        message = "A time filter needs after=, before=, or both."
        raise InvalidValueError(message)
    for name, moment in (("after", after), ("before", before)):
        if not isinstance(moment, datetime | None):
            message = f"{name} takes a datetime, not {moment!r}."
            raise InvalidValueError(message)
    return _given(**{"from": after, "to": before, "between": True if after and before else None})


def _given(**keys: Any) -> dict[str, Any]:
    return {name: value for name, value in keys.items() if value is not None}


def created(*, after: datetime | None = None, before: datetime | None = None) -> Filter:
    """Created in a stretch of time; a naive datetime is local time."""
    return Filter({"created": _range(after, before)})


def updated(*, after: datetime | None = None, before: datetime | None = None) -> Filter:
    """Updated in a stretch of time; a naive datetime is local time."""
    return Filter({"updated": _range(after, before)})


def classification(language: str) -> Filter:
    """Of a language or file type, such as py."""
    return Filter({"classification": language})


def _texts(name: str, texts: tuple[str, ...]) -> Filter:
    if not texts or not all(isinstance(text, str) for text in texts):
        message = f"{name} takes one or more texts, not {texts!r}."
        raise InvalidValueError(message)
    return Filter({name: list(texts)})


def tags(*texts: str) -> Filter:
    """Tagged with any of these texts."""
    return _texts("tags", texts)


def websites(*urls: str) -> Filter:
    """Associated with any of these websites, by url."""
    return _texts("websites", urls)


def persons(*names: str) -> Filter:
    """Associated with any of these persons, by name or email."""
    return _texts("persons", names)


def phrase(
    text: str,
    *,
    title: bool | None = None,
    content: bool | None = None,
    annotation: AnnotationType | str | bool | None = None,
) -> Filter:
    """With this phrase in it.

    Args:
        text: the phrase.
        title, content, annotation: where to look; none of them: everywhere. `annotation` may name a type.
    """
    options = {"annotation": str(annotation)} if isinstance(annotation, str) else None
    where = True if options else annotation
    return Filter({"phrase": _given(value=text, title=title, content=content, annotation=where, options=options)})


def _group(operation: str, filters: Sequence[Filter]) -> Filter:
    return Filter({"operations": {"type": operation, "iterable": [each.wire for each in filters]}})


def any_of(*filters: Filter) -> Filter:
    """Any of these filters holds; the wire nests one level of these."""
    return _group("OR", filters)

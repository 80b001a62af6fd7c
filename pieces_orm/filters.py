"""Filters of an asset search: in a list, all of them must match; `any_of` takes alternatives."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any

from attrs import frozen

from .errors import InvalidValueError
from .values import AnnotationType, Language
from .values.checking import named, nonempty_text, page_address, plain_text, to_utc

__all__ = ["Filter", "any_of", "classification", "created", "persons", "phrase", "tags", "updated", "websites"]


@frozen
class Filter:
    """A condition on assets, as the wire spells it; created by the functions of this module."""

    wire: Mapping[str, Any]

    @property
    def alternatives(self) -> list[Mapping[str, Any]]:
        """The conditions of which one must hold, as the wire spells them; those of `any_of` are several."""
        return [*self.wire["operations"]["iterable"]] if "operations" in self.wire else [self.wire]


def _range(after: datetime | None, before: datetime | None) -> dict[str, Any]:
    if after is None and before is None:
        message = "A time filter needs after=, before= or both."
        raise InvalidValueError(message)
    start, end = _moment("after", after), _moment("before", before)
    return _given(**{"from": start, "to": end, "between": True if start and end else None})


def _moment(name: str, moment: datetime | None) -> datetime | None:
    if not isinstance(moment, datetime | None):
        message = f"{name}= takes a datetime, not {moment!r}."
        raise InvalidValueError(message)
    return None if moment is None else to_utc(f"{name}=", moment)


def _given(**keys: Any) -> dict[str, Any]:
    return {name: value for name, value in keys.items() if value is not None}


def created(*, after: datetime | None = None, before: datetime | None = None) -> Filter:
    """Match assets created in a stretch of time; a naive datetime is local time."""
    return Filter({"created": _range(after, before)})


def updated(*, after: datetime | None = None, before: datetime | None = None) -> Filter:
    """Match assets updated in a stretch of time; a naive datetime is local time."""
    return Filter({"updated": _range(after, before)})


def classification(language: str) -> Filter:
    """Match assets of a language or file type, by name or suffix: Python, python, py and .py are the same.

    Raises:
        InvalidValueError: nothing known is named like this; `values.Language` passes it all the same.
    """
    _text("classification", language)
    return Filter({"classification": str.__str__(named(Language, "classification()", language))})


def _text(name: str, text: str) -> str:
    if not isinstance(text, str):
        message = f"{name}() takes a text, not {text!r}."
        raise InvalidValueError(message)
    return plain_text(f"{name}()", text)


def _texts(name: str, texts: tuple[str, ...], accepts: Callable[[str, str], str] = nonempty_text) -> Filter:
    if not texts or not all(isinstance(text, str) for text in texts):
        message = f"{name}() takes one or more texts, not {texts!r}."
        raise InvalidValueError(message)
    each = [Filter({name: [accepts(f"{name}()", text)]}) for text in texts]
    # One by one: a server may take a list for all of its texts together.
    return each[0] if len(each) == 1 else any_of(*each)


def tags(*texts: str) -> Filter:
    """Match assets that have any of these tags, by text."""
    return _texts("tags", texts)


def websites(*urls: str) -> Filter:
    """Match assets associated with any of these websites, by url."""
    return _texts("websites", urls, page_address)


def persons(*names: str) -> Filter:
    """Match assets associated with any of these persons, by name or e-mail address."""
    return _texts("persons", names)


def phrase(
    text: str,
    *,
    title: bool | None = None,
    content: bool | None = None,
    annotation: AnnotationType | str | bool | None = None,
) -> Filter:
    """Match assets with a phrase in them.

    Args:
        text: the phrase.
        title, content, annotation: the parts to search; everywhere, when none is given. `annotation` may be the type of
            the annotations to search.
    """
    for name, part in (("title", title), ("content", content), ("annotation", annotation)):
        if not isinstance(part, bool | None) and (name != "annotation" or not isinstance(part, str)):
            message = f"{name}= is True, False or None, not {part!r}."
            raise InvalidValueError(message)
    options = None
    if isinstance(annotation, str):
        options = {"annotation": str.__str__(named(AnnotationType, "annotation=", annotation))}
    where = True if options else annotation
    text = _text("phrase", text)
    return Filter({"phrase": _given(value=text, title=title, content=content, annotation=where, options=options)})


def any_of(*filters: Filter) -> Filter:
    """Match assets that match any of these filters."""
    if not filters:
        message = "any_of() takes one or more filters."
        raise InvalidValueError(message)
    for each in filters:
        if not isinstance(each, Filter):
            message = f"any_of() takes values of pieces_orm.filters, not {each!r}."
            raise InvalidValueError(message)
    # The wire nests one level of alternatives; those of an alternative are alternatives themselves.
    alternatives = [one for each in filters for one in each.alternatives]
    return Filter({"operations": {"type": "OR", "iterable": alternatives}})

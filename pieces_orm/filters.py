"""Filters of an asset search, and conditions of queries.

Filters go into the list `search(filters=[...])`, where all of them must match. Conditions are given by name to `query`,
`where` and `live`, such as `query(created=after(monday))`. `any_of` takes alternatives of either sort.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Any, Generic, Literal, TypeVar, overload

from attrs import field, frozen

from .errors import InvalidValueError
from .values import AnnotationType, Language
from .values.checking import named, nonempty_text, page_address, plain_text, to_utc

__all__ = [
    "Condition", "Filter", "after", "any_of", "before", "between", "classification", "contains", "created", "is_not",
    "one_of", "persons", "phrase", "startswith", "tags", "updated", "websites",
]  # fmt: skip

MAX_LEVELS = 50  # of conditions within conditions

_T = TypeVar("_T")
_T_co = TypeVar("_T_co", covariant=True)
_Bound = TypeVar("_Bound", datetime, int, float)


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
    text = nonempty_text("phrase()", _text("phrase", text))
    return Filter({"phrase": _given(value=text, title=title, content=content, annotation=where, options=options)})


@frozen
class Condition(Generic[_T_co]):
    """A condition on a field or relation of a query; created by the functions of this module."""

    form: Literal["after", "any_of", "before", "between", "contains", "is_not", "one_of", "startswith"]
    values: tuple[Any, ...]
    levels: int = field(init=False, eq=False)

    @levels.default
    def _count_levels(self) -> int:
        levels = 1 + max((each.levels for each in self.values if isinstance(each, Condition)), default=0)
        if levels > MAX_LEVELS:
            message = f"Conditions stand in one another {MAX_LEVELS} levels deep at most; write them side by side."
            raise InvalidValueError(message)
        return levels

    def __repr__(self) -> str:
        return f"{self.form}({', '.join(map(repr, self.values))})"


def _bound(name: str, bound: Any) -> Any:
    if isinstance(bound, datetime):
        return to_utc(f"{name}()", bound)
    # Only of a float: a whole number may be too large to be made one.
    if (isinstance(bound, int) and not isinstance(bound, bool)) or (isinstance(bound, float) and math.isfinite(bound)):
        return bound
    hint = ": a date has no time; pass datetime.combine(day, time())" if isinstance(bound, date) else ""
    if isinstance(bound, str):
        hint = ": pass datetime.fromisoformat(text)"
    message = f"{name}() takes a datetime or a number, not {bound!r}{hint}."
    raise InvalidValueError(message)


def after(bound: _Bound) -> Condition[_Bound]:
    """Match what is later, or greater, than this; a naive datetime is local time."""
    return Condition("after", (_bound("after", bound),))


def before(bound: _Bound) -> Condition[_Bound]:
    """Match what is earlier, or less, than this; a naive datetime is local time."""
    return Condition("before", (_bound("before", bound),))


def between(first: _Bound, last: _Bound) -> Condition[_Bound]:
    """Match what is neither before `first` nor after `last`; both belong to it. A naive datetime is local time."""
    bounds = _bound("between", first), _bound("between", last)
    if isinstance(bounds[0], datetime) is not isinstance(bounds[1], datetime):
        message = f"between() takes two datetimes or two numbers, not {first!r} and {last!r}."
        raise InvalidValueError(message)
    return Condition("between", bounds)


def contains(text: str) -> Condition[str]:
    """Match texts with this text in them; upper and lower case differ."""
    return Condition("contains", (_text("contains", text),))


def startswith(text: str) -> Condition[str]:
    """Match texts that start with this text; upper and lower case differ."""
    return Condition("startswith", (_text("startswith", text),))


def one_of(*values: _T) -> Condition[_T]:
    """Match any of these values; None stands for an empty field. Of a relation: associated with any of these."""
    if not values:
        message = "one_of() takes one or more values."
        raise InvalidValueError(message)
    if len(values) == 1 and isinstance(values[0], list | tuple | set | frozenset):
        message = f"one_of() takes the values one by one: write one_of(*values), not one_of({values[0]!r})."
        raise InvalidValueError(message)
    return Condition("one_of", values)


def is_not(value: _T | Condition[_T]) -> Condition[_T]:
    """Match all but this value, or all that does not meet this condition; an empty field is not any value."""
    return Condition("is_not", (value,))


@overload
def any_of(*filters: Filter) -> Filter: ...  # type: ignore[overload-overlap]  # a filter is no value of a field
@overload
def any_of(*filters: _T | Condition[_T]) -> Condition[_T]: ...
def any_of(*filters: Any) -> Any:
    """Match what meets any of these: filters of a search, or values and conditions of a query."""
    if not filters:
        message = "any_of() takes one or more filters, or values and conditions of a query."
        raise InvalidValueError(message)
    searched = [isinstance(each, Filter) for each in filters]
    if all(searched):
        # The wire nests one level of alternatives; those of an alternative are alternatives themselves.
        alternatives = [one for each in filters for one in each.alternatives]
        return Filter({"operations": {"type": "OR", "iterable": alternatives}})
    if any(searched):
        message = (
            f"any_of() takes either filters of a search, such as tags('moon'), or values and conditions of a query, "
            f"such as contains('moon'), not both: {filters!r}."
        )
        raise InvalidValueError(message)
    return Condition("any_of", filters)

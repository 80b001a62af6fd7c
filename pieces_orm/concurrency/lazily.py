"""Attributes that are made when they are first read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, overload

T = TypeVar("T")


class Lazily(Generic[T]):
    """An attribute that is made when it is first read; threads that read it at once get the same object.

    Unlike `functools.cached_property` before Python 3.12 it takes no lock, which a forked child could find taken.

    Args:
        make: makes the value for an object.
    """

    def __init__(self, make: Callable[[Any], T]) -> None:
        self._make = make

    def __set_name__(self, owner: type, name: str) -> None:
        self._name = name

    @overload
    def __get__(self, holder: None, owner: type) -> Lazily[T]: ...
    @overload
    def __get__(self, holder: object, owner: type) -> T: ...
    def __get__(self, holder: object | None, owner: type) -> Lazily[T] | T:
        if holder is None:
            return self
        value: T = vars(holder).setdefault(self._name, self._make(holder))
        return value

"""The ids of one kind that exist, as a feed has told them to its session and to all scopes of it."""

from __future__ import annotations

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from typing import Final
from weakref import WeakKeyDictionary

from attrs import define

from ..orm.context import Context


@define(frozen=True)
class Absent:
    """No material with an id, as far as somebody was told."""


ABSENT: Final = Absent()
# The `updated` that was told last of a material; None where it is not known.
Told = bytes | None | Absent


class Listing:
    """The ids of one kind, each with the `updated` that was told last, where that is known.

    Only the threads of the feed change it, once a report was processed for the session and its scopes; where one of
    these knows more or less, its own `KnownIds` say so.
    """

    def __init__(self) -> None:
        # False until the first list of ids came.
        self.is_there = False
        # Seconds of the server's clock: when the list came, and since when changes may have been missed.
        self.time = self.deaf_since = 0.0
        self.ids: dict[str, bytes | None] = {}
        self._numbers: WeakKeyDictionary[Context, int] = WeakKeyDictionary()

    def take_first(self, ids: AbstractSet[str], numbers: Mapping[Context, int], now: float) -> None:
        """Take the first list of ids; what is in it is not new.

        Args:
            numbers: those of its request, by session or scope.
            now: seconds of the server's clock.
        """
        self.ids.update(dict.fromkeys(ids))
        self._numbers.update(numbers)
        self.time = self.deaf_since = now
        self.is_there = True

    def number_for(self, session: Context) -> int:
        """Return the number that the request of the list had in a session or scope; 0 if it was opened later."""
        return self._numbers.get(session, 0)

    def told(self, id: str) -> Told:
        """Return the `updated` that was told last of a material."""
        return self.ids.get(id, ABSENT)

    def put(self, id: str, updated: bytes | None) -> None:
        """Take note that a material is there, once everybody was told."""
        self.ids[id] = updated or self.ids.get(id)

    def remove(self, id: str) -> None:
        """Take note that a material is gone, once everybody was told."""
        self.ids.pop(id, None)

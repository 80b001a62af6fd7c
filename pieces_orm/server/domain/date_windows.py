"""Windows on the dates of materials, as queries and bodies ask for them.

Bounds are inclusive; windows on `created` and on `updated` are alternatives.
"""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from ..request_errors import RequestError
from ..storage.reader import DateColumn, Windows
from ..storage.timestamps import normalize_timestamp

_COLUMNS: tuple[DateColumn, ...] = ("created", "updated")


class Moment(msgspec.Struct):
    """A date in a body."""

    value: str


class Window(msgspec.Struct, rename={"first": "from", "last": "to"}):
    """The bounds of a window in a body."""

    first: Moment | None = None
    last: Moment | None = None


class Dates(msgspec.Struct):
    """The windows of a body."""

    created: Window | None = None
    updated: Window | None = None

    def windows(self) -> Windows:
        """Return the windows.

        Raises:
            RequestError: 400, a bound is no date; without it, the answer would be of everything.
        """
        asked: Mapping[DateColumn, Window | None] = {"created": self.created, "updated": self.updated}
        return {
            column: (_bound(window.first), _bound(window.last))
            for column, window in asked.items()
            if window is not None and (window.first or window.last)
        }


def _bound(moment: Moment | None) -> str:
    bound = normalize_timestamp(moment.value) if moment is not None else ""
    if moment is not None and not bound:
        raise RequestError(400, f"{moment.value[:60]!r} is no date; write 2026-01-31T12:00:00Z.")
    return bound


def queried_windows(query: Mapping[str, str]) -> Windows:
    """Return the windows that a query asks for; a bound that is no date does not bound, as in Pieces OS."""
    windows: dict[DateColumn, tuple[str, str]] = {}
    for column in _COLUMNS:
        first, last = (normalize_timestamp(query.get(f"{column}_{end}")) for end in ("from", "to"))
        if first or last:
            windows[column] = first, last
    return windows


def in_windows(windows: Windows, created: str, updated: str) -> bool:
    """Tell whether one of the dates of a material is in its window; always, without windows."""
    dates = {"created": created, "updated": updated}
    within = (first <= dates[name] and (not last or dates[name] <= last) for name, (first, last) in windows.items())
    return not windows or any(within)

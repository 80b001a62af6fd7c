"""Ages of timestamps in words, such as `5 minutes ago`."""

from __future__ import annotations

import functools
from datetime import datetime, timezone

# Lengths in seconds, the longest first; months and years are rounded down, as in conversation.
_UNITS = (
    ("year", 365 * 86_400),
    ("month", 30 * 86_400),
    ("day", 86_400),
    ("hour", 3_600),
    ("minute", 60),
)
_DATE_AND_TIME_CHARS = len("2026-01-12T10:05:00")


def this_minute() -> datetime:
    """Return the start of the current minute in UTC, without its zone.

    Ages are counted up to here, so that answers of the same minute have the same words, cached ones included.
    """
    return datetime.now(timezone.utc).replace(second=0, microsecond=0, tzinfo=None)


@functools.lru_cache(maxsize=8192)
def age(moment: str, now: datetime) -> str:
    """Tell in words how long ago a stored timestamp was; those of the future are told as `5 minutes from now`."""
    seconds = int((now - datetime.fromisoformat(moment[:_DATE_AND_TIME_CHARS])).total_seconds())
    for unit, length in _UNITS:
        count = abs(seconds) // length
        if count:
            return f"{count} {unit}{'s' * (count > 1)} {'ago' if seconds > 0 else 'from now'}"
    return "a moment ago"


def with_age(moment: str, now: datetime) -> dict[str, str]:
    """Build the wire's object for a stored timestamp."""
    return {"value": moment, "readable": age(moment, now)}

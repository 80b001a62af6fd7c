"""Timestamps as the wire and the database write them: UTC, microseconds, comparable as text."""

from __future__ import annotations

import re
from datetime import datetime, timezone

_FRACTION = re.compile(r"\.(\d+)")


def timestamp(moment: datetime | None = None) -> str:
    """Format a moment; None means now."""
    return (moment or datetime.now(timezone.utc)).isoformat(timespec="microseconds").replace("+00:00", "Z")


def normalize_timestamp(text: object) -> str:
    """Convert a client's timestamp to our form; the result is empty when it is malformed."""
    if not isinstance(text, str):
        return ""
    # Python 3.10 reads neither Z nor fractions of any length.
    plain = _FRACTION.sub(lambda digits: "." + digits[1][:6].ljust(6, "0"), text.strip().replace("Z", "+00:00"))
    try:
        moment = datetime.fromisoformat(plain)
        return timestamp((moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)).astimezone(timezone.utc))
    except (ValueError, OverflowError):
        return ""

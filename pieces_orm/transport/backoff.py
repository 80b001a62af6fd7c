"""Pauses between attempts: jittered, growing, capped."""

from __future__ import annotations

import random

FIRST_PAUSE_S = 0.05
MAX_PAUSE_S = 5.0


def pause_after(failures: int, longest: float | None = None) -> float:
    """Return the seconds to wait after so many failures in a row.

    Args:
        longest: seconds that the pause never exceeds; None: MAX_PAUSE_S.
    """
    pause: float = min(FIRST_PAUSE_S * 2 ** min(failures - 1, 16), MAX_PAUSE_S if longest is None else longest)
    return random.uniform(0.5, 1.0) * pause  # noqa: S311 jitter is no secret

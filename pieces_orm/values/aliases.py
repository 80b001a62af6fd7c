"""Types of arguments that are not classes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

__all__ = ["Arrivals", "Engine", "Progress", "Timeout"]

# Called with the number of items that are done and the number of all items.
Progress = Callable[[int, int], object]
# Called with the number of materials of a collection that have come, and the number of all: None while it is not known.
Arrivals = Callable[[int, "int | None"], object]
# Seconds to connect and to wait for an answer; one number for both, two, or three, of which the third is for a whole
# request.
Timeout = float | tuple[float, float] | tuple[float, float, float]
# Ways to search assets: forgiving typos, by exact words, by meaning.
Engine = Literal["fuzzy", "full_text", "neural"]

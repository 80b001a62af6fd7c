"""How things are measured: in turn, so that the machine's moods fall on all alike; medians; ratios of one run."""

from __future__ import annotations

import gc
import statistics
import time
from collections.abc import Callable, Mapping

from attrs import define

Act = Callable[[], object]


@define
class Row:
    """One line of the table: what was measured, beside the official client and the floor, and the goal.

    `value` is what the goal is about, a ratio mostly, and `measure` says of what; `goal` is a bound for it, from above
    or (`at_least`) from below. `notes` say what the official client's figure and the floor are of.
    """

    number: str
    work: str
    ours: float
    official: float | None
    floor: float | None
    measure: str
    value: float
    goal: float
    at_least: bool = False
    unit: str = "s"
    notes: tuple[str, str] = ("", "")

    @property
    def is_met(self) -> bool:
        """Whether the goal was reached."""
        return self.value >= self.goal if self.at_least else self.value <= self.goal

    def as_dict(self) -> dict[str, str]:
        """The row as the table and the JSON file have it."""
        return {
            "#": self.number,
            "work": self.work,
            "pieces_orm": self._shown(self.ours),
            "official client": f"{self._shown(self.official)} {self.notes[0]}".strip(),
            "x official": _ratio(self.ours, self.official),
            "floor": f"{self._shown(self.floor)} {self.notes[1]}".strip(),
            "x floor": _ratio(self.ours, self.floor),
            "goal": f"{'at least' if self.at_least else 'at most'} {self.goal:g} {self.measure}",
            "reached": f"{self.value:.3g}",
            "met": "yes" if self.is_met else "no",
        }

    def _shown(self, figure: float | None) -> str:
        if figure is None:
            return ""
        return shown(figure) if self.unit == "s" else f"{figure:.3g} {self.unit}".strip()


def _ratio(ours: float, other: float | None) -> str:
    return "" if not other else f"{ours / other:.2g}"


def interleaved(acts: Mapping[str, Act], repeats: int, *, collected: bool = False) -> dict[str, float]:
    """The median seconds of each act; all are done in turn, A B C A B C.

    Args:
        acts: by name.
        repeats: how often each is done.
        collected: whether garbage is collected before each, so that none pays for another's.
    """
    times: dict[str, list[float]] = {name: [] for name in acts}
    for _ in range(repeats):
        for name, act in acts.items():
            times[name].append(_once(act, collected=collected))
    return {name: statistics.median(taken) for name, taken in times.items()}


def _once(act: Act, *, collected: bool) -> float:
    if collected:
        gc.collect()
    began = time.perf_counter()
    made = act()
    taken = time.perf_counter() - began
    del made
    return taken


def each(acts: Mapping[str, Act], repeats: int, calls: int) -> dict[str, float]:
    """The median seconds of one call of each act, made many times in a row: for what is too short for the clock."""

    def many(act: Act) -> Act:
        def run() -> None:
            for _ in range(calls):
                act()

        return run

    taken = interleaved({name: many(act) for name, act in {**acts, "": _nothing}.items()}, repeats)
    empty = taken.pop("")
    return {name: max(total - empty, 1e-12) / calls for name, total in taken.items()}


def _nothing() -> None:
    pass


def shown(seconds: float) -> str:
    """A time in the unit that suits it."""
    for unit, factor in (("s", 1.0), ("ms", 1e3), ("us", 1e6)):
        if seconds * factor >= 1:
            return f"{seconds * factor:.3g} {unit}"
    return f"{seconds * 1e9:.3g} ns"

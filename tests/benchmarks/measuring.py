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
    """One line of the table: a goal, and how far it was reached.

    `value` is what the goal is about, a ratio mostly; `goal` a bound for it, from above or (`at_least`) from below.
    """

    number: str
    work: str
    ours: str
    official: str
    floor: str
    measure: str
    value: float
    goal: float
    at_least: bool = False

    @property
    def is_met(self) -> bool:
        """Whether the goal was reached."""
        return self.value >= self.goal if self.at_least else self.value <= self.goal

    def as_dict(self) -> dict[str, object]:
        """The row as the table and the JSON file have it."""
        sign = ">=" if self.at_least else "<="
        return {
            "#": self.number,
            "work": self.work,
            "pieces_orm": self.ours,
            "official": self.official,
            "floor": self.floor,
            "ratio": f"{self.value:.3g} {self.measure}",
            "goal": f"{sign} {self.goal:g}",
            "met": "yes" if self.is_met else "no",
        }


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

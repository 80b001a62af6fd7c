"""`python -m tests.once [WORD ...]`: print the table, and what is wrong in it.

Words choose tracks whose names contain them all, such as `anchor.tags` or `own`.
"""

from __future__ import annotations

import sys
import time
from collections import Counter

from .cells import STYLES, Track, groups
from .expectations import expected, show
from .stage import Stage


def main(words: list[str]) -> None:
    began = time.perf_counter()
    totals = Counter[str]()
    for style in STYLES:
        for tracks in groups(words).values():
            totals += _printed(Stage(style), style, tracks)
    print(
        f"{totals['right']} cells right, {totals['wrong']} wrong, {totals['stray']} events about nothing that was done;"
    )
    print(f"{time.perf_counter() - began:.0f} seconds")


def _printed(stage: Stage, style: str, tracks: list[Track]) -> Counter[str]:
    """Run some tracks and print their rows; return how many cells are right and wrong."""
    stage.run(tracks)
    totals = Counter(stray=len(stage.strays))
    for cell, told in stage.told.items():
        faults = expected(cell).faults(told)
        totals["wrong" if faults else "right"] += 1
        print(f"{'WRONG' if faults else 'right'}  {style}-{cell}: {'; '.join(map(show, told)) or 'nothing'}")
        for fault in faults:
            print(f"       {fault}")
    for event in stage.strays:
        print(f"STRAY  {style}: {event}")
    return totals


if __name__ == "__main__":
    main(sys.argv[1:])

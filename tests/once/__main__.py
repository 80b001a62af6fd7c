"""`python -m tests.once [WORD ...]`: print the table, and what is wrong in it.

Words choose tracks whose names contain them all, such as `anchor.tags` or `own`.
"""

from __future__ import annotations

import sys
import time
from collections import Counter

from .cells import STYLES, tracks
from .expectations import expected, show
from .stage import Stage


def main(words: list[str]) -> None:
    chosen = [track for track in tracks() if all(word in str(track) for word in words)]
    totals: Counter[str] = Counter()
    for style in STYLES:
        began = time.perf_counter()
        stage = Stage(style)
        stage.run(chosen)
        for cell, told in stage.told.items():
            faults = expected(cell).faults(told)
            totals["wrong" if faults else "right"] += 1
            print(f"{'WRONG' if faults else 'right'}  {style}-{cell}: {'; '.join(map(show, told)) or 'nothing'}")
            for fault in faults:
                print(f"       {fault}")
        for event in stage.strays:
            print(f"STRAY  {style}: {event}")
        totals["stray"] += len(stage.strays)
        print(f"{style}: {time.perf_counter() - began:.1f} s")
    print(dict(totals))


main(sys.argv[1:])

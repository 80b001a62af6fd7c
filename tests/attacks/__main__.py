"""Run every attack with many inputs, and keep the results for docs/reliability.md.

python -m tests.attacks && python -m tests.docs.reliability > docs/reliability.md
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
from pathlib import Path

from . import Attack, attacks
from .results import Result, write
from .target import serving


def run(attack: Attack, inputs: int, seed: int) -> Result:
    """Run one attack on a server of its own."""
    wanted = inputs if attack.most is None else min(inputs, attack.most)
    begun = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, serving(Path(folder), attack.options) as target:
        tried = attack.strike(target, random.Random(seed), wanted)
        target.check_health()
        target.check_readable()
    print(f"{tried:>9,}  {time.monotonic() - begun:6.1f} s  {attack.name}", file=sys.stderr, flush=True)
    return Result(attack.name, tried, attack.outcome)


def main() -> None:
    """Read the command line and run."""
    parser = argparse.ArgumentParser(prog="python -m tests.attacks", description=__doc__)
    parser.add_argument("--inputs", type=int, default=5000, help="to try of each family (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="of the inputs that are drawn by chance (%(default)s)")
    parser.add_argument("--only", default="", help="run the attacks whose name contains this, and keep no results")
    arguments = parser.parse_args()
    chosen = [each for each in attacks() if arguments.only.lower() in each.name.lower()]
    results = [run(attack, arguments.inputs, arguments.seed) for attack in chosen]
    if not arguments.only:
        write(results)


if __name__ == "__main__":
    main()

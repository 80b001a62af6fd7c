"""`python -m tests.walks`: random walks by hand, from a seed; prints what was found, grouped by cause."""

from __future__ import annotations

import argparse
import random
import sys
import time
from collections import defaultdict

from .materials import CLASSES
from .steps import STEPS
from .walk import ALL_CHECKS, FAULTS, LENGTH, OTHERS, PHASE, Options, Outcome, shrunk, walk
from .world import STYLES


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.walks", description=__doc__)
    parser.add_argument("--seed", type=int, help="of the first walk; the next ones count up. None: a fresh one")
    parser.add_argument("--minutes", type=float, default=0, help="walk for so long; 0: as many walks as --walks says")
    parser.add_argument("--walks", type=int, default=1)
    parser.add_argument("--style", choices=[*STYLES, "both"], default="both", help="how the server gives relations")
    parser.add_argument("--scoped", action="store_true", help="the programs are scopes of sessions that watch")
    parser.add_argument("--length", type=int, default=LENGTH, help="steps of a walk")
    parser.add_argument("--phase", type=int, default=PHASE, help="steps between two quiet moments")
    parser.add_argument("--kinds", help="class names, with commas")
    parser.add_argument("--steps", help="only these steps, with commas; `faults`, `others`: all of those")
    parser.add_argument("--without", default="", help="all but these steps, with commas; `faults`, `others` likewise")
    parser.add_argument("--checks", help="only these checks, with commas")
    parser.add_argument("--without-checks", default="", help="all but these checks, with commas")
    parser.add_argument("--ignore", default=Options().ignored, metavar="REGEX", help="walk on past known causes")
    parser.add_argument("--shrink", type=float, default=0, metavar="SECONDS", help="shorten a walk that fails")
    parser.add_argument("--stop", action="store_true", help="stop at the first walk that fails")
    parser.add_argument("--story", action="store_true", help="print the steps of each walk that fails")
    parser.add_argument("--list", action="store_true", help="print the names of steps, checks and kinds")
    return parser


def _names(text: str, allowed: list[str]) -> list[str]:
    names = []
    for name in filter(None, text.split(",")):
        names += {"faults": list(FAULTS), "others": list(OTHERS)}.get(name, [name])
    unknown = set(names) - set(allowed)
    if unknown:
        raise SystemExit(f"There is no {', '.join(sorted(unknown))}; there are {', '.join(allowed)}.")
    return names


def _chosen(only: str | None, without: str, allowed: list[str]) -> tuple[str, ...]:
    wanted = allowed if only is None else _names(only, allowed)
    return tuple(name for name in allowed if name in wanted and name not in _names(without, allowed))


def main() -> int:
    """Walk as the command line says."""
    asked = _parser().parse_args()
    if asked.list:
        print(f"steps: {', '.join(STEPS)}\nof these faults: {', '.join(FAULTS)}\nand others: {', '.join(OTHERS)}")
        print(f"checks: {', '.join(ALL_CHECKS)}\nkinds: {', '.join(CLASSES)}")
        return 0
    options = Options(
        style=asked.style,
        steps=_chosen(asked.steps, asked.without, list(STEPS)),
        checks=_chosen(asked.checks, asked.without_checks, list(ALL_CHECKS)),
        kinds=_chosen(asked.kinds, "", list(CLASSES)),
        length=asked.length,
        phase=asked.phase,
        scoped=asked.scoped,
        ignored=asked.ignore,
    )
    seed = random.SystemRandom().randrange(10**6) if asked.seed is None else asked.seed
    began, outcomes = time.monotonic(), []
    while True:
        outcome = walk(seed + len(outcomes), options)
        outcomes.append(outcome)
        if outcome.findings:
            _report(outcome, options, asked)
        enough = time.monotonic() - began >= 60 * asked.minutes and len(outcomes) >= asked.walks
        if enough or (outcome.findings and asked.stop):
            break
    _summarise(outcomes, time.monotonic() - began)
    return int(any(each.findings for each in outcomes))


def _report(outcome: Outcome, options: Options, asked: argparse.Namespace) -> None:
    if asked.shrink:
        outcome = shrunk(outcome, options, asked.shrink, lambda text: print(text, file=sys.stderr, flush=True))
    if asked.story or asked.shrink:
        print(outcome, flush=True)
    else:
        causes = sorted({each.cause for each in outcome.findings})
        print(f"seed {outcome.seed} ({outcome.style}): {'; '.join(causes)}", flush=True)


def _summarise(outcomes: list[Outcome], seconds: float) -> None:
    groups: dict[str, list[int]] = defaultdict(list)
    for outcome in outcomes:
        for cause in {each.cause for each in outcome.findings}:
            groups[cause].append(outcome.seed)
    for cause, seeds in sorted(groups.items(), key=lambda each: -len(each[1])):
        print(f"{len(seeds):5} walks: {cause} (seeds {', '.join(map(str, seeds[:6]))})")
    steps, checks = sum(each.steps for each in outcomes), sum(each.checks for each in outcomes)
    print(f"{len(outcomes)} walks, {steps:,} steps, {checks:,} checks in {seconds:.0f} s; {len(groups)} causes found")


if __name__ == "__main__":
    sys.exit(main())

"""Run the official clients against `pieces-orm serve`, and print a table of the steps that passed.

    python -m tests.clients              all of them
    python -m tests.clients 5.0.1        those with this in their name

Each client gets an environment of its own in a temporary folder, and a server of its own. Needs a package index for
Python and one for Node, as the environment configures them. Exits 1 when a step failed.
"""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Timer
from typing import Any

from attrs import field, frozen

from tests.cli.programs import started

from .environments import CLIENTS, PythonClient, StepError, TypeScriptClient, run
from .plan import plan

TIME_LIMIT_S = 570
LAST_STEP = "end"


@frozen
class Outcome:
    """The steps of one client: how many passed and were absent, and what failed."""

    counts: Counter[str] = field(factory=Counter)
    failures: tuple[str, ...] = ()


def main() -> int:
    """Run the clients whose names match the arguments."""
    end = time.monotonic() + TIME_LIMIT_S
    wanted = [client for client in CLIENTS if all(word in client.name for word in sys.argv[1:])]
    with (
        tempfile.TemporaryDirectory(prefix="pieces-clients-") as folder,
        ThreadPoolExecutor(os.cpu_count() or 1) as pool,
    ):
        outcomes = list(pool.map(lambda client: _outcome(client, Path(folder), end), wanted))
    print(f"{'client':<38}{'passed':>8}{'absent':>8}{'failed':>8}")
    for client, outcome in zip(wanted, outcomes, strict=True):
        counts = outcome.counts
        print(f"{client.name:<38}{counts['passed']:>8}{counts['absent']:>8}{len(outcome.failures):>8}")
    failures = [
        f"{client.name}: {failure}"
        for client, outcome in zip(wanted, outcomes, strict=True)
        for failure in outcome.failures
    ]
    print("\n".join(failures), end="\n" if failures else "")
    return 1 if failures or not wanted else 0


def _outcome(client: PythonClient | TypeScriptClient, folder: Path, end: float) -> Outcome:
    """Install one client and run its flow on a server of its own."""
    place = folder / re.sub(r"\W+", "-", client.name)
    try:
        command = client.install(place, end - time.monotonic())
        (place / "plan.json").write_text(json.dumps(plan()), "utf-8")
        with started("serve", "--port", "0", "--database", place / "client.db") as server:
            url = _url(server, end - time.monotonic())
            said = run([*command, "plan.json", url], place, end - time.monotonic())
    except StepError as error:
        return Outcome(failures=(str(error),))
    return _judged(client, [json.loads(line) for line in said.splitlines() if line.startswith("{")])


def _url(server: subprocess.Popen[str], timeout: float) -> str:
    """Wait until a server serves; its address."""
    assert server.stdout is not None
    assert server.stderr is not None
    watchdog = Timer(timeout, server.kill)
    watchdog.start()
    found = re.search(r"http://\S+", server.stdout.readline())
    watchdog.cancel()
    if found is None:
        raise StepError(f"the server did not start: {server.stderr.read()[-2000:]}")
    return found[0]


def _judged(client: PythonClient | TypeScriptClient, steps: list[dict[str, Any]]) -> Outcome:
    counts = Counter(step["outcome"] for step in steps)
    failures = [f"{step['step']}: {step['error']}" for step in steps if step["outcome"] == "failed"]
    # A program whose last promise is never kept ends as if all were well.
    if not steps or steps[-1]["step"] != LAST_STEP:
        failures.append(f"the flow broke off after {len(steps)} steps")
    if not failures and counts["absent"] != client.absent:
        # A flow that skips what the client has would pass whatever the server does.
        failures = [f"{counts['absent']} steps were skipped as absent, and this version lacks {client.absent}"]
    return Outcome(counts, tuple(failures))


if __name__ == "__main__":
    sys.exit(main())

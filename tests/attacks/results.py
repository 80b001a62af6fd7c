"""The results of the last run of all attacks, kept in a file beside this one."""

from __future__ import annotations

import json
from pathlib import Path

from attrs import asdict, frozen

_FILE = Path(__file__).with_name("results.json")


@frozen
class Result:
    """The outcome that an attack was found to have, for so many inputs."""

    name: str
    inputs: int
    outcome: str


def write(results: list[Result]) -> None:
    """Replace the results of the last run."""
    _FILE.write_text(json.dumps([asdict(each) for each in results], indent=1) + "\n", "utf-8")


def read() -> list[Result]:
    """Read the results of the last run."""
    return [Result(**each) for each in json.loads(_FILE.read_text("utf-8"))]

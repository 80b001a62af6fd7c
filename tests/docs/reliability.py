"""Write docs/reliability.md: what comes of each fault and of each attack.

python -m tests.attacks && python -m tests.docs.reliability > docs/reliability.md
"""

from __future__ import annotations

from pieces_orm.transport import backoff
from tests.attacks import results
from tests.faults import table

ATTACKS = """
## Attacks

These families of hostile inputs were tried on a server in a process of its own, or on a session whose server answers
badly. The tests try a few of each family in every run. See also [Security](security.md).

| attack | inputs | outcome |
|---|---|---|
"""


def attacks() -> str:
    """Return the part about attacks, from the results of their last run."""
    found = results.read()
    rows = [f"| {each.name} | {each.inputs:,} | {each.outcome} |\n" for each in found]
    return ATTACKS + "".join(rows) + f"\n{sum(each.inputs for each in found):,} inputs in all.\n"


if __name__ == "__main__":
    backoff.MAX_PAUSE_S = 0.01
    print(table.text() + attacks(), end="")

"""`import pieces_orm` stays light."""

import subprocess
import sys

HEAVY = {
    "cattrs", "magika", "numpy", "pygments", "rapidfuzz", "re2", "rich", "sqlalchemy", "starlette", "typer", "uvicorn",
    "websockets", "pieces_orm.server", "pieces_orm.cli",
}  # fmt: skip


def test_importing_the_package_loads_nothing_heavy():
    code = f"import sys, pieces_orm; print(*sorted({HEAVY!r} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == []

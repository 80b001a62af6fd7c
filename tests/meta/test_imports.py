"""Imports point one way (DESIGN, section 3), and `import pieces_orm` stays light."""

import subprocess
import sys

import pytest

from .sources import imports, modules

VALUES = {"errors", "enums", "values"}
TABLES = VALUES | {"endpoints", "families", "backlog", "signals"}  # data and vocabulary
DOCUMENTS = TABLES | {"converter", "conversion", "documents", "pages"}
FIELDS = DOCUMENTS | {"fields", "paths", "bulk", "commands"}
RELATIONS = FIELDS | {"relations", "knowledge", "saving", "updates"}
ENTITY = RELATIONS | {"record", "entity"}
WIRE = {"transport", "discovery", "stream"}  # know no entity
COLLECTION = (
    ENTITY
    | WIRE
    | {"weakmap", "identity", "filters", "entities", "live", "batches", "arguments", "creation", "collection"}
)
SESSION = COLLECTION | {
    "assets",
    "searching",
    "suggestions",
    "telling",
    "feed",
    "watch",
    "connection",
    "catalogue",
    "session",
}
PUBLIC = SESSION | {"__init__"}

# What each module may import from the package, from the bottom to the top: a row names only what stands above it, so
# there are no cycles. A package's row is for its modules too (`server` for `server.app`).
ALLOWED: dict[str, set[str]] = {
    "errors": set(),
    "enums": {"errors"},
    "values": {"errors", "enums"},
    "endpoints": VALUES,
    "backlog": set(),
    "weakmap": set(),
    "signals": VALUES | {"backlog"},
    "families": VALUES | {"endpoints"},
    "filters": VALUES,
    "converter": VALUES,
    "conversion": VALUES | {"converter"},
    "documents": VALUES | {"conversion"},
    "pages": VALUES | {"documents"},
    "fields": VALUES | {"conversion", "documents"},
    "paths": TABLES,
    "bulk": {"errors"},
    "commands": DOCUMENTS | {"paths", "bulk"},
    "saving": DOCUMENTS | {"commands"},
    "updates": DOCUMENTS | {"fields"},
    "relations": FIELDS,
    "knowledge": DOCUMENTS,
    "record": RELATIONS,
    "entity": RELATIONS | {"record"},
    "identity": ENTITY | {"weakmap"},
    "entities": VALUES | {"entities", "fields", "relations", "entity", "endpoints"},
    "transport": TABLES,
    "discovery": TABLES | {"transport"},
    "stream": DOCUMENTS | {"transport"},
    "live": ENTITY,
    "batches": ENTITY,
    "arguments": ENTITY,
    "creation": ENTITY | {"arguments"},
    "collection": COLLECTION - {"collection"},
    "assets": COLLECTION,
    "searching": COLLECTION,
    "suggestions": COLLECTION,
    "telling": COLLECTION,
    "feed": COLLECTION | {"telling"},
    "watch": COLLECTION | {"feed"},
    "connection": DOCUMENTS | {"paths", "transport"},  # knows no entity
    "server": {"server", "endpoints", "families", "errors"},
    "catalogue": COLLECTION | {"assets", "searching", "connection"},
    "session": SESSION - {"session"} | {"server"},  # embedded() starts the server, imported on first use
    "__init__": SESSION,
    "tools": PUBLIC | {"tools", "server"},
    "testing": PUBLIC | {"server"},
    "__main__": {"tools"},
}

HEAVY = {
    "cattrs", "networkx", "pandas", "pygments", "rich", "sqlalchemy", "starlette", "typer", "uvicorn",
    "websockets", "pieces_orm.server", "pieces_orm.tools",
}  # fmt: skip


def row(module: str) -> str | None:
    """The row that speaks for a module: its own, or its package's."""
    return next((name for name in (module, module.split(".", maxsplit=1)[0]) if name in ALLOWED), None)


@pytest.mark.parametrize("module", sorted(modules()))
def test_module_has_a_row(module):
    assert row(module), f"{module} has no row in ALLOWED: say what it may import"


@pytest.mark.parametrize("module", sorted(modules()))
def test_imports_point_one_way(module):
    name = row(module)
    allowed = ALLOWED[name] if name else set()
    offending = [
        f"pieces_orm/{module}, line {line}: imports {target}"
        for line, target in dict.fromkeys(imports(modules()[module]))
        if target not in allowed and target.split(".")[0] not in allowed
    ]
    assert not offending, f"{offending}; it may import {sorted(allowed)}"


def test_no_row_names_what_stands_below_it():
    order = list(ALLOWED)
    assert {
        (name, target)
        for position, (name, targets) in enumerate(ALLOWED.items())
        for target in targets
        if order.index(target) > position
    } == set()


def test_importing_the_package_loads_nothing_heavy():
    code = f"import sys, pieces_orm; print(*sorted({HEAVY!r} & sys.modules.keys()))"
    done = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert done.stdout.split() == []

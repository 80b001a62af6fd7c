"""Upgrades of older database files, step by step, each copied first."""

from __future__ import annotations

import functools
import sqlite3
import time
import uuid
from collections.abc import Callable, Sequence
from pathlib import Path

import msgspec
from sqlalchemy import Connection

from ...errors import NotRunningError
from ...wire.association_reads import FAMILIES
from .backup import copy
from .database import APPLICATION_ID, read_version

Step = Callable[[Connection], None]


def _mark(connection: Connection) -> None:
    """Upgrade to version 1: the file says whose it is."""
    connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")


# Version 1 derived the ids of associations from their ends; they stay what they were.
_NAMESPACE = uuid.UUID("8d0f4d0a-6d1e-4f57-9a53-0d6f5d3f6f0e")
# Relations of two kinds whose association family is that of another relation.
_WITHOUT_FAMILY = ("conversation-conversation_message", "workstream_summary.children")
_EDGES_OF_VERSION_2 = """
    ALTER TABLE edge RENAME TO edge_of_version_1;
    CREATE TABLE edge (
        seq INTEGER NOT NULL PRIMARY KEY, id TEXT NOT NULL, relation TEXT NOT NULL,
        kind_a TEXT NOT NULL, id_a TEXT NOT NULL, kind_b TEXT NOT NULL, id_b TEXT NOT NULL,
        created TEXT NOT NULL, updated TEXT NOT NULL, document TEXT NOT NULL
    );
    INSERT INTO edge
        SELECT old.seq, association_id(relation, kind_a, id_a, kind_b, id_b), relation, kind_a, id_a, kind_b, id_b,
            max(a.created, b.created), max(a.created, b.created), '{}'
        FROM edge_of_version_1 AS old
        JOIN material AS a ON a.kind = kind_a AND a.id = id_a JOIN material AS b ON b.kind = kind_b AND b.id = id_b
        ORDER BY old.seq;
    DROP TABLE edge_of_version_1;
    CREATE UNIQUE INDEX edge_id ON edge (id);
    CREATE UNIQUE INDEX edge_ends ON edge (relation, id_a, id_b);
    CREATE INDEX edge_a ON edge (kind_a, id_a, relation, seq, id_b);
    CREATE INDEX edge_b ON edge (kind_b, id_b, relation, seq, id_a);
    CREATE INDEX edge_a_created ON edge (kind_a, id_a, relation, created);
    CREATE INDEX edge_b_created ON edge (kind_b, id_b, relation, created);
    CREATE INDEX material_created ON material (kind, created, seq, id);
    CREATE INDEX material_updated ON material (kind, updated);
"""


def _date_edges(connection: Connection) -> None:
    """Upgrade to version 2: associations have ids and dates, and persons are found by their accounts.

    An association is as old as the newer of its two materials: it cannot be older.
    """
    families = {family.name for family in FAMILIES}

    @functools.cache
    def name_of(relation: str, kind_a: str, kind_b: str) -> str:
        plural = "workstream_summaries" if kind_a == kind_b == "workstream_summary" else kind_b
        names = {f"{kind_a}_to_{plural}_associations", f"{kind_b}_to_{kind_a}_associations"} & families
        return relation if relation in _WITHOUT_FAMILY else next(iter(names), relation)

    def association_id(relation: str, kind_a: str, id_a: str, kind_b: str, id_b: str) -> str:
        return str(uuid.uuid5(_NAMESPACE, f"{name_of(relation, kind_a, kind_b)}:{':'.join(sorted((id_a, id_b)))}"))

    driver: sqlite3.Connection = connection.connection.driver_connection  # type: ignore[assignment]
    driver.create_function("association_id", 5, association_id, deterministic=True)
    for statement in _EDGES_OF_VERSION_2.split(";")[:-1]:
        connection.exec_driver_sql(statement)
    driver.create_function("association_id", 5, None)
    for id, document in connection.exec_driver_sql("SELECT id, document FROM material WHERE kind = 'person'").all():
        account = msgspec.json.decode(document)
        for name in ("type", "platform", "id"):
            account = account.get(name) if isinstance(account, dict) else None
        if isinstance(account, str):
            set_label = "UPDATE material SET label = ? WHERE kind = 'person' AND id = ?"
            connection.exec_driver_sql(set_label, (account, id))


# Keys that the server writes into documents, and that version 2 also kept when the seed of an asset had them.
_WRITTEN = {
    "asset": (
        "activities", "anchors", "annotations", "conversations", "created", "formats", "hints", "id", "messages",
        "original", "persons", "preview", "sensitives", "shares", "summaries", "tags", "updated", "websites",
    ),
    "format": ("activities", "asset", "created", "id", "updated"),
}  # fmt: skip


def _strip_documents(connection: Connection) -> None:
    """Upgrade to version 3: stored documents have no key that the server writes, which stood in them twice."""
    for kind, keys in _WRITTEN.items():
        paths, marks = [f"$.{key}" for key in keys], ", ".join("?" * len(keys))
        connection.exec_driver_sql(
            f"UPDATE material SET document = json_remove(document, {marks}) WHERE kind = ? AND json_valid(document)"  # noqa: S608
            f" AND EXISTS (SELECT 1 FROM json_each(document) WHERE key IN ({marks}))",
            (*paths, kind, *keys),
        )


def _index_for_queries(connection: Connection) -> None:
    """Upgrade to version 4: materials that are only suggested have an index, and assets are found by their language."""
    connection.exec_driver_sql(
        "CREATE INDEX IF NOT EXISTS material_pseudo ON material (kind) WHERE instr(document, '\"pseudo\":true') > 0"
    )
    connection.exec_driver_sql("DROP INDEX IF EXISTS material_label")
    connection.exec_driver_sql("CREATE INDEX material_label ON material (kind, label, created, id)")
    connection.exec_driver_sql(
        "UPDATE material SET label = (SELECT CASE WHEN json_valid(format.document) "
        "THEN json_extract(format.document, '$.classification.specific') END FROM edge "
        "JOIN material AS format ON format.kind = 'format' AND format.id = edge.id_b "
        "WHERE edge.kind_a = 'asset' AND edge.id_a = material.id AND edge.relation = 'asset.formats' "
        "ORDER BY edge.seq LIMIT 1) WHERE kind = 'asset'"
    )


STEPS: Sequence[Step] = (_mark, _date_edges, _strip_documents, _index_for_queries)
"""The step at index n leads from version n to n + 1; a released step is never changed."""


def check_current(path: Path) -> None:
    """Refuse a file that cannot be read without making or changing it.

    Raises:
        NotRunningError: it does not exist, has another version, or is not a database.
    """
    version = read_version(path, read_only=True)
    if version is None:
        raise NotRunningError(f"The database {path} does not exist, and a read-only server does not make one.")
    _refuse_newer(path, version)
    if version < len(STEPS):
        message = f"The database {path} is of version {version}: it must be upgraded to {len(STEPS)}, which "
        raise NotRunningError(f"{message}a read-only server does not do. Start a server that may write, once.")


def _refuse_newer(path: Path, version: int) -> None:
    if version > len(STEPS):
        message = f"The database {path} is of version {version}, made by a newer pieces_orm; this one knows "
        raise NotRunningError(f"{message}versions up to {len(STEPS)}. Install the newer one, or name another file.")


def back_up(path: Path, version: int | None) -> Path | None:
    """Copy a file before it is upgraded; returns the copy, or None when the file is current or new.

    Raises:
        NotRunningError: the file has a newer version, or cannot be copied.
    """
    if version is None or version == len(STEPS):
        return None
    _refuse_newer(path, version)
    target = _copy_name(path, version)
    try:
        copy(path, target)
    except (OSError, sqlite3.Error) as error:
        message = f"The database {path} must be upgraded, and cannot be copied to {target} first: {error}. "
        raise NotRunningError(f"{message}It was not touched.") from error
    return target


def _copy_name(path: Path, version: int) -> Path:
    name = f"{path.name}.version-{version}.{time.strftime('%Y-%m-%dT%H%M%SZ', time.gmtime())}"
    number = 0
    while (target := path.with_name(name + (f".{number}" if number else ""))).exists():
        number += 1
    return target


def upgrade(connection: Connection, version: int | None) -> None:
    """Bring a database to the current version within the caller's transaction; a new one is only marked."""
    if version == len(STEPS):
        return
    for step in (_mark,) if version is None else STEPS[version:]:
        step(connection)
    connection.exec_driver_sql(f"PRAGMA user_version = {len(STEPS)}")

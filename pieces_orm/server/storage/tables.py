"""The tables: materials, the edges between them, and a log of changes."""

from __future__ import annotations

from attrs import field, frozen
from sqlalchemy import Column, Index, Integer, MetaData, Table, Text, UniqueConstraint, func, literal_column

from ...wire.kinds import Kind

metadata = MetaData()


def _texts(*names: str) -> list[Column[str]]:
    return [Column(name, Text, nullable=False) for name in names]


material = Table(
    "material",
    metadata,
    Column("seq", Integer, primary_key=True),
    *_texts("kind", "id", "document", "created", "updated"),
    # A second key for look-ups: a tag's text, a website's url, a point's path, the language of an asset's format,
    # the account of a person.
    Column("label", Text),
    UniqueConstraint("kind", "id"),
    # With a label, those in the order of creation; that of an asset is its language, which many have.
    Index("material_label", "kind", "label", "created", "id"),
    # Windows of time are counted from these alone, and listed in the order of creation.
    Index("material_created", "kind", "created", "seq", "id"),
    Index("material_updated", "kind", "updated"),
)
# Those among which the materials are that are only suggested; most databases have few.
MAYBE_PSEUDO = func.instr(material.c.document, literal_column("'\"pseudo\":true'")) > literal_column("0")
Index("material_pseudo", material.c.kind, sqlite_where=MAYBE_PSEUDO)
edge = Table(
    "edge",
    metadata,
    Column("seq", Integer, primary_key=True),
    # `document` is the JSON text of the keys that an association has beside its id, timestamps and ends.
    *_texts("id", "relation", "kind_a", "id_a", "kind_b", "id_b", "created", "updated", "document"),
    Index("edge_id", "id", unique=True),
    Index("edge_ends", "relation", "id_a", "id_b", unique=True),
    # Covering: edges are read from these alone, in the order in which they were made.
    Index("edge_a", "kind_a", "id_a", "relation", "seq", "id_b"),
    Index("edge_b", "kind_b", "id_b", "relation", "seq", "id_a"),
    # Pages of associations are in the order of their dates.
    Index("edge_a_created", "kind_a", "id_a", "relation", "created"),
    Index("edge_b_created", "kind_b", "id_b", "relation", "created"),
)
change = Table(
    "change",
    metadata,
    Column("seq", Integer, primary_key=True),
    *_texts("kind", "id", "operation"),
    Index("change_of", "kind", "id"),
    sqlite_autoincrement=True,
)

# At most one row; see the module `log_owner`.
log_owner = Table("log_owner", metadata, Column("stamp", Text, nullable=False))


@frozen
class StoredRelation:
    """A relation between kinds `a` and `b`, whose edges are stored once for both sides.

    In a symmetric one (person with person) the sides are alike, and the smaller id is stored as `a`.
    """

    name: str
    a: Kind = field(repr=False)
    b: Kind = field(repr=False)
    symmetric: bool = False

"""Look-ups of stored materials that handlers and searches share."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...wire.kinds import Kind
from ..json_values import stored_object
from ..request_errors import RequestError
from ..storage.reader import Reader, Row
from .date_windows import in_windows, queried_windows
from .relations import RelationEnd


def require_row(reader: Reader, kind: Kind, id: str, status: int = 500) -> Row:
    """Return the row of a material that a request needs.

    Raises:
        RequestError: there is none; 500 is what Pieces OS answers to writes on missing ids.
    """
    row = reader.row(kind.name, id)
    if row is None:
        raise RequestError(status, f"There is no {kind.name} {id}.")
    return row


def own_keys(row: Row) -> dict[str, Any]:
    """Decode a row's own keys."""
    return stored_object(row.document)


def related_ids(reader: Reader, end: RelationEnd, kind: Kind, id: str) -> list[str]:
    """Return the ids at the other side of one material's relation."""
    return [
        other
        for relation, side, _, other in reader.edges(kind.name, [id])
        if relation == end.relation.name and end.side in {side, "both"}
    ]


def is_pseudo(row: Row) -> bool:
    """Tell whether a material is only suggested."""
    # Looked for before it is decoded: a snapshot asks this of every asset.
    return '"pseudo":true' in row.document and own_keys(row).get("pseudo") is True


def matches_query(query: Mapping[str, str], row: Row) -> bool:
    """Tell whether the query of a collection or identifiers route asks for this material."""
    if is_pseudo(row) and query.get("pseudo", "").lower() not in {"true", "1"}:
        return False
    type = query.get("annotation_type_filter")
    if type is not None and own_keys(row).get("type") != type:
        return False
    return in_windows(queried_windows(query), row.created, row.updated)

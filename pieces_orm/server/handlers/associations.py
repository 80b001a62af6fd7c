"""Associate and disassociate, each written once for all associations."""

from __future__ import annotations

from starlette.responses import Response

from ...wire.associations import Association
from ...wire.kinds import SUMMARY
from ..domain.relations import SUMMARY_HIERARCHY, association_relation
from ..http.requests import Request
from ..http.responses import no_content
from ..request_errors import RequestError
from ..storage.tables import StoredRelation
from ..storage.writer import Writer


def associate(row: Association, request: Request) -> Response:
    """Associate two materials."""
    relation, a, b = _ids_in_order(row, request)
    if row.owner is row.other and a == b:
        raise RequestError(500, f"The {row.owner.name} {a} cannot be associated with itself.")
    hierarchy = _hierarchy(row, request, a, b)
    with request.service.store.write() as writer:
        if _both_exist(row, request, writer):
            is_new = writer.add_edge(*(hierarchy or (relation, a, b)))
            if not is_new and request.service.settings.associate_twice == "error":
                raise RequestError(500, f"{row.owner.name} {a} and {row.other.name} {b} are associated already.")
    return no_content()


def disassociate(row: Association, request: Request) -> Response:
    """End the association of two materials."""
    relation, a, b = _ids_in_order(row, request)
    with request.service.store.write() as writer:
        if _both_exist(row, request, writer):
            writer.remove_edge(relation, a, b)
            if row.owner is SUMMARY and row.other is SUMMARY:
                # This route has no body, so it ends whatever joins the two.
                writer.remove_edge(SUMMARY_HIERARCHY, a, b)
                writer.remove_edge(SUMMARY_HIERARCHY, b, a)
    return no_content()


def _ids_in_order(row: Association, request: Request) -> tuple[StoredRelation, str, str]:
    """Return the relation and the two ids of the path, that of its kind `a` first."""
    relation = association_relation(row)
    owner, other = request.params[row.owner.parameter], request.params[row.parameter]
    return (relation, owner, other) if relation.a is row.owner else (relation, other, owner)


def _both_exist(row: Association, request: Request, writer: Writer) -> bool:
    """Tell whether both materials exist.

    Raises:
        RequestError: 500, one does not, and the settings make that an error.
    """
    for kind, parameter in ((row.owner, row.owner.parameter), (row.other, row.parameter)):
        id = request.params[parameter]
        if writer.row(kind.name, id) is None:
            if request.service.settings.associate_missing == "error":
                raise RequestError(500, f"There is no {kind.name} {id}.")
            return False
    return True


def _hierarchy(row: Association, request: Request, a: str, b: str) -> tuple[StoredRelation, str, str] | None:
    """Return the parent and child that the optional body of summary with summary names."""
    if not (row.owner is SUMMARY and row.other is SUMMARY and request.body):
        return None
    body = request.object()
    parent, child = body.get("parent"), body.get("child")
    if parent is None and child is None:
        return None
    found = [pair for pair in sorted({(a, b), (b, a)}) if parent in (None, pair[0]) and child in (None, pair[1])]
    if not found:
        raise RequestError(400, "parent and child must be the two summaries of the path.")
    return SUMMARY_HIERARCHY, *found[0]

"""Associate and disassociate, each written once for all associations."""

from __future__ import annotations

from starlette.responses import Response

from ...wire.associations import Association, association
from ...wire.kinds import SUMMARY
from ..domain.relations import SUMMARY_HIERARCHY, association_relation
from ..http.requests import Request
from ..http.responses import no_content
from ..request_errors import RequestError
from ..settings import Settings
from ..storage.tables import StoredRelation
from ..storage.writer import Writer


def associate(row: Association, request: Request) -> Response:
    """Associate two materials."""
    owner, other = request.params[row.owner.parameter], request.params[row.parameter]
    row = _with_roles(row, request, owner, other)
    with request.service.store.write() as writer:
        change(writer, request.service.settings, row, owner, other, present=True)
    return no_content()


def disassociate(row: Association, request: Request) -> Response:
    """End the association of two materials."""
    owner, other = request.params[row.owner.parameter], request.params[row.parameter]
    with request.service.store.write() as writer:
        change(writer, request.service.settings, row, owner, other, present=False)
    return no_content()


def change(writer: Writer, settings: Settings, row: Association, owner: str, other: str, *, present: bool) -> None:
    """Associate two materials, or end that.

    Raises:
        RequestError: 500, as Pieces OS answers: one is not there, both are the same, or they are associated already;
            the first and the last as the settings say. Nothing was written.
    """
    if present and row.owner is row.other and owner == other:
        raise RequestError(500, f"The {row.owner.name} {owner} cannot be associated with itself.")
    if not _both_exist(writer, settings, row, owner, other):
        return
    if not present:
        writer.remove_edge(*_in_order(association_relation(row), row, owner, other))
        if row.owner is SUMMARY and row.other is SUMMARY:
            # This route has no body, so it ends whatever joins the two.
            writer.remove_edge(SUMMARY_HIERARCHY, owner, other)
            writer.remove_edge(SUMMARY_HIERARCHY, other, owner)
    elif not writer.add_edge(*_added(row, owner, other)) and settings.associate_twice == "error":
        raise RequestError(500, f"{row.owner.name} {owner} and {row.other.name} {other} are associated already.")


def _added(row: Association, owner: str, other: str) -> tuple[StoredRelation, str, str]:
    """Return the edge that an association makes: its relation and the two ids in order."""
    if row.roles is None:
        return _in_order(association_relation(row), row, owner, other)
    return (SUMMARY_HIERARCHY, owner, other) if row.roles[0] == "parent" else (SUMMARY_HIERARCHY, other, owner)


def _in_order(relation: StoredRelation, row: Association, owner: str, other: str) -> tuple[StoredRelation, str, str]:
    return (relation, owner, other) if relation.a is row.owner else (relation, other, owner)


def _both_exist(writer: Writer, settings: Settings, row: Association, owner: str, other: str) -> bool:
    """Tell whether both materials exist.

    Raises:
        RequestError: 500, one does not, and the settings make that an error.
    """
    for kind, id in ((row.owner, owner), (row.other, other)):
        if not writer.exists(kind.name, id):
            if settings.associate_missing == "error":
                raise RequestError(500, f"There is no {kind.name} {id}.")
            return False
    return True


def _with_roles(row: Association, request: Request, owner: str, other: str) -> Association:
    """Return the row of parents or children when the optional body of summary with summary tells one from the other."""
    if not (row.owner is SUMMARY and row.other is SUMMARY and request.body):
        return row
    body = request.object()
    parent, child = body.get("parent"), body.get("child")
    if parent is None and child is None:
        return row
    for first, second, relation in ((owner, other, "children"), (other, owner, "parents")):
        if parent in (None, first) and child in (None, second):
            return association(SUMMARY, relation) or row
    raise RequestError(400, "parent and child must be the two summaries of the path.")

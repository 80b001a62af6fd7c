"""Associate and disassociate, once for all associations."""

from __future__ import annotations

from starlette.responses import Response

from ...wire.associations import Association
from ...wire.kinds import SUMMARY
from ..domain.relations import FAMILY, Joint, association_joint
from ..http.answers import Call, Handler, RefusedError, nothing
from ..storage.writer import Writer


def _sides(row: Association, joint: Joint, call: Call) -> tuple[str, str]:
    owner, other = call.params[row.owner.parameter], call.params[row.parameter]
    return (owner, other) if joint.a is row.owner else (other, owner)


def _both_present(row: Association, call: Call, writer: Writer) -> bool:
    """Whether both materials are there; when not, what the settings say."""
    for kind, parameter in ((row.owner, row.owner.parameter), (row.other, row.parameter)):
        id = call.params[parameter]
        if writer.row(kind.name, id) is None:
            if call.service.settings.associate_missing == "error":
                raise RefusedError(500, f"There is no {kind.name} {id}.")
            return False
    return True


def associate(row: Association) -> Handler:
    """An edge between two materials, seen from both."""
    joint = association_joint(row)

    def handle(call: Call) -> Response:
        a, b = _sides(row, joint, call)
        if row.owner is row.other and a == b:
            raise RefusedError(500, f"The {row.owner.name} {a} cannot be associated with itself.")
        family = _family(row, call, a, b)
        with call.service.store.write() as writer:
            if _both_present(row, call, writer):
                is_new = writer.link(*(family or (joint, a, b)))
                if not is_new and call.service.settings.associate_twice == "error":
                    raise RefusedError(500, f"{row.owner.name} {a} and {row.other.name} {b} are associated already.")
        return nothing()

    return handle


def disassociate(row: Association) -> Handler:
    """The edge between two materials is gone."""
    joint = association_joint(row)

    def handle(call: Call) -> Response:
        a, b = _sides(row, joint, call)
        with call.service.store.write() as writer:
            if _both_present(row, call, writer):
                writer.unlink(joint, a, b)
                if row.owner is SUMMARY and row.other is SUMMARY:
                    # This route has no body, so it ends whatever joins the two.
                    writer.unlink(FAMILY, a, b)
                    writer.unlink(FAMILY, b, a)
        return nothing()

    return handle


def _family(row: Association, call: Call, owner: str, other: str) -> tuple[Joint, str, str] | None:
    """The parent and child that the optional body of summary with summary names."""
    if not (row.owner is SUMMARY and row.other is SUMMARY and call.body):
        return None
    body = call.object()
    parent, child = body.get("parent"), body.get("child")
    if parent is None and child is None:
        return None
    pairs = {(owner, other), (other, owner)}
    found = [(a, b) for a, b in sorted(pairs) if parent in {None, a} and child in {None, b}]
    if not found:
        raise RefusedError(400, "parent and child have to be the two summaries of the path.")
    return FAMILY, *found[0]

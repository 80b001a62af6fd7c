"""Writes docs/kinds.md from the declarations: `python -m tests.docs.kinds > docs/kinds.md`."""

from __future__ import annotations

import inspect
import re

from pieces_orm import Entity
from pieces_orm.orm.relations import Many
from pieces_orm.wire import associations, kinds

HEAD = """# The kinds

Fields, relations and the arguments of `create()` of each kind. Fields in *italics* are set by the server alone. A
relation is read from an entity, `anchor.assets`, and named on the class, `Anchor.assets`, for `prefetch`. This page is
made from the declarations by `python -m tests.docs.kinds`.
"""


def page():
    """The whole page."""
    classes = sorted(Entity._registry.values(), key=lambda cls: cls.__name__)
    names = {kinds.KINDS[name] for name in kinds.KINDS}
    return "\n".join([HEAD, *(section(cls) for cls in classes if cls._schema.kind in names)])


def section(cls):
    """What there is to know of one kind."""
    collection = cls._schema.kind.collection
    parts = [
        f"## {cls.__name__}",
        f"{_first_paragraph(cls)} `session.{collection}`",
        "| field | type |\n|---|---|\n" + "\n".join(_field(each) for each in cls._schema.fields.values()),
    ]
    if cls._schema.relations:
        relations = "\n".join(_relation(cls, each) for each in cls._schema.relations.values())
        parts.append(f"| relation | leads to | changed by |\n|---|---|---|\n{relations}")
    parts.append(_creation(cls, collection))
    return "\n\n".join(parts) + "\n"


def _first_paragraph(cls):
    return " ".join(inspect.getdoc(cls).split("\n\n")[0].split())


def _field(field):
    name = f"*{field.name}*" if field.readonly else field.name
    return f"| {name} | `{_typed(field.annotation)}` |".replace(" | None`", "`, or None")


def _typed(annotation):
    return annotation if isinstance(annotation, str) else getattr(annotation, "__name__", str(annotation))


def _relation(cls, relation):
    target = relation.target.__name__
    many = isinstance(relation, Many)
    changed = "the server" if not many else f"`{relation.name}.add(...)`, `.remove(...)`"
    if many and not _has_route(cls, relation):
        changed = "creating the other"
    return f"| {relation.name} | {'many' if many else 'one'} {target} | {changed} |"


def _has_route(cls, relation):
    there = None if relation.back is None else associations.association(relation.target.kind, relation.back)
    return associations.association(cls._schema.kind, relation.name) is not None or there is not None


def _creation(cls, collection):
    if "create" not in cls._schema.kind.routes:
        return "It is created with others, never by itself."
    signature = str(inspect.signature(cls._seed))
    arguments = re.sub(r"^\(context: '?Context'?,? ?|\) -> '?Seed'?$", "", signature).replace("'", "")
    about = inspect.getdoc(cls._seed)
    listed = "" if "Args:" not in about else about.split("Args:\n")[1].split("\n\n")[0]
    lines = [f"- `{name}`: {text}" for name, text in re.findall(r"(?ms)^    ([\w, *]+): (.*?)(?=^    \S|\Z)", listed)]
    items = "\n".join(" ".join(line.split()) for line in lines)
    return f"```text\nsession.{collection}.create({arguments})\n```\n\n{items}"


if __name__ == "__main__":
    print(page(), end="")

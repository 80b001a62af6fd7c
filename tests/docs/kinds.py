"""Write docs/kinds.md from the declarations: `python -m tests.docs.kinds > docs/kinds.md`."""

from __future__ import annotations

import inspect
import re

from pieces_orm import Entity
from pieces_orm.model.field_help import meaning, type_name
from pieces_orm.orm.relations import Many
from pieces_orm.wire import associations, kinds

WIDTH = 88  # of a line of code on a page

HEAD = """# The kinds

The fields, the relations, the properties and methods of its own, and the arguments of `create()` of each kind;
`help(Asset)` shows them too. All kinds share the methods of [`Entity`](reference/entities.md), such as `save`. Only the
server sets fields in *italics*. A relation is read from an entity, as in `anchor.assets`, and named on the class, as in
`Anchor.assets`, for `prefetch`. `python -m tests.docs.kinds` writes this page from the declarations.
"""


def page():
    """Return the whole page."""
    classes = sorted(Entity._registry.values(), key=lambda cls: cls.__name__)
    names = {kinds.KINDS[name] for name in kinds.KINDS}
    return "\n".join([HEAD, *(section(cls) for cls in classes if cls._schema.kind in names)])


def section(cls):
    """Return the section about one kind."""
    collection = cls._schema.kind.collection
    parts = [
        f"## {cls.__name__}",
        f"{_first_paragraph(cls)} `session.{collection}`",
        "| field | type | meaning |\n|---|---|---|\n" + "\n".join(_field(each) for each in cls._schema.fields.values()),
    ]
    if cls._schema.relations:
        relations = "\n".join(_relation(cls, each) for each in cls._schema.relations.values())
        parts.append(f"| relation | leads to | other side | changed by |\n|---|---|---|---|\n{relations}")
    own = [_member(name, each) for name, each in vars(cls).items() if _is_own(cls, name, each)]
    if own:
        parts.append("| property or method | type | meaning |\n|---|---|---|\n" + "\n".join(own))
    parts.append(_creation(cls, collection))
    return "\n\n".join(parts) + "\n"


def _first_paragraph(cls):
    return " ".join(inspect.getdoc(cls).split("\n\n")[0].split())


def _field(field):
    name = f"*{field.name}*" if field.readonly else field.name
    return f"| {name} | `{type_name(field)}` | {meaning(field)} |".replace(" | None`", "`, or None")


def _relation(cls, relation):
    target = relation.target.__name__
    many = isinstance(relation, Many)
    changed = "the server" if not many else f"`{relation.name}.add(...)`, `.remove(...)`"
    if many and not _has_route(cls, relation):
        changed = "creating the other"
    back = f"{target}.{relation.back}" if relation.back else ""
    return f"| {relation.name} | {'many' if many else 'one'} {target} | {back} | {changed} |"


def _is_own(cls, name, each):
    public = not name.startswith("_") and name not in {**cls._schema.fields, **cls._schema.relations}
    return public and (isinstance(each, property) or inspect.isfunction(each))


def _member(name, each):
    is_property = isinstance(each, property)
    signature = inspect.signature(each.fget if is_property else each)
    _, *parameters = signature.parameters.values()
    shown = name if is_property else f"{name}{inspect.Signature(parameters)}".replace("'", "").replace("|", "\\|")
    returned = str(signature.return_annotation).removeprefix("builtins.")
    about = " ".join(inspect.getdoc(each).partition("\n\n")[0].split())
    return f"| `{shown}` | `{returned}` | {about} |".replace(" | None`", "`, or None")


def _has_route(cls, relation):
    there = None if relation.back is None else associations.association(relation.target._schema.kind, relation.back)
    return associations.association(cls._schema.kind, relation.name) is not None or there is not None


def _creation(cls, collection):
    if "create" not in cls._schema.kind.routes:
        return "It is created together with other materials, never by itself."
    _, *parameters = inspect.signature(cls._seed).parameters.values()
    create = f"session.{collection}.create{inspect.Signature(parameters)}".replace("'", "")
    create = _wrapped(re.sub(r"<(\w+\.\w+): \w+>", r"\1", create))  # an enum member as code spells it
    about = inspect.getdoc(cls._seed)
    listed = "" if "Args:" not in about else about.split("Args:\n")[1].split("\n\n")[0]
    lines = [f"- `{name}`: {text}" for name, text in re.findall(r"(?ms)^    ([\w, *]+): (.*?)(?=^    \S|\Z)", listed)]
    items = "\n".join(" ".join(line.split()) for line in lines)
    return f"```text\n{create}\n```\n\n{items}"


def _wrapped(call):
    """A call on one line, or with an argument on each line."""
    if len(call) <= WIDTH:
        return call
    name, _, arguments = call[:-1].partition("(")
    # Commas within brackets belong to a type or a default.
    each = re.split(r", (?![^\[(]*[\])])", arguments)
    return "\n".join([f"{name}(", *(f"    {argument}," for argument in each), ")"])


if __name__ == "__main__":
    print(page(), end="")

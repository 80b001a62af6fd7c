"""The conditions that type checkers know are those that queries take."""

from __future__ import annotations

import inspect

import pytest

import pieces_orm
from pieces_orm import Anchor
from pieces_orm.entities import conditions
from pieces_orm.values import OpenEnum

KINDS = {
    cls._schema.kind.collection: cls
    for cls in pieces_orm.Entity._registry.values()
    if cls.__module__.startswith("pieces_orm.")
}


def shown_type(spec):
    """The annotation of a condition on a field: members of enums may be given as texts."""
    if spec.annotation == "Any":
        return "Any"
    first, *others = spec.annotation.split(" | ")
    texts = ["str"] if issubclass(spec.types[0], OpenEnum) else []
    return f"Is[{' | '.join([first, *texts, *others])}]"


@pytest.mark.parametrize("name", KINDS)
def test_type_checkers_know_the_conditions_of_every_field_and_relation(name):
    schema = KINDS[name]._schema
    parameters = inspect.signature(getattr(conditions, f"on_{name}")).parameters
    targets = {each.name: each.target for each in schema.relations.values()}
    expected = {each.name: shown_type(each) for each in schema.fields.values()} | {
        each: "ToAnchor" if target is Anchor else f"To[{target.__name__}]" for each, target in targets.items()
    }
    assert {each.name: each.annotation for each in parameters.values()} == expected
    assert {each.kind for each in parameters.values()} == {inspect.Parameter.KEYWORD_ONLY}


def test_help_shows_the_conditions_of_a_kind(pieces):
    signature = inspect.signature(pieces.tags.query)
    assert list(signature.parameters)[:2] == ["text", "category"]
    assert signature.return_annotation == "Query[Tag]"
    with pytest.raises(pieces_orm.InvalidValueError, match="by name"):
        pieces.tags.query("tides")

"""help() on a kind explains each of its fields and relations, from the declarations."""

from __future__ import annotations

import inspect
import pydoc
import re
import subprocess
import sys
from collections import Counter

import pytest

from pieces_orm import Asset, Entity
from pieces_orm.model.field_help import SHARED_MEANINGS, meaning, type_name
from pieces_orm.wire.kinds import KINDS

CLASSES = sorted(
    (cls for cls in Entity._registry.values() if cls._schema.kind.name in KINDS), key=lambda cls: cls.__name__
)
FIELDS = [(cls, field) for cls in CLASSES for field in cls._schema.fields.values()]
every_kind = pytest.mark.parametrize("cls", CLASSES, ids=lambda cls: cls.__name__)


def help_on(thing):
    return pydoc.render_doc(thing, renderer=pydoc.plaintext)


def test_there_is_help_on_all_19_kinds():
    assert len(CLASSES) == 19


@pytest.mark.parametrize(("cls", "field"), FIELDS, ids=[f"{cls.__name__}.{field.name}" for cls, field in FIELDS])
def test_every_declared_field_has_a_meaning_in_one_sentence(cls, field):
    assert re.fullmatch(r"[A-Z][^.]*[^.\s]\.", meaning(field))


@every_kind
def test_help_shows_every_field_with_its_type_and_meaning(cls):
    shown = help_on(cls)
    for field in cls._schema.fields.values():
        origin = ", set by the server" if field.readonly else ""
        assert f" {field.name} ({type_name(field)}{origin}): {meaning(field)}\n" in shown


@every_kind
def test_help_shows_every_relation_with_its_target_and_its_other_side(cls):
    shown = help_on(cls)
    for relation in cls._schema.relations.values():
        target = relation.target.__name__
        back = f"; the other side is {target}.{relation.back}" if relation.back else ""
        number = "many" if relation.name in cls._schema.many else "one"
        assert f" {relation.name}: {number} {target}{back}.\n" in shown


@every_kind
def test_the_docstring_begins_with_what_the_class_says_of_itself(cls):
    first, fields, *relations = inspect.getdoc(cls).split("\n\n")
    assert "\n" not in first
    assert fields.startswith("Fields:\n    ")
    assert [part.splitlines()[0] for part in relations] == ["Relations:"]


def test_help_on_an_entity_is_that_on_its_class(pieces):
    asset = pieces.assets.create("x")
    assert asset.__doc__ == Asset.__doc__


def test_a_sentence_is_written_once():
    own = Counter(field.doc for _, field in FIELDS if field.doc)
    assert [doc for doc, times in own.items() if times > 1 or doc in SHARED_MEANINGS.values()] == []


def test_a_shared_meaning_is_shared():
    sharing = Counter(field.name for _, field in FIELDS if not field.doc)
    assert {name for name in SHARED_MEANINGS if sharing[name] < 2} == set()


def test_importing_the_package_composes_no_docstring():
    code = (
        "from pieces_orm.model import field_help\n"
        "field_help.meaning = None\n"
        "import pieces_orm\n"
        "try: pieces_orm.Asset.__doc__\n"
        "except TypeError: print('composed when read')\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "composed when read\n"

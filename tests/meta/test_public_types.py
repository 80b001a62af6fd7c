"""Every type that a public signature names can be imported from a public module, and is in its __all__."""

from __future__ import annotations

import ast
import importlib
import inspect
import sys
import types
import typing
from collections import defaultdict
from functools import cache
from importlib.util import resolve_name

import pytest

import pieces_orm
from pieces_orm import errors, filters, server, signals, values

from .sources import PACKAGE

PUBLIC = (pieces_orm, errors, filters, server, signals, values)
# Types that public signatures name and no public module has yet.
PENDING: set[str] = set()


@cache
def origins(module: str) -> dict[str, str]:
    """The names that a module imports from others, for type checkers too, each with the module that has it."""
    found = {}
    for node in ast.walk(ast.parse(inspect.getsource(sys.modules[module]))):
        if isinstance(node, ast.ImportFrom):
            package = sys.modules[module].__package__
            origin = resolve_name("." * node.level + (node.module or ""), package) if node.level else node.module
            found |= {alias.asname or alias.name: origin for alias in node.names}
    return found


def imported(origin: str, name: str) -> object:
    """What a name of a module stands for; it may be a module within."""
    module = importlib.import_module(origin)
    return getattr(module, name) if hasattr(module, name) else importlib.import_module(f"{origin}.{name}")


def named_types(annotation: object, module: str) -> typing.Iterator[tuple[str, object]]:
    """The types of this package that an annotation names, as written in a module."""
    text = annotation.__name__ if isinstance(annotation, type) else str(annotation)
    tree = ast.parse(text, mode="eval")
    literals = {
        id(part)
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript) and ast.unparse(node.value).endswith("Literal")
        for part in ast.walk(node.slice)
    }
    attributes = {id(node.value): node.attr for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if id(node) in literals:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield from named_types(node.value, module)
        elif isinstance(node, ast.Name):
            origin = origins(module).get(node.id, module if hasattr(sys.modules[module], node.id) else "builtins")
            if origin.split(".")[0] != PACKAGE:
                continue
            name, value = node.id, imported(origin, node.id)
            if isinstance(value, types.ModuleType):
                if value.__name__.split(".")[0] != PACKAGE:
                    continue
                name = attributes[id(node)]
                value = getattr(value, name)
            if not isinstance(value, typing.TypeVar | typing.ParamSpec):
                yield name, value


def function_annotations(function: object) -> typing.Iterator[tuple[object, str]]:
    """The annotations of a function and its overloads, each with the module that it is written in."""
    overloads = getattr(typing, "get_overloads", lambda _: [])  # Python 3.11 and later
    for each in (inspect.unwrap(function), *overloads(function)):
        for annotation in each.__annotations__.values():
            yield annotation, each.__module__


def is_public(name: str) -> bool:
    # __get__ and __set__ are for the interpreter; __init__ is walked where users call it.
    return not name.startswith("_") or (name.startswith("__") and name not in {"__get__", "__init__", "__set__"})


def class_annotations(cls: type) -> typing.Iterator[tuple[str, object, str]]:
    """The annotations of what a class shows: attributes, properties and methods, inherited ones too."""
    bases = [base for base in cls.__mro__ if base.__module__.split(".")[0] == PACKAGE]
    for base in bases:
        for name, annotation in vars(base).get("__annotations__", {}).items():
            if is_public(name):
                yield name, annotation, base.__module__
        for name, member in vars(base).items():
            found = member.fget if isinstance(member, property) else getattr(member, "__func__", member)
            found = getattr(found, "func", found)  # cached_property
            called = name == "__init__" and cls in CONSTRUCTED
            if isinstance(found, types.FunctionType) and (is_public(name) or called):
                for annotation, module in function_annotations(found):
                    yield name, annotation, module
    if hasattr(cls, "_schema"):
        for name, field in cls._schema.fields.items():
            yield name, field.annotation, cls.__module__


def objects_of_a_session() -> dict[str, type]:
    """What a session and an entity show by their attributes: collections, signals, relations."""
    with pieces_orm.Session("http://127.0.0.1:1", api_key="x") as session:
        found = {type(session[cls]) for cls in pieces_orm.Entity._registry.values()}
        tags = session.assets.ref("x").tags
        found |= {type(tags), type(pieces_orm.Asset.tags), type(pieces_orm.Asset.original)}
        found |= {signals.Signal}
    found = sorted(found, key=lambda cls: cls.__name__)
    return {cls.__name__: cls for cls in found if cls.__module__.split(".")[0] == PACKAGE}


EXPORTED = {f"{module.__name__}.{name}": getattr(module, name) for module in PUBLIC for name in module.__all__}
HANDED_OUT = objects_of_a_session()
CONSTRUCTED = {pieces_orm.Session, server.Server, *(vars(errors)[name] for name in errors.__all__)}
# For authors of kinds; users meet what they give.
DECLARATIONS = {pieces_orm.Many, pieces_orm.One}
WALKED = {
    **{
        name: value
        for name, value in EXPORTED.items()
        if isinstance(value, type | types.FunctionType) and value not in DECLARATIONS
    },
    **{f"{cls.__module__}.{name}": cls for name, cls in HANDED_OUT.items() if cls not in DECLARATIONS},
}


def is_importable(name: str, value: object) -> bool:
    return any(name in module.__all__ and getattr(module, name) is value for module in PUBLIC)


def missing(thing: object) -> dict[str, set[str]]:
    """The types that a class or function names and no public module has, each with the places that name them."""
    if isinstance(thing, type):
        annotations = class_annotations(thing)
    else:
        annotations = ((thing.__name__, annotation, module) for annotation, module in function_annotations(thing))
    found = defaultdict(set)
    for place, annotation, module in annotations:
        for name, value in named_types(annotation, module):
            if not is_importable(name, value):
                found[name].add(place)
    return found


@pytest.mark.parametrize("thing", WALKED.values(), ids=WALKED)
def test_every_type_that_a_public_signature_names_can_be_imported(thing):
    assert {name: places for name, places in missing(thing).items() if name not in PENDING} == {}


def test_the_types_of_what_a_session_hands_out_can_be_imported():
    absent = {name for name, cls in HANDED_OUT.items() if not is_importable(name, cls)}
    assert absent - PENDING == set()


def test_what_is_pending_is_still_missing():
    named = {name for thing in WALKED.values() for name in missing(thing)}
    handed_out = {name for name, cls in HANDED_OUT.items() if not is_importable(name, cls)}
    assert PENDING - named - handed_out == set()


@pytest.mark.parametrize("module", PUBLIC, ids=lambda module: module.__name__)
def test_the_names_of_a_public_module_are_there_once(module):
    names = list(module.__all__)
    assert len(names) == len(set(names))
    assert [name for name in names if not hasattr(module, name)] == []


def test_the_walk_reaches_what_it_is_for():
    walked = set(WALKED.values())
    assert {pieces_orm.Session, pieces_orm.Watch, pieces_orm.Live, *pieces_orm.Entity._registry.values()} <= walked
    assert {"AssetCollection", "SearchableCollection", "Collection", "Related", "Many", "One"} <= set(HANDED_OUT)
    assert len(list(class_annotations(pieces_orm.Asset))) > len(pieces_orm.Asset._schema.fields)


def test_the_walk_sees_types_of_arguments_answers_fields_and_members_of_unions():
    class Sample:
        @staticmethod
        def call(trigger: Trigger, *, other: dict[str, "Score | None"]) -> list[Model]: ...  # noqa: F821, UP037

    function = Sample.call
    texts = [annotation for annotation, _ in function_annotations(function)]
    named = {name for text in texts for name, _ in named_types(text, "pieces_orm.values.structs")}
    assert named == {"Trigger", "Score", "Model"}
    assert {name for name, _ in named_types("Literal['Trigger'] | int", "pieces_orm.values.structs")} == set()

"""The signature and help of `create` are those of the kind's own arguments."""

import inspect
import pydoc

import pytest

import pieces_orm


@pytest.fixture(scope="module")
def session():
    with pieces_orm.Session("http://127.0.0.1:9") as session:
        yield session


def test_the_signature_of_create_names_the_real_parameters(session):
    assert list(inspect.signature(session.assets.create).parameters) == [
        "content", "name", "language", "description", "tags", "websites", "persons", "anchors", "transferables",
    ]  # fmt: skip
    assert str(inspect.signature(session.anchors.create)).startswith("(path: 'str | PurePath', *, type: ")
    assert inspect.signature(session.tags.create).return_annotation == "Tag"
    draft, create = inspect.signature(session.assets.draft), inspect.signature(session.assets.create)
    assert (draft.parameters, draft.return_annotation) == (create.parameters, "Draft")


def test_every_collection_shows_what_its_create_takes(session):
    collections = [session[cls] for cls in pieces_orm.Entity._registry.values()]
    shown = {each.entity.__name__: inspect.signature(each.create) for each in collections}
    unnamed = {name for name, signature in shown.items() if {"args", "kwargs"} & signature.parameters.keys()}
    assert unnamed == {"Format"}  # it is created with its asset, never by itself


def test_the_help_of_create_explains_the_arguments(session):
    shown = pydoc.plain(pydoc.render_doc(session.assets.create))
    assert "content: text, or the bytes of a file." in shown
    assert shown.index("Requests:") < shown.index("Args:") < shown.index("Raises:")

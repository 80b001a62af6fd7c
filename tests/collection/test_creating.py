"""What create() takes is checked before anything is sent, for every argument of every kind."""

from __future__ import annotations

import enum
import inspect
import re

import pytest

import pieces_orm
from pieces_orm import BatchError, DeletedError, Entity, InvalidValueError, UsageError
from pieces_orm.collection import arguments
from pieces_orm.orm import state_changes
from pieces_orm.values import Trigger
from tests.support import Requests

CLASSES = [
    cls
    for cls in Entity._registry.values()
    if "create" in cls._schema.kind.routes and cls.__module__.startswith("pieces_orm")
]
PARAMETERS = [
    (cls, parameter) for cls in CLASSES for parameter in list(inspect.signature(cls._seed).parameters.values())[1:]
]
NAMES = [f"{cls.__name__}-{parameter.name}" for cls, parameter in PARAMETERS]


@pytest.fixture
def required(pieces):
    """What each kind cannot be created without."""
    asset = pieces.assets.create("x")
    return {
        "Activity": {"event": {}}, "Anchor": {"path": "/x"}, "Annotation": {"text": "x"}, "Asset": {"content": "x"},
        "AnchorPoint": {"anchor": pieces.anchors.create("/x"), "fullpath": "/x/y"},
        "ConversationMessage": {"text": "x", "conversation": pieces.conversations.create("x")}, "Hint": {"text": "x"},
        "Person": {"name": "x"}, "Sensitive": {"asset": asset, "text": "x", "name": "x", "description": "x"},
        "Source": {"readable": "x"}, "SourceWindow": {"name": "x"}, "Tag": {"text": "x"}, "Website": {"url": "x"},
        "WorkstreamEvent": {"trigger": Trigger(copy=True)}, "WorkstreamSummary": {"name": "x"},
    }  # fmt: skip


def given(cls, parameter, required, value):
    """Positional and keyword arguments, one of them of a choice."""
    keywords = {**required.get(cls.__name__, {}), parameter.name: value}
    if parameter.kind is parameter.VAR_POSITIONAL:
        del keywords[parameter.name]
        return (value,), keywords
    return (), keywords


@pytest.mark.parametrize(("cls", "parameter"), PARAMETERS, ids=NAMES)
def test_every_argument_of_another_type_is_refused_before_any_request(pieces, required, cls, parameter):
    requests = Requests(pieces)
    wrong = object()
    args, keywords = given(cls, parameter, required, wrong)
    with pytest.raises(
        InvalidValueError, match=rf"{cls._schema.kind.collection}.create\(\): {parameter.name} takes .*, not <object"
    ):
        pieces[cls].create(*args, **keywords)
    if "Sequence" in str(parameter.annotation):
        for value in ("a text", [wrong], wrong):
            with pytest.raises(InvalidValueError):
                pieces[cls].create(**{**keywords, parameter.name: value})
    assert requests.take() == []


def test_a_text_in_place_of_a_list_is_refused_with_the_list_to_pass(pieces):
    words = r"tags takes a list of .*, not a text: pass tags=\['abc'\]\.$"
    for call in (
        lambda: pieces.assets.create("x", tags="abc"),
        lambda: pieces.assets.search("x", tags="abc"),
    ):
        with pytest.raises(InvalidValueError, match=words) as caught:
            call()
        assert "Sequence" not in str(caught.value)
    with pytest.raises(InvalidValueError, match=r"tags takes a list of str or Tag, not 5 \(int\)\.$"):
        pieces.assets.create("x", tags=5)


ENTITIES = [
    (cls, parameter, name)
    for cls, parameter in PARAMETERS
    for name in re.findall(r"\w+", str(parameter.annotation))
    if name in Entity._registry
]


@pytest.mark.parametrize(("cls", "parameter", "name"), ENTITIES, ids=[f"{c.__name__}-{p.name}" for c, p, _ in ENTITIES])
def test_every_entity_that_is_deleted_or_of_another_session_is_refused(
    pieces_server, pieces, required, cls, parameter, name
):
    with pieces_orm.connect(pieces_server.url) as other:
        theirs = other[Entity._registry[name]].ref("an-id")
        mine = pieces[Entity._registry[name]].ref("another-id")
        state_changes.remove(pieces._context, mine)
        requests = Requests(pieces)
        for entity, error in ((theirs, UsageError), (mine, DeletedError)):
            value = [entity] if "Sequence" in str(parameter.annotation) else entity
            args, keywords = given(cls, parameter, required, value)
            with pytest.raises(error):
                pieces[cls].create(*args, **keywords)
        assert requests.take() == []


@pytest.mark.parametrize(("cls", "parameter"), PARAMETERS, ids=NAMES)
def test_every_annotation_says_something_that_can_be_checked(cls, parameter):
    names = re.findall(r"[A-Za-z_]\w*", str(parameter.annotation).replace("builtins.", ""))
    assert [name for name in names if name not in {"Sequence", "Any"} and arguments._type(name) is object] == []


def test_what_is_missing_or_unknown_is_told_by_the_name_of_the_call(pieces):
    with pytest.raises(TypeError, match=r"assets.create\(\): missing a required argument: 'content'"):
        pieces.assets.create()
    with pytest.raises(TypeError, match=r"tags.create\(\): got an unexpected keyword argument 'txet'"):
        pieces.tags.create("x", txet="y")


def test_the_text_of_a_message_can_be_changed_but_not_removed(pieces):
    message = pieces.messages.create("hello", pieces.conversations.create("talk"))
    with pytest.raises(InvalidValueError, match="cannot be set to None"):
        message.text = None
    message.text = "good-bye"
    message.save()
    assert message.refresh(transferables=True).text == "good-bye"


def test_an_error_after_the_creation_says_that_the_material_exists_and_carries_it(pieces, other):
    tag, anchor = pieces.tags.create("tides"), pieces.anchors.create("/projects/tides")
    other.anchors.get(anchor.id).delete()
    with pytest.raises(BatchError, match="exists all the same") as caught:
        pieces.assets.create("x = 1", name="one", tags=[tag], anchors=[anchor])
    made = caught.value.created
    assert (made.name, made.tags.refs()) == ("one", [tag])
    assert pieces.assets.all() == [made]
    assert list(caught.value.failed) == [anchor.id]


def test_of_many_creations_each_error_carries_the_material_that_exists(pieces, other):
    anchor = pieces.anchors.create("/projects/tides")
    other.anchors.get(anchor.id).delete()
    with pytest.raises(BatchError) as caught:
        pieces.assets.create_many([{"content": "x", "name": "one"}, {"content": "y", "anchors": [anchor]}])
    error = caught.value.failed["1"]
    assert error.created.text == "y"
    assert error.created.id in caught.value.succeeded
    assert caught.value.created is None


def test_subclasses_of_str_are_sent_and_kept_as_plain_texts(pieces):
    class Color(str, enum.Enum):
        RED = "red"

    class Path(str):
        __slots__ = ()

    asset = pieces.assets.create(Path("x = 1"), name=Color.RED, tags=[Color.RED, Path("blue")])
    assert [(type(each), each) for each in (asset.text, asset.name)] == [(str, "x = 1"), (str, "red")]
    assert sorted(tag.text for tag in asset.tags) == ["blue", "red"]
    assert pieces.tags.get_or_create(Color.RED) in asset.tags
    assert pieces.anchors.create(Path("/projects/tides")).fullpath == "/projects/tides"
    with pytest.raises(InvalidValueError, match=r"type takes AnnotationType .* not <Color.RED: 'red'>"):
        pieces.annotations.create("x", Color.RED)
    assert type(pieces.assets.create("x", language=Path("Python")).language) is str

"""The twelve calls of the matrix, each in one or more situations with its own materials, and what its success means."""

from __future__ import annotations

from attrs import define, field, frozen

from pieces_orm import Annotation, Asset, State, Tag

from .worlds import FIELD


@define
class Case:
    """A call that is ready to be made.

    Attributes:
        act: makes the call.
        check: of its value, raises AssertionError where the call has not done what it says.
        held: the entities that the session holds meanwhile.
        victim: the id that a fault of a body is about.
        told: names of the signals that are told of a success.
        label: of what a create makes.
    """

    act: object
    check: object
    held: list = field(factory=list)
    victim: str = ""
    told: tuple = ()
    # The class and the label of what is created.
    creates: type | None = None


@frozen
class Situation:
    """One way in which a call is made.

    Attributes:
        prepare: makes the case in a world.
        kind_of: the class whose ids would be asked for.
        newer: the server leaves relations out of its documents, as from 12.6.
        shown: the exchange that the page shows, counted from the last.
    """

    name: str
    prepare: object
    kind_of: type = Asset
    newer: bool = False
    shown: bool = False


CALLS = {}


def situation(call, name, cls=Asset, *, newer=False):
    """Enter a situation of a call; the first of a call is that of the page."""

    def enter(prepare):
        known = CALLS.setdefault(call, [])
        known.append(Situation(f"{call}, {name}", prepare, cls, newer, shown=not known))
        return prepare

    return enter


# Reading --------------------------------------------------------------------------------------------------------------


def _get(world, cls):
    [entity] = world.hold(cls)
    theirs = world.truth[cls].get(entity.id)
    setattr(theirs, FIELD[cls], f"{world.label} renamed")
    theirs.save()

    def check(value):
        assert value is entity
        assert getattr(value, FIELD[cls]) == f"{world.label} renamed"
        world.assert_true(entity)

    return Case(lambda: world.session[cls].get(entity.id), check, [entity], entity.id, ("changed",))


@situation("get", "held, and changed elsewhere")
def get_asset(world):
    return _get(world, Asset)


@situation("get", "of a kind whose missing are a 500", Annotation)
def get_annotation(world):
    return _get(world, Annotation)


@situation("get", "not held")
def get_fresh(world):
    [id] = world.make(Asset)

    def check(value):
        assert value.id == id
        world.assert_true(value)

    return Case(lambda: world.session.assets.get(id), check, victim=id)


def _get_many(world, cls):
    held = world.edit(cls, 3)

    def check(value):
        assert [id(each) for each in value] == [id(each) for each in held]
        world.assert_true(*held)

    ids = [each.id for each in held]
    return Case(lambda: world.session[cls].get_many(ids), check, held, ids[1])


@situation("get_many", "assets")
def get_many_assets(world):
    return _get_many(world, Asset)


@situation("get_many", "annotations", Annotation)
def get_many_annotations(world):
    return _get_many(world, Annotation)


@situation("all", "assets")
def all_assets(world):
    held = world.edit(Asset, 2)

    def check(value):
        assert {id(each) for each in held} <= {id(each) for each in value}
        world.assert_true(*held)

    return Case(world.session.assets.all, check, held, held[1].id)


@situation("ids", "assets")
def ids_of_assets(world):
    held = world.edit(Asset, 2)

    def check(value):
        assert {each.id for each in held} <= set(value)
        assert all(isinstance(id, str) and len(id) == len(held[0].id) for id in value)

    return Case(world.session.assets.ids, check, held, held[1].id)


def _refresh(world, cls):
    [entity] = world.edit(cls)

    def check(value):
        assert value is entity
        world.assert_true(entity)

    return Case(entity.refresh, check, [entity], entity.id)


@situation("refresh", "an asset with an edit")
def refresh_asset(world):
    return _refresh(world, Asset)


@situation("refresh", "an annotation with an edit", Annotation)
def refresh_annotation(world):
    return _refresh(world, Annotation)


@situation("a field", "of a handle")
def field_of_handle(world):
    [id] = world.make(Asset)
    entity = world.session.assets.ref(id)

    def check(value):
        assert value == f"{world.label} 0"
        world.assert_true(entity)

    return Case(lambda: entity.name, check, [entity], id)


@situation("a field", "of an expired annotation with an edit", Annotation)
def field_of_expired(world):
    [entity] = world.edit(Annotation)
    created = entity.created
    entity.expire()

    def check(value):
        assert value == created
        world.assert_true(entity)

    return Case(lambda: entity.created, check, [entity], entity.id)


def _relation(world, cls, number):
    ids = world.make(cls, number)
    [tag] = world.hold(Tag)
    theirs = world.truth.tags.ref(tag.id)
    for id in ids:
        theirs.associate(world.truth[cls].ref(id))
    name = world.truth[cls].entity._schema.kind.collection
    tag.refresh()
    held = [tag, *(world.session[cls].ref(id) for id in ids)]

    def check(value):
        assert {each.id for each in value} == set(ids)
        world.assert_true(*value)

    return Case(lambda: list(getattr(tag, name)), check, held, ids[0])


@situation("a relation", "to one")
def relation_to_one(world):
    return _relation(world, Asset, 1)


@situation("a relation", "to three")
def relation_to_three(world):
    return _relation(world, Asset, 3)


@situation("a relation", "to one annotation", Annotation)
def relation_to_annotation(world):
    return _relation(world, Annotation, 1)


@situation("a relation", "whose ids are read from an association family", newer=True)
def relation_of_family(world):
    return _relation(world, Asset, 1)


# Writing --------------------------------------------------------------------------------------------------------------


@situation("create", "an asset")
def create_asset(world):
    def check(value):
        assert value.name == world.label
        world.assert_true(value)

    act = lambda: world.session.assets.create("x = 1", name=world.label, language="py")  # noqa: E731
    return Case(act, check, told=("created",), creates=Asset)


@situation("create", "an asset with an anchor, which is associated afterwards")
def create_with_anchor(world):
    anchor = world.session.anchors.create(f"/{world.label}")

    def check(value):
        assert value.name == world.label
        assert value.id in anchor.assets.ids
        assert value.id in world.truth.anchors.get(anchor.id).assets.ids

    act = lambda: world.session.assets.create("x", name=world.label, language="py", anchors=[anchor])  # noqa: E731
    return Case(act, check, [anchor], told=("created", "associated"), creates=Asset)


def _save(world, cls, name):
    [entity] = world.hold(cls)
    setattr(entity, name, f"{world.label} saved")

    def check(value):
        assert name in value
        assert entity.edits == {}
        assert getattr(world.truth[cls].get(entity.id), name) == getattr(entity, name) == f"{world.label} saved"

    return Case(entity.save, check, [entity], entity.id, ("changed",))


@situation("save", "an asset's name")
def save_name(world):
    return _save(world, Asset, "name")


@situation("save", "an asset's text, which has an endpoint of its own")
def save_text(world):
    return _save(world, Asset, "text")


@situation("save", "an annotation's text", Annotation)
def save_annotation(world):
    return _save(world, Annotation, "text")


def _delete(world, entity):
    def check(value):
        assert entity.state is State.DELETED
        assert world.session[type(entity)].peek(entity.id) is None
        assert world.truth[type(entity)].get(entity.id, None) is None

    return Case(entity.delete, check, [entity], entity.id, ("deleted",))


@situation("delete", "an asset with an edit")
def delete_asset(world):
    [entity] = world.edit(Asset)
    return _delete(world, entity)


@situation("delete", "an annotation", Annotation)
def delete_annotation(world):
    return _delete(world, *world.hold(Annotation))


@situation("delete", "a handle")
def delete_handle(world):
    return _delete(world, world.session.assets.ref(world.make(Asset)[0]))


@situation("associate", "an asset with a tag")
def associate_tag(world):
    [asset], [tag] = world.hold(Asset), world.hold(Tag)

    def check(value):
        assert tag.id in asset.tags.ids
        assert asset.id in tag.assets.ids
        assert tag.id in world.truth.assets.get(asset.id).tags.ids

    return Case(lambda: asset.associate(tag), check, [asset, tag], tag.id, ("associated",))


# Searching ------------------------------------------------------------------------------------------------------------


@situation("search", "assets")
def search_assets(world):
    [entity] = world.hold(Asset)

    def check(value):
        assert any(hit.asset is entity for hit in value)
        world.assert_true(entity)

    return Case(lambda: world.session.assets.search(world.label), check, [entity], entity.id)


@situation("search", "annotations", Annotation)
def search_annotations(world):
    [entity] = world.hold(Annotation)

    def check(value):
        assert any(hit.entity is entity for hit in value)

    return Case(lambda: world.session.annotations.search(world.label), check, [entity], entity.id)


assert len(CALLS) == 12

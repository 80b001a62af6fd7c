"""Whatever a call is given, nothing but an error of the tree or a TypeError comes out, and first of all."""

from __future__ import annotations

import enum
import inspect
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone, tzinfo
from pathlib import Path

import pytest

import pieces_orm
from pieces_orm import Asset, Entity, InvalidValueError, PiecesError, ResponseError, Session, UsageError, filters
from pieces_orm.server import Server
from pieces_orm.values import AnchorType, Interaction, Trigger
from tests.support import Requests


class Color(str, enum.Enum):
    """An enum of texts."""

    RED = "red"


class OddZone(tzinfo):
    """A zone days away from UTC."""

    def utcoffset(self, moment):
        return timedelta(days=3)

    def tzname(self, moment):
        return "odd"

    def dst(self, moment):
        return None


# Answers of the server are not looked at here; a file that is not there is Python's own error.
ALLOWED = (PiecesError, TypeError, OSError, IndexError)


class World:
    """A session with a few materials, and the odd values made of them."""

    def __init__(self, session: Session, other: Session) -> None:
        self.session = session
        self.asset = session.assets.create("x", name="n", tags=["t"])
        self.tag, self.anchor = session.tags.create("tt"), session.anchors.create("/x/y")
        foreign, deleted = other.assets.get(self.asset.id), session.tags.create("deleted")
        deleted.delete()
        self.odd = [
            None, 5, -1, 2**100, 1.5, float("nan"), True, "", "x", "\ud800", "a/b", b"x", [], ["id"], [None],
            ["\ud800"], [5], {}, {"a": 1}, {5: 6}, {"text": "\ud800"}, [{"text": 5}], object(), Color.RED,
            AnchorType.FILE, self.asset, [self.asset], foreign, [foreign], deleted, [deleted], self.tag, [self.tag],
            Asset, Entity, datetime.fromisoformat("0001-01-01"), datetime.fromisoformat("9999-12-31T23:59:59"),
            datetime(2026, 1, 1, tzinfo=OddZone()), datetime.min.replace(tzinfo=timezone(timedelta(hours=5))),
            Path("x"), Path("\udcff"), len, Asset.tags, filters.tags("a"), Trigger(copy=object()),
            Interaction("\ud800"),
        ]  # fmt: skip
        self.requests = Requests(session)

    def check(self, act) -> None:
        """Do something odd; what the caller did wrong is said before any request."""
        self.requests.take()
        try:
            result = act()
        except ALLOWED as error:
            if isinstance(error, UsageError) and not isinstance(error, pieces_orm.UnsupportedOperationError):
                assert self.requests.take() == []
            if type(error) is TypeError:
                assert self.requests.take() == []
        else:
            if isinstance(result, Iterator) or hasattr(result, "wait_live") or hasattr(result, "on_error"):
                result.close()


@pytest.fixture(scope="module")
def world():
    with Server() as server, pieces_orm.connect(server.url) as session, pieces_orm.connect(server.url) as other:
        yield World(session, other)


# The arguments with which each call would work.
GOOD = {
    "get": ["a"], "peek": ["a"], "ref": ["a"], "create": ["x"], "exists": ["x"], "get_or_create": ["x"],
    "search": ["x"], "draft": ["x"], "get_many": [["a"]], "create_many": [["x"]], "delete_many": [[]],
    "create_from_file": ["/nowhere"], "recommended": [[]], "request": ["GET", "/user"],
}  # fmt: skip
# Those that open something, close everything, or are checked by a test of their own.
SKIPPED = {"close", "delete", "watch", "changes", "live", "stream", "suggestions", "signals", "entity", "editing"}


def odd_calls(world, call, name):
    """Calls of a method with each of its arguments odd, one at a time."""
    good = GOOD.get(name, [])
    parameters = list(inspect.signature(call).parameters.values())
    for place, parameter in enumerate(parameters):
        for odd in world.odd:
            if callable(odd) and parameter.name == "progress":
                continue  # what a function of the program raises is its own
            args, named = list(good), {}
            if parameter.kind is parameter.VAR_POSITIONAL:
                args.append(odd)
            elif parameter.kind is parameter.KEYWORD_ONLY or place > len(args):
                named = {parameter.name: odd}
            elif parameter.kind is not parameter.VAR_KEYWORD:
                args[place : place + 1] = [odd]
            yield lambda args=args, named=named: call(*args, **named)


def methods(thing):
    for name in dir(thing):
        if not name.startswith("_") and name not in SKIPPED and inspect.ismethod(getattr(thing, name)):
            yield name, getattr(thing, name)


@pytest.mark.slow
@pytest.mark.parametrize("collection", sorted(["assets", "tags", "anchors", "persons", "ranges", "formats"]))
def test_no_odd_argument_of_a_collection_gets_further_than_an_error_of_the_tree(world, collection):
    for name, call in methods(getattr(world.session, collection)):
        for act in odd_calls(world, call, name):
            world.check(act)


def test_no_odd_argument_of_an_entity_or_relation_gets_further_than_an_error_of_the_tree(world):
    for thing in (world.asset, world.anchor, world.asset.tags):
        for name, call in methods(thing):
            for act in odd_calls(world, call, name):
                world.check(act)
    for odd in world.odd:
        world.check(lambda odd=odd: odd in world.asset.tags)
        world.check(lambda odd=odd: world.asset.tags == odd)
        world.check(lambda odd=odd: world.asset.tags[odd])


def test_no_odd_value_of_a_field_gets_further_than_an_error_of_the_tree(world):
    session = world.session
    event, note = session.workstream_events.create(Trigger(copy=True)), session.annotations.create("n")
    for entity in (world.asset, world.anchor, world.tag, session.ranges.create(), event, note):
        for name in type(entity)._schema.fields:
            for odd in world.odd:
                world.check(lambda entity=entity, name=name, odd=odd: setattr(entity, name, odd))
        if entity.edits:
            entity.to_json()  # all that was taken can be sent
            entity.revert()


def test_no_odd_argument_of_a_session_gets_further_than_an_error_of_the_tree(world):
    for name, call in methods(world.session):
        for act in odd_calls(world, call, name):
            world.check(act)
    for odd in world.odd:
        world.check(lambda odd=odd: world.session.prefetch([world.asset], odd))
        for option in ("key", "where"):
            if not callable(odd):
                world.check(lambda odd=odd, option=option: world.session.tags.live(**{option: odd}).close())


@pytest.mark.parametrize("odd", [Entity, 5, None, "Asset", Session, Asset.tags], ids=str)
def test_what_is_no_class_of_entities_cannot_be_watched(pieces, odd):
    for act in (pieces.watch, pieces.changes, pieces.__getitem__):
        requests = Requests(pieces)
        with pytest.raises(InvalidValueError, match="takes an entity class"):
            act(odd)
        assert requests.take() == []


def test_no_odd_argument_of_a_filter_gets_further_than_an_error_of_the_tree(world):
    for name in set(filters.__all__) - {"Filter"}:
        call = getattr(filters, name)
        for act in odd_calls(world, call, name):
            world.check(lambda act=act: world.session.assets.search(filters=[act()]))


def test_what_is_no_asset_of_the_session_is_refused_by_calls_that_take_assets(world):
    session = world.session
    for odd in (["id"], [None], [world.tag], world.asset, "id", 5):
        for act in (session.assets.related, session.assets.recommended):
            with pytest.raises(InvalidValueError, match="takes"):
                act(odd)
    for odd in ("id", None, world.tag):
        with pytest.raises(InvalidValueError, match="formats takes"):
            session.assets.formats(odd)


@pytest.mark.parametrize("option", ["application", "api_key", "token"])
def test_a_session_cannot_be_opened_with_what_is_no_text(pieces_server, option):
    for odd in (5, b"x", ["x"], object(), "\ud800"):
        with pytest.raises(InvalidValueError, match=f"{option} takes a text"):
            pieces_orm.connect(**{"url": pieces_server.url, option: odd})


def test_a_search_within_a_text_is_refused_rather_than_taken_for_a_list_of_letters(world):
    for odd in ("id", 5, [5], [world.tag], ["a/b"]):
        with pytest.raises((ResponseError, UsageError)) as caught:
            world.session.assets.search("x", within=odd)
        assert isinstance(caught.value, UsageError)


@pytest.mark.parametrize("text", ["a\nb", "a\r", "\x00", "\x7f", "\u2603", "\u202e"], ids=ascii)
def test_what_cannot_be_in_a_header_is_refused_before_anything_is_sent(pieces, text):
    requests = Requests(pieces)
    with pytest.raises(InvalidValueError, match="accept is sent in a header"):
        pieces.request("GET", "/tags", accept=text)
    assert requests.take() == []
    for option in ("api_key", "token"):
        with pytest.raises(InvalidValueError, match=f"{option} is sent in a header") as caught:
            pieces_orm.connect(pieces.url, **{option: f"s3cret{text}"})
        assert "s3cret" not in str(caught.value)


def test_a_method_of_other_letters_than_ascii_is_refused(pieces):
    with pytest.raises(InvalidValueError, match="A method is a word"):
        pieces.request("G\u00c9T", "/tags")


def test_no_filter_at_all_is_no_alternative():
    with pytest.raises(InvalidValueError, match="one or more filters"):
        filters.any_of()
